"""Deliveries: one edition to one subscriber. Every change of state names the state it leaves."""

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.delivery.states import OPEN, State, sources_of
from service.store.tables import (
    AttemptRow,
    CarryRow,
    DeliveryRow,
    EditionRow,
    SentPaperRow,
    SubscriberRow,
    SuppressionRow,
)

LEASE = timedelta(minutes=30)
"""Longer than any conversation: 600 s after the dot and what comes before."""


def add_delivery(
    session: Session,
    *,
    edition_id: int,
    recipient_key: str,
    rcpt: str,
    kind: str,
    message_id: str,
    now: datetime,
    subscriber_id: int | None = None,
    state: State = State.PLANNED,
    **values: Any,
) -> DeliveryRow | None:
    """Insert one row; None when this recipient already has one in this edition."""
    there = session.exec(
        select(col(DeliveryRow.id)).where(
            col(DeliveryRow.edition_id) == edition_id,
            col(DeliveryRow.recipient_key) == recipient_key,
        )
    ).first()
    if there is not None:
        return None
    row = DeliveryRow(
        edition_id=edition_id,
        recipient_key=recipient_key,
        rcpt=rcpt,
        kind=kind,
        message_id=message_id,
        subscriber_id=subscriber_id,
        state=str(state),
        bounce_id=secrets.token_hex(10),
        token=secrets.token_urlsafe(16),
        planned_at=now,
        **values,
    )
    session.add(row)
    session.flush()
    return row


def get_delivery(
    session: Session, *, id: int | None = None, token: str | None = None
) -> DeliveryRow | None:
    """One delivery by id or by its token."""
    if id is not None:
        return session.get(DeliveryRow, id)
    return session.exec(select(DeliveryRow).where(col(DeliveryRow.token) == token)).first()


def find_delivery(session: Session, edition_id: int, recipient_key: str) -> DeliveryRow | None:
    """The row of one recipient in one edition."""
    return session.exec(
        select(DeliveryRow).where(
            col(DeliveryRow.edition_id) == edition_id,
            col(DeliveryRow.recipient_key) == recipient_key,
        )
    ).first()


def list_deliveries(
    session: Session,
    *,
    edition_id: int | None = None,
    states: Sequence[str] | None = None,
    subscriber_id: int | None = None,
    search: str = "",
    after_id: int = 0,
    newest_first: bool = False,
    limit: int | None = None,
    offset: int = 0,
) -> list[DeliveryRow]:
    """Deliveries by id (or newest first)."""
    order = col(DeliveryRow.id).desc() if newest_first else col(DeliveryRow.id)
    query = select(DeliveryRow).where(col(DeliveryRow.id) > after_id).order_by(order).offset(offset)
    if edition_id is not None:
        query = query.where(col(DeliveryRow.edition_id) == edition_id)
    if states is not None:
        query = query.where(col(DeliveryRow.state).in_(states))
    if subscriber_id is not None:
        query = query.where(col(DeliveryRow.subscriber_id) == subscriber_id)
    if search:
        query = query.where(col(DeliveryRow.recipient_key).like(f"%{search.lower()}%"))
    if limit is not None:
        query = query.limit(limit)
    return list(session.exec(query).all())


def list_planned(
    session: Session, limit: int, *, edition_id: int | None = None, after_id: int = 0
) -> list[DeliveryRow]:
    """Rows that wait to be composed, of editions that are not paused or cancelled."""
    query = (
        select(DeliveryRow)
        .join(EditionRow, col(EditionRow.id) == col(DeliveryRow.edition_id))
        .where(
            col(DeliveryRow.state) == "planned",
            col(EditionRow.state) != "cancelled",
            col(DeliveryRow.id) > after_id,
        )
        .order_by(col(DeliveryRow.id))
        .limit(limit)
    )
    if edition_id is not None:
        query = query.where(col(DeliveryRow.edition_id) == edition_id)
    return list(session.exec(query).all())


def set_composed(
    session: Session,
    delivery_id: int,
    *,
    state: State,
    content: Mapping[str, Any] | None,
    reason: str = "",
) -> bool:
    """planned -> ready or skipped; False when the row has moved on."""
    return _move(
        session, delivery_id, state, sources=[State.PLANNED], content=content, reason=reason
    )


def _move(
    session: Session,
    delivery_id: int,
    state: State,
    *,
    fence: int | None = None,
    sources: Sequence[State] | None = None,
    **values: Any,
) -> bool:
    allowed = sources if sources is not None else sorted(sources_of(state))
    change = (
        sa.update(DeliveryRow)
        .where(col(DeliveryRow.id) == delivery_id, col(DeliveryRow.state).in_(list(allowed)))
        .values(state=str(state), **values)
    )
    if fence is not None:
        change = change.where(col(DeliveryRow.fence) == fence)
    return bool(session.execute(change).rowcount)  # type: ignore[attr-defined]


