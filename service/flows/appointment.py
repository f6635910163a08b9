"""When a source is asked again, and what its row remembers of the last visit."""

import random
from datetime import datetime, timedelta

from service.flows.asking import Visit, facts_of
from service.flows.runtime import Runtime
from service.flows.watch import find_day, gap_days, seems_silent
from service.sources.calendar import expected, source_day
from service.sources.outcome import Failed, Fetched
from service.sources.registry import adapter
from service.sources.schedule import Batch, PollState, next_poll
from service.store import sources as sources_store
from service.store.db import Session
from service.store.tables import SourceRow


def postpone(session: Session, source: SourceRow, until: datetime, *, spread: float = 60.0) -> None:
    """The shared pace allows nothing before ``until``; that is no failure of the source."""
    row = sources_store.get_source(session, source.id or 0)
    if row is not None and row.next_poll_at is not None:
        row.next_poll_at = until + timedelta(seconds=spread * random.random())
        session.add(row)


def reschedule(
    rt: Runtime,
    session: Session,
    source: SourceRow,
    seen: Visit,
    batch: Batch = "",
    *,
    new: int = 0,
) -> None:
    """Write when to ask again, and what is remembered of this visit."""
    row = sources_store.hold_source(session, source.id or 0)
    if row is None or row.state == "paused":
        return
    now = rt.clock()
    if batch in ("stale", "empty") and _is_there(session, row, now):
        batch = "complete"
    hints = [page.parsed.hint_seconds for page in seen.pages if page.parsed.hint_seconds]
    before = PollState(
        state="ok" if row.state == "gone" else row.state,  # type: ignore[arg-type]
        failures=row.failures,
        moves=row.moved_times,
        moved_to=row.moved_to,
    )
    plan = next_poll(
        row.kind,
        seen.outcome,
        now=now,
        before=before,
        batch=batch,
        hint=timedelta(seconds=max(hints)) if hints else None,
        jitter=random.random(),
        gaps=sum(day.late_polls for day in gap_days(session, row, now)),
    )
    _name(row, seen)
    row.next_poll_at, row.state = plan.next_poll_at, plan.remembered.state
    row.failures, row.moved_times = plan.remembered.failures, plan.remembered.moves
    row.moved_to = plan.remembered.moved_to
    if isinstance(seen.outcome, Failed):
        row.last_error = seen.outcome.reason[:500]
        _ledger_failed(session, row, now)
    else:
        _answered(session, row, seen, now, plan.new_url)
        row.last_new_at = now if new else row.last_new_at
        _look_silent(session, row, now)
    session.add(row)


def _name(row: SourceRow, seen: Visit) -> None:
    """What nobody named takes its own title. Readers see titles, so that an address is none: it may
    hold a key."""
    url = row.params.get("url")
    if url and row.title in (url, called := adapter(row.kind).called(row.params)):
        titles = [page.parsed.title for page in seen.pages if page.parsed.title]
        row.title = titles[0][:200] if titles else called


def _is_there(session: Session, row: SourceRow, now: datetime) -> bool:
    """Whether today's batch is there all the same: another process took its papers just before this
    one looked, and wrote the ledger since."""
    day = find_day(session, row.id or 0, source_day(row.kind, now))
    return day is not None and day.state == "complete"


def _answered(session: Session, row: SourceRow, seen: Visit, now: datetime, new_url: str) -> None:
    row.last_error = next(
        (p.what for page in seen.pages for p in page.parsed.problems if p.item == 0), ""
    )
    row.last_poll_at, row.first_polled = now, True
    if isinstance(seen.outcome, Fetched) and len(seen.pages) == 1:
        facts = facts_of(seen.outcome)
        row.etag, row.last_modified = facts["etag"], facts["last_modified"]
    if new_url and "url" in row.params:
        _move(session, row, new_url)


def _look_silent(session: Session, row: SourceRow, now: datetime) -> None:
    if row.state == "ok" and not adapter(row.kind).history_kind and seems_silent(session, row, now):
        row.state = "silent"


def _move(session: Session, row: SourceRow, new_url: str) -> None:
    """Ask the new address from now on, unless another source asks it already."""
    params = {**row.params, "url": new_url}
    key = sources_store.params_key(params)
    if sources_store.find_source(session, row.kind, params) is not None:
        row.last_error = f"It moved to {new_url}, which another source asks already."
        return
    row.params, row.params_key, row.etag, row.last_modified = params, key, "", ""


def _ledger_failed(session: Session, row: SourceRow, now: datetime) -> None:
    day = sources_store.get_source_day(session, row.id or 0, source_day(row.kind, now))
    day.expected = expected(row.kind, day.day)
    if day.state == "open" and day.polled_at is None:
        day.state = "failed"
    if day.state == "failed":
        day.polled_at = now
    session.add(day)
