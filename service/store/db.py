"""The database: engines for SQLite and PostgreSQL, read sessions, and the one writer thread.

Every write of a process passes one thread: whatever waits when it becomes free is run in one
transaction and one commit. Nothing waits for a timer. Notices and web requests go first.

Where one of several units fails, the transaction is undone, and each runs again in one of its own:
one that fails harms only itself, and no savepoint is paid for by all the others. The same where
processes lock rows in another order and stop each other: PostgreSQL then undoes one of the
transactions whole (its docs, "Deadlocks"). So a unit returns what it found or counted, and changes
nothing outside its session.
"""

import asyncio
import itertools
import os
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from enum import IntEnum
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine, make_url
from sqlmodel import Session as Session  # flows take their sessions from here

from service.errors import PaperpostError
from service.store.driver import execute

T = TypeVar("T")
Work = Callable[[Session], T]

DOUBTFUL = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.PendingRollbackError)
"""The connection failed: whether what was under way was committed, nobody here knows."""

REFUSED = sa.exc.SQLAlchemyError
"""The database did not take it, or failed."""

BUSY_S = 30.0
"""Seconds for which SQLite waits for another process's transaction."""

STILL_S = 60.0
"""Seconds for which a writer on PostgreSQL may do nothing within a transaction."""

_EMPTYING_S = 0.5

UNDONE = ("40P01", "40001", "25P03")
"""SQLSTATEs of a deadlock, of a serialization failure and of a writer that stood still: nothing of
the transaction was done."""

TRIES = 5
"""How often a unit is run while others undo it; each time, fewer of them are left."""

BATCH = 64
"""Units of work per commit at most, so that a reader's click never waits behind a long line."""


class DatabaseError(PaperpostError):
    """The database cannot be opened or is not migrated."""


class Priority(IntEnum):
    """Smaller goes first."""

    WEB = 0
    MAIL = 1
    BULK = 2


