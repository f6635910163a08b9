"""Backups as docs/install.md makes them, restored in place or elsewhere."""

import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url
from support.postgres import binaries

from service.flows.runtime import Runtime


def back_up(url: str, file: Path, _request: pytest.FixtureRequest | None = None) -> Path:
    """Write a backup while the house is open."""
    if url.startswith("sqlite"):
        source = str(make_url(url).database)
        with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(file)) as two:
            one.backup(two)
        return file
    with file.open("wb") as out:
        subprocess.run([binaries() / "pg_dump", "--clean", _plain(url)], stdout=out, check=True)
    return file


def bring_back(rt: Runtime, kept: Path) -> None:
    """Restore it in place, under the same address, as after a crash of the machine."""
    url = rt.db.url
    if url.startswith("sqlite"):
        rt.db.engine.dispose()
        target = str(make_url(url).database)
        with closing(sqlite3.connect(kept)) as one, closing(sqlite3.connect(target)) as two:
            one.backup(two)
    else:
        _play(url, kept.read_bytes())
    rt.epoch_raised = float("-inf")


def restored_elsewhere(url: str, file: Path, request: pytest.FixtureRequest) -> str:
    """A second database with the same content; returns its URL."""
    if url.startswith("sqlite"):
        back_up(url, file)
        return f"sqlite:///{file.as_posix()}"
    there = str(request.getfixturevalue("empty_postgres_url"))
    dump = subprocess.run([binaries() / "pg_dump", _plain(url)], capture_output=True, check=True)
    _play(there, dump.stdout)
    return there


def _plain(url: str) -> str:
    return url.replace("+psycopg", "")


def _play(url: str, script: bytes) -> None:
    subprocess.run(
        [binaries() / "psql", "-q", "-v", "ON_ERROR_STOP=1", _plain(url)],
        input=script, capture_output=True, check=True,
    )  # fmt: skip
