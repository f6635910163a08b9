"""Revision 0005 over a database in use: nobody has a feed, everybody gets an editor's picks."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlmodel import select

from service.store import migrations
from service.store.db import Database
from service.store.house_tables import TopicRow
from service.store.tables import SubscriberRow


@pytest.fixture
def db(empty_database_url):
    made = Database(empty_database_url)
    migrations.migrate(made, "0004")
    yield made
    made.close()


def test_readers_stay_as_they_were(db):
    db.write(
        lambda s: s.execute(
            sa.text(
                "INSERT INTO subscriber (email, email_key, name, locale, format, style, trending, "
                "zone, hour, weekdays, state, first_digest, at_least, on_time, tell_anyway, "
                "unsubscribe_token, feed_token, created_at, added_by, score) VALUES "
                "('ada@example.org', 'ada@example.org', '', 'en', 'html', 'short', false, 'UTC', "
                "8, 'mon', 'active', false, 3, true, true, 'u', 'f', :now, '', 0)"
            ),
            {"now": datetime(2026, 11, 18, 9, 0, tzinfo=UTC)},
        )
    )
    assert migrations.migrate(db) == migrations.newest()
    (reader,) = db.read(lambda s: s.exec(select(SubscriberRow)).all())
    assert (reader.picks, reader.feed_since) == (True, None)
    assert (reader.quiet_from, reader.quiet_until) == (None, None)
    assert db.read(lambda s: s.exec(select(TopicRow)).all()) == []
