"""Which processes are alive: each holds a lock for life, so a dead one is known at once.

SQLite: flock on a file in the data folder. PostgreSQL: a session advisory lock on a connection
of its own. A free lock means a dead owner, whatever the clocks say.
"""

import fcntl
import os
import socket
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.db import Database, Priority
from service.store.house_tables import ProcessRow
from service.store.leases import release

_LOCK_SPACE = 0x5050  # first key of the two-key advisory locks


class Process:
    """This process as an owner of leases; ``close`` gives the lock back."""

    def __init__(self, db: Database, lock_dir: Path, now: datetime) -> None:
        self._db = db
        self._dir = lock_dir
        self._file: IO[str] | None = None
        self._connection: Any = None
        self.id = db.write(lambda s: self._register(s, now), Priority.WEB)

    def _register(self, session: Session, now: datetime) -> int:
        """The row, and its lock before anybody can see the row: else it would look dead."""
        made = _add(session, now)
        if self._db.is_sqlite:
            self._dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = (self._dir / f"process-{made}.lock").open("w")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            engine = self._db.engine
            self._connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            self._connection.execute(
                sa.text("SELECT pg_advisory_lock(:space, :id)"), {"space": _LOCK_SPACE, "id": made}
            )
        return made

    def renew(self, now: datetime) -> None:
        """Be an owner again after the server lost our lock or somebody took us for dead.

        What the old one held is given back by the next sweep, as after a death.
        """
        if self._is_alive():
            return
        if self._file is not None:
            self._file.close()
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
        old, self.id = self.id, self._db.write(lambda s: self._register(s, now), Priority.WEB)
        self._db.write(lambda s: end_processes(s, [old]), Priority.WEB)

    def _is_alive(self) -> bool:
        if self._connection is not None:
            try:
                self._connection.execute(sa.text("SELECT 1"))
            except sa.exc.DBAPIError:
                return False
        row = self._db.read(lambda s: s.get(ProcessRow, self.id))
        return row is not None and not row.ended

    def dead(self) -> list[int]:
        """Ids of processes that never said good-bye and whose lock is free."""
        rows = self._db.read(
            lambda s: s.exec(select(ProcessRow.id).where(~col(ProcessRow.ended))).all()
        )
        return [i for i in rows if i is not None and i != self.id and not self._is_held(i)]

    def _is_held(self, owner: int) -> bool:
        if self._db.is_sqlite:
            path = self._dir / f"process-{owner}.lock"
            try:
                with path.open("r+") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except FileNotFoundError:
                return False
            except BlockingIOError:
                return True
            return False
        with self._db.engine.connect() as connection:
            free = connection.execute(
                sa.text("SELECT pg_try_advisory_lock(:space, :id)"),
                {"space": _LOCK_SPACE, "id": owner},
            ).scalar()
            if free:
                connection.execute(
                    sa.text("SELECT pg_advisory_unlock(:space, :id)"),
                    {"space": _LOCK_SPACE, "id": owner},
                )
        return not free

    def close(self) -> None:
        """Say good-bye: what was not used is given back, the row ends, the lock is released."""
        self._db.write(self._leave, Priority.WEB)
        if self._file is not None:
            self._file.close()
            (self._dir / f"process-{self.id}.lock").unlink(missing_ok=True)
        if self._connection is not None:
            self._connection.close()

    def _leave(self, session: Session) -> None:
        release(session, [self.id])
        end_processes(session, [self.id])


def _add(session: Session, now: datetime) -> int:
    row = ProcessRow(host=socket.gethostname(), pid=os.getpid(), started_at=now, seen_at=now)
    session.add(row)
    session.flush()
    assert row.id is not None
    return row.id


def end_processes(session: Session, owners: Sequence[int]) -> None:
    """Mark processes as ended (by themselves, or found dead)."""
    session.execute(sa.update(ProcessRow).where(col(ProcessRow.id).in_(owners)).values(ended=True))


def is_over(session: Session, owner: int, dead: Sequence[int]) -> bool:
    """Whether a process has ended; dead: owners whose lock is free."""
    row = session.get(ProcessRow, owner)
    return row is None or row.ended or owner in dead
