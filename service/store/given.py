"""Values of many rows handed to one statement, as a table to join: one parameter, however many.

Statements on the way of every mail are text that is made once: to put one together by SQLAlchemy
costs more than the database takes to run it.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session
from sqlmodel.sql.sqltypes import UTCDateTime

_CASTS = {"id": "BIGINT", "int": "INTEGER", "text": "TEXT"}


def table_of(dialect: str, columns: Mapping[str, str]) -> str:
    """SQL of a table whose rows come as the parameter ``given``; each column is "id", "int" or
    "text"."""
    if dialect == "sqlite":
        cells = [f"json_extract(g.value, '$[{n}]') AS {c}" for n, c in enumerate(columns)]
        return f"SELECT {', '.join(cells)} FROM json_each(:given) AS g"  # nosec B608
    cells = [
        f"CAST(g.value ->> {n} AS {_CASTS[kind]}) AS {name}"
        for n, (name, kind) in enumerate(columns.items())
    ]
    each = "json_array_elements(CAST(:given AS JSON)) AS g(value)"
    return f"SELECT {', '.join(cells)} FROM {each}"  # nosec B608


@lru_cache(maxsize=64)
def statement(sql: str) -> sa.TextClause:
    """A statement whose parameter ``now``, where it has one, is an instant."""
    made = sa.text(sql)
    return made.bindparams(sa.bindparam("now", type_=UTCDateTime())) if ":now" in sql else made


def run(
    session: Session, sql: str, rows: Sequence[Sequence[Any]], **values: Any
) -> "sa.CursorResult[Any]":
    """Run a statement over rows."""
    result = session.execute(statement(sql), {"given": json.dumps(rows), **values})
    assert isinstance(result, sa.CursorResult)
    return result
