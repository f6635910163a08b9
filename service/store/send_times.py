"""When the mails of a send by hand go, as long as none of it has begun."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col
from sqlmodel.sql.sqltypes import UTCDateTime

from service.store.tables import DeliveryRow, SubscriberRow

BEYOND = timedelta(days=1)
"""A mail that waits for a person's word waits so much longer than it is tried: at the end of that
it expires, and no send that is under way just then takes it in hand."""

PART = 500
"""Mails that one statement names."""

WAITS = ("planned", "ready")
_NO_MAIL = ("skipped", "suppressed", "cancelled")

_IS_UNTRIED = (col(DeliveryRow.state).in_(WAITS), col(DeliveryRow.attempts) == 0)


@dataclass(frozen=True, slots=True)
class Untried:
    """A mail of which nothing went, and its reader's clock. not_before: None = as soon as its
    edition begins."""

    id: int
    zone: str
    hour: int
    not_before: datetime | None


def has_begun(session: Session, edition_id: int) -> bool:
    """Whether a mail of an edition was taken in hand, or has an end; who gets none does not
    count."""
    begun = sa.or_(
        col(DeliveryRow.state).not_in([*WAITS, *_NO_MAIL]),
        sa.and_(col(DeliveryRow.state).in_(WAITS), col(DeliveryRow.attempts) > 0),
    )
    query = sa.select(sa.exists().where(col(DeliveryRow.edition_id) == edition_id, begun))
    return bool(session.execute(query).scalar_one())


def count_untried(session: Session, edition_id: int) -> int:
    """How many mails of an edition are still to begin."""
    query = sa.select(sa.func.count()).select_from(DeliveryRow)
    return int(
        session.execute(
            query.where(col(DeliveryRow.edition_id) == edition_id, *_IS_UNTRIED)
        ).scalar_one()
    )


def list_untried(session: Session, edition_id: int) -> list[Untried]:
    """They, by number."""
    query = (
        sa.select(
            col(DeliveryRow.id),
            col(SubscriberRow.zone),
            col(SubscriberRow.hour),
            col(DeliveryRow.not_before),
        )
        .join(SubscriberRow, col(SubscriberRow.id) == col(DeliveryRow.subscriber_id))
        .where(col(DeliveryRow.edition_id) == edition_id, *_IS_UNTRIED)
        .order_by(col(DeliveryRow.id))
    )
    return [Untried(*row) for row in session.execute(query)]


def set_begin(
    session: Session, edition_id: int, not_before: datetime | None, deadline: datetime
) -> int:
    """All of them go at one time and are tried until a deadline; those that wait for a word
    (``BEYOND`` their deadline) go on waiting for it. Returns how many."""
    waits_for_word = col(DeliveryRow.not_before) >= col(DeliveryRow.deadline_at)
    waits = sa.case(
        (waits_for_word, sa.literal(deadline + BEYOND, UTCDateTime())),
        else_=sa.literal(not_before, UTCDateTime()),
    )
    return _set(session, [col(DeliveryRow.edition_id) == edition_id], waits, deadline)


def set_hours(
    session: Session, hours: Mapping[datetime, Sequence[int]], tried_for: timedelta
) -> int:
    """Mails, by the time at which they go. tried_for: their deadline is so much later. Returns how
    many."""
    moved = 0
    for at, ids in sorted(hours.items()):
        for start in range(0, len(ids), PART):
            part = col(DeliveryRow.id).in_(ids[start : start + PART])
            moved += _set(session, [part], at, at + tried_for)
    return moved


def _set(session: Session, which: list[Any], not_before: Any, deadline: datetime) -> int:
    changed = session.execute(
        sa.update(DeliveryRow)
        .where(*which, *_IS_UNTRIED)
        .values(not_before=not_before, deadline_at=deadline)
        .execution_options(synchronize_session=False)
    )
    return int(changed.rowcount)  # type: ignore[attr-defined]
