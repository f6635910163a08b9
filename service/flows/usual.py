"""When the papers of a day are usually complete, over all sources that publish lists by day."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from service.defaults import FIXED
from service.flows.runtime import Runtime
from service.sources.calendar import rhythm_of, source_day
from service.sources.usual import usual_end
from service.store import sightings as sightings_store
from service.store import sources as sources_store
from service.store.db import Session


def list_sources(rt: Runtime) -> list[dict[str, Any]]:
    """One object per source for ``sources list``. usually_by: "06:20", when its list of a day is
    usually complete in the installation's zone; None without a habit."""
    now = rt.clock()

    def load(session: Session) -> list[dict[str, Any]]:
        usual = find_usual_ends(session, now)
        return [
            {**row, "usually_by": _on_the_wall(usual.get(row["id"]), rt.zone)}
            for row in sources_store.summary(session)
        ]

    return rt.db.read(load)


def _on_the_wall(at: datetime | None, zone: str) -> str | None:
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M}" if at is not None else None


def day_is_usually_complete(rt: Runtime) -> tuple[datetime, date] | None:
    """When the slowest list of today should be complete (UTC), and that list's own day.

    None when any list that is read has no habit yet: the sentence would stand on nothing.
    """
    now = rt.clock()

    def look(session: Session) -> tuple[datetime, date] | None:
        asked, ends = _asked(session), find_usual_ends(session, now)
        if not asked or set(ends) != set(asked):
            return None
        last = max(ends, key=lambda source: ends[source])
        return ends[last], source_day(asked[last][0], now)

    return rt.db.read(look)


def _asked(session: Session) -> dict[int, tuple[str, datetime]]:
    return {
        row.id: (row.kind, row.created_at)
        for row in sources_store.list_sources(session)
        if row.id is not None
        and rhythm_of(row.kind).lists  # feeds promise nothing
        and row.state not in ("paused", "gone")
    }


def find_usual_ends(session: Session, now: datetime) -> dict[int, datetime]:
    """Source id -> when the list of its own day should be complete (UTC); sources without a habit
    (fewer than three days watched) are left out."""
    asked = _asked(session)
    if not asked:
        return {}
    first = (now - timedelta(days=FIXED.usual_days)).date()
    seen: dict[int, dict[date, dict[datetime, int]]] = {}
    for source, day, at, count in sightings_store.list_arrivals(session, first, list(asked)):
        seen.setdefault(source, {}).setdefault(day, {})[at] = count
    found = {}
    for source, (kind, created_at) in asked.items():
        end = usual_end(
            kind,
            seen.get(source, {}),
            since=source_day(kind, created_at) + timedelta(days=1),
            on=source_day(kind, now),
        )
        if end is not None:
            found[source] = end
    return found
