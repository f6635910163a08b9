"""Answers kept for requests that are repeated: one row for each caller and key."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.db import insert_once
from service.store.desk_tables import AnswerKeptRow
from service.store.naming import named_in


def get_answer(session: Session, caller: str, key: str) -> AnswerKeptRow | None:
    """The row of a key."""
    found = select(AnswerKeptRow).where(
        col(AnswerKeptRow.caller) == caller, col(AnswerKeptRow.key) == key
    )
    return session.exec(found).first()


def add_answer(
    session: Session, *, caller: str, key: str, asked: str, owner: int, now: datetime
) -> int | None:
    """The number of a new row; None: another process took the key just now."""
    row = AnswerKeptRow(caller=caller, key=key, asked=asked, owner=owner, at=now)
    return row.id if insert_once(session, row) else None


def take_answer(session: Session, number: int, old: int | None, owner: int, now: datetime) -> bool:
    """The request goes to another process, where nothing was written for it yet."""
    table = AnswerKeptRow.__table__  # type: ignore[attr-defined]
    same = table.c.owner.is_(None) if old is None else table.c.owner == old
    done = session.execute(
        sa.update(table)
        .where(table.c.id == number, table.c.status.is_(None), same)
        .values(owner=owner, at=now)
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]


def mark_written(session: Session, number: int) -> None:
    """Something was written for this request: in the transaction that does it."""
    table = AnswerKeptRow.__table__  # type: ignore[attr-defined]
    session.execute(
        sa.update(table).where(table.c.id == number, table.c.status.is_(None)).values(status=0)
    )


def keep_answer(session: Session, number: int, status: int, body: str) -> None:
    """What was answered."""
    _set(session, number, status=status, body=body, owner=None)


def release_answer(session: Session, number: int) -> None:
    """Nothing was answered: where nothing was written either, the key is free again."""
    table = AnswerKeptRow.__table__  # type: ignore[attr-defined]
    session.execute(sa.delete(table).where(table.c.id == number, table.c.status.is_(None)))
    _set(session, number, owner=None)


def delete_answer(session: Session, number: int) -> None:
    """The key is free again."""
    table = AnswerKeptRow.__table__  # type: ignore[attr-defined]
    session.execute(sa.delete(table).where(table.c.id == number))


def is_written(session: Session, number: int) -> bool:
    """Whether something was written for this request."""
    table = AnswerKeptRow.__table__  # type: ignore[attr-defined]
    query = sa.select(table.c.status).where(table.c.id == number)
    return session.execute(query).scalar_one_or_none() is not None


def delete_answers(session: Session, before: datetime, limit: int) -> int:
    """Throw away what was kept long enough; how many."""
    table = AnswerKeptRow.__table__  # type: ignore[attr-defined]
    old = sa.select(table.c.id).where(table.c.at < before).limit(limit)
    done = session.execute(sa.delete(table).where(table.c.id.in_(old)))
    return int(done.rowcount)  # type: ignore[attr-defined]


def forget_addresses(session: Session, addresses: Collection[str]) -> None:
    """Answers that name somebody who is erased are kept no more: that they were given is."""
    table = AnswerKeptRow.__table__  # type: ignore[attr-defined]
    pattern = named_in(addresses)
    named = [
        sa.func.lower(table.c.body).contains(one.lower(), autoescape=True) for one in addresses
    ]
    found = session.execute(sa.select(table.c.id, table.c.body).where(sa.or_(*named)))
    for number in [number for number, body in found if pattern.search(body)]:
        _set(session, number, status=0, body="", owner=None)


def _set(session: Session, number: int, **values: object) -> None:
    table = AnswerKeptRow.__table__  # type: ignore[attr-defined]
    session.execute(sa.update(table).where(table.c.id == number).values(**values))
