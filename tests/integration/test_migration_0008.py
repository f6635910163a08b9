"""Revision 0008 over a database in use: readers keep what they are, reports find their mails."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from alembic import command
from sqlmodel import col, select

from service.store import migrations
from service.store.db import Database
from service.store.report_tables import InboundRow, ReportRow
from service.store.tables import DeliveryRow, SubscriberRow

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.fixture
def db(empty_database_url):
    made = Database(empty_database_url)
    migrations.migrate(made, "0007")
    fill(made)
    yield made
    made.close()


def fill(db: Database) -> None:
    """An edition with a mail to each of 1,200 readers, some of whom have a score."""

    def write(session):
        session.execute(
            sa.text(
                "INSERT INTO subscriber (email, email_key, name, locale, format, style, trending, "
                "zone, hour, weekdays, state, first_digest, at_least, unsubscribe_token, "
                "feed_token, created_at, added_by, score) VALUES (:key, :key, '', 'en', 'html', "
                "'short', false, 'UTC', 8, 'mon', :state, true, 1, :key, :key, :now, '', :score)"
            ),
            [
                {"key": f"r{n}@lab.example", "now": NOW, "score": n % 3,
                 "state": "bounced" if n % 7 == 0 else "active"}
                for n in range(1200)
            ],
        )  # fmt: skip
        session.execute(
            sa.text(
                "INSERT INTO edition (id, kind, audience, slot, state, title, opened_at, "
                "created_by, options, paused) VALUES "
                "(1, 'digest', 'all', '2026-11-22', 'open', '', :now, '', '{}', false)"
            ),
            {"now": NOW},
        )
        session.execute(
            sa.text(
                "INSERT INTO delivery (edition_id, recipient_key, subscriber_id, rcpt, kind, "
                "locale, priority, state, fence, attempts, message_id, bounce_id, token, "
                "body_sha, enhanced, reason, planned_at) SELECT 1, email_key, id, email, 'digest',"
                " 'en', 2, 'accepted', 1, 1, email_key, email_key, email_key, '', '', '', :now "
                "FROM subscriber"
            ),
            {"now": NOW},
        )

    db.write(write)


def readers(db: Database) -> list[SubscriberRow]:
    query = select(SubscriberRow).order_by(col(SubscriberRow.id))
    return list(db.read(lambda s: s.exec(query).all()))


def add_report(session) -> None:
    mail = session.exec(select(DeliveryRow).where(DeliveryRow.rcpt == "r5@lab.example")).one()
    came = InboundRow(sha="a" * 64, at=NOW, way="imap", raw=b"\0\xff", rcpts=["b+x@ours.example"])
    session.add(came)
    session.flush()
    session.add(
        ReportRow(inbound_id=came.id, delivery_id=mail.id, subscriber_id=mail.subscriber_id,
                  kind="soft", reason="mailbox_full", at=NOW)
    )  # fmt: skip


def test_readers_are_as_they_were_and_nobody_rests(db):
    migrations.migrate(db)
    found = readers(db)
    assert [(one.state, one.score) for one in found] == [
        ("bounced" if n % 7 == 0 else "active", n % 3) for n in range(1200)
    ]
    assert {(one.scored_at, one.rests_until, one.rests) for one in found} == {(None, None, 0)}


def test_a_report_leads_to_its_mail_and_outlives_reader_and_mail(db):
    migrations.migrate(db)
    db.write(add_report)
    (report,) = db.read(lambda s: s.exec(select(ReportRow)).all())
    assert report.subscriber_id == readers(db)[5].id
    (came,) = db.read(lambda s: s.exec(select(InboundRow)).all())
    assert (came.raw, came.rcpts, came.at) == (b"\0\xff", ["b+x@ours.example"], NOW)
    db.write(lambda s: s.execute(sa.text("DELETE FROM subscriber WHERE email_key LIKE 'r5@%'")))
    db.write(lambda s: s.execute(sa.text("DELETE FROM delivery WHERE recipient_key LIKE 'r5@%'")))
    (report,) = db.read(lambda s: s.exec(select(ReportRow)).all())
    assert (report.subscriber_id, report.delivery_id, report.kind) == (None, None, "soft")
    db.write(lambda s: s.execute(sa.text("DELETE FROM inbound")))
    assert db.read(lambda s: s.exec(select(ReportRow)).all()) == []


def test_one_mail_is_written_once(db):
    migrations.migrate(db)
    db.write(add_report)
    with pytest.raises(sa.exc.IntegrityError):
        db.write(add_report)


def test_the_way_back(db):
    migrations.migrate(db)
    db.write(add_report)
    migrations._run(db, lambda made: command.downgrade(made, "0007"))
    with db.engine.connect() as connection:
        columns = {one["name"] for one in sa.inspect(connection).get_columns("subscriber")}
        tables = sa.inspect(connection).get_table_names()
        scores = connection.execute(sa.text("SELECT score FROM subscriber ORDER BY id")).scalars()
        assert list(scores) == [n % 3 for n in range(1200)]
    assert not {"scored_at", "rests_until", "rests"} & columns
    assert not {"inbound", "report"} & set(tables)
    migrations.migrate(db)
    assert len(readers(db)) == 1200