def _sendable(now: datetime) -> list[Any]:
    return [
        col(EditionRow.paused) == sa.false(),
        col(EditionRow.state) != "cancelled",
        sa.or_(col(EditionRow.not_before).is_(None), col(EditionRow.not_before) <= now),
        sa.or_(col(DeliveryRow.not_before).is_(None), col(DeliveryRow.not_before) <= now),
    ]


def claim(
    session: Session,
    *,
    owner: int,
    now: datetime,
    limit: int,
    edition_ids: Sequence[int] | None = None,
) -> list[DeliveryRow]:
    """Lease up to ``limit`` rows whose time has come: notices first, then by age.

    deferred rows whose wait is over pass through ready. The Date header is fixed here, once.
    """
    due = (
        sa.select(col(DeliveryRow.id))
        .join(EditionRow, col(EditionRow.id) == col(DeliveryRow.edition_id))
        .where(col(DeliveryRow.state).in_(["ready", "deferred"]), *_sendable(now))
        .order_by(col(DeliveryRow.priority), col(DeliveryRow.id))
        .limit(limit)
    )
    if edition_ids is not None:
        due = due.where(col(DeliveryRow.edition_id).in_(list(edition_ids)))
    if session.get_bind().dialect.name == "postgresql":
        due = due.with_for_update(skip_locked=True, of=DeliveryRow)
    ids = [row[0] for row in session.execute(due).all()]
    if not ids:
        return []
    session.execute(
        sa.update(DeliveryRow)
        .where(col(DeliveryRow.id).in_(ids), col(DeliveryRow.state).in_(["ready", "deferred"]))
        .values(
            state="leased",
            fence=col(DeliveryRow.fence) + 1,
            attempts=col(DeliveryRow.attempts) + 1,
            lease_owner=owner,
            lease_until=now + LEASE,
            date_header=sa.func.coalesce(col(DeliveryRow.date_header), now),
        )
        .execution_options(synchronize_session=False)
    )
    session.expire_all()
    rows = session.exec(
        select(DeliveryRow)
        .where(col(DeliveryRow.id).in_(ids), col(DeliveryRow.lease_owner) == owner)
        .order_by(col(DeliveryRow.priority), col(DeliveryRow.id))
    ).all()
    return list(rows)


def mark_sending(
    session: Session,
    *,
    delivery_id: int,
    fence: int,
    owner: int,
    hashed: str,
    now: datetime,
    sha: str,
) -> bool:
    """The write-ahead mark: leased -> sending. False = do not send.

    It fails when the lease was lost, the reader is no longer active, the address is suppressed,
    or the edition was paused or cancelled meanwhile. A notice does not ask for an active reader.
    """
    active = sa.exists().where(
        col(SubscriberRow.id) == col(DeliveryRow.subscriber_id),
        col(SubscriberRow.state) == "active",
    )
    barred = sa.exists().where(col(SuppressionRow.email_hash) == hashed)
    stopped = sa.exists().where(
        col(EditionRow.id) == col(DeliveryRow.edition_id),
        sa.or_(col(EditionRow.paused) == sa.true(), col(EditionRow.state) == "cancelled"),
    )
    notice = sa.exists().where(
        col(EditionRow.id) == col(DeliveryRow.edition_id), col(EditionRow.kind) == "notice"
    )
    result = session.execute(
        sa.update(DeliveryRow)
        .where(
            col(DeliveryRow.id) == delivery_id,
            col(DeliveryRow.state) == "leased",
            col(DeliveryRow.fence) == fence,
            col(DeliveryRow.lease_owner) == owner,
            sa.or_(notice, sa.and_(active, sa.not_(barred))),
            sa.not_(stopped),
        )
        .values(
            state="sending",
            marked_at=now,
            body_sha=sha,
        )
        .execution_options(synchronize_session=False)
    )
    return bool(result.rowcount)  # type: ignore[attr-defined]


def mark_outcome(
    session: Session, row: DeliveryRow, state: State, now: datetime, **values: Any
) -> bool:
    """leased or sending -> what came of it, under the fence of this lease.

    accepted also writes what was sent; failed, expired and presumed carry the papers on.
    """
    assert row.id is not None
    if state is State.ACCEPTED:
        values.setdefault("accepted_at", now)
    moved = _move(
        session, row.id, state, fence=row.fence, lease_owner=None, lease_until=None, **values
    )
    if moved and state is State.ACCEPTED:
        add_sent_papers(session, row.id)
    if moved and state in (State.FAILED, State.EXPIRED, State.PRESUMED):
        add_carry(session, row.id)
    return moved


