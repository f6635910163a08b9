"""Which domains receive their mail together: what the DNS said, kept for all processes.

One row of ``pace`` for each receiving domain that was looked up: scope "mx", key = the domain,
until = when it is looked up again, windows = {"group": name}. A domain that was never looked up
is a group of its own.
"""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.delivery.states import State
from service.store.db import insert_once
from service.store.house_tables import PaceRow
from service.store.tables import DeliveryRow

SCOPE = "mx"


def groups_of(session: Session, domains: Collection[str]) -> dict[str, str]:
    """The group of each of these domains, itself where nobody knows more."""
    groups = {domain: domain for domain in domains}
    if groups:
        found = session.exec(
            select(PaceRow.key, PaceRow.windows).where(
                PaceRow.scope == SCOPE, col(PaceRow.key).in_(list(groups))
            )
        )
        groups.update({key: str(kept["group"]) for key, kept in found if kept.get("group")})
    return groups


def domains_of(session: Session, groups: Collection[str]) -> set[str]:
    """Every domain of some groups, as far as they were looked up; a group's own name among them."""
    if not groups:
        return set()
    named = col(PaceRow.windows)["group"].as_string()
    found = session.exec(
        select(PaceRow.key).where(PaceRow.scope == SCOPE, named.in_(sorted(groups)))
    )
    return set(groups) | set(found.all())


def list_unknown(session: Session, now: datetime, limit: int) -> list[str]:
    """Domains to which mail waits and that were not looked up, or too long ago."""
    known = sa.exists().where(
        col(PaceRow.scope) == SCOPE,
        col(PaceRow.key) == col(DeliveryRow.domain),
        col(PaceRow.until) > now,
    )
    waits = [str(State.READY), str(State.DEFERRED)]
    query = (
        sa.select(col(DeliveryRow.domain))
        .where(col(DeliveryRow.state).in_(waits), col(DeliveryRow.domain) != "", sa.not_(known))
        .distinct()
        .limit(limit)
    )
    return list(session.scalars(query))


def keep_route(
    session: Session, domain: str, group: str, *, now: datetime, until: datetime
) -> None:
    """What the DNS said of a domain, good until an instant. group: "" = it is one of its own; what
    was known before stays when nobody answered (``extend_route``)."""
    query = select(PaceRow).where(PaceRow.scope == SCOPE, PaceRow.key == domain)
    row = session.exec(query).first()
    if row is None:
        row = PaceRow(scope=SCOPE, key=domain)
        if not insert_once(session, row):
            row = session.exec(query).one()
    row.at, row.until, row.windows = now, until, {"group": group} if group else {}
    session.add(row)


def extend_route(session: Session, domain: str, *, now: datetime, until: datetime) -> None:
    """Nobody answered: what is known holds on, and nobody asks before an instant."""
    keep_route(
        session,
        domain,
        next(iter(set(groups_of(session, [domain]).values()) - {domain}), ""),
        now=now,
        until=until,
    )


def forget_routes(session: Session, before: datetime) -> int:
    """Remove domains that nobody looked up since an instant; returns how many."""
    gone = session.execute(
        sa.delete(PaceRow).where(col(PaceRow.scope) == SCOPE, col(PaceRow.at) < before)
    )
    return int(gone.rowcount)  # type: ignore[attr-defined]
