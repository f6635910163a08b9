"""Revision 0009 over a database in use: the staff and the record of acts keep what they are."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from alembic import command
from sqlmodel import select

from service.store import migrations
from service.store.db import Database
from service.store.house_tables import AdminRow, AuditRow

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.fixture
def db(empty_database_url):
    made = Database(empty_database_url)
    migrations.migrate(made, "0008")

    def write(session):
        session.execute(
            sa.text(
                "INSERT INTO admin (name, role, password_hash, link_hash, created_at, disabled) "
                "VALUES (:name, 'editor', 'hash', '', :now, false)"
            ),
            [{"name": f"ann {n}", "now": NOW} for n in range(3)],
        )
        session.execute(
            sa.text(
                "INSERT INTO audit (at, who, what, target, address) "
                "VALUES (:now, 'ann 1', :what, 'edition 7', '127.0.0.1')"
            ),
            [{"what": f"act {n}", "now": NOW} for n in range(500)],
        )

    made.write(write)
    yield made
    made.close()


def test_the_staff_and_their_acts_are_kept(db):
    migrations.migrate(db)

    def look(session):
        staff = session.exec(select(AdminRow).order_by(AdminRow.name)).all()
        acts = session.exec(select(AuditRow)).all()
        return [(a.name, a.role, a.password_hash, a.email) for a in staff], acts

    staff, acts = db.read(look)
    assert staff == [(f"ann {n}", "editor", "hash", "") for n in range(3)]
    assert len(acts) == 500
    assert {(a.who, a.target, a.reason, a.at) for a in acts} == {("ann 1", "edition 7", "", NOW)}


def test_the_way_back_and_again(db):
    migrations.migrate(db)
    migrations._run(db, lambda made: command.downgrade(made, "0008"))
    assert migrations.current(db) == "0008"
    migrations.migrate(db)
    assert db.read(lambda s: len(s.exec(select(AuditRow)).all())) == 500
