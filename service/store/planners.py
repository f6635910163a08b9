"""What is said to one database's planner alone.

SQLite has no counts of values and takes an index wherever a column has one; PostgreSQL counts, and
what hides a column from it takes its counts away too.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import ReturnTypeFromArgs


class unindexed(ReturnTypeFromArgs[Any]):
    """A column in a condition for which SQLite is to take no index (a unary plus, see
    https://www.sqlite.org/optoverview.html, "Disqualifying WHERE-clause terms"); as it is on
    PostgreSQL."""

    inherit_cache = True


@compiles(unindexed)
def _plain(element: unindexed, compiler: sa.Compiled, **how: Any) -> str:
    return str(compiler.process(element.clauses, **how))


@compiles(unindexed, "sqlite")
def _plus(element: unindexed, compiler: sa.Compiled, **how: Any) -> str:
    return f"+{compiler.process(element.clauses, **how)}"
