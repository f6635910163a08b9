"""Revision 0004 over a database in use: rows stay; nobody is told anything who did not ask."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlmodel import select

from service.store import migrations
from service.store.db import Database
from service.store.tables import SubscriberRow


@pytest.fixture
def db(empty_database_url):
    made = Database(empty_database_url)
    migrations.migrate(made, "0003")
    yield made
    made.close()


def test_readers_stay_and_ask_for_nothing_new(db):
    db.write(
        lambda s: s.execute(
            sa.text(
                "INSERT INTO subscriber (email, email_key, name, locale, format, style, trending, "
                "zone, hour, weekdays, state, first_digest, at_least, on_time, unsubscribe_token, "
                "feed_token, created_at, added_by, score) VALUES ('ada@example.org', "
                "'ada@example.org', '', 'en', 'html', 'short', false, 'UTC', 8, 'mon', 'active', "
                "false, 3, true, 'u', 'f', :now, '', 0)"
            ),
            {"now": datetime(2026, 11, 18, 9, 0, tzinfo=UTC)},
        )
    )
    assert migrations.migrate(db) == migrations.newest()
    (reader,) = db.read(lambda s: s.exec(select(SubscriberRow)).all())
    assert (reader.at_least, reader.on_time, reader.tell_anyway) == (3, True, False)