def add_attempt(
    session: Session,
    *,
    delivery_id: int,
    n: int,
    phase: str,
    at: datetime,
    code: int = 0,
    enhanced: str = "",
    text: str = "",
) -> None:
    """One try, with the server's words."""
    session.add(
        AttemptRow(
            delivery_id=delivery_id,
            n=n,
            phase=phase,
            at=at,
            code=code,
            enhanced=enhanced[:16],
            text=text[:2000],
        )
    )


def list_attempts(session: Session, delivery_id: int) -> list[AttemptRow]:
    """Tries of a delivery, first to last."""
    return list(
        session.exec(
            select(AttemptRow)
            .where(col(AttemptRow.delivery_id) == delivery_id)
            .order_by(col(AttemptRow.id))
        ).all()
    )


_PAPERS = {
    "sqlite": "SELECT d.subscriber_id, CAST(j.value AS INTEGER), 'new', d.id "
    "FROM delivery d, json_each(d.content, '$.papers') j",
    "postgresql": "SELECT d.subscriber_id, CAST(j.value AS BIGINT), 'new', d.id "
    "FROM delivery d, json_array_elements_text(d.content->'papers') j(value)",
}


def add_sent_papers(session: Session, delivery_id: int) -> None:
    """All that an accepted digest shows, lists or counts is sent, in one statement."""
    papers = _PAPERS[session.get_bind().dialect.name]
    session.execute(
        sa.text(
            "INSERT INTO sent_paper (subscriber_id, paper_id, occasion, delivery_id) "  # nosec B608
            f"{papers} WHERE d.id = :id AND d.subscriber_id IS NOT NULL "
            "AND d.content IS NOT NULL "
            "ON CONFLICT DO NOTHING"
        ),
        {"id": delivery_id},
    )
    session.execute(
        sa.text(
            "DELETE FROM carry WHERE EXISTS (SELECT 1 FROM sent_paper s WHERE "
            "s.subscriber_id = carry.subscriber_id AND s.paper_id = carry.paper_id "
            "AND s.delivery_id = :id)"
        ),
        {"id": delivery_id},
    )


def add_carry(session: Session, delivery_id: int) -> None:
    """The papers of an unconfirmed or failed digest ride in the reader's next mail."""
    papers = _PAPERS[session.get_bind().dialect.name].replace("'new', d.id", "d.id")
    session.execute(
        sa.text(
            f"INSERT INTO carry (subscriber_id, paper_id, delivery_id) {papers} "  # nosec B608
            "WHERE d.id = :id AND d.subscriber_id IS NOT NULL AND d.content IS NOT NULL "
            "ON CONFLICT DO NOTHING"
        ),
        {"id": delivery_id},
    )


def list_carried(session: Session, subscriber_ids: Sequence[int]) -> dict[int, dict[int, bool]]:
    """Per reader: paper -> True when the reader may have seen it (presumed)."""
    rows = session.execute(
        sa.select(col(CarryRow.subscriber_id), col(CarryRow.paper_id), col(DeliveryRow.state))
        .join(DeliveryRow, col(DeliveryRow.id) == col(CarryRow.delivery_id))
        .where(col(CarryRow.subscriber_id).in_(list(subscriber_ids)))
    ).all()
    found: dict[int, dict[int, bool]] = {}
    for subscriber_id, paper_id, state in rows:
        found.setdefault(subscriber_id, {})[paper_id] = state == "presumed"
    return found


def list_sent(
    session: Session, subscriber_ids: Sequence[int], paper_ids: Sequence[int] | None = None
) -> dict[int, set[int]]:
    """Per reader: papers that count as sent."""
    query = sa.select(col(SentPaperRow.subscriber_id), col(SentPaperRow.paper_id)).where(
        col(SentPaperRow.subscriber_id).in_(list(subscriber_ids)),
        col(SentPaperRow.occasion) == "new",
    )
    if paper_ids is not None:
        query = query.where(col(SentPaperRow.paper_id).in_(list(paper_ids)))
    found: dict[int, set[int]] = {}
    for subscriber_id, paper_id in session.execute(query).all():
        found.setdefault(subscriber_id, set()).add(paper_id)
    return found


def list_in_flight(session: Session, subscriber_ids: Sequence[int]) -> dict[int, set[int]]:
    """Per reader: papers of deliveries that are under way (they must not ride twice)."""
    rows = session.execute(
        sa.select(col(DeliveryRow.subscriber_id), col(DeliveryRow.content)).where(
            col(DeliveryRow.subscriber_id).in_(list(subscriber_ids)),
            col(DeliveryRow.state).in_(["ready", "leased", "sending", "deferred", "unknown"]),
            col(DeliveryRow.content).is_not(None),
        )
    ).all()
    found: dict[int, set[int]] = {}
    for subscriber_id, content in rows:
        value = json.loads(content) if isinstance(content, str) else content
        found.setdefault(subscriber_id, set()).update((value or {}).get("papers", ()))
    return found


