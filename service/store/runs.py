"""When the clock last ticked and the day's mails were last all away; what waits, counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.db import insert_once
from service.store.health import count_overdue_readers, count_stuck
from service.store.house_tables import PaceRow
from service.store.tables import DeliveryRow, EditionRow, PaperRow, SourceRow, SubscriberRow

SCOPE = "run"
CLOCK, MADE = "clock", "made"
"""Marks: the clock was at work · nothing was due and unsent."""

NO_MAIL = ("skipped", "suppressed", "cancelled")
"""States of rows that nothing was to be sent for."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What keeps a day's run from being complete. overdue: readers whose hour came and who have no
    row · stuck: mails that could have moved on, per state · deferred, of: mails of a digest edition
    that more often wait than came."""

    overdue: int = 0
    stuck: int = 0
    deferred: int = 0
    of: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.overdue or self.stuck or self.deferred)


def note(session: Session, key: str, now: datetime) -> None:
    """Set a mark."""
    row = session.exec(select(PaceRow).where(PaceRow.scope == SCOPE, PaceRow.key == key)).first()
    if row is None:
        insert_once(session, PaceRow(scope=SCOPE, key=key, at=now))
        return
    row.at = now
    session.add(row)


def marks(session: Session) -> dict[str, datetime]:
    """Every mark that was ever set."""
    rows = session.exec(select(PaceRow).where(PaceRow.scope == SCOPE)).all()
    return {row.key: row.at for row in rows if row.at is not None}


def unfinished(session: Session, now: datetime, by: timedelta) -> Unfinished:
    """What was due longer ago than ``by`` and is not away. Mails of paused and cancelled editions
    wait for a person, and do not count; in doubt is not unsent."""
    stuck = count_stuck(session, now, by)
    deferred, of = _refused_day(session, now - by)
    return Unfinished(
        overdue=count_overdue_readers(session, now, by),
        stuck=sum(n for state, n in stuck.items() if state not in ("unknown", "deferred")),
        deferred=deferred,
        of=of,
    )


def _refused_day(session: Session, before: datetime) -> tuple[int, int]:
    """Of the digest editions that are open and began before an instant: the deferred mails, and all
    mails, of the one in which more wait than came; (0, 0) where there is none.
    """
    waiting = session.execute(
        sa.select(col(DeliveryRow.edition_id), sa.func.count())
        .join(EditionRow, col(EditionRow.id) == col(DeliveryRow.edition_id))
        .where(
            col(DeliveryRow.state) == "deferred",
            col(EditionRow.kind) == "digest",
            col(EditionRow.state).in_(["open", "closing"]),
            col(EditionRow.paused) == sa.false(),
            col(EditionRow.opened_at) < before,
        )
        .group_by(col(DeliveryRow.edition_id))
    ).all()
    found = [(0, 0)]
    for edition_id, deferred in waiting:
        states = session.execute(
            sa.select(col(DeliveryRow.state), sa.func.count())
            .where(col(DeliveryRow.edition_id) == edition_id)
            .group_by(col(DeliveryRow.state))
        ).all()
        counts = {state: int(n) for state, n in states}
        mails = sum(n for state, n in counts.items() if state not in NO_MAIL)
        if deferred > counts.get("accepted", 0) + counts.get("presumed", 0):
            found.append((int(deferred), mails))
    return max(found)


def count_by_state(session: Session) -> Mapping[str, dict[str, int]]:
    """Rows per state of readers, deliveries and sources (the whole ledger is counted)."""
    tables: dict[str, Any] = {
        "readers": SubscriberRow,
        "deliveries": DeliveryRow,
        "sources": SourceRow,
    }
    return {
        name: {
            state: int(n)
            for state, n in session.execute(
                sa.select(table.state, sa.func.count()).group_by(table.state)
            ).all()
        }
        for name, table in tables.items()
    }


def count_papers(session: Session) -> int:
    """Papers that are known."""
    return int(session.execute(sa.select(sa.func.count()).select_from(PaperRow)).scalar_one())


def oldest_waiting(session: Session, now: datetime) -> datetime | None:
    """Since when the mail waits that could go now and was planned first (numbers follow time: the
    instant is read of one mail alone). What begins later, and
    editions that are paused, do not count."""
    begins = [
        sa.or_(column.is_(None), column <= now)
        for column in (col(DeliveryRow.not_before), col(EditionRow.not_before))
    ]
    first = (
        sa.select(sa.func.min(col(DeliveryRow.id)))
        .join(EditionRow, col(EditionRow.id) == col(DeliveryRow.edition_id))
        .where(
            col(DeliveryRow.state).in_(["planned", "ready", "leased"]),
            col(EditionRow.paused) == sa.false(),
            col(EditionRow.state) != "cancelled",
            *begins,
        )
    )
    at = session.execute(
        sa.select(col(DeliveryRow.planned_at)).where(col(DeliveryRow.id) == first.scalar_subquery())
    ).scalar_one_or_none()
    return at if isinstance(at, datetime) else None


def count_paused(session: Session) -> int:
    """Editions that are paused."""
    return int(
        session.execute(
            sa.select(sa.func.count())
            .select_from(EditionRow)
            .where(col(EditionRow.paused) == sa.true(), col(EditionRow.state) != "cancelled")
        ).scalar_one()
    )


def last_answers(session: Session) -> list[tuple[int, str, datetime]]:
    """Per source that is asked: its number, kind, and when it last answered."""
    rows = session.execute(
        sa.select(col(SourceRow.id), col(SourceRow.kind), col(SourceRow.last_poll_at)).where(
            col(SourceRow.state).not_in(["paused", "gone"]), col(SourceRow.failures) == 0
        )
    ).all()
    return [(int(i), kind, at) for i, kind, at in rows if at is not None]
