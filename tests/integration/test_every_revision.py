"""From every landed revision to the newest, with rows in every table: none is lost, and the columns
are those of the models."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel

from service.resources import resource_dir
from service.store import migrations, tables
from service.store.db import Database

pytestmark = pytest.mark.slow  # databases of every revision

REVISIONS = sorted(
    path.name.partition("_")[0] for path in (resource_dir("alembic") / "versions").glob("0*.py")
)
ROWS = (1, 2, 3)
INSTANT = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)


@pytest.fixture
def db(empty_database_url):
    made = Database(empty_database_url)
    yield made
    made.close()


def reflected(db):
    found = sa.MetaData()
    with db.engine.connect() as connection:
        found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def value_of(column, table, n, db):
    """A value that the column takes, and that differs from row to row where it can."""
    if column.foreign_keys:
        (key,) = column.foreign_keys
        return None if key.column.table is table else n
    instant = INSTANT.replace(tzinfo=None) if db.is_sqlite else INSTANT
    match column.type:
        case sa.Boolean():
            return False
        case sa.DateTime():
            return instant
        case sa.Date():
            return date(2026, 11, 18) + timedelta(days=n)
        case sa.JSON():
            return {}
        case sa.Integer() | sa.Numeric() | sa.Float():
            return n
        case sa.LargeBinary():
            return b"x"
    return f"w{n}"


def counts(db):
    with db.engine.connect() as connection:
        return {
            table.name: connection.execute(
                sa.select(sa.func.count()).select_from(table)
            ).scalar_one()
            for table in reflected(db)
        }


def test_the_landed_revisions_are_those_tried():
    assert REVISIONS[0] == "0001"
    assert REVISIONS[-1] == migrations.newest()


@pytest.mark.parametrize("start", REVISIONS)
def test_no_row_is_lost(db, start):
    migrations.migrate(db, start)
    there = reflected(db)

    def fill(session):
        for table in there:
            for n in ROWS:
                row = {c.name: value_of(c, table, n, db) for c in table.columns}
                session.execute(table.insert().values(**row))

    db.write(fill)
    before = counts(db)
    assert set(before.values()) == {len(ROWS)}
    assert migrations.migrate(db) == migrations.newest()
    after = counts(db)
    assert {name: after[name] for name in before} == before
    assert tables.SubscriberRow.metadata is SQLModel.metadata
    wanted = {(t.name, c.name) for t in SQLModel.metadata.sorted_tables for c in t.columns}
    assert {(t.name, c.name) for t in reflected(db) for c in t.columns} == wanted