def release(session: Session, owners: Sequence[int]) -> tuple[int, int]:
    """Dead owners: leased -> ready, sending -> unknown. Returns how many of each."""
    if not owners:
        return 0, 0
    ready = session.execute(
        sa.update(DeliveryRow)
        .where(col(DeliveryRow.state) == "leased", col(DeliveryRow.lease_owner).in_(list(owners)))
        .values(state="ready", lease_owner=None, lease_until=None)
    )
    unknown = session.execute(
        sa.update(DeliveryRow)
        .where(col(DeliveryRow.state) == "sending", col(DeliveryRow.lease_owner).in_(list(owners)))
        .values(state="unknown", lease_owner=None, lease_until=None)
    )
    return ready.rowcount, unknown.rowcount  # type: ignore[attr-defined]


def list_overdue(session: Session, now: datetime) -> list[DeliveryRow]:
    """Open rows whose deadline has passed."""
    return list(
        session.exec(
            select(DeliveryRow).where(
                col(DeliveryRow.deadline_at) < now,
                col(DeliveryRow.state).in_([str(s) for s in OPEN if s is not State.LEASED]),
            )
        ).all()
    )


def list_doubtful(session: Session, before: datetime) -> list[DeliveryRow]:
    """Rows in unknown since before an instant (by their mark)."""
    return list(
        session.exec(
            select(DeliveryRow).where(
                col(DeliveryRow.state) == "unknown", col(DeliveryRow.marked_at) < before
            )
        ).all()
    )


def stop_open(
    session: Session,
    state: State,
    reason: str,
    *,
    subscriber_id: int | None = None,
    edition_id: int | None = None,
) -> int:
    """Move every open row of a reader or an edition to a stopped state."""
    change = (
        sa.update(DeliveryRow)
        .where(col(DeliveryRow.state).in_([str(s) for s in OPEN]))
        .values(state=str(state), reason=reason, lease_owner=None, lease_until=None)
    )
    if subscriber_id is not None:
        change = change.where(
            col(DeliveryRow.subscriber_id) == subscriber_id,
            col(DeliveryRow.edition_id).not_in(
                sa.select(col(EditionRow.id)).where(col(EditionRow.kind) == "notice")
            ),
        )
    if edition_id is not None:
        change = change.where(col(DeliveryRow.edition_id) == edition_id)
    return int(session.execute(change).rowcount)  # type: ignore[attr-defined]


def count_waiting(session: Session, edition_ids: Sequence[int] | None = None) -> dict[str, int]:
    """Rows under way per state, over all editions or some."""
    query = (
        sa.select(col(DeliveryRow.state), sa.func.count())
        .where(
            col(DeliveryRow.state).in_(
                ["planned", "ready", "leased", "sending", "deferred", "unknown"]
            )
        )
        .group_by(col(DeliveryRow.state))
    )
    if edition_ids is not None:
        query = query.where(col(DeliveryRow.edition_id).in_(list(edition_ids)))
    return {state: int(n) for state, n in session.execute(query).all()}


def next_due_at(session: Session, now: datetime) -> datetime | None:
    """When the next waiting row falls due (None = nothing waits)."""
    rows = session.execute(
        sa.select(
            sa.func.min(sa.func.coalesce(col(DeliveryRow.not_before), col(DeliveryRow.planned_at)))
        ).where(col(DeliveryRow.state).in_(["ready", "deferred"]))
    ).scalar_one_or_none()
    if rows is None:
        return None
    return rows if isinstance(rows, datetime) else now


def reopen(session: Session, row: DeliveryRow, deadline_at: datetime) -> bool:
    """skipped -> planned, for a row that held nothing (a person's send tries again)."""
    if row.state != "skipped" or row.reason not in ("nothing_new", "too_few"):
        return False
    assert row.id is not None
    return _move(
        session,
        row.id,
        State.PLANNED,
        sources=[State.SKIPPED],
        deadline_at=deadline_at,
        reason="",
        content=None,
    )


def mark_expired(
    session: Session, row: DeliveryRow, now: datetime, reason: str, **values: Any
) -> bool:
    """Its time is over: from any open state; the papers ride in the next mail."""
    assert row.id is not None
    sources = [*OPEN, State.SENDING]
    moved = _move(
        session, row.id, State.EXPIRED, sources=sources, reason=reason, lease_owner=None, **values
    )
    if moved:
        add_carry(session, row.id)
    return moved


def forget_recipient(session: Session, subscriber_id: int, email_key: str, hashed: str) -> None:
    """Erasure: rows stay for the balance, addresses and contents go."""
    session.execute(
        sa.update(DeliveryRow)
        .where(
            sa.or_(
                col(DeliveryRow.subscriber_id) == subscriber_id,
                col(DeliveryRow.recipient_key) == email_key,
            )
        )
        .values(rcpt=None, recipient_key=hashed, content=None, subscriber_id=None)
    )
