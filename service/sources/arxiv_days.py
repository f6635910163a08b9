"""arXiv's clock and calendar: its holidays are its own, not the federal ones. Pure.

They stand with their source in ``arxiv_calendar.json``; an operator's file of that name in the data
folder is read instead (``wiring``).
"""

import json
from dataclasses import dataclass
from datetime import date, time, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from service.defaults import FIXED
from service.sources.adapter import SourceError
from service.sources.rhythm import Rhythm

EASTERN = ZoneInfo("America/New_York")
"""arXiv's clock: the feed turns at midnight there."""

CALENDAR_FILE = "arxiv_calendar.json"
_NEXT = (
    f"Write it like the bundled {CALENDAR_FILE} "
    '({"source": "https://...", "empty_on": {"2027": ["2027-01-01"]}}), or remove it.'
)


class CalendarError(SourceError):
    """A calendar that cannot be read; ``where`` is the file, and the place in it."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """source: where it was read · years: those it knows all of · empty_on: its weekdays without an
    announcement, by the day of the feed (Eastern)."""

    source: str
    years: frozenset[int]
    empty_on: frozenset[date]


def read_calendar(text: str, name: str) -> Calendar:
    """Read ``empty_on`` (year -> dates of it) and ``source``. name: of the file, for its faults.

    Raises CalendarError.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise CalendarError("The calendar is no JSON.", f"{name}: {error}", _NEXT) from None
    years = data.get("empty_on") if isinstance(data, dict) else None
    if not isinstance(years, dict):
        raise CalendarError("The calendar has no empty_on with years.", name, _NEXT)
    source = data.get("source", "")
    if not isinstance(source, str) or not source.strip():
        raise CalendarError("The calendar does not say its source.", f"{name}: source", _NEXT)
    days: set[date] = set()
    for year, listed in years.items():
        where = f"{name}: empty_on, {year}"
        if not (year.isascii() and year.isdigit() and len(year) == 4 and isinstance(listed, list)):
            raise CalendarError("A year of the calendar has no list of dates.", where, _NEXT)
        days |= {_date_of(day, year, where) for day in listed}
    return Calendar(source.strip(), frozenset(map(int, years)), frozenset(days))


def _date_of(written: object, year: str, where: str) -> date:
    try:
        day = date.fromisoformat(str(written))
    except ValueError:
        raise CalendarError(f"{str(written)[:40]!r} is no date.", where, _NEXT) from None
    if day.year != int(year):
        raise CalendarError(f"{day} is no day of {year}.", where, _NEXT)
    return day


@cache
def bundled_calendar() -> Calendar:
    """The calendar that comes with this version."""
    text = files("service.sources").joinpath(CALENDAR_FILE).read_text("utf-8")
    return read_calendar(text, CALENDAR_FILE)


_in_use: list[Calendar] = []


def use_calendar(calendar: Calendar | None) -> None:
    """Go by this calendar from now on; None: by the bundled one. One process serves one
    installation, so that it is set once, by the wiring."""
    _in_use[:] = [] if calendar is None else [calendar]


def calendar_in_use() -> Calendar:
    """The calendar that days are judged by."""
    return _in_use[0] if _in_use else bundled_calendar()


def knows_holidays(year: int) -> bool:
    """Say whether the holidays of ``year`` are on file; without them only weekends are known."""
    return year in calendar_in_use().years


def has_announcement(day: date) -> bool:
    """Monday to Friday but for arXiv's holidays."""
    return day.weekday() < 5 and day not in calendar_in_use().empty_on


ANNOUNCEMENTS = Rhythm(
    zone=EASTERN,
    lists="batch",
    expects=has_announcement,
    knows_year=knows_holidays,
    opens=time.fromisoformat(FIXED.batch_poll_from),
    late_at=time.fromisoformat(FIXED.batch_due),
    often=timedelta(minutes=FIXED.batch_poll_minutes),
    seldom=timedelta(minutes=FIXED.batch_idle_minutes),
)
QUERIES = Rhythm(zone=EASTERN, often=timedelta(minutes=FIXED.batch_idle_minutes))
