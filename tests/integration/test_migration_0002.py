"""Revision 0002 over a database in use: rows stay, and a sign-up reads no old consents."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from service.store import migrations
from service.store.consent import list_acts, list_of_address
from service.store.db import Database
from service.store.tables import ConsentRow

NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
MANY = 20_000


@pytest.fixture
def db(empty_database_url):
    made = Database(empty_database_url)
    migrations.migrate(made, "0001")
    yield made
    made.close()


def fill(session):
    session.execute(
        sa.text(
            "INSERT INTO subscriber (email, email_key, name, locale, format, style, trending, "
            "zone, hour, weekdays, state, first_digest, at_least, unsubscribe_token, feed_token, "
            "created_at, added_by, score) VALUES ('ada@example.org', 'ada@example.org', '', 'en', "
            "'html', 'short', false, 'UTC', 8, 'mon', 'active', false, 1, 'u', 'f', :now, '', 0)"
        ),
        {"now": NOW},
    )
    session.execute(
        sa.insert(ConsentRow),
        [
            {
                "subscriber_id": 1 if n % 7 else None,
                "email_hash": f"{n % 5000:064x}",
                "act": ("request", "mailed", "confirm", "leave")[n % 4],
                "at": NOW - timedelta(minutes=3 * n),
                "wording_version": "",
                "address": f"203.0.{n % 200}.0",
                "agent": "",
                "detail": "",
            }
            for n in range(MANY)
        ],
    )


def everything(db):
    with db.engine.connect() as connection:
        return {
            table: sorted(map(tuple, connection.execute(sa.text(f"SELECT * FROM {table}"))))
            if table == "subscriber"
            else connection.execute(sa.text(f"SELECT count(*), max(id) FROM {table}")).all()
            for table in ("subscriber", "consent")
        }


@pytest.mark.slow
def test_rows_stay_and_the_hour_is_found_by_the_index(db):
    db.write(fill)
    before = everything(db)
    assert migrations.current(db) == "0001"
    assert migrations.migrate(db, "0002") == "0002"
    assert everything(db) == before
    hour = NOW - timedelta(hours=1)
    assert len(db.read(lambda s: list_acts(s, ("request",), hour))) == 6
    assert len(db.read(lambda s: list_acts(s, ("request", "leave"), hour))) == 11
    acts = db.read(lambda s: list_of_address(s, f"{4:064x}"))
    assert [act.at >= hour for act in acts] == [True, False, False, False]
    with db.engine.connect() as connection:
        explain = "EXPLAIN QUERY PLAN" if db.is_sqlite else "EXPLAIN"
        if not db.is_sqlite:
            connection.execute(sa.text("ANALYZE consent"))
        plan = connection.execute(
            sa.text(f"{explain} SELECT count(*) FROM consent WHERE act = 'request' AND at >= :at"),
            {"at": hour},
        ).all()
    assert "ix_consent_act_at" in repr(plan)
    assert "SCAN consent" not in repr(plan)
