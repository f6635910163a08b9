"""Rows of an edition: one per reader, planned once, with the identity of the message fixed."""

import hashlib
from datetime import date, datetime, timedelta
from typing import Any

from service.delivery.message import message_id
from service.delivery.states import State
from service.flows.runtime import Runtime
from service.store import deliveries as deliveries_store
from service.store import editions as editions_store
from service.store import leases as leases_store
from service.store.db import Session
from service.store.missed_rows import MISSED
from service.store.tables import DeliveryRow, EditionRow, SubscriberRow

PRIORITY = {"notice": 0, "alert": 1, "digest": 2, "quiet": 2, "manual": 3, "newsletter": 3}


def edition_key(edition: EditionRow) -> str:
    """The edition as one text, for the Message-ID."""
    return f"{edition.kind}:{edition.audience}:{edition.slot}"


def plan_row(
    rt: Runtime,
    session: Session,
    edition: EditionRow,
    *,
    recipient_key: str,
    rcpt: str,
    kind: str,
    now: datetime,
    deadline: timedelta,
    state: State = State.PLANNED,
    **values: Any,
) -> DeliveryRow | None:
    """Add one delivery; None when the recipient has one in this edition already."""
    assert edition.id is not None
    return deliveries_store.add_delivery(
        session,
        edition_id=edition.id,
        recipient_key=recipient_key,
        rcpt=rcpt,
        kind=kind,
        message_id=message_id(rt.instance.key, edition_key(edition), recipient_key, rt.mail_domain),
        now=now,
        state=state,
        deadline_at=now + deadline,
        priority=PRIORITY[edition.kind],
        **values,
    )


def plan_reader(
    rt: Runtime,
    session: Session,
    edition: EditionRow,
    reader: SubscriberRow,
    *,
    kind: str,
    now: datetime,
    deadline: timedelta,
    reopen: bool = False,
    not_before: datetime | None = None,
) -> DeliveryRow | None:
    """Plan one reader. ``reopen``: a slot that was skipped for want of papers is tried again.

    A rolling edition that was closed is open again with a new row; in a cancelled one the row
    says so at once, and its papers ride in the next mail.
    """
    is_over = edition.state == "cancelled"
    row = plan_row(
        rt,
        session,
        edition,
        recipient_key=reader.email_key,
        rcpt=reader.email,
        kind=kind,
        now=now,
        deadline=deadline,
        state=State.CANCELLED if is_over else State.PLANNED,
        reason="cancelled" if is_over else "",
        subscriber_id=reader.id,
        locale=reader.locale,
        not_before=not_before,
    )
    if row is None and not is_over:
        assert edition.id is not None
        there = deliveries_store.find_delivery(session, edition.id, reader.email_key, reader.id)
        # a date written down as missed by a clock that was ahead is still to come
        may = there is not None and (reopen or there.reason == MISSED)
        if may and there is not None and leases_store.reopen(session, there, now + deadline):
            row = there
    if row is not None and not is_over:
        editions_store.open_again(session, edition, now + deadline)
    return row


def begins_at(slot: datetime, email_key: str, minutes: int, now: datetime) -> datetime | None:
    """When one reader's mail of an hour may go: the mails of one hour begin one after the other
    over ``minutes``, each reader's always at the same distance from the hour.

    After an outage the distance is counted from now. None: at once.
    """
    if minutes <= 0:
        return None
    share = int.from_bytes(hashlib.sha256(email_key.encode()).digest()[:4], "big") / 2**32
    length = timedelta(minutes=minutes)
    start = slot if now - slot < length else now
    at = start + timedelta(seconds=int(share * length.total_seconds()))
    return at if at > now else None


def digest_edition(
    session: Session, on: date, now: datetime, created_by: str = "clock"
) -> EditionRow:
    """The rolling edition of a local date; it closes when the date is over in every zone.

    created_by: who opens it, if nobody has yet.
    """
    over = datetime(on.year, on.month, on.day, tzinfo=now.tzinfo) + timedelta(hours=36)
    row, _ = editions_store.add_edition(
        session,
        kind="digest",
        slot=on.isoformat(),
        now=now,
        closes_at=max(over, now),
        created_by=created_by,
    )
    return row
