"""What waits longest to be sent, and whether anything was ever there."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.deliveries import is_left
from service.store.tables import DeliveryRow, EditionRow, PaperRow

WAITING = ("planned", "ready", "leased", "sending", "deferred")


def oldest_waiting(
    session: Session, now: datetime, dead: Sequence[int]
) -> tuple[DeliveryRow, EditionRow] | None:
    """The mail that was planned first of those that wait; not one that was put to a later hour, nor
    one that is held (dead: owners that are gone). By the index of states alone."""
    due = sa.or_(col(DeliveryRow.not_before).is_(None), col(DeliveryRow.not_before) <= now)
    found = []
    number = col(DeliveryRow.id) + 0  # else SQLite looks through all rows in their order
    for state in WAITING:
        query = sa.select(sa.func.min(number)).where(col(DeliveryRow.state) == state)
        if state in ("planned", "ready"):
            query = query.where(due)
        if state == "sending":
            query = query.where(sa.not_(is_left(dead)))
        found.append(session.scalar(query))
    oldest = min((one for one in found if one is not None), default=None)
    if oldest is None:
        return None
    row = session.exec(
        select(DeliveryRow, EditionRow)
        .join(EditionRow, col(EditionRow.id) == col(DeliveryRow.edition_id))
        .where(col(DeliveryRow.id) == oldest)
    ).first()
    return (row[0], row[1]) if row is not None else None


def has_sent(session: Session) -> bool:
    """Whether a mail was ever handed over."""
    query = sa.select(col(DeliveryRow.id)).where(col(DeliveryRow.accepted_at).is_not(None))
    return session.execute(query.limit(1)).first() is not None


def has_papers(session: Session) -> bool:
    """Whether a paper was ever stored."""
    return session.execute(sa.select(col(PaperRow.id)).limit(1)).first() is not None
