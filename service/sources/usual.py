"""When the list of a day is usually complete, from the days on which it was watched. Pure."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

from service.defaults import FIXED
from service.sources.calendar import clock_of, expected, source_day

LEAST_DAYS = FIXED.usual_least_days
STEP_MINUTES = 10


def usual_end(
    kind: str, seen: Mapping[date, Mapping[datetime, int]], *, since: date, on: date
) -> datetime | None:
    """Return when the list of the source's own day ``on`` should be complete (UTC), or None.

    seen: list day -> instant (aware) -> papers of it that came then; a day ends with its last one.
    since: the first day that was watched from its beginning. Four days in five were complete by
    then, to the next ten minutes. Days whose papers were fetched later (more than one in ten of
    them), and days without a list, say nothing; with fewer than three left there is no habit.
    """
    ends = sorted(
        _minute_of(kind, max(own))
        for day, instants in seen.items()
        if day >= since
        and expected(kind, day)
        and (own := {at: n for at, n in instants.items() if source_day(kind, at) == day})
        and 10 * sum(own.values()) >= 9 * sum(instants.values())
    )
    if len(ends) < LEAST_DAYS:
        return None
    minute = ends[-(-FIXED.usual_percent * len(ends) // 100) - 1]
    rounded = timedelta(minutes=-(-minute // STEP_MINUTES) * STEP_MINUTES)
    return (datetime.combine(on, time(), clock_of(kind)) + rounded).astimezone(UTC)


def _minute_of(kind: str, at: datetime) -> int:
    wall = at.astimezone(clock_of(kind))
    return wall.hour * 60 + wall.minute + (wall.second > 0)
