"""The health of the sources, and of this process, as everybody may see it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from service.flows.runtime import Runtime
from service.flows.usual import find_usual_ends
from service.sources.calendar import source_day
from service.sources.registry import ADAPTERS
from service.store import listing
from service.store import sources as sources_store
from service.store.db import Session
from service.store.tables import SourceDayRow

STRIP_DAYS = 14
READY_S = 5.0
"""Seconds in which a write must get its turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """strip: (day, state) of the last days; state: complete, late, empty, failed.

    usual_end: when today's list should be complete, None without a habit.
    """

    title: str
    kind: str
    state: str
    paused: bool
    papers: int
    newest_on: date | None
    last_poll_at: datetime | None
    usual_end: datetime | None
    strip: tuple[tuple[date, str], ...]


_SIGN = {"ok": "complete", "late": "late", "stale": "late", "silent": "late", "paused": "empty"}
_DAY_SIGN = {"late": "late", "stale": "late", "failed": "failed"}
_DONE = ("complete", "history")


def day_sign(kind: str, row: SourceDayRow, today: date) -> str:
    """complete, late, empty or failed; "" for what cannot be said yet: a list of today that still
    grows, a past day that is still to be brought in."""
    if row.state in _DAY_SIGN:
        return _DAY_SIGN[row.state]
    if row.state in _DONE or (row.new and row.day < today):
        return "complete"
    if row.state == "wanted" or (row.state == "open" and row.day >= today):
        return ""
    if row.state == "none" or not row.expected:
        return "empty"
    made = ADAPTERS.get(kind)
    is_there = row.items > 0 and made is not None and not made.is_batch
    return "complete" if is_there else "late"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstAnswer:
    """Why no paper is there yet. asking: a source is being asked for the first time · failed_at:
    it did not answer then · next_at: when a source is asked next."""

    title: str = ""
    asking: bool = False
    failed_at: datetime | None = None
    next_at: datetime | None = None


def first_answer(rt: Runtime) -> FirstAnswer:
    """What is waited for, in an installation without any paper."""
    return rt.db.read(lambda s: _first_answer(s, rt.clock()))


def _first_answer(session: Session, now: datetime) -> FirstAnswer:
    asked = listing.list_asked(session)
    for row in asked:
        if row.last_poll_at is None and not row.failures:
            return FirstAnswer(title=row.title, asking=True)
    for row in asked:
        if row.failures and row.id is not None:
            days = sources_store.list_source_days(session, source_day(row.kind, now), row.id)
            failed_at = next((d.polled_at for d in days if d.state == "failed"), None)
            if failed_at is not None:
                return FirstAnswer(title=row.title, failed_at=failed_at, next_at=row.next_poll_at)
    return FirstAnswer(next_at=asked[0].next_poll_at if asked else None)


def read_sources(rt: Runtime) -> list[SourceHealth]:
    """The health of every source, as everybody may see it (no addresses, no error texts)."""
    return rt.db.read(lambda s: _read_sources(s, rt.clock()))


def _read_sources(session: Session, now: datetime) -> list[SourceHealth]:
    today, usual = now.date(), find_usual_ends(session, now)
    strip = listing.list_strip(session, today - timedelta(days=STRIP_DAYS - 1))
    return [
        SourceHealth(
            title=one["title"],
            kind=one["kind"],
            state=_SIGN.get(one["state"], "failed"),
            paused=one["state"] == "paused",
            papers=one["papers"],
            newest_on=date.fromisoformat(one["newest_on"]) if one["newest_on"] else None,
            last_poll_at=(
                datetime.fromisoformat(one["last_poll_at"]) if one["last_poll_at"] else None
            ),
            usual_end=usual.get(one["id"]),
            strip=tuple(
                (day.day, sign)
                for day in strip.get(one["id"], [])
                if (sign := day_sign(one["kind"], day, today))
            ),
        )
        for one in sources_store.summary(session)
        if one["state"] != "gone"
    ]


def is_ready(rt: Runtime) -> bool:
    """True when the database answers and can be written."""
    try:
        rt.db.read(listing.list_source_names)
        can_write = rt.db.can_write(READY_S)
    except OSError:
        return False
    except Exception as error:
        # whatever the driver raises: its name is for the log, not for the world
        rt.log("not_ready", error=type(error).__name__)
        return False
    if not can_write:
        rt.log("not_ready", error="nothing can be written")
    return can_write
