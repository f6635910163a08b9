"""Zone, hour and mail days as active readers share them, and when those readers are due."""

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col

from service.store.tables import SubscriberRow


class Schedule(NamedTuple):
    """What some readers share. readers: how many · last: the latest instant at which one of them
    is due · without: how many are due at none."""

    zone: str
    hour: int
    weekdays: str
    readers: int
    last: datetime | None
    without: int


_SHARED = (col(SubscriberRow.zone), col(SubscriberRow.hour), col(SubscriberRow.weekdays))


def list_schedules(session: Session) -> list[Schedule]:
    """The distinct schedules of active readers."""
    due = col(SubscriberRow.next_digest_at)
    rows = session.execute(
        sa.select(*_SHARED, sa.func.count(), sa.func.max(due), sa.func.count() - sa.func.count(due))
        .where(col(SubscriberRow.state) == "active")
        .group_by(*_SHARED)
    )
    return [Schedule(*row) for row in rows]


def bring_forward(session: Session, shared: Schedule, at: datetime) -> int:
    """Readers of a schedule who are due later than ``at``, or never, are due then; returns how
    many."""
    theirs = zip(_SHARED, shared[:3], strict=True)
    due = col(SubscriberRow.next_digest_at)
    done = session.execute(
        sa.update(SubscriberRow)
        .where(
            col(SubscriberRow.state) == "active",
            *[column == value for column, value in theirs],
            sa.or_(due > at, due.is_(None)),
        )
        .values(next_digest_at=at)
        .execution_options(synchronize_session=False)
    )
    return int(done.rowcount)  # type: ignore[attr-defined]


def put_off(session: Session, shared: Schedule, at: datetime, now: datetime) -> int:
    """Readers of a schedule whose hour is past are due at ``at``; returns how many."""
    theirs = zip(_SHARED, shared[:3], strict=True)
    done = session.execute(
        sa.update(SubscriberRow)
        .where(
            col(SubscriberRow.state) == "active",
            *[column == value for column, value in theirs],
            col(SubscriberRow.next_digest_at) <= now,
        )
        .values(next_digest_at=at)
        .execution_options(synchronize_session=False)
    )
    return int(done.rowcount)  # type: ignore[attr-defined]
