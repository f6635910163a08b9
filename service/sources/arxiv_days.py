"""arXiv's clock and calendar: its holidays are its own, not the federal ones. Pure.

They stand with their source in ``arxiv_calendar.json``.
"""

import json
from datetime import date, time, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from service.defaults import FIXED
from service.sources.rhythm import Rhythm

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


def has_announcement(day: date) -> bool:
    """Monday to Friday but for arXiv's holidays."""
    return day.weekday() < 5 and day not in _empty_days()


ANNOUNCEMENTS = Rhythm(
    zone=EASTERN,
    lists="batch",
    expects=has_announcement,
    opens=time.fromisoformat(FIXED.batch_poll_from),
    late_at=time(0, 30),
    often=timedelta(minutes=FIXED.batch_poll_minutes),
    seldom=timedelta(minutes=FIXED.batch_idle_minutes),
)
QUERIES = Rhythm(zone=EASTERN, often=timedelta(minutes=FIXED.batch_idle_minutes))
