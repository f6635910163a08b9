"""What the tests of real servers, databases and commands share."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest
import typer.testing
from support.command import Shell
from support.house import lay_database

from service.settings import load_settings
from service.store import migrations
from service.store.db import Database


@pytest.fixture(scope="session", autouse=True)
def _new_databases_are_copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An empty SQLite database is filled from one that was migrated for real, once a process."""
    folder = tmp_path_factory.mktemp("migrated")
    lay_database(load_settings(None, data_dir=folder))
    really, current = migrations.migrate, migrations.current

    def migrate(db: Database, revision: str = "head") -> str:
        if not db.is_sqlite or revision != "head" or current(db) is not None:
            return really(db, revision)
        with (
            closing(sqlite3.connect(folder / "paperpost.db")) as laid,
            db.engine.connect() as connection,
        ):
            laid.backup(connection.connection.dbapi_connection)  # type: ignore[arg-type]
        return migrations.newest()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "migrate", migrate)
        yield


@pytest.fixture(scope="session", autouse=True)
def _commands_are_put_together_once() -> Iterator[None]:
    """Typer's runner builds the whole tree of commands for each call; one serves them all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.testing, "_get_command", cache(typer.testing._get_command))
        yield


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Commands typed in an empty folder with its own data."""
    return Shell(tmp_path, monkeypatch)
