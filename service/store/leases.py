"""Changes of state: every UPDATE names the state it leaves, and the fence of its lease."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.delivery.states import OPEN, State, sources_of
from service.store.house_tables import ProcessRow
from service.store.sent import TESTED, add_carry, add_sent_papers
from service.store.tables import DeliveryRow, EditionRow, SubscriberRow, SuppressionRow

LEASE = timedelta(minutes=30)
"""Longer than any conversation: 600 s after the dot and what comes before."""

LIFTED_BY_BEGIN = ("left", "erased", "soft")
"""Bars that are about subscriptions: a notice that was asked for passes them, and Begin lifts
them. The others (never, complaint, hard, import) stop everything."""

HELD_NOTHING = ("nothing_new", "too_few", "not_your_day")
"""Why a slot was skipped that a person's send may try again."""


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
    for row in rows:  # they outlive this session, and other units must not touch them
        session.expunge(row)
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
    or the edition was paused or cancelled meanwhile. A notice does not ask for an active reader,
    and passes the bar of somebody who left.
    """
    active = sa.exists().where(
        col(SubscriberRow.id) == col(DeliveryRow.subscriber_id),
        col(SubscriberRow.state) == "active",
    )
    barred = sa.exists().where(col(SuppressionRow.email_hash) == hashed)
    refused = barred.where(col(SuppressionRow.reason).not_in(LIFTED_BY_BEGIN))
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
            sa.or_(sa.and_(notice, sa.not_(refused)), sa.and_(active, sa.not_(barred))),
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

    accepted also writes what was sent, unless it was a test (``reason``: TESTED); failed, expired
    and presumed carry the papers on.
    """
    assert row.id is not None
    if state is State.ACCEPTED:
        values.setdefault("accepted_at", now)
    moved = _move(
        session, row.id, state, fence=row.fence, lease_owner=None, lease_until=None, **values
    )
    if moved and state is State.ACCEPTED and values.get("reason") != TESTED:
        add_sent_papers(session, row.id)
    if moved and state in (State.FAILED, State.EXPIRED, State.PRESUMED):
        add_carry(session, row.id)
    return moved


def release(session: Session, owners: Sequence[int]) -> tuple[int, int]:
    """Dead owners: leased -> ready, sending -> unknown. Returns how many of each."""
    if not owners:
        return 0, 0
    return _give_back(session, col(DeliveryRow.lease_owner).in_(list(owners)))


def release_orphans(session: Session, now: datetime) -> tuple[int, int]:
    """The same for rows that nobody alive holds (their owner ended in order and left them), and
    for leases that are over: a conversation never lasts that long."""
    alive = sa.exists().where(
        col(ProcessRow.id) == col(DeliveryRow.lease_owner), col(ProcessRow.ended) == sa.false()
    )
    return _give_back(session, sa.or_(sa.not_(alive), col(DeliveryRow.lease_until) < now))


def _give_back(session: Session, whose: Any) -> tuple[int, int]:
    counts = []
    for old, new in (("leased", "ready"), ("sending", "unknown")):
        change = (
            sa.update(DeliveryRow)
            .where(col(DeliveryRow.state) == old, whose)
            .values(state=new, lease_owner=None, lease_until=None)
            .execution_options(synchronize_session=False)
        )
        counts.append(int(session.execute(change).rowcount))  # type: ignore[attr-defined]
    return counts[0], counts[1]


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


def stop_notices(session: Session, reader_id: int, kinds: Sequence[str], reason: str) -> int:
    """Cancel notices to a reader that have not gone."""
    change = (
        sa.update(DeliveryRow)
        .where(
            col(DeliveryRow.state).in_([str(s) for s in OPEN]),
            col(DeliveryRow.subscriber_id) == reader_id,
            col(DeliveryRow.kind).in_(kinds),
        )
        .values(state=str(State.CANCELLED), reason=reason, lease_owner=None, lease_until=None)
    )
    return int(session.execute(change).rowcount)  # type: ignore[attr-defined]


def notices_unheard(now: datetime) -> sa.ColumnElement[bool]:
    """Notices that wait for another try because nobody answered the last one."""
    of_notices = sa.select(col(EditionRow.id)).where(col(EditionRow.kind) == "notice")
    return sa.and_(
        col(DeliveryRow.state) == str(State.DEFERRED),
        col(DeliveryRow.not_before) > now,
        sa.func.coalesce(col(DeliveryRow.code), 0) == 0,
        col(DeliveryRow.edition_id).in_(of_notices),
    )


def count_unheard(session: Session, now: datetime) -> int:
    """How many they are."""
    query = sa.select(sa.func.count()).select_from(DeliveryRow).where(notices_unheard(now))
    return int(session.execute(query).scalar_one())


def try_unheard_now(session: Session, now: datetime) -> int:
    """Their next try is due at once; how many."""
    change = sa.update(DeliveryRow).where(notices_unheard(now)).values(not_before=now)
    return int(session.execute(change).rowcount)  # type: ignore[attr-defined]


def reopen(session: Session, row: DeliveryRow, deadline_at: datetime) -> bool:
    """skipped -> planned, for a row that held nothing (a person's send tries again). What it was is
    kept in its content as ``before``, for undo."""
    if row.state != "skipped" or row.reason not in HELD_NOTHING:
        return False
    assert row.id is not None
    was = {k: v for k, v in (row.content or {"papers": []}).items() if k != "before"}
    return _move(
        session,
        row.id,
        State.PLANNED,
        sources=[State.SKIPPED],
        deadline_at=deadline_at,
        reason="",
        content={"before": {"reason": row.reason, "content": was}},
    )


def mark_expired(
    session: Session, row: DeliveryRow, now: datetime, reason: str, **values: Any
) -> bool:
    """Its time is over; the papers ride in the next mail. False when the row has moved on.

    Like every outcome under the fence that the row was read with: a lease taken meanwhile by
    somebody else stands. A row in sending was refused for now first, then it is too late.
    """
    assert row.id is not None
    values |= {"reason": reason, "lease_owner": None, "lease_until": None}
    _move(session, row.id, State.DEFERRED, fence=row.fence, sources=[State.SENDING])
    moved = _move(session, row.id, State.EXPIRED, fence=row.fence, **values)
    if moved:
        add_carry(session, row.id)
    return moved
