"""The first digest, at once after Begin: the best of the last days, known papers included."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from service.delivery.states import State
from service.flows.compose import compose_planned
from service.flows.match import match_new
from service.flows.planning import digest_edition, plan_readers
from service.flows.runtime import Runtime
from service.store import deliveries as deliveries_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.subscribers.cadence import local_date


def send_first(rt: Runtime, reader_id: int) -> bool:
    """The first digest, at once; it takes the date's slot. False when nothing fits (the slot
    stays free)."""
    match_new(rt)
    now = rt.clock()
    row = rt.db.read(lambda s: subscribers_store.get_subscriber_row(s, id=reader_id))
    if row is None:
        return False
    on = local_date(now, row.zone)
    edition_id = rt.db.write(lambda s: _plan_first(rt, s, reader_id, on, now), Priority.WEB)
    if edition_id is None:
        return False
    compose_planned(rt, edition_id, on, only=row.email_key)
    return rt.db.write(lambda s: _keep_slot(s, edition_id, reader_id), Priority.WEB)


def _plan_first(
    rt: Runtime, session: Session, reader_id: int, on: date, now: datetime
) -> int | None:
    row = subscribers_store.get_subscriber_row(session, id=reader_id)
    if row is None:
        return None
    edition = digest_edition(session, on, now)
    made = plan_readers(
        rt,
        session,
        edition,
        [row],
        kind="first",
        now=now,
        deadline=timedelta(hours=rt.defaults().digest_deadline_hours),
    )
    return edition.id if made else None


def _keep_slot(session: Session, edition_id: int, reader_id: int) -> bool:
    """Whether the first digest holds papers; the slot of one without is free again."""
    rows = deliveries_store.list_deliveries(session, edition_id=edition_id, subscriber_id=reader_id)
    for row in rows:
        if row.state == "skipped":
            session.delete(row)
    return any(row.state != "skipped" for row in rows)


_GOING = frozenset(
    {State.PLANNED, State.READY, State.LEASED, State.SENDING, State.DEFERRED, State.ACCEPTED}
)


@dataclass(frozen=True, slots=True)
class First:
    """A reader's first digest. is_handed: to the mail server."""

    planned_at: datetime
    is_handed: bool


def first_of(rt: Runtime, reader_id: int) -> First | None:
    """The first digest of a reader that goes or went; None for none."""

    def read(session: Session) -> First | None:
        rows = deliveries_store.list_deliveries(session, subscriber_id=reader_id)
        for row in rows:
            if row.kind == "first" and row.state in _GOING:
                return First(row.planned_at, row.state == State.ACCEPTED)
        return None

    return rt.db.read(read)
