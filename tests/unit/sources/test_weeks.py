"""Several list days in one question: by calendar week, and what such an answer settles."""

import json
from datetime import date, timedelta
from pathlib import Path

from service.sources.registry import adapter
from service.sources.rhythm import workday
from service.sources.weeks import by_week, doubtful, of_day

MONDAY = date(2026, 7, 27)
HF = adapter("hf_daily")


def days_from(first: date, count: int) -> list[date]:
    return [first + timedelta(days=n) for n in range(count)]


def test_days_fall_into_calendar_weeks_also_over_new_year() -> None:
    days = days_from(date(2026, 12, 26), 10)
    assert [[day.day for day in week] for week in by_week(days)] == [
        [26, 27],
        [28, 29, 30, 31, 1, 2, 3],
        [4],
    ]
    requests = HF.requests({}, today=date(2027, 2, 1), days=tuple(days))
    assert [r.url.partition("?")[2].partition("&")[0] for r in requests] == [
        "date=2026-12-26", "date=2026-12-27", "week=2026-W53", "date=2027-01-04",
    ]  # fmt: skip
    assert [r.day for r in requests if not r.days] == [days[0], days[1], days[-1]]


def test_a_captured_week_read_in_one_gives_the_days_that_were_captured(shared: Path) -> None:
    days = days_from(MONDAY, 5)
    lists = [json.loads((shared / "hf_daily" / f"{day}.json").read_bytes()) for day in days]
    whole = HF.parse(json.dumps([item for listed in lists for item in listed]).encode())
    assert doubtful(days, [whole], workday) == ()
    for day, listed in zip(days, lists, strict=True):
        alone = HF.parse(json.dumps(listed).encode(), day=day)
        part = of_day(whole, day, is_first=day == MONDAY)
        assert (part.sightings, part.items) == (alone.sightings, alone.items)


def test_lists_of_before_may_2025_name_no_day(shared: Path) -> None:
    old = HF.parse((shared / "hf_daily" / "2024-05-27.json").read_bytes())
    days = days_from(date(2024, 5, 27), 7)
    assert doubtful(days, [old], workday) == tuple(days)


def test_a_working_day_without_papers_is_asked_by_itself(shared: Path) -> None:
    monday = HF.parse((shared / "hf_daily" / f"{MONDAY}.json").read_bytes())
    days = days_from(MONDAY, 7)
    assert doubtful(days, [monday], workday) == tuple(days[1:5])
    assert doubtful(days, [], workday) == tuple(days[:5])
