"""A PostgreSQL cluster of the tests' own: made, used and thrown away by one test process.

It listens on a random loopback port, trusts everybody there, and does not wait for the disk (one
that is restarted under way is ``careful``: what it said was committed is there afterwards).
``initdb`` refuses root, so root runs it as ``postgres`` or ``nobody``, in a folder of that user.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlmodel import SQLModel
from support.arrows import POSTGRES_TRIGGERS
from support.required import skip_unless_required

import service.store.tables  # noqa: F401 - what the metadata is made of
from service.store import migrations
from service.store.db import Database

_ROLE = "paperpost"
_SMALL = "-c max_connections=60"
_FEW = 2000
"""Rows of a database that is emptied and used again."""

_QUICK = f"-c fsync=off -c synchronous_commit=off -c full_page_writes=off {_SMALL}"


def binaries() -> Path:
    """Return the folder that holds initdb and pg_ctl; skip (or fail, when required) without."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for place in places:
        if (place / "initdb").exists() and (place / "pg_ctl").exists():
            return place
    skip_unless_required("postgres", "initdb and pg_ctl are neither on PATH nor in /usr/lib")


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running server; ``port`` is on 127.0.0.1. laid: migrated databases, empty again. again:
    stops it ("immediate" = as if killed, "fast" = in order) and starts it on the same port."""

    port: int
    laid: list[str] = field(default_factory=list)
    again: Callable[[str], None] = lambda how: None

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of ``database``."""
        return f"postgresql+psycopg://{_ROLE}@127.0.0.1:{self.port}/{database}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """Make an empty database, give its URL, and drop it with whoever is still connected."""
        name = f"t{uuid.uuid4().hex[:16]}"
        self._run("CREATE DATABASE {}", name)
        try:
            yield self.url(name)
        finally:
            self._run("DROP DATABASE {} WITH (FORCE)", name)

    @contextmanager
    def laid_database(self) -> Iterator[str]:
        """Give the URL of a database of the newest revision without rows. To migrate one costs
        longer than most tests, so it is emptied and given to the next one."""
        name = self.laid.pop() if self.laid else self.lay()
        yield self.url(name)
        if self._is_emptied(name):
            self.laid.append(name)
        else:
            self._run("DROP DATABASE {} WITH (FORCE)", name)

    @contextmanager
    def copy_of(self, name: str) -> Iterator[str]:
        """Give the URL of a copy of a database that nobody is connected to, and drop it then."""
        copy = f"t{uuid.uuid4().hex[:16]}"
        with self._connect("postgres") as connection:
            words = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            connection.execute(words.format(sql.Identifier(copy), sql.Identifier(name)))
        try:
            yield self.url(copy)
        finally:
            self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", copy)

    def lay(self) -> str:
        """Make a migrated database without rows; its name."""
        name = f"t{uuid.uuid4().hex[:16]}"
        self._run("CREATE DATABASE {}", name)
        db = Database(self.url(name))
        try:
            migrations.migrate(db)
        finally:
            db.close()
        with self._connect(name) as connection:
            for trigger in POSTGRES_TRIGGERS:
                connection.execute(trigger.encode())
        return name

    def _is_emptied(self, name: str) -> bool:
        """Take every row and every connection from it; False when its tables are not ours alone,
        or held so much that what is left of it would slow down the next test."""
        with self._connect(name) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            found = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall()
            tables = {str(row[0]) for row in found} - {"alembic_version"}
            if tables != set(SQLModel.metadata.tables):
                return False
            revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            if revision is None or revision[0] != migrations.NEWEST:
                return False
            return _emptied(connection, tables) <= _FEW

    def _run(self, statement: str, name: str) -> None:
        with self._connect("postgres") as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))

    def _connect(self, name: str) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=_ROLE, dbname=name, autocommit=True
        )


def _emptied(connection: psycopg.Connection[tuple[Any, ...]], tables: set[str]) -> int:
    """Delete every row of these tables and let their numbers begin at 1; how many rows it were.

    With as few rows as a test has this takes a fortieth of TRUNCATE, which makes new files for all
    tables and indexes.
    """
    connection.execute("SET session_replication_role = replica")  # no foreign key, no trigger
    each = [sql.SQL("DELETE FROM {}").format(sql.Identifier(name)) for name in sorted(tables)]
    deleted = connection.execute(sql.SQL("; ").join(each))
    rows = deleted.rowcount
    while deleted.nextset():
        rows += deleted.rowcount
    connection.execute(
        "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, 1, false)"
        " FROM pg_sequences WHERE last_value IS NOT NULL"
    )
    return rows


@contextmanager
def running_cluster(*, careful: bool = False) -> Iterator[Cluster]:
    """Start a cluster and stop it at the end, whatever the tests did."""
    tools = binaries()
    home = Path(tempfile.mkdtemp(prefix="pp-pg-"))
    who = _owner(home)
    data = home / "data"
    try:
        _call([tools / "initdb", "-D", data, "-U", _ROLE, "-A", "trust", "-E", "UTF8",
               "--locale=C", "--no-sync"], home, who)  # fmt: skip
        settings = _SMALL if careful else _QUICK
        port = _start(tools, data, home, who, settings)

        def again(how: str) -> None:
            _call([tools / "pg_ctl", "-D", data, "-m", how, "-w", "stop"], home, who)
            _start(tools, data, home, who, settings, port)

        try:
            yield Cluster(port, again=again)
        finally:
            _call([tools / "pg_ctl", "-D", data, "-m", "immediate", "stop"], home, who)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _owner(home: Path) -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(home, user.pw_uid, user.pw_gid)
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    skip_unless_required("postgres", "root may not run it and there is no user postgres or nobody")


def _start(
    tools: Path, data: Path, home: Path, who: dict[str, Any], settings: str, port: int = 0
) -> int:
    wanted = port
    for _ in range(5):  # somebody else may take the port between asking and starting
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", wanted))
            port = int(probe.getsockname()[1])
        options = f"-p {port} -k '' -c listen_addresses=127.0.0.1 {settings}"
        try:
            _call([tools / "pg_ctl", "-D", data, "-w", "-t", "30", "-l", home / "log",
                   "-o", options, "start"], home, who)  # fmt: skip
        except RuntimeError:
            continue
        return port
    log = (home / "log").read_text(errors="replace")[-2000:]
    raise RuntimeError(f"PostgreSQL does not start; its log ends with:\n{log}")


def _call(command: list[str | Path], home: Path, who: dict[str, Any]) -> None:
    # No pipe: a server started by pg_ctl would keep it open for ever.
    with (home / "calls").open("a+", encoding="utf-8", errors="replace") as out:
        done = subprocess.run(
            [str(part) for part in command], cwd=home, check=False, stdout=out, stderr=out,
            stdin=subprocess.DEVNULL, env={"PATH": os.defpath, "HOME": str(home)}, **who,
        )  # fmt: skip
    if done.returncode:
        said = (home / "calls").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{Path(command[0]).name} failed ({done.returncode}):\n{said}")
