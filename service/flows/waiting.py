"""Waiting for a batch source that is late: an hour at most, then the mail goes and names it.

Due-ness stays in ``next_digest_at``: a reader who waits is due again in a few minutes.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from service.defaults import Defaults
from service.sources.calendar import source_day
from service.sources.registry import ADAPTERS
from service.store import sources as sources_store
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.subscribers.model import ProfileKind

LOOK_AGAIN = timedelta(minutes=5)


def is_batch_late(session: Session, now: datetime) -> bool:
    """Whether the ledger says that a batch of its source's own day is due and not there."""
    for source in sources_store.list_sources(session):
        made = ADAPTERS.get(source.kind)
        if made is None or not made.is_batch or source.state in ("paused", "gone"):
            continue
        day = source_day(source.kind, now)
        rows = sources_store.list_source_days(session, day, source.id)
        if any(row.day == day and row.state in ("late", "stale") for row in rows):
            return True
    return False


def waiting_readers(
    session: Session, ids: Sequence[int], limits: Defaults, now: datetime
) -> frozenset[int]:
    """Readers whose mail waits while a batch is late: those with an interest of their own."""
    if not limits.late_wait_minutes or not is_batch_late(session, now):
        return frozenset()
    profiles = subscribers_store.list_profiles(session, ids)
    return frozenset(
        reader_id
        for reader_id, listed in profiles.items()
        if any(p.kind is not ProfileKind.TRENDING and not p.paused for p in listed)
    )


def wait_until(slot: datetime, limits: Defaults, now: datetime) -> datetime | None:
    """When to look again; None when the reader has waited long enough."""
    end = slot + timedelta(minutes=limits.late_wait_minutes)
    return min(end, now + LOOK_AGAIN) if now < end else None
