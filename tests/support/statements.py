"""Every statement that a database is asked, by way of SQLAlchemy or straight to the driver."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from service.store import given


@contextmanager
def noted(engine: sa.Engine) -> Iterator[list[tuple[str, Any]]]:
    """The statements and their values, in the words of the driver."""
    seen: list[tuple[str, Any]] = []
    straight = given.execute

    def note(
        _conn: Any, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool
    ) -> None:
        seen.append((statement, values))

    def execute(connection: sa.Connection, sql: str, values: Any = None) -> Any:
        seen.append((sql, values))
        return straight(connection, sql, values)

    sa.event.listen(engine, "before_cursor_execute", note)
    given.execute = execute
    try:
        yield seen
    finally:
        given.execute = straight
        sa.event.remove(engine, "before_cursor_execute", note)
