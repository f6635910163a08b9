"""Changes of state: every UPDATE names the state it leaves, and the fence of its lease."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.delivery.states import OPEN, State, leaving
from service.store import contents
from service.store.given import run, table_of
from service.store.half_planned import half_planned_ids
from service.store.house_tables import ProcessRow
from service.store.sent import TESTED, add_carry, add_sent_papers
from service.store.tables import AttemptRow, DeliveryRow, EditionRow

HELD_NOTHING = ("nothing_new", "too_few", "not_your_day", "missed", "unreleased")
"""Why a slot was skipped that a person's send may try again."""

PART = 200
"""Rows that one transaction of a sweep changes."""

LEFT = "the sending process ended before the relay answered"
"""Of rows that a dead process left in ``sending``."""


@dataclass(frozen=True, slots=True)
class Composed:
    """What a planned row becomes. state: ready or skipped · held: the columns of its content
    (``contents.put``)."""

    delivery_id: int
    state: State
    held: Mapping[str, Any]
    reason: str = ""


def set_composed(session: Session, rows: Sequence[Composed]) -> set[int]:
    """planned -> ready or skipped, in one statement. Returns the rows that moved; the others had
    moved on before."""
    if not rows:
        return set()
    for row in rows:
        leaving(row.state, State.PLANNED)
    name = session.get_bind().dialect.name
    columns = {"id": "id", "state": "text", "content_id": "id", "own": "text", "reason": "text"}
    own = "given_rows.own" if name == "sqlite" else "CAST(given_rows.own AS JSON)"
    moved = run(
        session,
        "UPDATE delivery SET state = given_rows.state, reason = given_rows.reason, "  # nosec B608
        f"content_id = given_rows.content_id, own = {own} "
        f"FROM ({table_of(name, columns)}) AS given_rows "
        # as a sum, so that no database reads all that are planned to find these few
        "WHERE delivery.id = given_rows.id AND delivery.state || '' = 'planned' "
        "RETURNING delivery.id",
        [
            (
                row.delivery_id,
                str(row.state),
                row.held["content_id"],
                None if row.held["own"] is None else json.dumps(row.held["own"]),
                row.reason,
            )
            for row in rows
        ],
    )
    return {number for (number,) in moved.rows}


def _move(
    session: Session,
    delivery_id: int,
    state: State,
    *,
    fence: int | None = None,
    sources: Sequence[State] | None = None,
    **values: Any,
) -> bool:
    allowed = leaving(state, *(sources or ()))
    change = (
        sa.update(DeliveryRow)
        .where(col(DeliveryRow.id) == delivery_id, col(DeliveryRow.state).in_(allowed))
        .values(state=str(state), **values)
    )
    if fence is not None:
        change = change.where(col(DeliveryRow.fence) == fence)
    return bool(session.execute(change).rowcount)  # type: ignore[attr-defined]


def mark_outcome(
    session: Session,
    row: DeliveryRow,
    state: State,
    now: datetime,
    *,
    content: Any = None,
    **values: Any,
) -> bool:
    """leased or sending -> what came of it, under the fence of this lease.

    content: what the mail holds from now on, where that changes · accepted also writes what was
    sent, unless it was a test (``reason``: TESTED); failed, expired and presumed carry the papers
    on.
    """
    assert row.id is not None
    if state is State.ACCEPTED:
        values.setdefault("accepted_at", now)
    values |= contents.put(session, [content])[0] if content is not None else {}
    moved = _move(
        session, row.id, state, fence=row.fence, lease_owner=None, lease_until=None, **values
    )
    if content is not None:
        contents.delete_unused(session, [row.content_id, values["content_id"]])
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


def return_unused(
    session: Session, leases: Sequence[tuple[int, int]], owner: int
) -> tuple[int, int]:
    """The same for leases (delivery, fence) that their owner, who lives, will not use."""
    counts = [0, 0]
    fences = dict(leases)
    ids = sorted(fences)
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        mine = sa.or_(
            *[
                sa.and_(
                    col(DeliveryRow.id).in_([i for i in some if fences[i] == fence]),
                    col(DeliveryRow.fence) == fence,
                )
                for fence in {fences[i] for i in some}
            ]
        )
        given_back = _give_back(session, sa.and_(mine, col(DeliveryRow.lease_owner) == owner))
        counts = [a + b for a, b in zip(counts, given_back, strict=True)]
    return counts[0], counts[1]


def return_unknown(session: Session, known: Collection[int], owner: int) -> int:
    """leased -> ready for what a living owner leased without knowing of it: the answer to the
    commit of its claim was lost. Returns how many."""
    query = sa.select(col(DeliveryRow.id), col(DeliveryRow.fence)).where(
        col(DeliveryRow.state) == str(State.LEASED), col(DeliveryRow.lease_owner) == owner
    )
    lost = [(row[0], row[1]) for row in session.execute(query) if row[0] not in known]
    return return_unused(session, lost, owner)[0]


def release_orphans(session: Session, now: datetime) -> tuple[int, int]:
    """The same for rows that nobody alive holds (their owner ended in order and left them), and
    for leases that are over: a conversation never lasts that long."""
    alive = sa.exists().where(
        col(ProcessRow.id) == col(DeliveryRow.lease_owner), col(ProcessRow.ended) == sa.false()
    )
    return _give_back(session, sa.or_(sa.not_(alive), col(DeliveryRow.lease_until) < now))


