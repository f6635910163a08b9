"""Rows of an edition: one per reader, planned once, with the identity of the message fixed."""

from datetime import date, datetime, timedelta
from typing import Any

from service.delivery.message import message_id
from service.delivery.states import State
from service.flows.runtime import Runtime
from service.store import deliveries as deliveries_store
from service.store import editions as editions_store
from service.store import leases as leases_store
from service.store.db import Session
from service.store.tables import DeliveryRow, EditionRow, SubscriberRow

PRIORITY = {"notice": 0, "alert": 1, "digest": 2, "manual": 3, "newsletter": 3}


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
) -> DeliveryRow | None:
    """Plan one reader. ``reopen``: a slot that was skipped for want of papers is tried again."""
    row = plan_row(
        rt,
        session,
        edition,
        recipient_key=reader.email_key,
        rcpt=reader.email,
        kind=kind,
        now=now,
        deadline=deadline,
        subscriber_id=reader.id,
        locale=reader.locale,
    )
    if row is None and reopen:
        assert edition.id is not None
        there = deliveries_store.find_delivery(session, edition.id, reader.email_key)
        if there is not None and leases_store.reopen(session, there, now + deadline):
            return there
    return row


def digest_edition(session: Session, on: date, now: datetime) -> EditionRow:
    """The rolling edition of a local date; it closes when the date is over in every zone."""
    closes = datetime(on.year, on.month, on.day, tzinfo=now.tzinfo) + timedelta(hours=36 + 20)
    row, _ = editions_store.add_edition(
        session,
        kind="digest",
        slot=on.isoformat(),
        now=now,
        closes_at=max(closes, now + timedelta(hours=20)),
        created_by="clock",
    )
    return row
