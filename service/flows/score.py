"""A reader's score: what reports said of their mails, less the mails of which nobody said anything.

It is worked out when a report comes; sending a mail costs nothing. A mail counts as arrived when no
report about it came for ``report_days``: a relay tries for days before it gives up.
"""

from datetime import datetime, timedelta
from typing import Protocol

from service.defaults import FIXED, Defaults
from service.store import reports as reports_store
from service.store.db import Session
from service.store.tables import DeliveryRow, SubscriberRow

GRACE = timedelta(days=FIXED.report_days)


def reset(reader: SubscriberRow, now: datetime) -> None:
    """Begin anew: what was mailed until now is forgiven, also where a report is still to come."""
    reader.score, reader.scored_at, reader.rests, reader.rests_until = 0, now, 0, None


def is_forgiven(reader: SubscriberRow, row: DeliveryRow) -> bool:
    """Whether a mail went out before its reader's score began anew."""
    began = reader.scored_at if not reader.score else None
    return began is not None and row.marked_at is not None and row.marked_at < began


class Rests(Protocol):
    """Whoever may rest."""

    @property
    def rests_until(self) -> datetime | None: ...


def is_resting(reader: Rests, now: datetime) -> bool:
    """Whether no mail goes to a reader for now, because the last ones came back."""
    return reader.rests_until is not None and reader.rests_until > now


def settle(session: Session, reader: SubscriberRow, now: datetime) -> None:
    """Bring score and rests to what they are by now: mails that arrived take off."""
    if reader.scored_at is None or not (reader.score or reader.rests):
        return
    assert reader.id is not None
    after, until = reader.scored_at - GRACE, now - GRACE
    clean = reports_store.count_clean(session, reader.id, after, until)
    reader.score = max(0, reader.score - clean)
    since_rest = max(after, reader.rests_until or after)
    if reader.rests and reports_store.count_clean(session, reader.id, since_rest, until):
        reader.rests, reader.rests_until = 0, None


def rest(reader: SubscriberRow, now: datetime, limits: Defaults) -> None:
    """No mail for some days, each time twice as long. The next one is a trial: if it comes back,
    too, the reader rests again."""
    days = timedelta(days=limits.soft_rest_days * 2**reader.rests)
    reader.rests += 1
    reader.rests_until = now + min(days, timedelta(days=limits.pause_days))
    reader.score = min(reader.score, limits.soft_score)
