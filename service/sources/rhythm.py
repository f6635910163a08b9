"""On which days and at which hours a kind of source speaks. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from service.defaults import FIXED

UTC = ZoneInfo("UTC")
Lists = Literal["batch", "grows", ""]
"""batch: a day's list comes in one piece, and mails wait for it · grows: a day's list fills up
until it closes, and is never waited for · "": there are no lists by day."""


def no_day(day: date) -> bool:
    """Nothing is promised for any day."""
    return False


def workday(day: date) -> bool:
    """Monday to Friday."""
    return day.weekday() < 5


def any_year(year: int) -> bool:
    """No year needs a calendar."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """What is known in advance about the days of a kind; wall times are of ``zone``.

    expects: whether a day should have papers. knows_year: whether a year's holidays are on file.
    opens: the first poll of an expected day. late_at: what is not there then is late. closes: when
    a growing list is done for the day.
    often: between polls while something may come · seldom: between them when nothing should.
    """

    zone: ZoneInfo = UTC
    lists: Lists = ""
    expects: Callable[[date], bool] = no_day
    knows_year: Callable[[int], bool] = any_year
    opens: time = time()
    late_at: time = time()
    closes: time = time.max
    often: timedelta = timedelta(minutes=FIXED.feed_poll_minutes)
    seldom: timedelta = timedelta(minutes=FIXED.feed_poll_minutes)
