"""How far a relay's log was read, and the mails that its lines are about."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.house_tables import RelayLogRow
from service.store.log_files import Place
from service.store.tables import DeliveryRow

_AT_ONCE = 500


def get_place(session: Session, path: str) -> tuple[Place, dict[str, Any], datetime | None]:
    """(where to read on, what lines before began, when it was read last)."""
    row = _row(session, path)
    if row is None:
        return Place(), {}, None
    return Place(row.mark, row.position), dict(row.open), row.read_at


def set_place(
    session: Session, path: str, place: Place, kept: dict[str, Any], now: datetime
) -> None:
    """Note how far a log was read."""
    row = _row(session, path) or RelayLogRow(path=path)
    row.mark, row.position, row.open, row.read_at = place.mark, place.position, kept, now
    session.add(row)


def _row(session: Session, path: str) -> RelayLogRow | None:
    return session.exec(select(RelayLogRow).where(col(RelayLogRow.path) == path)).first()


def find_states(session: Session, message_ids: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Per Message-ID that is one of ours: (delivery, its state)."""
    found: dict[str, tuple[int, str]] = {}
    wanted = sorted(set(message_ids))
    for start in range(0, len(wanted), _AT_ONCE):
        rows = session.execute(
            sa.select(
                col(DeliveryRow.message_id), col(DeliveryRow.id), col(DeliveryRow.state)
            ).where(col(DeliveryRow.message_id).in_(wanted[start : start + _AT_ONCE]))
        )
        found.update({message_id: (id_, state) for message_id, id_, state in rows})
    return found