def _give_back(session: Session, whose: Any) -> tuple[int, int]:
    """leased -> ready, and its try was none; sending -> unknown, with a line among its tries."""
    is_left = (col(DeliveryRow.state) == str(State.SENDING), whose)
    tried = sa.select(
        col(DeliveryRow.id),
        col(DeliveryRow.attempts),
        sa.literal("reply"),
        sa.func.coalesce(col(DeliveryRow.marked_at), col(DeliveryRow.planned_at)),
        sa.literal(0),
        *[sa.literal(words) for words in ("", LEFT, "", "")],
    ).where(*is_left)
    names = ("delivery_id", "n", "phase", "at", "code", "enhanced", "text", "connection")
    session.execute(sa.insert(AttemptRow).from_select([*names, "relay_id"], tried))
    counts = []
    for old, new, values in (
        (State.LEASED, State.READY, {"attempts": col(DeliveryRow.attempts) - 1}),
        (State.SENDING, State.UNKNOWN, {"reason": LEFT}),
    ):
        change = (
            sa.update(DeliveryRow)
            .where(col(DeliveryRow.state).in_(leaving(new, old)), whose)
            .values(state=str(new), lease_owner=None, lease_until=None, **values)
            .execution_options(synchronize_session=False)
        )
        counts.append(int(session.execute(change).rowcount))  # type: ignore[attr-defined]
    return counts[0], counts[1]


def list_overdue(
    session: Session, now: datetime, *, after_id: int = 0, limit: int = PART
) -> list[DeliveryRow]:
    """Open rows whose deadline has passed, by id. Those of a send that is not planned to its end
    are none: their time begins when it is (``frozen``)."""
    late = sa.and_(
        col(DeliveryRow.deadline_at) < now,
        col(DeliveryRow.edition_id).not_in(half_planned_ids()),
    )
    states = leaving(State.EXPIRED, State.PLANNED, State.READY, State.DEFERRED)
    return _part(session, late, states, after_id, limit)


def list_doubtful(
    session: Session, before: datetime, *, after_id: int = 0, limit: int = PART
) -> list[DeliveryRow]:
    """Rows in unknown since before an instant (by their mark), by id."""
    return _part(
        session, col(DeliveryRow.marked_at) < before, [str(State.UNKNOWN)], after_id, limit
    )


def _part(
    session: Session,
    which: sa.ColumnElement[bool],
    states: Sequence[str],
    after_id: int,
    limit: int,
) -> list[DeliveryRow]:
    query = (
        select(DeliveryRow)
        .where(which, col(DeliveryRow.state).in_(states), col(DeliveryRow.id) > after_id)
        .order_by(col(DeliveryRow.id))
        .limit(limit)
    )
    return list(session.exec(query).all())


def stop_open(
    session: Session,
    state: State,
    reason: str,
    *,
    subscriber_id: int | None = None,
    subscriber_ids: Sequence[int] | None = None,
    edition_id: int | None = None,
) -> int:
    """Move every open row of a reader, of some readers or of an edition to a stopped state."""
    change = (
        sa.update(DeliveryRow)
        .where(col(DeliveryRow.state).in_(leaving(state, *OPEN)))
        .values(state=str(state), reason=reason, lease_owner=None, lease_until=None)
    )
    readers = [subscriber_id] if subscriber_id is not None else subscriber_ids
    if readers is not None:
        change = change.where(
            col(DeliveryRow.subscriber_id).in_(readers),
            col(DeliveryRow.edition_id).not_in(
                sa.select(col(EditionRow.id)).where(col(EditionRow.kind) == "notice")
            ),
        )
    if edition_id is not None:
        change = change.where(col(DeliveryRow.edition_id) == edition_id)
    return int(session.execute(change).rowcount)  # type: ignore[attr-defined]


def stop_erased(session: Session, subscriber_id: int, email_key: str) -> int:
    """Suppress every open row of a reader who is erased, and of their address: notices too."""
    change = (
        sa.update(DeliveryRow)
        .where(
            col(DeliveryRow.state).in_(leaving(State.SUPPRESSED, *OPEN)),
            sa.or_(
                col(DeliveryRow.subscriber_id) == subscriber_id,
                col(DeliveryRow.recipient_key) == email_key,
            ),
        )
        .values(state=str(State.SUPPRESSED), reason="erased", lease_owner=None, lease_until=None)
        .execution_options(synchronize_session=False)
    )
    return int(session.execute(change).rowcount)  # type: ignore[attr-defined]


def stop_notices(session: Session, reader_id: int, kinds: Sequence[str], reason: str) -> int:
    """Cancel notices to a reader that have not gone."""
    change = (
        sa.update(DeliveryRow)
        .where(
            col(DeliveryRow.state).in_(leaving(State.CANCELLED, *OPEN)),
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
    kept beside as ``before``, for undo."""
    if row.state != "skipped" or row.reason not in HELD_NOTHING:
        return False
    assert row.id is not None
    was = {k: v for k, v in (row.own or {"papers": []}).items() if k != "before"}
    return _move(
        session,
        row.id,
        State.PLANNED,
        sources=[State.SKIPPED],
        deadline_at=deadline_at,
        reason="",
        own={"before": {"reason": row.reason, "content": was}},
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
