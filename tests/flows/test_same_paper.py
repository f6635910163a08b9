"""One work is one paper, whatever it is called and whoever shows it first."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlmodel import Session
from support.sightings import bring, name_sets, seen, source_of, stored

from service.flows.filing import Item
from service.flows.ingest import take_chunk
from service.flows.runtime import Runtime
from service.papers.model import Paper


def test_versions_of_an_arxiv_paper_are_one(rt: Runtime) -> None:
    """The versioned id is no identity."""
    first = bring(rt, "arxiv_rss", seen("arxiv:2611.00001", version=1))
    again = bring(rt, "arxiv_api", seen("arxiv:2611.00001", version=3))
    assert (first.new, again.new, again.refreshed) == (1, 0, 1)
    assert len(rt.db.read(stored)) == 1


def test_a_doi_that_appears_later_joins_the_journals_paper(rt: Runtime) -> None:
    bring(rt, "feed", seen("doi:10.1000/x", "guid:j:1", title="A study of things"))
    bring(rt, "arxiv_rss", seen("arxiv:2611.00001", title="A study of things"))
    assert len(rt.db.read(stored)) == 2
    report = bring(rt, "arxiv_api", seen("arxiv:2611.00001", "doi:10.1000/x", title="A study"))
    assert (report.new, report.refreshed) == (0, 1)
    assert rt.db.read(name_sets) == {frozenset(("doi:10.1000/x", "guid:j:1", "arxiv:2611.00001"))}


def test_two_works_of_one_title_stay_two_and_the_second_is_new(rt: Runtime) -> None:
    """What the whole poll is judged by, and what files it, agree on who is known."""
    from service.flows.taking import known_of

    bring(rt, "feed", seen("doi:10.1000/a", "link:https://j.example/toc"))
    other = seen("doi:10.1000/b", "link:https://j.example/toc")
    known, _ = rt.db.read(lambda s: known_of(s, 1, [other]))
    assert known == [False]
    assert bring(rt, "feed", other).new == 1
    assert len(rt.db.read(stored)) == 2


def test_what_a_feed_shows_again_it_does_not_list_again(rt: Runtime) -> None:
    from service.store.tables import SightingRow

    def days() -> list[date]:
        return [row[0] for row in rt.db.read(lambda s: s.execute(query).all())]

    query = sa.select(SightingRow.listed_on).order_by(SightingRow.listed_on)  # type: ignore[call-overload]
    for _ in range(3):
        bring(rt, "feed", seen("guid:a"))
        rt.clock.go(days=1)  # type: ignore[attr-defined]
    assert len(days()) == 1
    for day in (date(2026, 11, 18), date(2026, 11, 19)):
        bring(rt, "hf_daily", seen("guid:a", on=day))
    assert len(days()) == 3


@pytest.mark.parametrize("fault", ["\x00", "\ud800"])
def test_what_harms_one_item_harms_no_other(
    rt: Runtime, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.store import papers as papers_store

    real = papers_store.facts_of

    def strict(paper: Paper) -> dict[str, Any]:
        if fault in paper.title:
            raise ValueError("it holds what cannot be stored")
        return real(paper)

    monkeypatch.setattr(papers_store, "facts_of", strict)
    items = [seen(f"guid:{n}", title=f"Paper {n}") for n in range(5)]
    items[2] = seen("guid:bad", title=f"Bad {fault}")
    report = bring(rt, "feed", *items)
    assert (report.new, len(rt.db.read(stored))) == (4, 4)
    assert [(p.item, p.what) for p in report.problems] == [
        (3, "ValueError: it holds what cannot be stored")
    ]


def test_what_the_database_refuses_is_one_item(rt: Runtime) -> None:
    items = [seen(f"guid:{n}", title=f"Paper {n}") for n in range(5)]
    items[3] = seen("guid:big", title="Paper big", votes=1 << 70)
    report = bring(rt, "feed", *items)
    assert (report.new, len(rt.db.read(stored))) == (4, 4)
    assert [p.item for p in report.problems] == [4]
    assert report.problems[0].title == "Paper big"


@pytest.mark.slow  # a thousand papers, twice
def test_a_thousand_items_take_few_statements(rt: Runtime) -> None:
    words = "neural retrieval of long documents with sparse attention under shift "
    items = [
        seen(f"guid:g{n}", f"fingerprint:f{n}", title=f"{words}{n}", abstract=words * 12)
        for n in range(1000)
    ]
    bring(rt, "feed", *items)
    count = [0]

    def counted(*_: object) -> None:
        count[0] += 1

    event.listen(rt.db.engine, "before_cursor_execute", counted)
    report = bring(rt, "feed", *items)
    assert report.refreshed == 1000
    assert count[0] < 250  # ten chunks


# Works with names of their own; two of them share a title and first author, but always show
# their arXiv ids.
WORKS = (
    ("arxiv:2611.00001", "doi:10.1000/a", "pmid:1", "guid:ga", "link:https://a.example/1"),
    ("doi:10.1000/b", "guid:gb", "link:https://b.example/1", "fingerprint:fb"),
    ("guid:gc", "guid:gc2", "link:https://c.example/1", "hf:c", "fingerprint:fc"),
)
TWO = (("arxiv:2611.00008", "fingerprint:same"), ("arxiv:2611.00009", "fingerprint:same"))
KINDS = ("feed", "arxiv_rss", "arxiv_api", "hf_daily")


@st.composite
def showings(draw: st.DrawFn) -> list[tuple[str, tuple[str, ...]]]:
    """Who shows which names of which work."""
    shown = [(kind, names) for names in TWO for kind in ("arxiv_rss", "hf_daily")]
    for names in WORKS:
        for _ in range(draw(st.integers(1, 4))):
            part = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
            shown.append((draw(st.sampled_from(KINDS)), tuple(part)))
    return shown


def components(shown: list[tuple[str, tuple[str, ...]]]) -> set[frozenset[str]]:
    """What belongs together, by a naive closure over common names."""
    groups: list[set[str]] = []
    for _, names in shown:
        if "fingerprint:same" in names:
            continue
        mine = set(names)
        for group in [g for g in groups if g & mine]:
            mine |= group
            groups.remove(group)
        groups.append(mine)
    return {frozenset(group) for group in groups}


@pytest.mark.slow  # many houses' worth of papers
@settings(max_examples=40)
@given(shown=showings(), data=st.data())
def test_any_order_gives_the_same_papers_and_never_a_second_new(
    rt: Runtime, shown: list[tuple[str, tuple[str, ...]]], data: st.DataObject
) -> None:
    shown = data.draw(st.permutations(shown))
    sources = {kind: source_of(rt, kind) for kind in KINDS}

    def show(session: Session, kind: str, names: tuple[str, ...]) -> int:
        item = Item(sighting=seen(*names), verdict="new", listed_on=rt.clock().date())
        return take_chunk(session, sources[kind], [item], 0, rt.clock()).new

    with Session(rt.db.engine) as session:  # rolled back: every example begins with nothing
        new = sum(show(session, kind, names) for kind, names in shown)
        found = name_sets(session)
        rows = stored(session)
        again = sum(show(session, *one) for one in data.draw(st.permutations(shown)))
        assert name_sets(session) == found
    of_two = {names for names in found if any(name in names for two in TWO for name in two)}
    assert found - of_two == components(shown)
    assert len(of_two) == 2
    assert len(rows) == len(found) <= new
    assert all(row.eligible_at is not None for row in rows)
    assert again == 0


def test_refreshed_facts_never_make_a_paper_new(rt: Runtime) -> None:
    bring(rt, "feed", seen("guid:a", title="Old words"), verdict="known")
    bring(
        rt, "feed",
        seen("guid:a", title="New words", updated_at=datetime(2026, 11, 1, tzinfo=UTC)),
    )  # fmt: skip
    (row,) = rt.db.read(stored)
    assert (row.title, row.eligible_at) == ("New words", None)
