"""Mails of a send by hand that wait for the hour of their reader."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col

from service.store.tables import DeliveryRow, EditionRow


@dataclass(frozen=True, slots=True)
class Waiting:
    """not_before: when that hour comes · deadline_at: after which it is not tried again."""

    id: int
    edition_id: int
    not_before: datetime
    deadline_at: datetime


_IS_UNTRIED = (
    col(DeliveryRow.state).in_(["planned", "ready"]),
    col(DeliveryRow.attempts) == 0,
)


def list_waiting(session: Session, reader_id: int, now: datetime) -> list[Waiting]:
    """One reader's, of every edition, in the order of these."""
    query = (
        sa.select(
            col(DeliveryRow.id),
            col(DeliveryRow.edition_id),
            col(DeliveryRow.not_before),
            col(DeliveryRow.deadline_at),
        )
        .join(EditionRow, col(EditionRow.id) == col(DeliveryRow.edition_id))
        .where(
            col(DeliveryRow.subscriber_id) == reader_id,
            col(DeliveryRow.not_before) > now,
            *_IS_UNTRIED,
            col(EditionRow.kind).in_(["manual", "newsletter"]),
            col(EditionRow.options)["timing"]["own_hour"].as_boolean(),
        )
        .order_by(col(DeliveryRow.edition_id))
    )
    return [Waiting(*row) for row in session.execute(query)]


def set_hour(session: Session, row: Waiting, at: datetime) -> bool:
    """It goes at another time, its deadline as much later. False: it waits no more."""
    changed = session.execute(
        sa.update(DeliveryRow)
        .where(col(DeliveryRow.id) == row.id, *_IS_UNTRIED)
        .values(not_before=at, deadline_at=row.deadline_at + (at - row.not_before))
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]
