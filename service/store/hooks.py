"""Programs that are told of events, and the calls to them."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.desk_tables import WebhookCallRow, WebhookRow

_HERE = "hooks"
"""In ``session.info``: the programs that this transaction has read."""


def list_hooks(session: Session, *, ended: bool = True) -> list[WebhookRow]:
    """All of them, those that are told first; ended: also those that are told no more."""
    query = select(WebhookRow).order_by(
        col(WebhookRow.ended_at).is_not(None), col(WebhookRow.name), col(WebhookRow.id)
    )
    if not ended:
        query = query.where(col(WebhookRow.ended_at).is_(None))
    return list(session.exec(query))


def hooks_of(session: Session, event: str) -> list[WebhookRow]:
    """Who is told of an event; read once a transaction."""
    if _HERE not in session.info:
        session.info[_HERE] = list_hooks(session, ended=False)
    found: list[WebhookRow] = session.info[_HERE]
    return [row for row in found if event in row.events]


def get_hook(session: Session, number: int, *, hold: bool = False) -> WebhookRow | None:
    """One of them; hold: nobody else changes it before this transaction ends."""
    query = select(WebhookRow).where(col(WebhookRow.id) == number)
    if hold:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.exec(query).first()


def find_hook(session: Session, name: str) -> WebhookRow | None:
    """The one of a name that is told of events."""
    return session.exec(
        select(WebhookRow).where(col(WebhookRow.name) == name, col(WebhookRow.ended_at).is_(None))
    ).first()


def get_call(session: Session, number: int, *, hold: bool = False) -> WebhookCallRow | None:
    """One call."""
    query = select(WebhookCallRow).where(col(WebhookCallRow.id) == number)
    if hold:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.exec(query).first()


CALL_ORDERS: Mapping[str, Any] = {
    "at": col(WebhookCallRow.id),
    "event": col(WebhookCallRow.event),
    "state": col(WebhookCallRow.state),
}
"""What calls are sorted by; -NAME is the other way round."""


def list_calls(
    session: Session,
    hook_id: int,
    *,
    state: str = "",
    sort: str = "-at",
    limit: int | None = None,
    offset: int = 0,
) -> list[WebhookCallRow]:
    """Calls to one program, the newest of alike ones first."""
    order = CALL_ORDERS[sort.removeprefix("-")]
    query = select(WebhookCallRow).where(*_of(hook_id, state))
    query = query.order_by(
        order.desc() if sort.startswith("-") else order, col(WebhookCallRow.id).desc()
    ).offset(offset)
    return list(session.exec(query if limit is None else query.limit(limit)))


def count_calls(session: Session, hook_id: int, state: str = "") -> int:
    """How many there are."""
    query = sa.select(sa.func.count()).select_from(WebhookCallRow).where(*_of(hook_id, state))
    return int(session.execute(query).scalar_one())


def _of(hook_id: int, state: str) -> list[sa.ColumnElement[bool]]:
    found = [col(WebhookCallRow.webhook_id) == hook_id]
    return [*found, col(WebhookCallRow.state) == state] if state else found


def count_states(session: Session) -> dict[int, dict[str, int]]:
    """Per program: calls by state."""
    query = sa.select(
        col(WebhookCallRow.webhook_id), col(WebhookCallRow.state), sa.func.count()
    ).group_by(col(WebhookCallRow.webhook_id), col(WebhookCallRow.state))
    found: dict[int, dict[str, int]] = {}
    for hook_id, state, count in session.execute(query):
        found.setdefault(hook_id, {})[state] = int(count)
    return found


def has_due(session: Session, now: datetime) -> bool:
    """Whether a call is to be made now."""
    query = sa.select(col(WebhookCallRow.id)).where(*_due(now)).limit(1)
    return session.execute(query).first() is not None


def claim_due(
    session: Session, now: datetime, until: datetime, *, limit: int, each: int
) -> list[WebhookCallRow]:
    """Calls to be made now, at most ``each`` to one program; nobody else makes them before
    ``until``."""
    query = select(WebhookCallRow).where(*_due(now)).order_by(col(WebhookCallRow.next_at))
    rows = session.exec(query.limit(limit * 4).with_for_update(skip_locked=True)).all()
    taken: list[WebhookCallRow] = []
    had: dict[int, int] = {}
    for row in rows:
        if had.get(row.webhook_id, 0) < each and len(taken) < limit:
            had[row.webhook_id] = had.get(row.webhook_id, 0) + 1
            row.next_at = until
            session.add(row)
            taken.append(row)
    session.flush()
    return taken


def _due(now: datetime) -> list[sa.ColumnElement[bool]]:
    return [col(WebhookCallRow.state) == "waiting", col(WebhookCallRow.next_at) <= now]


def fail_waiting(session: Session, hook_id: int, now: datetime) -> int:
    """Calls to a program that is told no more are over; how many."""
    done = session.execute(
        sa.update(WebhookCallRow)
        .where(*_of(hook_id, "waiting"))
        .values(state="failed", next_at=None, done_at=now)
        .execution_options(synchronize_session=False)
    )
    return int(done.rowcount)  # type: ignore[attr-defined]


def delete_calls(session: Session, before: datetime, limit: int) -> int:
    """Throw away calls that are over; how many."""
    old = (
        sa.select(col(WebhookCallRow.id))
        .where(col(WebhookCallRow.at) < before, col(WebhookCallRow.state) != "waiting")
        .limit(limit)
    )
    done = session.execute(
        sa.delete(WebhookCallRow)
        .where(col(WebhookCallRow.id).in_(old))
        .execution_options(synchronize_session=False)
    )
    return int(done.rowcount)  # type: ignore[attr-defined]


def forget_reader(session: Session, reader_id: int, addresses: Collection[str]) -> None:
    """Take the addresses of somebody who is erased out of calls that tell them, also of programs
    that are told none any more. addresses: with those of before."""
    if not list_hooks(session):
        return
    data = col(WebhookCallRow.body)["data"]
    told = sa.func.lower(data["email"].as_string())
    found = session.exec(
        select(WebhookCallRow).where(
            told.is_not(None),
            sa.or_(
                told.in_({one.lower() for one in addresses}),
                data["reader"].as_string() == str(reader_id),
            ),
        )
    )
    for row in found.all():
        left = {name: value for name, value in row.body["data"].items() if name != "email"}
        row.body = {**row.body, "data": left}
        session.add(row)
