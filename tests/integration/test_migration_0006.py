"""Revision 0006 over a database in use: deliveries learn the domains of their addresses."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from service.store import migrations
from service.store.db import Database
from service.store.house_tables import AlarmRow, RelayLogRow
from service.store.tables import DeliveryRow, EditionRow

NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)


@pytest.fixture
def db(empty_database_url):
    made = Database(empty_database_url)
    migrations.migrate(made, "0005")
    yield made
    made.close()


def test_deliveries_keep_their_state_and_learn_their_domain(db):
    def fill(session):
        session.execute(
            sa.text(
                "INSERT INTO edition (id, kind, audience, slot, state, title, opened_at, "
                "created_by, options, paused) VALUES "
                "(1, 'digest', 'all', '2026-11-18', 'open', '', :now, '', '{}', true)"
            ),
            {"now": NOW},
        )
        for n, rcpt in enumerate(("ada@Example.org", None), 1):
            session.execute(
                sa.text(
                    "INSERT INTO delivery (edition_id, recipient_key, rcpt, kind, locale, "
                    "priority, state, fence, attempts, message_id, bounce_id, token, body_sha, "
                    "enhanced, reason, planned_at) VALUES (1, :key, :rcpt, 'digest', 'en', 0, "
                    "'deferred', 2, 2, :key, :key, :key, '', '4.2.2', 'full', :now)"
                ),
                {"key": f"k{n}", "rcpt": rcpt, "now": NOW},
            )

    db.write(fill)
    assert migrations.migrate(db) == migrations.newest()
    rows = db.read(lambda s: s.exec(select(DeliveryRow).order_by(col(DeliveryRow.id))).all())
    assert [(row.state, row.fence, row.meaning) for row in rows] == [("deferred", 2, "")] * 2
    assert [row.domain for row in rows] == ["example.org", ""]
    (edition,) = db.read(lambda s: s.exec(select(EditionRow)).all())
    assert (edition.paused, edition.paused_why) == (True, "")
    assert db.read(lambda s: s.exec(select(AlarmRow)).all()) == []
    assert db.read(lambda s: s.exec(select(RelayLogRow)).all()) == []
