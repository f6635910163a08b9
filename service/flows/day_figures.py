"""Counts of past days, kept: so that charts and rates never count millions of rows.

A day is one of the installation's zone, as everywhere at the desk; of papers it is their day in
UTC, as on their page. It is counted when it is over, and once more when nothing that it is made of
can come late any more (a relay's log that is read days after). Today is never kept: it is counted
as it is asked for. After an outage the missing days are counted, the newest first. A day that was
counted keeps its place when the installation's zone is changed.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from service.defaults import FIXED
from service.flows.runtime import Runtime
from service.store import day_figures as store
from service.store import papers as papers_store
from service.store.db import Priority, Session
from service.subscribers.cadence import day_bounds, local_date

NAMES = ("accepted", "refused", "papers", "matches", "asked", "joined", "left")
"""Counts of a whole day."""

BY_DOMAIN = ("accepted_by", "hard", "soft", "policy", "content", "complaint")
"""Counts of a day by receiving domain; kept for ``FIXED.keep_domain_days``, since a domain may be
one person's own."""

LATE = timedelta(days=3)
"""After so long nothing of a day comes any more."""

PART = 10
"""Days counted in one run at most: some seconds of a large house; the rest waits for the next."""

OLDEST_EDITION = timedelta(days=8)
"""No mail is tried for longer."""

MOST_MATCHES = 1_000_000
"""More pairs of a day are not counted to the end."""


def bounds(rt: Runtime, day: date) -> tuple[datetime, datetime]:
    """[from, to) of a day of the installation, UTC."""
    zone = ZoneInfo(rt.zone)
    ends = (day, day + timedelta(days=1))
    begin, end = (datetime.combine(one, time(), zone).astimezone(UTC) for one in ends)
    return begin, end


def count_day(rt: Runtime, session: Session, day: date) -> dict[str, int]:
    """The counts of ``NAMES`` of one day, so far, from the rows. What it costs hangs on the rows
    of that day, not on all that there are."""
    since, until = bounds(rt, day)
    papers = day_bounds(day, day)
    return {
        "accepted": store.count_accepted(session, since, until),
        "refused": store.count_refused(session, since, until, since - OLDEST_EDITION),
        "papers": papers_store.count_new(session, *papers),
        "matches": store.count_matches(session, *papers, MOST_MATCHES),
        **store.count_acts(session, since, until),
    }


def count_days(rt: Runtime) -> int:
    """Count the days that are over and were not counted, or not for the last time; how many were.
    Safe to run at any time, and again."""
    now = rt.clock()
    today = local_date(now, rt.zone)
    due = rt.db.read(lambda s: _due(rt, s, today, now))
    for day in due[:PART]:
        figures = rt.db.read(lambda s, d=day: _figures(rt, s, d))  # type: ignore[misc]
        rt.db.write(
            lambda s, d=day, f=figures: store.put_day(s, d, f, now),  # type: ignore[misc]
            Priority.BULK,
        )
    if due:
        rt.log("days_counted", days=len(due[:PART]), left=len(due[PART:]))
    return len(due[:PART])


def _due(rt: Runtime, session: Session, today: date, now: datetime) -> list[date]:
    """Newest first."""
    oldest = store.oldest(session)
    if oldest is None:
        return []
    first = max(local_date(oldest, rt.zone), today - timedelta(days=FIXED.keep_domain_days))
    counted = store.counted_days(session, first, today)
    days = [today - timedelta(days=n) for n in range(1, (today - first).days + 1)]
    return [day for day in days if _is_due(rt, day, counted.get(day), now)]


def _is_due(rt: Runtime, day: date, counted: int | None, now: datetime) -> bool:
    if counted is None:
        return True
    last = bounds(rt, day)[1] + LATE
    return counted < last.timestamp() <= now.timestamp()


def _figures(rt: Runtime, session: Session, day: date) -> dict[tuple[str, str], int]:
    since, until = bounds(rt, day)
    found = {(name, ""): n for name, n in count_day(rt, session, day).items()}
    for domain, n in store.accepted_by_domain(session, since, until).items():
        found["accepted_by", domain] = n
    found |= store.reports_by_domain(session, since, until)
    return found


def last_counted(rt: Runtime, session: Session, first: date, last: date) -> date | None:
    """The last day up to which all days from ``first`` on are kept; None when ``first`` is not."""
    counted = store.counted_days(session, first, last)
    newest = None
    day = first
    while day <= last and day in counted:
        newest, day = day, day + timedelta(days=1)
    return newest


def list_days(
    rt: Runtime, session: Session, days: int, today: date, live: dict[str, int]
) -> list[tuple[date, dict[str, int]]]:
    """The last ``days`` days, oldest first, with the counts of ``NAMES``; one that was not counted
    yet has none. live: today's."""
    first = today - timedelta(days=days - 1)
    kept = store.list_days(session, NAMES, first, today - timedelta(days=1))
    counted = store.counted_days(session, first, today)
    found: list[tuple[date, dict[str, int]]] = []
    for day in _days(first, today):
        if day == today:
            found.append((day, live))
        elif day in counted:
            found.append((day, {name: kept.get(day, {}).get(name, 0) for name in NAMES}))
        else:
            found.append((day, {}))
    return found


def _days(first: date, last: date) -> Sequence[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
