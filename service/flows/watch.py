"""The ledger of sources: what was expected on a day, what came, and who is late.

Also looks after what a dead process left half done: planned readers whose digest was not composed.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from service.flows.compose import compose_planned
from service.flows.match import match_new
from service.flows.runtime import Runtime
from service.sources.calendar import expected, rhythm_of, source_day
from service.sources.registry import ADAPTERS
from service.sources.schedule import Batch, is_late, is_silent
from service.store import deliveries as deliveries_store
from service.store import editions as editions_store
from service.store import sources as sources_store
from service.store.db import Priority, Session
from service.store.tables import SourceDayRow, SourceRow

WANTED = "wanted"
"""State of a past day that is still to be brought in; ``history`` once it was."""

SETTLED = ("complete", "none", "history")
LEFT_AFTER = timedelta(minutes=10)
HABIT_DAYS = 90


def record_day(
    session: Session,
    source: SourceRow,
    day: date,
    *,
    now: datetime,
    items: int | None = None,
    new: int = 0,
    known: int = 0,
    state: str = "",
) -> SourceDayRow:
    """Add one poll to the ledger row of a day. items: of the newest answer; new, known: summed."""
    assert source.id is not None
    row = sources_store.get_source_day(session, source.id, day)
    row.expected = expected(source.kind, day)
    row.polled_at = now
    row.items = row.items if items is None else items
    row.new += new
    row.known += known
    if state and not (row.state == "complete" and state != "complete"):
        row.state = state
    session.add(row)
    return row


def day_state(kind: str, batch: Batch, source_state: str, day: date, now: datetime) -> str:
    """The word for a day after a poll that was answered."""
    is_today = day == source_day(kind, now)
    if batch == "complete":
        return "complete"
    lists = rhythm_of(kind).lists
    if lists and not expected(kind, day):
        return "open" if lists == "grows" and batch != "empty" else "none"
    if is_today and source_state in ("late", "stale"):
        return source_state
    return "open"


def is_complete(session: Session, source_id: int, day: date) -> bool:
    """Whether the batch of a day is there."""
    rows = sources_store.list_source_days(session, day, source_id)
    return any(row.day == day and row.state == "complete" for row in rows)


def new_of_day(session: Session, source_id: int, day: date) -> int:
    """How many papers the polls of a day have brought as new so far."""
    rows = sources_store.list_source_days(session, day, source_id)
    return sum(row.new for row in rows if row.day == day)


def missed_days(session: Session, source: SourceRow, today: date, most: int) -> list[date]:
    """Announcement days between the last one that was complete and today, oldest first."""
    assert source.id is not None
    first = today - timedelta(days=most)
    rows = sources_store.list_source_days(session, first, source.id)
    done = [row.day for row in rows if row.state == "complete" and row.day < today]
    begun = source_day(source.kind, source.created_at)
    start = max([first, begun, *(day + timedelta(days=1) for day in done)])
    days = [start + timedelta(days=n) for n in range((today - start).days)]
    return [day for day in days if expected(source.kind, day)]


def seems_silent(session: Session, source: SourceRow, now: datetime) -> bool:
    """Whether a feed has been quiet for more than three times its usual gap (at least four days
    with papers are needed to know it)."""
    if source.id is None or source.last_new_at is None:
        return False
    since = (now - timedelta(days=HABIT_DAYS)).date()
    days = [r.day for r in sources_store.list_source_days(session, since, source.id) if r.new]
    if len(days) < 4:
        return False
    gap = timedelta(days=max(1.0, (days[-1] - days[0]).days / (len(days) - 1)))
    return is_silent(source.last_new_at, gap, now)


def mark_late(rt: Runtime) -> list[str]:
    """Batch sources that are due and not there get the day's row ``late``; returns their titles."""
    return rt.db.write(lambda s: _mark_late(s, rt.clock()), Priority.BULK)


def _mark_late(session: Session, now: datetime) -> list[str]:
    titles: list[str] = []
    for source in sources_store.list_sources(session):
        if source.state in ("paused", "gone") or source.id is None:
            continue
        made = ADAPTERS.get(source.kind)
        if made is None or not made.is_batch:
            continue
        day = source_day(source.kind, now)
        if source_day(source.kind, source.created_at) >= day and not source.first_polled:
            continue
        if not is_late(source.kind, is_complete(session, source.id, day), now):
            continue
        row = sources_store.get_source_day(session, source.id, day)
        if row.state not in ("stale", "late"):
            row.state, row.expected = "late", True
            session.add(row)
        titles.append(source.title)
    return titles


def resume_planned(rt: Runtime) -> int:
    """Compose digests whose planning was committed by a process that then died."""
    left = rt.db.read(lambda s: _left_behind(s, rt.clock() - LEFT_AFTER))
    count = 0
    if left:
        match_new(rt)
    for edition_id, on in left:
        report = compose_planned(rt, edition_id, on)
        count += report.ready + sum(report.skipped.values())
    if count:
        rt.log("resumed", rows=count)
        rt.engine.enqueue("send")
    return count


def _left_behind(session: Session, before: datetime) -> Sequence[tuple[int, date]]:
    found = []
    for edition in editions_store.list_unsettled(session):
        if edition.kind != "digest" or edition.id is None or edition.paused:
            continue
        rows = deliveries_store.list_planned(session, 1, edition_id=edition.id, after_id=0)
        if rows and rows[0].planned_at < before:
            found.append((edition.id, date.fromisoformat(edition.slot)))
    return found
