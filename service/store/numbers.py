"""Numbers of new rows, used up also by what is taken back before the commit.

SQLite gives the number of a row that was rolled back to the next one (PostgreSQL's sequences do
not). Readers see numbers, in signed links and of their interests, and could tell by two of their
own whether something was stored in between for an address that they typed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlmodel import Session, col

from service.store.house_tables import PaceRow

_SCOPE = "number"


def next_number(session: Session, table: type[Any]) -> int | None:
    """What the next row of a table is called; None: the database sees to it."""
    if session.get_bind().dialect.name != "sqlite":
        return None
    used = sa.select(col(PaceRow.count)).where(
        col(PaceRow.scope) == _SCOPE, col(PaceRow.key) == table.__tablename__
    )
    highest = sa.select(sa.func.max(col(table.id)))
    found = session.execute(sa.select(highest.scalar_subquery(), used.scalar_subquery())).one()
    return max(number or 0 for number in found) + 1


@contextmanager
def used_up(session: Session, *rows: tuple[type[Any], int]) -> Iterator[None]:
    """So many numbers of these tables are gone afterwards, whatever became of the rows."""
    first = [next_number(session, table) for table, _ in rows]
    yield
    for (table, count), number in zip(rows, first, strict=True):
        if number is not None:
            made = sqlite.insert(PaceRow).values(
                scope=_SCOPE, key=table.__tablename__, count=number + count - 1, windows={}
            )
            session.execute(
                made.on_conflict_do_update(
                    index_elements=["scope", "key"], set_={"count": made.excluded.count}
                )
            )
