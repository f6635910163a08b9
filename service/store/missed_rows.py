"""Rows of days on which nobody ran: many at once, each once."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from service.store.tables import DeliveryRow

MISSED = "missed"
"""The reason of a skipped row: nothing ran at the reader's hour; the next mail has its papers."""


def list_there(session: Session, edition_id: int, reader_ids: Sequence[int]) -> set[int]:
    """Who of these readers has a row in an edition, under whatever address."""
    rows = session.execute(
        sa.select(col(DeliveryRow.subscriber_id)).where(
            col(DeliveryRow.edition_id) == edition_id,
            col(DeliveryRow.subscriber_id).in_(reader_ids),
        )
    )
    return {reader_id for (reader_id,) in rows}


def add_rows(session: Session, rows: Sequence[dict[str, Any]]) -> int:
    """Insert deliveries; one that another process made meanwhile stays as it is. How many came."""
    if not rows:
        return 0
    module = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    before = _count(session, rows)
    session.execute(module.insert(DeliveryRow).on_conflict_do_nothing(), list(rows))
    return _count(session, rows) - before


def _count(session: Session, rows: Sequence[dict[str, Any]]) -> int:
    names = [row["message_id"] for row in rows]
    query = sa.select(sa.func.count()).where(col(DeliveryRow.message_id).in_(names))
    return int(session.execute(query).scalar_one())
