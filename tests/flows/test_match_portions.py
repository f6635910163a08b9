"""A match run writes in portions, and a paper that harms stops nobody else's."""

import pytest
import sqlalchemy as sa
from support.house import Runtime, add
from support.sightings import bring, seen

from service.flows import match
from service.flows.match import match_new


def matched(rt: Runtime) -> list[tuple[str, float]]:
    text = sa.text('SELECT title, score FROM "match" JOIN paper ON paper.id = paper_id ORDER BY 1')
    return [(title, score) for title, score in rt.db.read(lambda s: s.execute(text).all())]


def test_one_that_harms_is_put_aside(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    add(rt, "ada@example.org", "glacier")
    names = ["Glacier one", "Glacier of harm", "Glacier two"]
    bring(rt, "feed", *(seen(f"doi:10.1000/{at}", title=name) for at, name in enumerate(names)))
    real = rt.index.score_many

    def harmed(documents, statistics):  # type: ignore[no-untyped-def]
        if any("harm" in document.title.keys for document in documents):
            raise ValueError("no such thing")
        return real(documents, statistics)

    monkeypatch.setattr(rt.index, "score_many", harmed)
    monkeypatch.setattr(match, "MOST_ROWS", 1)
    report = match_new(rt)
    assert (report.papers, report.matches, report.quarantined) == (3, 2, 1)
    assert [title for title, _ in matched(rt)] == ["Glacier one", "Glacier two"]
    reason = rt.db.read(
        lambda s: s.scalar(sa.text("SELECT quarantined FROM paper WHERE title = 'Glacier of harm'"))
    )
    assert reason == "ValueError: no such thing"
    assert match_new(rt).papers == 0


def test_a_new_profile_gets_the_scores_that_a_new_paper_gets(rt: Runtime) -> None:
    add(rt, "ada@example.org", "glacier, glaciers melting")
    bring(rt, "feed", seen("doi:10.1000/x", title="Melting glacier", abstract="A glacier melts."))
    match_new(rt)
    ((title, made),) = matched(rt)
    assert made > 2
    add(rt, "bo@example.org", "glacier, glaciers melting")
    match_new(rt)
    assert [name for name, _ in matched(rt)] == [title, title]
    assert [score for _, score in matched(rt)] == pytest.approx([made, made])
