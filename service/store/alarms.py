"""Alarms: what the staff must know of until it is over. One row for each (kind, key)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.db import insert_once
from service.store.house_tables import AlarmRow


def get_alarm(session: Session, kind: str, key: str) -> AlarmRow | None:
    """One alarm, over or not."""
    return session.exec(
        select(AlarmRow).where(AlarmRow.kind == kind, AlarmRow.key == key[:254])
    ).first()


def get_by_id(session: Session, alarm_id: int) -> AlarmRow | None:
    """The same by its number."""
    return session.get(AlarmRow, alarm_id)


def put_alarm(
    session: Session, kind: str, key: str, says: Mapping[str, Any], now: datetime
) -> AlarmRow:
    """Raise an alarm, or see it once more. One that was over begins anew.

    says: what, place, next_step; the newest words stand.
    """
    row = get_alarm(session, kind, key)
    if row is None:
        row = AlarmRow(kind=kind, key=key[:254], since=now, seen_at=now, **says)
        if insert_once(session, row):
            return row
        row = get_alarm(session, kind, key)
        assert row is not None  # the key it met is this one: an alarm has no other
    if row.ended_at is not None:
        row.since, row.ended_at, row.count = now, None, 0
    row.sqlmodel_update({**says, "seen_at": now, "count": row.count + 1})
    session.add(row)
    session.flush()
    return row


def list_open(session: Session) -> list[AlarmRow]:
    """Alarms that are not over, the oldest first."""
    query = select(AlarmRow).where(col(AlarmRow.ended_at).is_(None))
    return list(session.exec(query.order_by(col(AlarmRow.since), col(AlarmRow.id))).all())


def list_all(session: Session, limit: int | None = None) -> list[AlarmRow]:
    """Every alarm: those that are not over first, then the newest."""
    query = select(AlarmRow).order_by(
        col(AlarmRow.ended_at).is_not(None), col(AlarmRow.since).desc(), col(AlarmRow.id).desc()
    )
    return list(session.exec(query.limit(limit) if limit is not None else query).all())


def count_open(session: Session) -> dict[str, int]:
    """How many alarms are not over, per kind (for metrics and readiness)."""
    rows = session.execute(
        sa.select(col(AlarmRow.kind), sa.func.count())
        .where(col(AlarmRow.ended_at).is_(None))
        .group_by(col(AlarmRow.kind))
    ).all()
    return {kind: int(count) for kind, count in rows}


def list_untold(session: Session, now: datetime, apart: timedelta) -> list[AlarmRow]:
    """Open alarms of which nobody was told since they began; one that comes and goes is told of
    again only so long after."""
    told = col(AlarmRow.told_at)
    query = select(AlarmRow).where(
        col(AlarmRow.ended_at).is_(None),
        sa.or_(told.is_(None), sa.and_(told < col(AlarmRow.since), told <= now - apart)),
    )
    return list(session.exec(query.order_by(col(AlarmRow.id))).all())


def list_faded(session: Session, kinds: Mapping[str, timedelta], now: datetime) -> list[AlarmRow]:
    """Open alarms about single events that have not come again for as long as their kind says."""
    return [
        row
        for row in list_open(session)
        if row.kind in kinds and row.seen_at <= now - kinds[row.kind]
    ]


def forget_ended(session: Session, before: datetime, limit: int) -> int:
    """Drop alarms that were over before an instant; how many."""
    ids = sa.select(col(AlarmRow.id)).where(col(AlarmRow.ended_at) < before).limit(limit)
    change = sa.delete(AlarmRow).where(col(AlarmRow.id).in_(ids))
    return int(session.execute(change).rowcount)  # type: ignore[attr-defined]
