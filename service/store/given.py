"""Values of many rows handed to one statement, as a table to join: one parameter, however many.

Statements on the way of every mail are text that is made once: to put one together by SQLAlchemy
costs more than the database takes to run it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session
from sqlmodel.sql.sqltypes import UTCDateTime

from service.store.driver import Done, execute

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
def _ready(sql: str, dialect: sa.Dialect) -> str:
    """A statement in the words of the driver, with parameters by name."""
    if dialect.name == "sqlite":
        return sql  # its driver takes names with a colon
    return str(sa.text(sql).compile(dialect=dialect))


@lru_cache
def _instant(dialect: sa.Dialect) -> Callable[[datetime], Any]:
    """An instant as the driver takes it: on SQLite the text that all others have, or comparing
    them would compare two spellings."""
    return UTCDateTime().dialect_impl(dialect).bind_processor(dialect) or (lambda at: at)


def run(session: Session, sql: str, rows: Sequence[Sequence[Any]] | str, **values: Any) -> Done:
    """Run a statement over rows, or over their JSON where several statements get the same."""
    return ask(session, sql, given=rows if isinstance(rows, str) else json.dumps(rows), **values)


def ask(session: Session, sql: str, **values: Any) -> Done:
    """Run a statement that is made once, with parameters by name (``:name``)."""
    session.flush()
    connection = session.connection()
    dialect = connection.dialect
    for name, value in values.items():
        if isinstance(value, datetime):
            values[name] = _instant(dialect)(value)
    return execute(connection, _ready(sql, dialect), values)
