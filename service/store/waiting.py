"""What waits to go: which editions have rows, what keeps due ones back, and putting them off."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from service.delivery.meaning import Meaning
from service.delivery.states import State, leaving
from service.store.given import ask
from service.store.send_pace import Gate, Hold, Pace
from service.store.tables import DeliveryRow, EditionRow

_WAITING = {
    "sqlite": """
    WITH RECURSIVE found(priority, edition_id) AS (
      SELECT p.priority,
        (SELECT d.edition_id FROM delivery d WHERE d.state = :state AND d.priority = p.priority
         ORDER BY d.edition_id LIMIT 1)
      FROM (SELECT 1 AS priority UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4) AS p
      UNION ALL
      SELECT found.priority,
        (SELECT d.edition_id FROM delivery d WHERE d.state = :state
           AND d.priority = found.priority AND d.edition_id > found.edition_id
         ORDER BY d.edition_id LIMIT 1)
      FROM found WHERE found.edition_id IS NOT NULL)
    SELECT priority, edition_id FROM found WHERE edition_id IS NOT NULL
    """,
    "postgresql": """
    WITH RECURSIVE found(state, priority, edition_id) AS (
      (SELECT d.state, d.priority, d.edition_id FROM delivery d
       WHERE (d.state, d.priority) >= (:state, 1)
       ORDER BY d.state, d.priority, d.edition_id LIMIT 1)
      UNION ALL
      SELECT later.* FROM found CROSS JOIN LATERAL (
        SELECT d.state, d.priority, d.edition_id FROM delivery d
        WHERE (d.state, d.priority, d.edition_id)
          > (found.state, found.priority, found.edition_id)
        ORDER BY d.state, d.priority, d.edition_id LIMIT 1) AS later
      WHERE found.state = :state)
    SELECT priority, edition_id FROM found WHERE state = :state
    """,
}
"""Every edition with a row of a state, one look at the index for each (and none at its rows).

