"""What changed about a paper is kept: each kind, votes once a day, no word twice."""

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from support.house import add, ingest_items, paper_item
from support.sightings import bring, seen, stored, told

from service.defaults import FIXED
from service.flows.browse import read_paper
from service.flows.filing import words_of
from service.flows.runtime import Runtime
from service.flows.tidy import tidy
from service.papers.model import Alias
from service.store.papers import to_paper

NAME = "arxiv:2611.00001"


def test_a_paper_that_comes_back_on_a_later_day_is_the_same_with_other_votes_and_links(
    rt: Runtime, tmp_path: Path
) -> None:
    """Hugging Face lists an id again: one paper, more votes, a code link, no second new."""
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters", votes=3)], on=date(2026, 11, 16))
    for day, votes, more in (
        (17, 5, {}),
        (17, 9, {"githubRepo": "https://github.com/a/b"}),
        (18, 9, {"projectPage": "https://p.example/"}),
    ):
        item = paper_item(1, "Adapters", votes=votes, **more)
        ingest_items(rt, tmp_path, [item], on=date(2026, 11, day))
    (row,) = rt.db.read(stored)
    assert row.votes == 9
    assert row.eligible_at is not None
    assert row.eligible_at.date() == date(2026, 11, 16)
    assert told(rt) == [
        ("votes", "3 9"),
        ("code", "https://github.com/a/b"),
        ("project", "https://p.example/"),
    ]
    page = read_paper(rt, "arxiv", "2611.00001")
    assert page.history.votes_before == 3
    assert page.history.votes == ((date(2026, 11, 17), 9),)
    assert [one.listed_on.day for one in page.appearances] == [18, 17, 16]


def test_versions_a_withdrawal_and_a_doi_are_told_once(rt: Runtime) -> None:
    bring(rt, "arxiv_rss", seen(NAME, title="First words", version=1))
    second = seen(
        NAME, "doi:10.1000/x", title="Other words", version=2, note="Withdrawn: an error",
        withdrawn=True, updated_at=datetime(2026, 11, 17, tzinfo=UTC),
    )  # fmt: skip
    announced = seen(
        NAME, title="Other words", version=2, updated_at=datetime(2026, 11, 18, tzinfo=UTC)
    )
    for kind, sighting in (
        ("arxiv_rss", announced),
        ("arxiv_api", second),
        ("arxiv_rss", announced),
        ("arxiv_api", second),
    ):
        bring(rt, kind, sighting)
    assert told(rt) == [
        ("version", "2"),
        ("title", "First words"),
        ("doi", "10.1000/x"),
        ("withdrawn", ""),
    ]
    (row,) = rt.db.read(stored)
    assert (row.withdrawn, row.note, row.title) == (True, "Withdrawn: an error", "Other words")


def test_a_poorer_source_changes_nothing(rt: Runtime) -> None:
    bring(rt, "arxiv_rss", seen(NAME, title="The title", abstract="Whole.", authors=("A", "B")))
    bring(rt, "hf_daily", seen(NAME, title="the TITLE!", abstract="Longer than whole.", votes=2))
    bring(rt, "feed", seen(NAME, title="A journal's title", authors=("A", "B", "C"), votes=1))
    (row,) = rt.db.read(stored)
    assert (row.title, row.abstract, row.authors) == ("The title", "Whole.", ["A", "B"])
    assert told(rt) == [("votes", "2")]


def test_what_one_chunk_shows_twice_is_told_once(rt: Runtime) -> None:
    first = bring(rt, "hf_daily", seen(NAME, votes=1), seen(NAME, votes=4), seen(NAME, votes=6))
    assert (first.new, first.refreshed, first.problems) == (1, 2, [])
    assert told(rt) == [("votes", "1 6")]
    bring(rt, "hf_daily", seen(NAME, votes=7), seen(NAME, votes=8))
    assert told(rt) == [("votes", "1 8")]


def test_what_is_said_better_the_second_time_is_taken(rt: Runtime) -> None:
    """A feed lists a paper twice: the chapter, and the book that holds it."""
    name = "doi:10.1000/x"
    report = bring(rt, "feed", seen(name, abstract="Short."), seen(name, abstract="Longer one."))
    assert (report.new, report.refreshed, report.problems) == (1, 1, [])
    (row,) = rt.db.read(stored)
    assert row.abstract == "Longer one."
    paper = to_paper(row, (Alias("doi", "10.1000/x"),))
    assert row.folded == words_of(paper, [("feed", "Source feed")])


def test_twins_of_one_chunk_are_joined_in_it(rt: Runtime) -> None:
    journal, preprint = "doi:10.1000/x", "arxiv:2611.00001"
    report = bring(rt, "feed", seen(journal), seen(preprint), seen(journal, preprint))
    assert report.problems == []
    assert len(rt.db.read(stored)) == 1


def test_rows_of_earlier_days_are_no_stumbling_block(rt: Runtime) -> None:
    from service.store.events import add_event

    bring(rt, "arxiv_rss", seen(NAME, version=1))
    rt.db.write(lambda s: add_event(s, 1, "version", rt.clock(), "2025-12-01 00:00:00+00:00"))
    report = bring(rt, "arxiv_rss", seen(NAME, version=2))
    assert (report.refreshed, report.problems) == (1, [])
    assert ("version", "2") in told(rt)


def test_votes_go_after_their_days_and_the_rest_stays(rt: Runtime) -> None:
    bring(rt, "hf_daily", seen(NAME, votes=1))
    bring(rt, "hf_daily", seen(NAME, votes=2, links={"code": "https://c.example/"}))
    rt.clock.go(days=FIXED.keep_votes_days - 1)  # type: ignore[attr-defined]
    assert "votes" not in tidy(rt).removed
    rt.clock.go(days=2)  # type: ignore[attr-defined]
    assert tidy(rt).removed["votes"] == 1
    assert told(rt) == [("code", "https://c.example/")]


def test_a_refresh_that_fails_keeps_no_event(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """What changed and that it changed are one transaction."""
    from service.store import arrivals

    bring(rt, "hf_daily", seen(NAME, votes=1))

    def broken(*_: object) -> None:
        raise ValueError("no room")

    monkeypatch.setattr(arrivals, "add_rows", broken)
    report = bring(rt, "hf_daily", seen(NAME, votes=2))
    assert [problem.what for problem in report.problems] == ["ValueError: no room"]
    (row,) = rt.db.read(stored)
    assert row.votes == 1
    assert told(rt) == []


def test_an_interest_that_asks_for_votes_meets_a_paper_that_rises(
    rt: Runtime, tmp_path: Path
) -> None:
    from service.flows.daily import plan_daily
    from service.flows.send import send_ready

    add(rt, "ada@example.org", profile="adapters AND votes:>20")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less", votes=3)])
    assert plan_daily(rt).skipped == {"nothing_new": 1}
    rt.clock.go(days=1)  # type: ignore[attr-defined]
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less", votes=30)])
    assert plan_daily(rt).ready == 1
    asyncio.run(send_ready(rt))
