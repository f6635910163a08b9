"""Every test's house refuses a change of state for which ``delivery/states`` has no arrow.

So each UPDATE and INSERT of the whole test run is watched, whoever wrote it: on SQLite by triggers
of each connection, on PostgreSQL by those of a laid database, which look at what houses write. A
test that furnishes a ledger by hand says so: ``with by_hand(): ...``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event

from service.delivery.states import ARROWS, EDITION_ARROWS, FIRST

_hands: list[bool] = []

DRAFT = "draft"
"""Of an edition that was composed and not begun; it is begun, or goes."""


_MOVES = [f"{old}>{new}" for old, news in ARROWS.items() for new in news]
_TURNS = [f"{old}>{new}" for old, news in EDITION_ARROWS.items() for new in news]

WATCHED = (
    ("delivery", "UPDATE OF state", _MOVES),
    ("edition", "UPDATE OF state", [*_TURNS, f"{DRAFT}>open"]),
    ("delivery", "INSERT", [str(state) for state in FIRST]),
    ("edition", "INSERT", ["open", DRAFT]),
)
"""Table, what happens to a row of it, and the changes that are allowed."""

_ON, _OFF = (f"paperpost.is_watched = '{word}'" for word in ("yes", "no"))


def _name(table: str, when: str) -> str:
    return f"no_arrow_{table}_{when.split()[0].lower()}"


def _is_without(when: str, allowed: list[str]) -> str:
    values = ", ".join(f"'{one}'" for one in sorted(allowed))
    if when == "INSERT":
        return f"NEW.state NOT IN ({values})"
    return f"OLD.state <> NEW.state AND OLD.state || '>' || NEW.state NOT IN ({values})"


def _words(table: str) -> str:
    told = "(tests/support/arrows.by_hand for a ledger that a test furnishes)"
    return f"{table}: service/delivery/states has no such arrow {told}"


TRIGGERS = [
    f"CREATE TEMP TRIGGER {_name(table, when)} BEFORE {when} ON main.{table} "
    f"WHEN {_is_without(when, allowed)} AND NOT by_hand() "
    f"BEGIN SELECT RAISE(ABORT, '{_words(table)}'); END"
    for table, when, allowed in WATCHED
]

POSTGRES_TRIGGERS = [
    """CREATE FUNCTION no_arrow() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN RAISE EXCEPTION ''%'', TG_ARGV[0]; END'""",
    *(
        f"CREATE TRIGGER {_name(table, when)} BEFORE {when} ON {table} FOR EACH ROW "
        f"WHEN (current_setting('paperpost.is_watched', true) = 'yes' "
        f"AND {_is_without(when, allowed)}) EXECUTE FUNCTION no_arrow('{_words(table)}')"
        for table, when, allowed in WATCHED
    ),
]
"""Of a database that is laid once for many tests."""


def watch(engine: Engine) -> None:
    """Refuse what has no arrow on every new connection to a database with our tables."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _watch)
    else:
        event.listen(engine, "connect", _look)
        event.listen(engine, "begin", _look_away)


def _watch(connection: Any, _record: Any = None) -> None:
    connection.create_function("by_hand", 0, lambda: bool(_hands))
    there = "SELECT count(*) FROM main.sqlite_master WHERE type = 'table' AND name IN (?, ?)"
    if connection.execute(there, ("delivery", "edition")).fetchone()[0] == 2:
        for trigger in TRIGGERS:
            connection.execute(trigger)


def _look(connection: Any, _record: Any = None) -> None:
    connection.execute(f"SET {_ON}")
    connection.commit()


def _look_away(connection: Connection) -> None:
    if _hands:
        connection.exec_driver_sql(f"SET LOCAL {_OFF}")


@contextmanager
def by_hand() -> Iterator[None]:
    """What is written meanwhile may be any state: a test furnishes its ledger."""
    _hands.append(True)
    try:
        yield
    finally:
        _hands.pop()
