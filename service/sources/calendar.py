"""The days of a source, by the rhythm of its kind. Pure."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from service.sources.registry import ADAPTERS
from service.sources.rhythm import Rhythm

_NONE = Rhythm()


def rhythm_of(kind: str) -> Rhythm:
    """Return what is known of a kind's days; of an unknown kind nothing is."""
    made = ADAPTERS.get(kind)
    return made.rhythm if made is not None else _NONE


def expected(kind: str, day: date) -> bool:
    """Say whether a source of ``kind`` is expected to list papers on its own day ``day``."""
    return rhythm_of(kind).expects(day)


def clock_of(kind: str) -> ZoneInfo:
    """Return the zone of a source's own days: Eastern for arXiv, else UTC."""
    return rhythm_of(kind).zone


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


def previous_expected(kind: str, before: date) -> date:
    """Return the last expected day earlier than ``before`` (the day before where none is)."""
    day = before - timedelta(days=1)
    for _ in range(14):
        if expected(kind, day):
            return day
        day -= timedelta(days=1)
    return before - timedelta(days=1)
