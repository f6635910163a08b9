"""Rows of one edition for many readers: who has one, and those who have none get one, at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from service.store.tables import DeliveryRow

PART = 200


@dataclass(frozen=True, slots=True)
class There:
    """A row of the ledger that is somebody's already."""

    id: int
    subscriber_id: int | None
    recipient_key: str
    message_id: str
    state: str
    reason: str


def of_edition(edition_id: int) -> sa.ColumnElement[bool]:
    """Whether a row is of an edition, where readers are asked for: SQLite looks them up by their
    own index and does not walk the edition, which has many more rows than a reader."""
    return col(DeliveryRow.edition_id) + 0 == edition_id


def list_there(
    session: Session, edition_id: int, people: Sequence[tuple[str, int, str]]
) -> list[There]:
    """The rows of an edition that belong to some people: (recipient key, reader, Message-ID).

    The Message-ID is looked at too: it is all that an erased row still shares with the recipient.
    And the reader: a new address is no second recipient.
    """
    found: list[There] = []
    row = DeliveryRow
    for start in range(0, len(people), PART):
        keys, readers, names = zip(*people[start : start + PART], strict=True)
        rows = session.execute(
            sa.select(
                col(row.id), col(row.subscriber_id), col(row.recipient_key),
                col(row.message_id), col(row.state), col(row.reason),
            ).where(
                sa.or_(
                    sa.and_(col(row.edition_id) == edition_id, col(row.recipient_key).in_(keys)),
                    sa.and_(of_edition(edition_id), col(row.subscriber_id).in_(readers)),
                    col(row.message_id).in_(names),
                )
            )
        )  # fmt: skip
        found += [There(*one) for one in rows]
    return found


def add_deliveries(session: Session, rows: Sequence[dict[str, Any]]) -> dict[int, int]:
    """Insert rows of readers, all with the same columns; one that another process made meanwhile
    stays as it is. Returns the ids of those that came, by reader."""
    if not rows:
        return {}
    module = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    session.execute(module.insert(DeliveryRow).on_conflict_do_nothing(), list(rows))
    tokens = [row["token"] for row in rows]
    came: dict[int, int] = {}
    for start in range(0, len(tokens), PART):
        some = col(DeliveryRow.token).in_(tokens[start : start + PART])
        query = sa.select(col(DeliveryRow.subscriber_id), col(DeliveryRow.id)).where(some)
        came.update((reader_id, row_id) for reader_id, row_id in session.execute(query))
    return came
