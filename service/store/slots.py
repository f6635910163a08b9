"""What readers' slots of the dates before one became: mails, nothing, pauses, tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from service.store.missed_rows import MISSED, RESTED
from service.store.releases import UNRELEASED
from service.store.sent import TESTED, UNDER_WAY
from service.store.tables import DeliveryRow, EditionRow, SubscriberRow

WENT_OUT = ("accepted", "presumed", *UNDER_WAY)
"""States of a mail that came, or still may."""


@dataclass(frozen=True, slots=True)
class Slots:
    """Of one reader's digest slots before a date; None where there is none.

    newest: of any state · last: the newest that no pause took · mailed: the newest whose mail went
    out · paused: the first that a pause took after it · before: the newest before the date until
    which mail was paused or the address barred · first: the oldest of any state · last_at,
    mailed_at: when the latest row of those of ``last``, of ``mailed`` was planned (of a date that
    was sent again later: not with its date) · rode: the newest on which an interest had its day.
    """

    newest: date | None = None
    last: date | None = None
    mailed: date | None = None
    paused: date | None = None
    before: date | None = None
    first: date | None = None
    last_at: datetime | None = None
    mailed_at: datetime | None = None
    rode: date | None = None


def list_taken(session: Session, subscriber_id: int, since: date) -> set[date]:
    """The dates of a reader, from one on, whose digest is decided: each has a row."""
    rows = session.execute(
        sa.select(col(EditionRow.slot))
        .join(DeliveryRow, col(EditionRow.id) == col(DeliveryRow.edition_id))
        .where(
            col(DeliveryRow.subscriber_id) == subscriber_id,
            col(EditionRow.kind) == "digest",
            col(EditionRow.slot) >= since.isoformat(),
        )
    )
    return {date.fromisoformat(slot) for (slot,) in rows}


def list_slots(
    session: Session, subscriber_ids: Sequence[int], on: date, *, testing: bool
) -> dict[int, Slots]:
    """Per reader: the slots before a date, of readers that have any.

    testing: test mode is on. Without it no slot counts from the first test mail on that no real
    one came after: to its reader there was none.
    """
    paused = sa.and_(col(DeliveryRow.state) == "skipped", col(DeliveryRow.reason) == "paused")
    missed = sa.and_(
        col(DeliveryRow.state) == "skipped",
        col(DeliveryRow.reason).in_([MISSED, RESTED, UNRELEASED]),
    )
    tested = sa.and_(col(DeliveryRow.state) == "accepted", col(DeliveryRow.reason) == TESTED)
    went_out = sa.and_(
        col(DeliveryRow.state).in_(WENT_OUT), sa.true() if testing else sa.not_(tested)
    )
    slot = col(EditionRow.slot)
    is_before = slot < sa.cast(col(SubscriberRow.paused_until), sa.String)

    def rows(*what: Any) -> Any:
        return (
            sa.select(col(DeliveryRow.subscriber_id), *what)
            .join(EditionRow, col(EditionRow.id) == col(DeliveryRow.edition_id))
            .join(SubscriberRow, col(SubscriberRow.id) == col(DeliveryRow.subscriber_id))
            .where(
                col(DeliveryRow.subscriber_id).in_(subscriber_ids),
                col(EditionRow.kind) == "digest",
                slot < on.isoformat(),
                sa.not_(missed),  # nobody decided it: it is caught up
            )
        )

    no_day = sa.and_(
        col(DeliveryRow.state) == "skipped", col(DeliveryRow.reason).in_(["paused", "not_your_day"])
    )
    kinds = (sa.true(), sa.not_(paused), went_out, is_before, sa.not_(no_day))
    at = col(DeliveryRow.planned_at)
    columns = rows(
        *[sa.func.max(sa.case((kind, slot))) for kind in kinds],
        sa.func.min(slot),
        *[sa.func.max(sa.case((kind, at))) for kind in (sa.not_(paused), went_out)],
    )
    found: dict[int, list[date | None]] = {}
    instants: dict[int, tuple[datetime | None, datetime | None]] = {}
    for reader_id, *days, last_at, mailed_at in session.execute(
        columns.group_by(col(DeliveryRow.subscriber_id))
    ):
        found[reader_id] = [date.fromisoformat(day) if day else None for day in days]
        instants[reader_id] = last_at, mailed_at
    first_paused: dict[int, date] = {}
    first_tested: dict[int, date] = {}
    marked = rows(slot, tested).where(sa.or_(paused, tested)).order_by(slot)
    for reader_id, day, is_test in session.execute(marked):
        on_day, mailed = date.fromisoformat(day), found[reader_id][2]
        if mailed is None or on_day > mailed:
            (first_tested if is_test else first_paused).setdefault(reader_id, on_day)
    made = {
        reader_id: Slots(
            newest,
            last,
            mailed,
            first_paused.get(reader_id),
            before,
            first,
            *instants[reader_id],
            rode,
        )
        for reader_id, (newest, last, mailed, before, rode, first) in found.items()
    }
    if not testing:
        began: dict[date, list[int]] = {}
        for reader_id, tested_on in first_tested.items():
            del made[reader_id]
            began.setdefault(tested_on, []).append(reader_id)
        for tested_on, ids in began.items():
            made |= list_slots(session, ids, tested_on, testing=testing)
    return made
