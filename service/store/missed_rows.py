"""Rows of days on which nobody ran: many at once, each once."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import Session, col

from service.store.planned import of_edition
from service.store.tables import DeliveryRow

MISSED = "missed"
"""The reason of a skipped row: nothing ran at the reader's hour; the next mail has its papers."""

RESTED = "bounced"
"""The same of one whose reader's mail rested, since the last ones came back."""


def list_there(session: Session, edition_id: int, reader_ids: Sequence[int]) -> set[int]:
    """Who of these readers has a row in an edition, under whatever address."""
    rows = session.execute(
        sa.select(col(DeliveryRow.subscriber_id)).where(
            of_edition(edition_id),
            col(DeliveryRow.subscriber_id).in_(reader_ids),
        )
    )
    return {reader_id for (reader_id,) in rows}
