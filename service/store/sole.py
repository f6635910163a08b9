"""Work that one process of several does at a time: who holds the lock of its name.

As with processes: flock on a file in the data folder on SQLite, a session advisory lock on
PostgreSQL. A dead holder has let go, whatever the clocks say.
"""

import fcntl
from contextlib import suppress
from pathlib import Path
from typing import IO, Any
from zlib import crc32

import sqlalchemy as sa

from service.store.db import Database, Session

_LOCK_SPACE = 0x5051  # first key of the two-key advisory locks; processes have the one before
_WRITE_SPACE = 0x5052


def hold_name(session: Session, name: str) -> None:
    """Within a transaction that writes: whoever else asks for this name waits until it has ended.
    For rows that are replaced as a whole, where there may be none yet to be held. SQLite has one
    writer at a time as it is."""
    if session.get_bind().dialect.name != "sqlite":
        keys = {"space": _WRITE_SPACE, "id": _number_of(name)}
        session.execute(sa.text("SELECT pg_advisory_xact_lock(:space, :id)"), keys)


def _number_of(name: str) -> int:
    return crc32(name.encode()) & 0x7FFFFFFF


class Sole:
    """One name's lock, for one thread of one process."""

    def __init__(self, db: Database, lock_dir: Path, name: str) -> None:
        """name: of the work, in small letters."""
        self._db, self._dir, self._name = db, lock_dir, name
        self._file: IO[str] | None = None
        self._connection: Any = None

    def take(self) -> bool:
        """Whether the lock is ours, now or from now on. Raises what the database raises."""
        return self._take_file() if self._db.is_sqlite else self._take_advisory()

    def _take_file(self) -> bool:
        if self._file is not None:
            return True
        self._dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = (self._dir / f"{self._name}.lock").open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._file = file
        return True

    def _take_advisory(self) -> bool:
        keys = {"space": _LOCK_SPACE, "id": _number_of(self._name)}
        if self._connection is not None:
            try:
                self._connection.execute(sa.text("SELECT 1"))
                return True
            except sa.exc.DBAPIError:
                self.give()  # the server lost it with the connection
        made = self._db.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            statement = sa.text("SELECT pg_try_advisory_lock(:space, :id)")
            is_ours = bool(made.execute(statement, keys).scalar())
        except BaseException:
            made.invalidate()
            made.close()
            raise
        if is_ours:
            self._connection = made
        else:
            made.close()
        return is_ours

    def give(self) -> None:
        """Let go; without it does nothing."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._connection is not None:
            with suppress(sa.exc.DBAPIError):
                self._connection.invalidate()  # ends the session, and with it the lock
            self._connection.close()
            self._connection = None
