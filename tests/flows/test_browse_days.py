"""The daily page's order is the digest's; days without papers are stepped over."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from support.house import ingest_items, paper_item
from support.reading_house import WEDNESDAY, Reading, reading_house

from service.flows import browse
from service.flows.daily import plan_daily
from service.flows.estimate import estimate
from service.flows.interests import read_form
from service.flows.search import search
from service.matching.counting import Asked
from service.matching.query import QueryError
from service.store.deliveries import list_deliveries


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path) as made:
        yield made


def test_a_day_shows_every_paper_most_voted_first_unvoted_last(house: Reading) -> None:
    page = browse.read_day(house.rt, WEDNESDAY)
    votes = [one.paper.votes or 0 for one in page.papers]
    assert votes == sorted(votes, reverse=True)
    assert votes[-1] == 0
    assert page.total == 6
    assert page.papers[0].submitted_by == "carla"


@pytest.mark.slow
def test_the_order_is_that_of_the_trending_mail(house: Reading, tmp_path: Path) -> None:
    """On a day that stands alone both lists must be the same."""
    alone = date(2026, 11, 11)
    items = [paper_item(900 + n, f"Paper {n}", votes=v) for n, v in enumerate((3, 9, 3, 1, 7))]
    items[2]["numComments"] = 8
    with reading_house(tmp_path / "other", papers=False) as other:
        ingest_items(other.rt, tmp_path, items, on=alone)
        other.clock.at = other.clock.at.replace(day=11)
        other.subscribe("ben@uni.example")
        plan_daily(other.rt, alone)
        row = next(
            d
            for d in other.rt.db.read(lambda s: list_deliveries(s))
            if d.content and "digest" in d.content
        )
        assert row.content is not None
        section = row.content["digest"]["sections"][0]
        mailed = [entry["title"]["text"] for entry in section["entries"]]
        shown = [one.paper.title for one in browse.read_day(other.rt, alone).papers]
    assert shown == mailed
    assert len(shown) == 5


def test_neighbours_are_days_that_have_papers(house: Reading, tmp_path: Path) -> None:
    ingest_items(house.rt, tmp_path, [paper_item(950, "Friday's")], on=date(2026, 11, 13))
    monday = browse.read_day(house.rt, date(2026, 11, 16))
    assert (monday.previous, monday.next) == (date(2026, 11, 13), date(2026, 11, 17))
    sunday = browse.read_day(house.rt, date(2026, 11, 15))
    assert (sunday.total, sunday.previous, sunday.next) == (
        0,
        date(2026, 11, 13),
        date(2026, 11, 16),
    )
    assert browse.newest_day(house.rt) == WEDNESDAY


def test_pages_of_a_day_hold_each_paper_once(house: Reading) -> None:
    for order in ("trending", "newest"):
        parts = [
            browse.read_day(house.rt, WEDNESDAY, order=order, offset=at, limit=2).papers  # type: ignore[arg-type]
            for at in (0, 2, 4)
        ]
        ids = [one.paper.id for part in parts for one in part]
        assert len(ids) == len(set(ids)) == 6


def test_search_marks_its_words_and_says_what_to_leave_out(house: Reading) -> None:
    found = search(house.rt, "robots towels")
    assert found.total == 3
    assert [text for text, hit in found.papers[0].title.pieces() if hit] == ["Robots", "towels"]
    nothing = search(house.rt, "robots unicorns")
    assert nothing.total == 0
    assert ("unicorns", "robots", 12) in nothing.without
    any_of = search(house.rt, "towels, hands")
    assert any_of.total == 6
    with pytest.raises(QueryError):
        search(house.rt, "(robots")


def test_a_paper_is_found_by_its_name_alone(house: Reading) -> None:
    page = browse.read_paper(house.rt, "arxiv", "2611.00100")
    assert page.shown.paper.title == "Adapters that forget less"
    assert page.appearances[0].listed_on == WEDNESDAY
    with pytest.raises(browse.NotHereError):
        browse.read_paper(house.rt, "arxiv", "2611.99999")


def test_expected_mails_count_weekdays_from_the_first_day_with_papers(house: Reading) -> None:
    query = read_form("adapters").query
    assert query is not None
    assert browse.mail_days(house.rt, estimate(house.rt, Asked(query))) == (3, 3)
    none = read_form("unicorns").query
    assert none is not None
    assert browse.mail_days(house.rt, estimate(house.rt, Asked(none))) == (0, 3)


def test_equal_votes_stand_in_the_order_of_their_names(house: Reading, tmp_path: Path) -> None:
    day = date(2026, 11, 6)
    numbers = (975, 971, 978, 973)
    ingest_items(house.rt, tmp_path, [paper_item(n, f"Even {n}") for n in numbers], on=day)
    shown = [one.paper.title for one in browse.read_day(house.rt, day).papers]
    assert shown == [f"Even {n}" for n in sorted(numbers)]
