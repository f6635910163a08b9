"""What alerts need to know: who wants them, when a reader had the last ones, which wait."""

from collections.abc import Sequence
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
    """When the reader's newest alerts went, or were planned, newest first."""
    return list(
        session.exec(
            select(sa.func.coalesce(col(DeliveryRow.accepted_at), col(DeliveryRow.planned_at)))
            .join(EditionRow, col(EditionRow.id) == col(DeliveryRow.edition_id))
            .where(
                col(DeliveryRow.subscriber_id) == subscriber_id,
                col(EditionRow.kind) == "alert",
                col(DeliveryRow.state).not_in(["cancelled", "skipped"]),
            )
            .order_by(col(DeliveryRow.id).desc())
            .limit(limit)
        ).all()
    )


def list_alerted(session: Session, ids: Sequence[int], since: datetime) -> dict[int, int]:
    """The edition of the newest alert, by reader, of those of some readers for whom one was planned
    at an instant or later."""
    wanted = set(ids)
    query = (
        sa.select(col(DeliveryRow.subscriber_id), col(DeliveryRow.edition_id))
        .where(col(DeliveryRow.kind) == "alert", col(DeliveryRow.planned_at) >= since)
        .order_by(col(DeliveryRow.id))
    )
    return {reader: edition for reader, edition in session.execute(query) if reader in wanted}


def has_open_alert(session: Session, subscriber_id: int) -> bool:
    """Whether an alert of this reader still waits to go."""
    row = session.execute(
        sa.select(col(DeliveryRow.id))
        .where(
            col(DeliveryRow.subscriber_id) == subscriber_id,
            col(DeliveryRow.kind) == "alert",
            col(DeliveryRow.state).in_(["ready", "leased", "sending", "deferred"]),
        )
        .limit(1)
    ).first()
    return row is not None


def has_alert(session: Session, slot: str, recipient_key: str) -> bool:
    """Whether the alerts of this quarter hour hold one of this reader, of any state."""
    row = session.execute(
        sa.select(col(DeliveryRow.id))
        .join(EditionRow, col(EditionRow.id) == col(DeliveryRow.edition_id))
        .where(
            col(EditionRow.kind) == "alert",
            col(EditionRow.slot) == slot,
            col(DeliveryRow.recipient_key) == recipient_key,
        )
        .limit(1)
    ).first()
    return row is not None


def count_alerts_on(session: Session, subscriber_id: int, zone: str, on: date) -> int:
    """Alerts of a reader on a local date."""
    times = list_alert_times(session, subscriber_id)
    return sum(1 for at in times if local_date(at, zone) == on)


def list_due_alerts(
    session: Session, now: datetime, edition_ids: Sequence[int] | None = None
) -> list[tuple[int, SubscriberRow]]:
    """(delivery, its reader) of alerts that a lease would take now; those of a person's
    send, which goes at any hour, are left out."""
    alive = sa.select(col(EditionRow.id)).where(
        col(EditionRow.kind) == "alert",
        col(EditionRow.state).in_(["open", "closing", "incomplete"]),
    )
    if edition_ids is not None:
        alive = alive.where(col(EditionRow.id).in_(list(edition_ids)))
    editions = [row[0] for row in session.execute(alive)]
    if not editions:
        return []
    forced = sa.func.coalesce(col(DeliveryRow.own)["forced"].as_boolean(), sa.false())
    rows = session.execute(
        sa.select(col(DeliveryRow.id), SubscriberRow)
        .join(SubscriberRow, col(SubscriberRow.id) == col(DeliveryRow.subscriber_id))
        .where(
            col(DeliveryRow.edition_id).in_(editions),
            col(DeliveryRow.state).in_(["ready", "deferred"]),
            sa.or_(col(DeliveryRow.not_before).is_(None), col(DeliveryRow.not_before) <= now),
            sa.not_(forced),
        )
    )
    return [(delivery_id, reader) for delivery_id, reader in rows]


def rest_until(session: Session, delivery_id: int, until: datetime) -> None:
    """An alert that is not begun waits for its hour."""
    session.execute(
        sa.update(DeliveryRow)
        .where(
            col(DeliveryRow.id) == delivery_id, col(DeliveryRow.state).in_(["ready", "deferred"])
        )
        .values(not_before=until)
        .execution_options(synchronize_session=False)
    )
