"""The epoch beside the database: a small file of the data folder that a restored backup has not.

Each start of sending raises the number in the database and in this file. A database that is
behind its file was restored; one that meets no file, or another's, was moved or copied. The file is
written over in place, so that its own number in the file system (inode) tells a copy of the folder.
Where a file system gives its files other numbers at each mount, numbers say nothing.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import sqlalchemy as sa
from sqlmodel import Session

from service.store.db import Database

SIZE = 1024
"""Bytes of the file: written over within one block, also on a full disk."""

MACHINE_ID = Path("/etc/machine-id")
MOUNTS = Path("/proc/self/mountinfo")

RENUMBERING = ("fuse", "9p", "virtiofs", "cifs", "smb", "vboxsf", "vmhgfs", "prl_fs")
"""Kinds of file system (proc(5), the first letters of what follows " - ") that may number a file
anew at each mount: folders of a host in a virtual machine or a container, network drives."""


@dataclass(frozen=True, slots=True)
class Witness:
    """What the file says: the installation, its epoch, and where it was written. inode, machine,
    database: 0 or "" where it cannot be told."""

    uid: str
    epoch: int
    at: str = ""
    inode: int = 0
    machine: str = ""
    database: str = ""


class WitnessFile:
    """The file, opened and locked for one look and one change at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Witness | None:
        """What it says; None: there is none, or it was cut off while it was made."""
        try:
            return _parsed(self.path.read_bytes())
        except FileNotFoundError:
            return None

    def inode(self) -> int:
        """The file's own number, 0 before there is one, and where it does not last."""
        try:
            return lasting_number(self.path.stat())
        except FileNotFoundError:
            return 0

    @contextmanager
    def locked(self) -> Iterator["_Open"]:
        """Hold it alone; other processes of this folder wait."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(handle, "r+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield _Open(file)


class _Open:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.inode = lasting_number(os.fstat(file.fileno()))

    def read(self) -> Witness | None:
        return _parsed(os.pread(self._file.fileno(), SIZE, 0))

    def write(self, seen: Witness) -> None:
        """Write it over and wait until it is on the disk."""
        words = json.dumps(asdict(seen)).encode("ascii")
        os.pwrite(self._file.fileno(), words.ljust(SIZE - 1) + b"\n", 0)
        os.fsync(self._file.fileno())


def lasting_number(found: os.stat_result) -> int:
    """A file's number in its file system, 0 where that changes while the file stays."""
    place = f"{os.major(found.st_dev)}:{os.minor(found.st_dev)}"
    try:
        mounts = MOUNTS.read_text("utf-8", "replace").splitlines()
    except OSError:
        return found.st_ino
    for mount in mounts:
        facts, _, kind = mount.partition(" - ")
        if facts.split(" ")[2:3] == [place] and kind.startswith(RENUMBERING):
            return 0
    return found.st_ino


def _parsed(content: bytes) -> Witness | None:
    try:
        facts = json.loads(content)
        return Witness(**facts)
    except (ValueError, TypeError):
        return None


def machine() -> str:
    """A code of this machine, "" where it has no name of its own (containers)."""
    try:
        name = MACHINE_ID.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""
    return hashlib.sha256(b"paperpost " + name.encode()).hexdigest()[:16] if name else ""


def database_code(db: Database) -> str:
    """Which database this is, beyond its address: a restored one has another code, as a rule.

    SQLite: the file's own number. PostgreSQL: the cluster's identifier (PostgreSQL docs,
    "pg_control_system") and the database's number in it.
    """
    if db.is_sqlite:
        file = sa.make_url(db.url).database
        try:
            return str(lasting_number(Path(file).stat()) or "") if file else ""
        except OSError:
            return ""
    return db.read(_postgres_code)


def _postgres_code(session: Session) -> str:
    may = session.execute(
        sa.text("SELECT has_function_privilege('pg_control_system()', 'execute')")
    ).scalar_one()
    cluster = "-"
    if may:
        cluster = session.execute(
            sa.text("SELECT system_identifier FROM pg_control_system()")
        ).scalar_one()
    number = session.execute(
        sa.text("SELECT oid FROM pg_database WHERE datname = current_database()")
    ).scalar_one()
    return f"{cluster}/{number}"
