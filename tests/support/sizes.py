"""How much of many alike cases a whole run goes through; all of it with PAPERPOST_TEST_FULL=1."""

import os
from typing import Any, TypeVar

import pytest

FULL = bool(os.environ.get("PAPERPOST_TEST_FULL"))
T = TypeVar("T")
BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
"""The databases, as parameters of ``database_url`` and of ``cluster``."""


def sized(usual: T, full: T) -> T:
    """What a test goes through: ``full`` only when it is asked for."""
    return full if FULL else usual


def one_on_postgres(names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> pytest.MarkDecorator:
    """Parametrize a test whose house takes ``database_url``: every row on SQLite, the first (with
    PAPERPOST_TEST_FULL every one) on PostgreSQL, too. For cases that differ in dates and zones: the
    database is asked the same in each."""
    on_postgres = sized(rows[:1], rows)
    made = [pytest.param("sqlite", *row) for row in rows]
    made += [pytest.param("postgres", *row, marks=pytest.mark.postgres) for row in on_postgres]
    return pytest.mark.parametrize(("database_url", *names), made, indirect=["database_url"])