def make_engine(url: str) -> Engine:
    """Return an engine with the pragmas and the locking each database needs.

    SQLite: WAL, synchronous=FULL, foreign keys on, BEGIN IMMEDIATE for writers (the driver's own
    deferred begin loses updates silently), plain BEGIN for readers. Values (addresses, tokens) are
    never part of an error's text.
    """
    parsed = make_url(url)
    if not parsed.drivername.startswith("sqlite"):
        return _postgres(parsed)
    pool: dict[str, Any] = {"pool_size": 10}
    if parsed.database and parsed.database != ":memory:":
        pool["pool_use_lifo"] = True  # so the writer mostly gets the one whose pages it has read
        with suppress(OSError):  # there already; or it cannot be, and SQLite will say so
            os.close(os.open(parsed.database, os.O_CREAT | os.O_EXCL, 0o600))  # -wal, -shm follow
    engine = create_engine(
        parsed,
        connect_args={"timeout": BUSY_S, "check_same_thread": False},
        hide_parameters=True,
        **pool,
    )

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA secure_delete=ON")  # what is erased is written over with zeros
        cursor.execute(f"PRAGMA busy_timeout={BUSY_S * 1000:.0f}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("write", False)
        execute(connection, "BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgres(url: sa.URL) -> Engine:
    """Writers give their locks back when they stand still in the middle of a transaction (a
    process that was stopped, a machine that sleeps): else nobody else could send."""
    engine = create_engine(
        url, pool_pre_ping=True, pool_size=10, max_overflow=10, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        connection.autocommit = True
        connection.execute("SET jit = off")  # to compile takes longer than any question asked here
        connection.autocommit = False

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        if connection.get_execution_options().get("write", False):
            execute(
                connection, f"SET LOCAL idle_in_transaction_session_timeout = {STILL_S * 1000:.0f}"
            )

    return engine


def insert_once(session: Session, row: Any) -> bool:
    """Insert a row whose unique key another process may take at the same moment; False = it did.

    SQLite has one writer at a time, so looking first is enough there.
    """
    if session.get_bind().dialect.name == "sqlite":
        session.add(row)
        session.flush()
        return True
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except sa.exc.IntegrityError:
        return False
    return True


def is_undone(error: BaseException) -> bool:
    """Whether the database undid the transaction because of another's; it may be run again."""
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else None
    return getattr(cause, "sqlstate", None) in UNDONE


_BESIDE: ContextVar["_Beside | None"] = ContextVar("beside", default=None)


class _Beside:
    """What each transaction of one request does besides. is_over: tasks that the request began
    have its context, and outlive it."""

    def __init__(self, work: Work[None]) -> None:
        self.work = work
        self.is_over = False


@contextmanager
def beside(work: Work[None]) -> Iterator[None]:
    """Within this block, whatever this thread or task asks the writer for does ``work`` too, in
    the same transaction."""
    made = _Beside(work)
    token = _BESIDE.set(made)
    try:
        yield
    finally:
        made.is_over = True
        _BESIDE.reset(token)


def _with_beside(work: Work[T]) -> Work[T]:
    also = _BESIDE.get()
    if also is None or also.is_over:
        return work

    def both(session: Session) -> T:
        result = work(session)
        also.work(session)
        return result

    return both


class _Unit:
    """One piece of work that waits for the writer."""

    __slots__ = ("future", "work")

    def __init__(self, work: Work[Any]) -> None:
        self.work = work
        self.future: Future[Any] = Future()


class Database:
    """Read sessions for everybody, one writer for the process."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = make_engine(url)
        self._waiting: queue.PriorityQueue[tuple[int, int, _Unit | None]] = queue.PriorityQueue()
        self._count = itertools.count()
        self._writer: threading.Thread | None = None
        self._lock = threading.Lock()
        self._closed = False
        event.listen(self.engine, "checkin", self._given_back)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads; it sees one state of the database throughout.

        SQLite does by itself; PostgreSQL would show each statement what was committed meanwhile,
        and a paper that moves from "under way" to "sent" between two of them would ride twice.
        """
        engine = self.engine
        if not self.is_sqlite:
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with Session(engine, expire_on_commit=False) as session:
            yield session

    def read(self, work: Work[T]) -> T:
        """Run ``work`` in a read session."""
        with self.reading() as session:
            return work(session)

    def write(self, work: Work[T], priority: Priority = Priority.BULK) -> T:
        """Run ``work`` by the writer and wait until it is durable; its exception is raised here."""
        result: T = self._submit(work, priority).result()
        return result

    def can_write(self, seconds: float) -> bool:
        """Whether the writer gets a transaction within this time. Raises what the driver does."""
        future = self._submit(lambda s: s.connection(), Priority.WEB)
        try:
            future.result(seconds)
        except TimeoutError:
            future.cancel()
            return False
        return True

    async def awrite(self, work: Work[T], priority: Priority = Priority.MAIL) -> T:
        """The same without blocking the event loop."""
        result: T = await asyncio.wrap_future(self._submit(work, priority))
        return result

    async def aread(self, work: Work[T]) -> T:
        """Run ``work`` in a read session in a thread."""
        return await asyncio.to_thread(self.read, work)

    def _submit(self, work: Work[Any], priority: Priority) -> Future[Any]:
        unit = _Unit(_with_beside(work))
        with self._lock:
            if self._closed:
                raise DatabaseError("The database is closed.", "", "Start the process again.")
            if self._writer is None:
                self._writer = threading.Thread(target=self._run, name="writer", daemon=True)
                self._writer.start()
            self._waiting.put((int(priority), next(self._count), unit))
        return unit.future

    def _run(self) -> None:
        while True:
            first = self._waiting.get()[2]
            if first is None:
                return
            units, stop = [first], False
            while len(units) < BATCH:
                try:
                    unit = self._waiting.get_nowait()[2]
                except queue.Empty:
                    break
                if unit is None:
                    stop = True
                    break
                units.append(unit)
            self._commit(units)
            if stop:
                return

    def _commit(self, units: list[_Unit]) -> None:
        """Run the units in one transaction, and where it is undone, each in one of its own."""
        # a caller that was cancelled meanwhile waits no more: its unit is not run
        units = [unit for unit in units if unit.future.set_running_or_notify_cancel()]
        if not units or not (undone := self._transact(units)):
            return
        for unit in undone:
            for number in range(1, TRIES):
                if not self._transact([unit], is_last=number == TRIES - 1):
                    break
                time.sleep(random.uniform(0.01, 0.05) * number)

    def _transact(self, units: list[_Unit], *, is_last: bool = False) -> list[_Unit]:
        """Run the units in one transaction; resolve the futures only after the commit. Returns
        those to run again: the transaction was undone by others (never, where this try is the
        last), or by one of several units, before anything was committed."""
        done: list[Any] = []
        worked = False
        try:
            connection = self.engine.connect().execution_options(write=True)
            with (
                connection,
                connection.begin(),
                Session(connection, expire_on_commit=False) as session,
            ):
                for unit in units:
                    done.append(unit.work(session))
                    session.flush()
                worked = True
        except BaseException as error:  # the writer outlives whatever a unit raises
            if (not worked and len(units) > 1) or (not is_last and is_undone(error)):
                return units
            for unit in units:
                unit.future.set_exception(error)
            return []
        for unit, result in zip(units, done, strict=True):
            unit.future.set_result(result)
        return []

    def _given_back(self, _connection: Any, record: Any) -> None:
        """A connection that somebody still read on while the house closed is closed, not kept."""
        if self._closed:
            record.invalidate()

    def empty_log(self) -> bool:
        """Cut SQLite's write-ahead log: what was erased would lie on in it until it is written
        over. False: somebody reads just now, and it stays for the next time."""
        if not self.is_sqlite:
            return True
        raw = self.engine.raw_connection()
        try:
            cursor = raw.cursor()
            cursor.execute(f"PRAGMA busy_timeout={_EMPTYING_S * 1000:.0f}")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            found = cursor.fetchone()
            cursor.execute(f"PRAGMA busy_timeout={BUSY_S * 1000:.0f}")
            cursor.close()
        finally:
            raw.close()
        return found is not None and not found[0]

    def close(self) -> None:
        """Finish what waits, then close every connection."""
        with self._lock:
            self._closed = True
            writer = self._writer
            if writer is not None:
                self._waiting.put((99, next(self._count), None))
        if writer is not None and writer is not threading.current_thread():
            writer.join(timeout=60)
        self.engine.dispose()
