"""Whether a mailbox is gone that took mail a short while ago, or its domain's directory is out."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col

from service.delivery.answers import Meaning
from service.delivery.states import State
from service.store.tables import AttemptRow, DeliveryRow

_UNDER_WAY = (str(State.DEFERRED), str(State.LEASED), str(State.SENDING))
_PERSON = str(Meaning.PERSON)


def took_mail(session: Session, row: DeliveryRow, since: datetime) -> bool:
    """Whether the domain of this mail took one for the same reader since an instant."""
    query = sa.select(col(DeliveryRow.id)).where(
        col(DeliveryRow.subscriber_id) == row.subscriber_id,
        col(DeliveryRow.state) == str(State.ACCEPTED),
        col(DeliveryRow.accepted_at) >= since,
        col(DeliveryRow.domain) == row.domain,
    )
    return session.scalars(query.limit(1)).first() is not None


def first_refused(session: Session, delivery_id: int) -> datetime | None:
    """When it was said for the first time that this mail's reader is not there; None = now."""
    query = (
        sa.select(sa.func.min(col(AttemptRow.at)))
        .join(DeliveryRow, col(DeliveryRow.id) == col(AttemptRow.delivery_id))
        .where(
            col(AttemptRow.delivery_id) == delivery_id,
            col(AttemptRow.code) >= 500,
            col(DeliveryRow.meaning) == _PERSON,
        )
    )
    return session.scalars(query).one()


def count_gone(session: Session, domains: Collection[str]) -> dict[str, int]:
    """How many readers of whom it was said that they are not there have a mail under way, by
    domain."""
    readers = sa.func.count(sa.distinct(col(DeliveryRow.subscriber_id)))
    query = (
        sa.select(col(DeliveryRow.domain), readers)
        .where(
            col(DeliveryRow.state).in_(_UNDER_WAY),
            col(DeliveryRow.meaning) == _PERSON,
            col(DeliveryRow.domain).in_(sorted(domains)),
        )
        .group_by(col(DeliveryRow.domain))
    )
    return {domain: int(n) for domain, n in session.execute(query)}


def count_accepted(session: Session, domain: str, since: datetime) -> int:
    """How many mails a domain took since an instant."""
    query = (
        sa.select(sa.func.count())
        .select_from(DeliveryRow)
        .where(col(DeliveryRow.accepted_at) >= since, col(DeliveryRow.domain) == domain)
    )
    return session.scalars(query).one()
