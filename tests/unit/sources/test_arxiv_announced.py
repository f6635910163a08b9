"""When arXiv's papers were announced, from ids and datestamps."""

import gzip
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from service.papers.identity import aliases
from service.papers.model import Paper, Sighting
from service.sources.arxiv_announced import announced_after, is_late_cross_list, month_of, order_of
from service.sources.calendar import next_expected

MON, TUE, WED, THU = (date(2026, 11, day) for day in (16, 17, 18, 19))


def next_day(day: date) -> date:
    return next_expected("arxiv_rss", day)


def seen(number: str, submitted: date, changed: date, category: str = "cs.CL") -> Sighting:
    paper = Paper(
        aliases=aliases(f"arXiv:{number}"), title=number, published_on=submitted,
        categories=(category,),
    )  # fmt: skip
    return Sighting(paper=paper, listed_on=changed)


def days(*rows: Sighting, after: str = "2611.00010") -> dict[str, date]:
    return announced_after(rows, after, next_day=next_day)


def test_each_falls_on_the_day_of_its_record() -> None:
    assert days(
        seen("2611.00011", MON, TUE), seen("2611.00012", TUE, WED), seen("2611.00013", TUE, WED)
    ) == {"2611.00011": TUE, "2611.00012": WED, "2611.00013": WED}


def test_what_changed_later_falls_between_its_neighbours() -> None:
    found = days(
        seen("2611.00011", MON, THU),  # announced on Tuesday, replaced on Thursday
        seen("2611.00012", MON, TUE),
        seen("2611.00013", TUE, WED),
    )
    assert found["2611.00011"] == TUE


def test_what_was_held_for_weeks_is_of_the_day_of_its_id() -> None:
    found = days(seen("2611.00011", date(2026, 9, 1), TUE), seen("2611.00012", TUE, WED))
    assert found == {"2611.00011": TUE, "2611.00012": WED}


def test_what_was_announced_before_is_left_out() -> None:
    rows = (
        seen("2611.00009", date(2026, 11, 12), WED),
        seen("1905.04444", date(2019, 5, 2), WED),
        seen("math/0309136", date(2003, 9, 9), WED),
        seen("2611.00010", date(2026, 11, 12), WED),
    )
    assert days(*rows) == {}


def test_datestamps_of_the_evening_before_are_moved_behind_the_submission() -> None:
    found = days(seen("2611.00011", MON, MON), seen("2611.00012", TUE, TUE))
    assert found == {"2611.00011": TUE, "2611.00012": WED}


def test_weekends_and_holidays_announce_nothing() -> None:
    friday, saturday = date(2026, 11, 20), date(2026, 11, 21)
    assert days(seen("2611.00011", friday, saturday)) == {"2611.00011": date(2026, 11, 23)}


@pytest.mark.parametrize(
    ("lower", "higher"),
    [("2611.99999", "2612.00001"), ("math/9912001", "0704.0001"), ("1412.9999", "1501.00001")],
)
def test_ids_stand_in_the_order_of_their_announcement(lower: str, higher: str) -> None:
    assert order_of(lower) < order_of(higher)
    assert month_of(lower) < month_of(higher)


@pytest.mark.parametrize(
    ("change", "late"),
    [
        ({}, True),
        ({"categories": ("cs.CL", "cs.LG")}, False),  # ours from the beginning
        ({"published_on": date(2026, 10, 1)}, False),  # too old to be told from a correction
        ({"updated_at": datetime(2026, 11, 16, tzinfo=UTC)}, False),  # a new version
        ({"updated_at": datetime(2026, 11, 2, tzinfo=UTC)}, True),
        ({"aliases": aliases("arXiv:2611.00001", "10.5555/x")}, False),
    ],
)
def test_a_late_cross_list_is_told_from_a_correction(change: dict[str, Any], late: bool) -> None:
    paper = replace(
        seen("2611.00001", date(2026, 10, 30), TUE).paper, categories=("cs.LG", "cs.CL")
    )
    sighting = Sighting(paper=replace(paper, **change), listed_on=TUE)
    assert is_late_cross_list(sighting, ("cs.CL",), since=TUE, days=30) is late


@pytest.mark.slow
def test_a_real_month(shared: Path) -> None:
    """Datestamps as if a tenth of the records had changed again up to ten days later."""
    path = shared / "arxiv_corpus" / "arxiv_daily_2026-05-25_2026-06-19.jsonl.gz"
    first: dict[str, date] = {}
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            day = date.fromisoformat(row["listed"])
            first[row["id"]] = min(first.get(row["id"], day), day)
    start, end = date(2026, 6, 8), date(2026, 6, 18)
    first = {number: day for number, day in first.items() if day <= end}
    before = max(number for number, day in first.items() if day < start)
    rows = [
        seen(number, day - timedelta(days=1), day + timedelta(days=index % 11 * (index % 10 == 0)))
        for index, (number, day) in enumerate(sorted(first.items()))
        if day >= start
    ]
    found = announced_after(rows, before, next_day=next_day)
    missed = {n for n, day in first.items() if day >= start and n not in found}
    wrong = {n for n, day in found.items() if day != first[n]}
    assert len(found) > 2000
    assert len(missed) <= 5  # late cross-lists of papers announced before
    assert len(wrong) <= 5
