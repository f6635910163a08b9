"""What is wrong with the database, in words of an operator."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from service.store.db import DatabaseError

_URL = "PAPERPOST_DATABASE_URL"
_SAYINGS = (
    (
        ("locked", "busy"),
        "{place} is locked by another process.",
        "End that one (a backup, a shell of sqlite3), then try again.",
    ),
    (
        ("readonly",),
        "{place} cannot be written.",
        "Give the file and its folder to the user who runs Paperpost.",
    ),
    (("is full",), "{place}: the disk is full.", "Free some of it, then try again."),
    (("I/O error",), "{place}: the disk cannot be read or written.", "Look at the system's log."),
    (
        ("malformed", "not a database"),
        "{place} is damaged, or is no database of SQLite.",
        f"Put it back from a backup, or correct {_URL}.",
    ),
)
"""What SQLite says (sqlite.org/rescode.html) -> what is wrong, what next."""


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Say faults of the database at ``url`` as DatabaseError; a fault of ours stays as it is."""
    try:
        parsed = make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise DatabaseError(
            f"{_URL} cannot be read as an address of a database.",
            _URL,
            "Write postgresql+psycopg://user:password@host:port/database; in the password write "
            "@ as %40, / as %2F, # as %23.",
        ) from None
    try:
        yield
    except ImportError as error:
        if error.name != "psycopg":
            raise
        raise DatabaseError(
            "PostgreSQL needs psycopg, which is not installed.",
            _URL,
            "pip install 'psycopg[binary,pool]'",
        ) from None
    except (sa.exc.DBAPIError, sqlite3.Error) as error:
        words = str(getattr(error, "orig", None) or error)
        fault = _fault(words, parsed, isinstance(error, sa.exc.OperationalError))
        if fault is None:
            raise
        raise fault from error


def _fault(words: str, url: URL, is_operational: bool) -> DatabaseError | None:
    """None when the database is well and the statement was not."""
    if not url.drivername.startswith("sqlite"):
        place = f"{url.host or 'localhost'}:{url.port or 5432}/{url.database or ''}"
        what = f"{place} does not answer: {' '.join(words.split())[:200]}"
        step = f"Is its server running? If so, check {_URL}."
        return DatabaseError(what, "", step) if is_operational else None
    file = Path(url.database or "")
    for signs, what, step in _SAYINGS:
        if any(sign in words for sign in signs):
            return DatabaseError(what.format(place=file), "", step)
    if "unable to open" not in words:
        return None
    is_lost = not file.parent.is_dir()
    why = f"{file.parent} does not exist" if is_lost else "this user may not"
    step = f"Make the folder, or correct {_URL}." if is_lost else "Give both to this user."
    return DatabaseError(f"{file} cannot be opened: {why}.", "", step)
