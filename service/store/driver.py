"""Statements as text, straight to the driver, for what runs with every mail.

By way of SQLAlchemy such a statement costs many times what SQLite takes to run it: a context, a
result and its columns' names are made anew for each. Errors are SQLAlchemy's all the same.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa


class Done(NamedTuple):
    """rows: what was returned, plain · changed: how many rows."""

    rows: Sequence[tuple[Any, ...]]
    changed: int


def execute(connection: sa.Connection, sql: str, values: Mapping[str, Any] | None = None) -> Done:
    """Run a statement in the words of the driver, in the transaction of a connection."""
    raw = connection.connection
    cursor, given = raw.cursor(), () if values is None else (values,)
    try:
        cursor.execute(sql, *given)
        return Done(cursor.fetchall() if cursor.description else (), cursor.rowcount)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _told(connection, sql, error, cursor) from error
    finally:
        cursor.close()


def _told(
    connection: sa.Connection, sql: str, error: Exception, cursor: Any
) -> sa.exc.StatementError:
    """The error as SQLAlchemy tells it, without the values. A connection that broke is thrown
    away."""
    dialect = connection.dialect
    is_over = dialect.is_disconnect(error, connection.connection.dbapi_connection, cursor)  # type: ignore[arg-type]
    if is_over:
        connection.invalidate(error)
    return sa.exc.DBAPIError.instance(
        sql,
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=is_over,
        dialect=dialect,
    )
