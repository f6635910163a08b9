"""Rows of an edition: one per reader, planned once, with the identity of the message fixed."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from service.delivery.message import domain_of, message_id
from service.delivery.states import State
from service.flows.runtime import Runtime
from service.store import deliveries as deliveries_store
from service.store import editions as editions_store
from service.store import leases as leases_store
from service.store import planned as planned_store
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


def reader_values(
    rt: Runtime, edition: EditionRow, reader: SubscriberRow, now: datetime
) -> dict[str, Any]:
    """The columns of one reader's row that hang on reader and edition alone."""
    key = edition_key(edition)
    return {
        "edition_id": edition.id,
        "recipient_key": reader.email_key,
        "rcpt": reader.email,
        "domain": domain_of(reader.email),
        "subscriber_id": reader.id,
        "locale": reader.locale,
        "priority": PRIORITY[edition.kind],
        "message_id": message_id(rt.instance.key, key, reader.email_key, rt.mail_domain),
        "bounce_id": secrets.token_hex(10),
        "token": secrets.token_urlsafe(16),
        "planned_at": now,
    }


def plan_readers(
    rt: Runtime,
    session: Session,
    edition: EditionRow,
    readers: Sequence[SubscriberRow],
    *,
    kind: str,
    now: datetime,
    deadline: timedelta,
    reopen: bool = False,
    not_before: Mapping[int, datetime] | None = None,
) -> dict[int, int]:
    """Plan readers, in a few statements; returns the rows that are to be composed, by reader.

    Who has a row keeps it. ``reopen``: a slot that was skipped for want of papers is tried again ·
    not_before: by reader. A rolling edition that was closed is open again with a new row; in a
    cancelled one the row says so at once, and its papers ride in the next mail.
    """
    assert edition.id is not None
    editions_store.share_edition(session, edition)
    is_over = edition.state == "cancelled"
    rows = {
        reader.id: reader_values(rt, edition, reader, now)
        | {
            "kind": kind,
            "state": str(State.CANCELLED if is_over else State.PLANNED),
            "reason": "cancelled" if is_over else "",
            "deadline_at": now + deadline,
            "not_before": (not_before or {}).get(reader.id),
        }
        for reader in readers
        if reader.id is not None
    }
    people = [(row["recipient_key"], i, row["message_id"]) for i, row in rows.items()]
    there = planned_store.list_there(session, edition.id, people)
    taken = {value for one in there for value in (one.recipient_key, one.message_id)}
    ids = {one.subscriber_id for one in there}
    made = planned_store.add_deliveries(
        session,
        [
            row
            for i, row in sorted(rows.items())  # two processes that plan lock them in one order
            if i not in ids and not taken & {row["recipient_key"], row["message_id"]}
        ],
    )
    if is_over:
        return made
    by_key = {row["recipient_key"]: i for i, row in rows.items()}
    for one in there:
        # a date written down as missed by a clock that was ahead is still to come
        if one.state != State.SKIPPED or not (reopen or one.reason == MISSED):
            continue
        row = deliveries_store.get_delivery(session, id=one.id)
        reader_id = by_key.get(one.recipient_key, one.subscriber_id)
        if row is None or row.edition_id != edition.id or reader_id is None:
            continue
        if leases_store.reopen(session, row, now + deadline):
            made[reader_id] = one.id
    if made:
        editions_store.open_again(session, edition, now + deadline)
    return made


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