Each database is asked in the form that leaves it no other way: SQLite takes one column of a
comparison of rows; PostgreSQL, where its statistics are of yesterday, would walk all rows by their
edition to find a first one that is ready."""


PUT_OFF = tuple(map(str, (Meaning.REST, Meaning.RATE, Meaning.POLICY)))
"""Why a mail was put off that goes as soon as a rest is over, or is tried."""


def sendable(now: datetime) -> list[Any]:
    """What an edition must be for its rows to go."""
    return [
        col(EditionRow.paused) == sa.false(),
        col(EditionRow.state) != "cancelled",
        sa.or_(col(EditionRow.not_before).is_(None), col(EditionRow.not_before) <= now),
    ]


def list_waiting(
    session: Session, now: datetime, edition_ids: Collection[int] | None
) -> list[tuple[int, int]]:
    """Editions with rows that wait, but notices: (priority, id), the more urgent first."""
    asked = _WAITING[session.get_bind().dialect.name]
    found = {
        (int(priority), int(edition))
        for state in (State.READY, State.DEFERRED)
        for priority, edition in ask(session, asked, state=str(state)).rows
    }
    if edition_ids is not None:
        found = {(priority, edition) for priority, edition in found if edition in set(edition_ids)}
    if not found:
        return []
    may = set(
        session.scalars(
            sa.select(col(EditionRow.id)).where(
                col(EditionRow.id).in_(sorted({edition for _, edition in found})), *sendable(now)
            )
        )
    )
    return sorted((priority, edition) for priority, edition in found if edition in may)


def list_holds(
    session: Session, now: datetime, pace: Pace, edition_ids: Collection[int] | None = None
) -> list[tuple[Hold, int]]:
    """What keeps due rows back now, and how many each; empty when nothing waits, or nothing keeps
    it. One reading of what is due, however many hold something back."""
    held = Gate(session, pace, now, locks=False).holds()
    if not held:
        return []
    waiting = count_due(session, now, edition_ids)
    counts = ((hold, held_of(waiting, hold)) for hold in held)
    return [(hold, n) for hold, n in counts if n]


def has_due(session: Session, now: datetime, edition_ids: Collection[int] | None = None) -> bool:
    """Whether any row might go now if nothing kept it back."""
    return session.scalars(_due(now, edition_ids, col(DeliveryRow.id)).limit(1)).first() is not None


def count_due(
    session: Session,
    now: datetime,
    edition_ids: Collection[int] | None = None,
    *,
    put_off_too: bool = False,
) -> dict[tuple[str, bool], int]:
    """How many rows might go now if nothing kept them back, by domain and whether it is a
    notice. put_off_too: also those that were told to wait until a limit ends, or that whoever
    rests refused for now."""
    columns = (col(DeliveryRow.domain), col(DeliveryRow.priority) == 0)
    due = _due(now, edition_ids, *columns, put_off_too=put_off_too).subquery()
    domain, notice = due.c
    query = sa.select(domain, notice, sa.func.count()).group_by(domain, notice)
    return {(d, bool(is_notice)): n for d, is_notice, n in session.execute(query)}


def held_of(waiting: Mapping[tuple[str, bool], int], hold: Hold) -> int:
    """How many of them a hold keeps back."""
    return sum(
        n
        for (domain, is_notice), n in waiting.items()
        if (hold.domains is None or domain in hold.domains)
        and hold.whom in ("everything", "notices" if is_notice else "others")
    )


def put_off(
    session: Session,
    now: datetime,
    hold: Hold,
    *,
    until: datetime,
    limit: int,
    edition_ids: Collection[int] | None = None,
) -> int:
    """Due rows that a hold keeps back wait until an instant, and say why. Returns how many; there
    may be more when it is ``limit``."""
    ids = list(session.scalars(_held(now, hold, edition_ids, limit)))
    words = {"not_before": until, "meaning": str(Meaning.REST), "reason": hold.why[:500]}
    for state, values in (
        (State.READY, {**words, "state": str(State.DEFERRED)}),
        (State.DEFERRED, words),
    ):
        leaves = leaving(State.DEFERRED, state) if state is State.READY else [str(state)]
        session.execute(
            sa.update(DeliveryRow)
            .where(
                col(DeliveryRow.id).in_(ids),
                col(DeliveryRow.state).in_(leaves),
                sa.or_(col(DeliveryRow.not_before).is_(None), col(DeliveryRow.not_before) <= now),
            )
            .values(**values)
            .execution_options(synchronize_session=False)
        )
    return len(ids)


def _held(now: datetime, hold: Hold, edition_ids: Collection[int] | None, limit: int) -> Any:
    query = _due(now, edition_ids, col(DeliveryRow.id)).limit(limit)
    if hold.domains is not None:
        query = query.where(col(DeliveryRow.domain).in_(sorted(hold.domains)))
    if hold.whom == "notices":
        query = query.where(col(DeliveryRow.priority) == 0)
    elif hold.whom == "others":
        query = query.where(col(DeliveryRow.priority) > 0)
    return query


def _due(
    now: datetime,
    edition_ids: Collection[int] | None,
    *columns: Any,
    put_off_too: bool = False,
) -> Any:
    is_time = sa.or_(col(DeliveryRow.not_before).is_(None), col(DeliveryRow.not_before) <= now)
    if put_off_too:
        is_time = sa.or_(is_time, col(DeliveryRow.meaning).in_(PUT_OFF))
    query = (
        sa.select(*columns)
        .select_from(DeliveryRow)
        .join(EditionRow, col(EditionRow.id) == col(DeliveryRow.edition_id))
        .where(
            col(DeliveryRow.state).in_(leaving(State.LEASED, State.READY, State.DEFERRED)),
            is_time,
            *sendable(now),
        )
    )
    if edition_ids is not None:
        query = query.where(col(DeliveryRow.edition_id).in_(list(edition_ids)))
    return query
