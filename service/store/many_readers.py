"""Many readers in one statement."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col
from sqlmodel.sql.sqltypes import UTCDateTime

from service.store.tables import SubscriberRow


def list_columns(
    session: Session, ids: Sequence[int], names: Sequence[str]
) -> dict[int, dict[str, Any]]:
    """Some columns of readers, by reader."""
    found: dict[int, dict[str, Any]] = {}
    columns = [getattr(SubscriberRow, name) for name in names]
    for start in range(0, len(ids), 500):
        query = sa.select(col(SubscriberRow.id), *columns).where(
            col(SubscriberRow.id).in_(ids[start : start + 500])
        )
        for reader_id, *values in session.execute(query):
            found[reader_id] = dict(zip(names, values, strict=True))
    return found


def set_next_digests(session: Session, at: Mapping[int, datetime]) -> None:
    """When the next slots of several readers begin."""
    begins = col(SubscriberRow.next_digest_at)
    change = (
        sa.update(SubscriberRow)
        .where(col(SubscriberRow.id) == sa.bindparam("reader"))
        .values({begins: sa.bindparam("at", type_=UTCDateTime())})
    )
    if at:
        rows = [{"reader": reader_id, "at": at[reader_id]} for reader_id in sorted(at)]
        session.connection().execute(change, rows)
