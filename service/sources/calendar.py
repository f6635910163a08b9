"""On which days a source is expected to bring papers. Pure.

arXiv's holidays are its own, not the federal ones; they stand in ``arxiv_calendar.json``.
"""

import json
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")
"""arXiv's clock: the feed turns at midnight there."""


@cache
def _empty_days() -> frozenset[date]:
    text = files("service.sources").joinpath("arxiv_calendar.json").read_text("utf-8")
    years = json.loads(text)["empty_on"]
    return frozenset(date.fromisoformat(day) for days in years.values() for day in days)


def knows_holidays(year: int) -> bool:
    """Say whether the holidays of ``year`` are on file; without them only weekends are known."""
    return any(day.year == year for day in _empty_days())


def expected(kind: str, day: date) -> bool:
    """Say whether a source of ``kind`` is expected to list papers on its own day ``day``.

    arXiv: Monday to Friday but for its holidays. Hugging Face: Monday to Friday (a weekend's list
    is mostly empty). Feeds promise nothing, and arXiv queries have no days.
    """
    if kind == "arxiv_rss":
        return day.weekday() < 5 and day not in _empty_days()
    return kind == "hf_daily" and day.weekday() < 5


def clock_of(kind: str) -> ZoneInfo:
    """Return the zone of a source's own days: Eastern for arXiv, else UTC."""
    return EASTERN if kind.startswith("arxiv") else ZoneInfo("UTC")


def source_day(kind: str, now: datetime) -> date:
    """Return a source's own day at ``now`` (aware)."""
    return now.astimezone(clock_of(kind)).date()


def next_expected(kind: str, after: date) -> date:
    """Return the first expected day later than ``after`` (the next day where none is promised)."""
    day = after + timedelta(days=1)
    for _ in range(14):
        if expected(kind, day):
            return day
        day += timedelta(days=1)
    return after + timedelta(days=1)
