"""The ledger of sources: what was expected on a day, what came, and who is late.

Also looks after what a dead process left half done: planned readers whose digest was not composed.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from service.defaults import FIXED
from service.flows.compose import compose_planned
from service.flows.hooks import tell
from service.flows.match import match_new
from service.flows.runtime import Runtime
from service.sources.calendar import expected, rhythm_of, source_day
from service.sources.days import SETTLED, WAITED_FOR, DayState, is_due
from service.sources.schedule import has_window, is_silent
from service.store import deliveries as deliveries_store
from service.store import editions as editions_store
from service.store import sources as sources_store
from service.store.db import Priority, Session
from service.store.tables import SourceDayRow, SourceRow

WANTED: DayState = "wanted"
"""State of a past day that is still to be brought in; ``history`` once it was."""

LEFT_AFTER = timedelta(minutes=10)
LOOK_BACK = timedelta(days=4)
"""Days that ended without papers get their last word within this time."""


def record_day(
    session: Session,
    source: SourceRow,
    day: date,
    *,
    now: datetime,
    items: int | None = None,
    new: int = 0,
    known: int = 0,
    state: DayState,
    is_gap: bool = False,
) -> SourceDayRow:
    """Add one poll to the ledger row of a day. items: of the newest answer; new, known: summed;
    is_gap: papers may have passed by before it."""
    assert source.id is not None
    row = sources_store.get_source_day(session, source.id, day)
    row.expected = expected(source.kind, day)
    row.polled_at = now
    row.items = row.items if items is None else items
    row.new += new
    row.known += known
    if state == "complete" and row.completed_at is None:
        row.completed_at = now
    if state in WAITED_FOR or is_gap:
        row.late_polls += 1
    if row.state in WAITED_FOR and state in SETTLED:
        _tell(session, source, day, "source.back", now)
    if row.state != "complete":
        row.state = state
    session.add(row)
    return row


def _tell(session: Session, source: SourceRow, day: date, event: str, now: datetime) -> None:
    """Other programs hear of a source's day."""
    facts = {"source": source.id, "kind": source.kind, "title": source.title, "day": str(day)}
    tell(session, now, event, facts)


def find_day(session: Session, source_id: int, day: date) -> SourceDayRow | None:
    """The ledger row of a day, None when nothing was noted of it."""
    rows = sources_store.list_source_days(session, day, source_id)
    return next((row for row in rows if row.day == day), None)


def is_settled(session: Session, source_id: int, day: date) -> bool:
    """Whether nothing more is waited for on a day: its batch is there, or none is to come."""
    row = find_day(session, source_id, day)
    return row is not None and row.state in SETTLED


def new_of_day(session: Session, source_id: int, day: date) -> int:
    """How many papers the polls of a day have brought as new so far."""
    row = find_day(session, source_id, day)
    return row.new if row is not None else 0


def missed_days(session: Session, source: SourceRow, today: date, most: int) -> list[date]:
    """Announcement days before today, at most ``most`` back, of which the batch never came; oldest
    first. Days before the source are history."""
    assert source.id is not None
    start = max(today - timedelta(days=most), source_day(source.kind, source.created_at))
    rows = sources_store.list_source_days(session, start, source.id)
    over = {row.day for row in rows if _is_over(source.kind, row)}
    days = [start + timedelta(days=n) for n in range((today - start).days)]
    return [day for day in days if expected(source.kind, day) and day not in over]


def _is_over(kind: str, row: SourceDayRow) -> bool:
    """Whether nothing can be missing of a past day. That a cross-check named nothing on the day
    itself proves nothing: the announcement may have come later, when nobody looked."""
    if row.state == "none" and row.crosschecked_at is not None:
        return source_day(kind, row.crosschecked_at) > row.day
    return row.state in (*SETTLED, WANTED)


def seems_silent(session: Session, source: SourceRow, now: datetime) -> bool:
    """Whether a feed has been quiet for more than three times its usual gap (which a few days with
    papers must have shown)."""
    if source.id is None or source.last_new_at is None:
        return False
    since = (now - timedelta(days=FIXED.silent_look_days)).date()
    days = [r.day for r in sources_store.list_source_days(session, since, source.id) if r.new]
    if len(days) < FIXED.silent_after_days:
        return False
    gap = timedelta(days=max(1.0, (days[-1] - days[0]).days / (len(days) - 1)))
    return is_silent(source.last_new_at, gap, now)


def listed_last(session: Session, source: SourceRow, today: date) -> int:
    """Items of a feed's last answer. A day without any may be one of unchanged answers alone."""
    since = today - timedelta(days=FIXED.silent_look_days)
    can_be_unchanged = source.etag or source.last_modified
    rows = sources_store.list_source_days(session, since, source.id)
    told = [r.items for r in rows if r.state != "failed" and (r.items or not can_be_unchanged)]
    return told[-1] if told else 0


def gap_days(session: Session, source: SourceRow, now: datetime) -> list[SourceDayRow]:
    """The last days of a feed on which papers may have passed by, oldest first."""
    today = source_day(source.kind, now)
    since = today - timedelta(days=FIXED.gap_days)
    return choose_gaps(source, sources_store.list_source_days(session, since, source.id), today)


def choose_gaps(source: SourceRow, rows: Iterable[SourceDayRow], today: date) -> list[SourceDayRow]:
    """The same among rows that were read."""
    if not has_window(source.kind):
        return []
    since = today - timedelta(days=FIXED.gap_days)
    return [row for row in rows if row.late_polls and row.day > since]


def mark_late(rt: Runtime) -> list[str]:
    """Batch sources that are due and not there get the day's row ``late``, days that are over their
    last word; returns the titles of those that are waited for."""
    return rt.db.write(lambda s: _mark_late(s, rt.clock()), Priority.BULK)


def _mark_late(session: Session, now: datetime) -> list[str]:
    titles: list[str] = []
    for source in sources_store.list_sources(session):
        if source.state in ("paused", "gone") or source.id is None:
            continue
        if not rhythm_of(source.kind).lists:
            continue
        today = source_day(source.kind, now)
        _settle_past(session, source, today)
        if source_day(source.kind, source.created_at) >= today and not source.first_polled:
            continue
        if not is_due(source.kind, today, now) or is_settled(session, source.id, today):
            continue
        row = sources_store.get_source_day(session, source.id, today)
        if row.state in SETTLED:  # by a poll of another process, just now
            continue
        if row.state not in WAITED_FOR:
            row.state, row.expected = "late", True
            session.add(row)
            _tell(session, source, today, "source.late", now)
        titles.append(source.title)
    return titles


def _settle_past(session: Session, source: SourceRow, today: date) -> None:
    """A list that grows and stayed empty is over with its day; a batch is asked for as missed."""
    if rhythm_of(source.kind).lists != "grows":
        return
    for row in sources_store.list_source_days(session, today - LOOK_BACK, source.id):
        if row.day < today and row.state in WAITED_FOR and not row.items:
            row.state = "none"
            session.add(row)


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
