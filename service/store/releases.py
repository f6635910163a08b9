"""Days whose daily may go, and the readers who wait for it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from service.store.db import insert_once
from service.store.desk_tables import ReleaseRow, ReleaseWaitRow
from service.store.tables import SubscriberRow

UNRELEASED = "unreleased"
"""The reason of a skipped row: nobody released the day; the next mail has its papers."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A day for which readers wait. since: the first of them."""

    day: date
    readers: int
    since: datetime


def get_release(session: Session, day: date) -> ReleaseRow | None:
    """How a day was let go, None when it was not."""
    return session.get(ReleaseRow, day)


def list_released(session: Session, days: Collection[date]) -> set[date]:
    """Those of some days that were let go."""
    day = col(ReleaseRow.day)
    return {found for (found,) in session.execute(sa.select(day).where(day.in_(list(days))))}


def add_release(session: Session, day: date, now: datetime, by: str = "") -> bool:
    """Let a day go; False when it was before, by whomever."""
    if get_release(session, day) is not None:
        return False
    return insert_once(session, ReleaseRow(day=day, at=now, done_by=by))


def list_waiting(session: Session) -> list[Waiting]:
    """Days for which active readers wait, the oldest first."""
    rows = session.execute(
        sa.select(col(ReleaseWaitRow.day), sa.func.count(), sa.func.min(col(ReleaseWaitRow.since)))
        .join(SubscriberRow, col(SubscriberRow.id) == col(ReleaseWaitRow.subscriber_id))
        .where(col(SubscriberRow.state) == "active")
        .group_by(col(ReleaseWaitRow.day))
        .order_by(col(ReleaseWaitRow.day))
    )
    return [Waiting(*row) for row in rows]


def waits_for(session: Session, reader_ids: Sequence[int]) -> dict[int, date]:
    """The day for which each of some readers waits, of those who do."""
    rows = session.execute(
        sa.select(col(ReleaseWaitRow.subscriber_id), col(ReleaseWaitRow.day)).where(
            col(ReleaseWaitRow.subscriber_id).in_(list(reader_ids))
        )
    )
    return {int(reader_id): day for reader_id, day in rows}


def set_waits(session: Session, days: Mapping[int, date], now: datetime) -> None:
    """Readers wait for a day from now on; who waits for it already does since then."""
    there = waits_for(session, list(days))
    over = [reader_id for reader_id, day in there.items() if days[reader_id] != day]
    end_waits(session, over)
    new = [
        {"subscriber_id": reader_id, "day": day, "since": now}
        for reader_id, day in sorted(days.items())
        if there.get(reader_id) != day
    ]
    if new:
        module = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
        session.execute(module.insert(ReleaseWaitRow).on_conflict_do_nothing(), new)


def end_waits(session: Session, reader_ids: Collection[int]) -> None:
    """Readers wait no more."""
    if reader_ids:
        session.execute(
            sa.delete(ReleaseWaitRow).where(col(ReleaseWaitRow.subscriber_id).in_(list(reader_ids)))
        )


def list_asleep(session: Session, day: date, now: datetime, limit: int) -> list[int]:
    """Readers who wait for a day and are due later than now."""
    rows = session.execute(
        sa.select(col(ReleaseWaitRow.subscriber_id))
        .join(SubscriberRow, col(SubscriberRow.id) == col(ReleaseWaitRow.subscriber_id))
        .where(
            col(ReleaseWaitRow.day) == day,
            col(SubscriberRow.state) == "active",
            col(SubscriberRow.next_digest_at) > now,
        )
        .limit(limit)
    )
    return [reader_id for (reader_id,) in rows]
