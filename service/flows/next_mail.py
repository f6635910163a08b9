"""When a reader's next mail begins, as it is told to them."""

from datetime import date, datetime, timedelta

from service.flows.runtime import Runtime
from service.store import slots as slots_store
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.store.tables import SubscriberRow
from service.subscribers.cadence import due_slot, local_date, next_slot

_BACK = timedelta(days=16)
"""How far back the newest slot may lie: who has one mail a week, after an outage."""


def next_mail_at(rt: Runtime, session: Session, row: SubscriberRow) -> datetime | None:
    """The instant of the next mail, None when none comes; now for one that is due.

    A mail that waits for a late list comes when it is looked at again. Pauses and rests count; a
    date whose mail is decided, by whichever hand, is passed over.
    """
    if row.state != "active":
        return None
    reader, now = subscribers_store.to_subscriber(row), rt.clock()
    since = local_date(now, row.zone) - _BACK
    taken = slots_store.list_taken(session, row.id or 0, since)

    def is_free(day: date) -> bool:
        return day not in taken and (row.paused_until is None or day >= row.paused_until)

    due = row.next_digest_at
    slot = due_slot(reader, due, now) if due is not None else None
    begins = max(now, row.rests_until or now)
    if due is not None and slot is not None and is_free(slot[0]) and begins <= max(due, now):
        return max(due, now)
    at = begins
    for _ in range(400):
        day, at = next_slot(reader, at)
        if is_free(day):
            return at
    return None
