"""Readers for whom nothing has come for days: who they are, and since when."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from service.store.tables import DeliveryRow, EditionRow, ProfileRow, SubscriberRow

KIND = "quiet"
WITH_PAPERS = ("digest", "alert", "manual")
EMPTY = ("nothing_new", "not_your_day", "missed", "unreleased")


def list_quiet_readers(
    session: Session, since: datetime, rows: int, limit: int
) -> list[SubscriberRow]:
    """Active readers with words of their own who had no mail since an instant, whose digests were
    empty at least ``rows`` times since their last mail, and who never had the quiet mail. Days on
    which no interest of theirs was due do not count."""
    mine = col(DeliveryRow.subscriber_id) == col(SubscriberRow.id)
    of_edition = col(EditionRow.id) == col(DeliveryRow.edition_id)
    had_mail = sa.exists().where(
        mine,
        of_edition,
        col(EditionRow.kind).in_(WITH_PAPERS),
        sa.or_(
            col(DeliveryRow.accepted_at) > since,
            col(DeliveryRow.state).in_(
                ["planned", "ready", "leased", "sending", "deferred", "unknown"]
            ),
            sa.and_(
                col(DeliveryRow.planned_at) > since,
                sa.or_(col(DeliveryRow.state) != "skipped", col(DeliveryRow.reason).not_in(EMPTY)),
            ),
        ),
    )
    had_quiet = sa.exists().where(mine, of_edition, col(EditionRow.kind) == KIND)
    begun = sa.func.coalesce(col(SubscriberRow.confirmed_at), col(SubscriberRow.created_at))
    mails, into = aliased(DeliveryRow), aliased(EditionRow)
    last_mail = (
        sa.select(sa.func.max(col(mails.accepted_at)))
        .join(into, col(into.id) == col(mails.edition_id))
        .where(col(mails.subscriber_id) == col(SubscriberRow.id), col(into.kind).in_(WITH_PAPERS))
        .correlate(SubscriberRow)
        .scalar_subquery()
    )
    empty = (
        sa.select(sa.func.count())
        .select_from(DeliveryRow)
        .join(EditionRow, of_edition)
        .where(
            mine,
            col(EditionRow.kind) == "digest",
            col(DeliveryRow.planned_at) > sa.func.coalesce(last_mail, begun),
            col(DeliveryRow.state) == "skipped",
            col(DeliveryRow.reason) == "nothing_new",
        )
        .correlate(SubscriberRow)
        .scalar_subquery()
    )
    asks = sa.exists().where(
        col(ProfileRow.subscriber_id) == col(SubscriberRow.id),
        col(ProfileRow.kind) != "trending",
        col(ProfileRow.paused) == sa.false(),
    )
    return list(
        session.exec(
            select(SubscriberRow)
            .where(
                col(SubscriberRow.state) == "active",
                begun <= since,
                sa.not_(had_mail),
                sa.not_(had_quiet),
                asks,
                empty >= rows,
            )
            .order_by(col(SubscriberRow.id))
            .limit(limit)
        ).all()
    )


def last_mail_at(session: Session, subscriber_id: int) -> datetime | None:
    """When the relay last took a mail with papers for a reader."""
    return session.exec(
        select(col(DeliveryRow.accepted_at))
        .join(EditionRow, col(EditionRow.id) == col(DeliveryRow.edition_id))
        .where(
            col(DeliveryRow.subscriber_id) == subscriber_id,
            col(EditionRow.kind).in_(WITH_PAPERS),
            col(DeliveryRow.accepted_at).is_not(None),
        )
        .order_by(col(DeliveryRow.accepted_at).desc())
        .limit(1)
    ).first()
