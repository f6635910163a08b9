"""What alerts need to know: who wants them, and when a reader had the last ones."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.tables import DeliveryRow, EditionRow, ProfileRow, SubscriberRow
from service.subscribers.cadence import local_date


def list_instant_readers(session: Session) -> list[SubscriberRow]:
    """Active readers with at least one interest of cadence instant."""
    wants = sa.exists().where(
        col(ProfileRow.subscriber_id) == col(SubscriberRow.id),
        col(ProfileRow.cadence) == "instant",
        col(ProfileRow.paused) == sa.false(),
    )
    return list(
        session.exec(
            select(SubscriberRow)
            .where(col(SubscriberRow.state) == "active", wants)
            .order_by(col(SubscriberRow.id))
        ).all()
    )


def list_alert_times(session: Session, subscriber_id: int, limit: int = 50) -> list[datetime]:
    """When the reader's newest alerts were planned, newest first."""
    return list(
        session.exec(
            select(col(DeliveryRow.planned_at))
            .join(EditionRow, col(EditionRow.id) == col(DeliveryRow.edition_id))
            .where(
                col(DeliveryRow.subscriber_id) == subscriber_id,
                col(EditionRow.kind) == "alert",
                col(DeliveryRow.state) != "cancelled",
            )
            .order_by(col(DeliveryRow.id).desc())
            .limit(limit)
        ).all()
    )


def count_alerts_on(session: Session, subscriber_id: int, zone: str, on: date) -> int:
    """Alerts of a reader on a local date."""
    times = list_alert_times(session, subscriber_id)
    return sum(1 for at in times if local_date(at, zone) == on)
