"""Revision 0003 over a database in use: rows stay; new columns begin with nothing said."""

from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from sqlmodel import select

from service.store import migrations
from service.store.db import Database
from service.store.tables import SourceDayRow

NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)


@pytest.fixture
def db(empty_database_url):
    made = Database(empty_database_url)
    migrations.migrate(made, "0002")
    yield made
    made.close()


def fill(session):
    session.execute(
        sa.text(
            "INSERT INTO source (kind, params, params_key, title, etag, last_modified, moved_to, "
            "moved_times, state, failures, last_error, created_at, first_polled) VALUES "
            "('arxiv_rss', '{}', '{}', 'arXiv cs.CL', '', '', '', 0, 'ok', 0, '', :now, true)"
        ),
        {"now": NOW},
    )
    session.execute(
        sa.text(
            "INSERT INTO source_day (source_id, day, expected, items, new, known, state) "
            "VALUES (1, '2026-11-17', true, 44, 40, 4, 'complete')"
        )
    )
    session.execute(
        sa.text(
            "INSERT INTO subscriber (email, email_key, name, locale, format, style, trending, "
            "zone, hour, weekdays, state, first_digest, at_least, unsubscribe_token, feed_token, "
            "created_at, added_by, score) VALUES ('ada@example.org', 'ada@example.org', '', 'en', "
            "'html', 'short', false, 'UTC', 8, 'mon', 'active', false, 1, 'u', 'f', :now, '', 0)"
        ),
        {"now": NOW},
    )


def test_rows_stay_and_can_be_read_by_the_models(db):
    db.write(fill)
    assert migrations.migrate(db, "0003") == "0003"
    (day,) = db.read(lambda s: s.exec(select(SourceDayRow)).all())
    assert (day.day, day.items, day.new, day.state) == (date(2026, 11, 17), 44, 40, "complete")
    assert (day.late_polls, day.announced, day.crosschecked_at) == (0, None, None)
    # by its own words: the model is of the newest revision
    reader = db.read(lambda s: s.execute(sa.text("SELECT email, on_time FROM subscriber")).one())
    assert (reader.email, bool(reader.on_time)) == ("ada@example.org", False)
