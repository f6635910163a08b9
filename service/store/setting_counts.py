"""Numbers by which a setting of taste is understood: what its value changes here and now."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from service.store.house_tables import AdminRow, AuditRow, SessionRow, SettingRow
from service.store.report_tables import InboundRow
from service.store.tables import (
    AttemptRow,
    DeliveryRow,
    EditionRow,
    PaperRow,
    ProfileRow,
    RawPollRow,
    SubscriberRow,
)

OLD: Mapping[str, tuple[Any, ...]] = {
    "keep_raw_days": (col(RawPollRow.at),),
    "keep_attempt_days": (col(AttemptRow.at),),
    "keep_audit_days": (col(AuditRow.at),),
    "keep_inbound_days": (col(InboundRow.at), col(InboundRow.raw).is_not(None)),
    "keep_left_days": (col(SubscriberRow.left_at), col(SubscriberRow.state) == "left"),
    "keep_digest_days": (
        col(DeliveryRow.planned_at),
        sa.or_(col(DeliveryRow.content_id).is_not(None), col(DeliveryRow.own).is_not(None)),
    ),
}
"""By settings that say how long something is kept: since when it is, and what else is asked."""

MOST = 100_000
"""Rows that are counted; where there are more, that many or more go."""


def stored_rows(session: Session) -> dict[str, str]:
    """Every row of ``setting``, also those that this version does not read."""
    return {
        str(name): str(value)
        for name, value in session.execute(
            sa.select(col(SettingRow.name), col(SettingRow.value)).order_by(col(SettingRow.name))
        ).all()
    }


def count_older(session: Session, name: str, before: datetime) -> int:
    """How many rows of what a setting of ``OLD`` keeps are older than an instant, up to MOST."""
    at, *more = OLD[name]
    rows = sa.select(sa.literal(1)).where(at < before, *more).limit(MOST).subquery()
    return int(session.execute(sa.select(sa.func.count()).select_from(rows)).scalar_one())


def count_sessions(session: Session, *, idle_before: datetime, made_before: datetime) -> int:
    """Sessions of the staff that are not over by these instants."""
    return _count(
        session,
        sa.select(sa.func.count())
        .select_from(SessionRow)
        .join(AdminRow, col(AdminRow.id) == col(SessionRow.admin_id))
        .where(
            col(SessionRow.seen_at) > idle_before,
            col(SessionRow.created_at) > made_before,
            col(AdminRow.disabled).is_(False),
        ),
    )


def last_edition(session: Session, kinds: tuple[str, ...]) -> tuple[int, str, datetime, int] | None:
    """(id, kind, begun, mails) of the newest edition of these kinds that had a mail for anybody."""
    newest = (
        sa.select(col(EditionRow.id), col(EditionRow.kind), col(EditionRow.opened_at))
        .where(col(EditionRow.kind).in_(kinds))
        .order_by(col(EditionRow.id).desc())
        .limit(5)
    )
    for number, kind, opened in session.execute(newest).all():
        mails = _count(
            session,
            sa.select(sa.func.count())
            .select_from(DeliveryRow)
            .where(
                col(DeliveryRow.edition_id) == number,
                col(DeliveryRow.state).not_in(("skipped", "suppressed", "cancelled")),
            ),
        )
        if mails:
            return int(number), str(kind), opened, mails
    return None


def count_interests(session: Session, least: int) -> tuple[int, int]:
    """(readers with at least so many interests, the most that anybody has)."""
    each = (
        sa.select(sa.func.count().label("n")).select_from(ProfileRow)
        .group_by(col(ProfileRow.subscriber_id)).subquery()
    )  # fmt: skip
    row = session.execute(
        sa.select(
            sa.func.coalesce(sa.func.sum(sa.case((each.c.n >= least, 1), else_=0)), 0),
            sa.func.coalesce(sa.func.max(each.c.n), 0),
        )
    ).one()
    return int(row[0]), int(row[1])


def count_voted(session: Session, least: int, since: datetime) -> tuple[int, int]:
    """(papers that became new since an instant and have so many votes, all that became new)."""
    row = session.execute(
        sa.select(
            sa.func.coalesce(sa.func.sum(sa.case((col(PaperRow.votes) >= least, 1), else_=0)), 0),
            sa.func.count(),
        ).where(col(PaperRow.eligible_at) >= since)
    ).one()
    return int(row[0]), int(row[1])


def count_paused_until(session: Session, after: datetime) -> int:
    """Readers whose pause ends after an instant's day."""
    return _count(
        session,
        sa.select(sa.func.count())
        .select_from(SubscriberRow)
        .where(col(SubscriberRow.paused_until) > after.date()),
    )


def count_acts(session: Session, what: str, since: datetime) -> int:
    """Acts of a kind since an instant."""
    return _count(
        session,
        sa.select(sa.func.count())
        .select_from(AuditRow)
        .where(col(AuditRow.what) == what, col(AuditRow.at) >= since),
    )


def count_active(session: Session) -> int:
    """Readers who get mail."""
    return _count(
        session,
        sa.select(sa.func.count())
        .select_from(SubscriberRow)
        .where(col(SubscriberRow.state) == "active"),
    )


def _count(session: Session, query: Any) -> int:
    return int(session.execute(query).scalar_one())
