"""Migrations: bring a database to the newest revision, and say which one it has."""

import sys
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from service.resources import resource_dir
from service.store.db import Database

if TYPE_CHECKING:
    from alembic.config import Config

NEWEST = "0010"
"""The revision this code expects: the head of alembic/versions, as a test checks. Alembic itself
is imported only to migrate, since every command asks which revision the database has."""


def config() -> "Config":
    """Alembic's configuration, without an ini file."""
    from alembic.config import Config

    made = Config(stdout=sys.stdout)  # its default is what stdout was when alembic was imported
    made.set_main_option("script_location", str(resource_dir("alembic")).replace("%", "%%"))
    return made


def newest() -> str:
    """The revision this code expects."""
    return NEWEST


def current(db: Database) -> str | None:
    """The revision the database has, None when it is empty."""
    with db.engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return str(found) if found is not None else None


def migrate(db: Database, revision: str = "head") -> str:
    """Upgrade to ``revision``; returns the revision reached. Rows in the tables are kept.

    SQLite: foreign keys are off while tables are rebuilt (batch mode would empty the children of
    a rebuilt table), and checked before the commit.
    """
    from alembic import command

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
