"""A match run writes in portions, and a paper that harms stops nobody else's."""

import pytest
import sqlalchemy as sa
from support.house import Runtime, add
from support.sightings import bring, seen

from service.flows import match
from service.flows.match import match_new
from service.matching.index import Index


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


def test_one_that_harms_stops_no_new_profile(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["Glacier one", "Glacier of harm", "Glacier two"]
    bring(rt, "feed", *(seen(f"doi:10.1000/{at}", title=name) for at, name in enumerate(names)))
    real = Index.score_many

    def harmed(index, documents, statistics):  # type: ignore[no-untyped-def]
        if any("harm" in document.title.keys for document in documents):
            raise ValueError("no such thing")
        return real(index, documents, statistics)

    monkeypatch.setattr(Index, "score_many", harmed)
    add(rt, "ada@example.org", "glacier")
    assert match_new(rt).quarantined == 1
    assert [title for title, _ in matched(rt)] == ["Glacier one", "Glacier two"]


def test_new_profiles_meet_papers_that_are_read_once(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(rt, "feed", *(seen(f"doi:10.1000/{at}", title=f"Glacier {at}") for at in range(3)))
    match_new(rt)
    for at in range(4):
        add(rt, f"{at}@example.org", "glacier")
    read: list[int] = []
    real = match.document_of
    monkeypatch.setattr(match, "document_of", lambda row: (read.append(row.id), real(row))[1])
    monkeypatch.setattr(match, "MOST_ROWS", 1)  # many portions: what was written first stays
    match_new(rt)
    assert len(read) == 3
    assert [title for title, _ in matched(rt)] == [
        f"Glacier {at}" for at in range(3) for _ in "abcd"
    ]
    unmatched = sa.text("SELECT count(*) FROM profile WHERE matched_at IS NULL")
    assert rt.db.read(lambda s: s.scalar(unmatched)) == 0
