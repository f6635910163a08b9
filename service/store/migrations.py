"""Migrations: bring a database to the newest revision, and say which one it has."""

from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from service.resources import resource_dir
from service.store.db import Database


def config() -> Config:
    """Alembic's configuration, without an ini file."""
    made = Config()
    made.set_main_option("script_location", str(resource_dir("alembic")).replace("%", "%%"))
    return made


def newest() -> str:
    """The revision this code expects."""
    head = ScriptDirectory.from_config(config()).get_current_head()
    assert head is not None
    return head


def current(db: Database) -> str | None:
    """The revision the database has, None when it is empty."""
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def migrate(db: Database, revision: str = "head") -> str:
    """Upgrade to ``revision``; returns the revision reached. Rows in the tables are kept.

    SQLite: foreign keys are off while tables are rebuilt (batch mode would empty the children of
    a rebuilt table), and checked before the commit.
    """
    _run(db, lambda made: command.upgrade(made, revision))
    return current(db) or ""


def _run(db: Database, act: Any) -> None:
    made = config()
    with db.engine.connect() as connection:
        sqlite = db.is_sqlite
        if sqlite:
            # a PRAGMA is ignored inside a transaction, so it goes past SQLAlchemy's BEGIN
            raw: Any = connection.connection.dbapi_connection
            raw.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.execution_options(write=True).begin():
                made.attributes["connection"] = connection
                act(made)
                if sqlite:
                    broken = connection.execute(sa.text("PRAGMA foreign_key_check")).all()
                    if broken:
                        raise RuntimeError(f"foreign keys broken by the migration: {broken[:5]}")
        finally:
            if sqlite:
                raw.execute("PRAGMA foreign_keys=ON")
