"""Figures for the doctor: the database's own clock, and rows that should have moved on."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col

from service.store.house_tables import AdminRow
from service.store.tables import DeliveryRow, EditionRow, SubscriberRow


def database_now(session: Session) -> datetime:
    """The time of the database, aware UTC (SQLite: to the second)."""
    if session.get_bind().dialect.name == "sqlite":
        text = session.execute(sa.text("SELECT strftime('%Y-%m-%dT%H:%M:%S', 'now')")).scalar_one()
        return datetime.fromisoformat(str(text)).replace(tzinfo=UTC)
    at = session.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    assert isinstance(at, datetime)
    return at.astimezone(UTC)


def count_overdue_readers(session: Session, now: datetime, by: timedelta) -> int:
    """Active readers whose hour came longer ago than ``by`` and who were not planned."""
    return int(
        session.execute(
            sa.select(sa.func.count())
            .select_from(SubscriberRow)
            .where(
                col(SubscriberRow.state) == "active",
                col(SubscriberRow.next_digest_at) < now - by,
            )
        ).scalar_one()
    )


def count_stuck(session: Session, now: datetime, by: timedelta) -> dict[str, int]:
    """Per state: deliveries that could have moved on longer ago than ``by``. Paused and cancelled
    editions do not count."""
    since = sa.func.coalesce(col(DeliveryRow.not_before), col(DeliveryRow.planned_at))
    rows = session.execute(
        sa.select(col(DeliveryRow.state), sa.func.count())
        .join(EditionRow, col(EditionRow.id) == col(DeliveryRow.edition_id))
        .where(
            col(DeliveryRow.state).in_(["planned", "ready", "deferred", "leased", "unknown"]),
            since < now - by,
            col(EditionRow.paused) == sa.false(),
            col(EditionRow.state) != "cancelled",
            sa.or_(col(EditionRow.not_before).is_(None), col(EditionRow.not_before) < now - by),
        )
        .group_by(col(DeliveryRow.state))
    ).all()
    return {state: int(n) for state, n in rows}


def count_admins(session: Session) -> int:
    """Accounts of staff that are not disabled."""
    return int(
        session.execute(
            sa.select(sa.func.count())
            .select_from(AdminRow)
            .where(col(AdminRow.disabled) == sa.false())
        ).scalar_one()
    )
