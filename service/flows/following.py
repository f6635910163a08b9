"""When a reader's next mail begins, as it is told to them."""

from datetime import date, datetime, timedelta

from service.flows.manage import next_mail_at
from service.flows.runtime import Runtime
from service.store import listing
from service.store.db import Session
from service.store.tables import SubscriberRow
from service.subscribers.cadence import local_date

_LOOKED = 10
"""Mails that are looked through for those of today and of days to come."""


def following(rt: Runtime, row: SubscriberRow) -> datetime | None:
    """The instant of the next mail, not after now where one is due; None when none comes.

    A date that had its mail is passed over; one that was moved to an hour that is over comes now.
    """
    taken = rt.db.read(lambda s: _taken(s, row.id or 0))
    now = rt.clock()
    today = local_date(now, row.zone)
    is_free = today not in taken and (row.paused_until is None or row.paused_until <= today)
    due = row.next_digest_at
    if row.state == "active" and is_free and due is not None and now - _DAY < due <= now:
        return due
    return next_mail_at(rt, row, taken)


_DAY = timedelta(days=1)


def _taken(session: Session, reader_id: int) -> set[date]:
    """Local dates whose mail is decided."""
    found = set()
    _total, mails = listing.list_mails(session, reader_id, offset=0, limit=_LOOKED)
    for mail in mails:
        if mail.kind == "digest":
            found.add(date.fromisoformat(mail.slot))
    return found
