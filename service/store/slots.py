"""What readers' slots of the dates before one became: mails, nothing, pauses, tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from service.store.sent import TESTED, UNDER_WAY
from service.store.tables import DeliveryRow, EditionRow, SubscriberRow

WENT_OUT = ("accepted", "presumed", *UNDER_WAY)
"""States of a mail that came, or still may."""


@dataclass(frozen=True, slots=True)
class Slots:
    """Of one reader's digest slots before a date; None where there is none.

    newest: of any state · last: the newest that no pause took · mailed: the newest whose mail went
    out · paused: the first that a pause took after it · before: the newest before the date until
    which mail was paused or the address barred.
    """

    newest: date | None = None
    last: date | None = None
    mailed: date | None = None
    paused: date | None = None
    before: date | None = None


def list_slots(
    session: Session, subscriber_ids: Sequence[int], on: date, *, testing: bool
) -> dict[int, Slots]:
    """Per reader: the slots before a date, of readers that have any.

    testing: test mode is on. Without it no slot counts from the first test mail on that no real
    one came after: to its reader there was none.
    """
    paused = sa.and_(col(DeliveryRow.state) == "skipped", col(DeliveryRow.reason) == "paused")
    tested = sa.and_(col(DeliveryRow.state) == "accepted", col(DeliveryRow.reason) == TESTED)
    went_out = sa.and_(
        col(DeliveryRow.state).in_(WENT_OUT), sa.true() if testing else sa.not_(tested)
    )
    slot = col(EditionRow.slot)
    is_before = slot < sa.cast(col(SubscriberRow.paused_until), sa.String)

    def rows(what: Any, *where: Any) -> Any:
        return (
            sa.select(col(DeliveryRow.subscriber_id), what)
            .join(EditionRow, col(EditionRow.id) == col(DeliveryRow.edition_id))
            .where(
                col(DeliveryRow.subscriber_id).in_(subscriber_ids),
                col(EditionRow.kind) == "digest",
                slot < on.isoformat(),
                *where,
            )
        )

    def newest(*where: Any) -> dict[int, str]:
        by_reader = rows(sa.func.max(slot), *where).group_by(col(DeliveryRow.subscriber_id))
        return dict(session.execute(by_reader).all())

    def first(mailed: Mapping[int, str], *where: Any) -> dict[int, str]:
        """The first after what was mailed."""
        found: dict[int, str] = {}
        for reader_id, day in session.execute(rows(slot, *where).order_by(slot)):
            if day > mailed.get(reader_id, ""):
                found.setdefault(reader_id, day)
        return found

    mailed = newest(went_out)
    made = {}
    of_reader = SubscriberRow, col(SubscriberRow.id) == col(DeliveryRow.subscriber_id)
    until = rows(sa.func.max(slot), is_before).join(*of_reader)
    before = dict(session.execute(until.group_by(col(DeliveryRow.subscriber_id))).all())
    columns = (newest(), newest(sa.not_(paused)), mailed, first(mailed, paused), before)
    for reader_id in columns[0]:
        days = [column.get(reader_id) for column in columns]
        made[reader_id] = Slots(*[date.fromisoformat(d) if d else None for d in days])
    if not testing:
        began: dict[str, list[int]] = {}
        for reader_id, day in first(mailed, tested).items():
            began.setdefault(day, []).append(reader_id)
        for day, ids in began.items():
            for reader_id in ids:
                del made[reader_id]
            made |= list_slots(session, ids, date.fromisoformat(day), testing=testing)
    return made
