"""Revision 0007 over a database in use: what mails hold is divided, and nothing of it is lost."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from sqlmodel import col, select

from service.store import contents, migrations
from service.store.db import Database
from service.store.tables import ContentRow, DeliveryRow

NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
FRAME = {"locale": "en", "format": "html", "hour": 8, "zone": "UTC", "weekdays": "mon"}


@pytest.fixture
def db(empty_database_url):
    made = Database(empty_database_url)
    migrations.migrate(made, "0006")
    yield made
    made.close()


def digest(*profiles: int | None) -> dict[str, Any]:
    sections = [
        {"kind": "interest", "name": "LoRA · Räte", "profile_id": number, "total": 1,
         "entries": [{"paper_id": 7, "scheme": "arxiv", "value": "2611.00007", "score": 0.1,
                      "title": {"text": "Über LoRA", "marks": [[0, 4]]},
                      "links": {"pdf": "p", "abs": "a"}}],
         "rest": [8]}
        for number in profiles
    ]  # fmt: skip
    return {"kind": "daily", "on": "2026-11-18", "checked": 9, "matched": 2, "sections": sections}


def mail(*profiles: int | None, hour: int = 8) -> dict[str, Any]:
    return {"digest": digest(*profiles), "papers": [7, 8], "frame": {**FRAME, "hour": hour}}


TOLD = {**mail(5), "signals": [3]}
LETTER = {"notice": "newsletter", "data": {"title": "T", "html": "h", "text": "t"}, "papers": []}
NOTICE = {"notice": "confirm", "data": {"link": "https://papers.example.org/c/x"}}
QUIET = {"notice": "quiet", "data": {"days": 20}, "papers": [], "frame": FRAME}
SKIPPED = {"checked": 4, "papers": [], "had": 1, "before": {"reason": "too_few", "content": {}}}
ROWS: list[tuple[str, dict[str, Any] | None]] = [
    ("sending", mail(1, None)),
    ("unknown", mail(2, None, hour=9)),
    ("leased", {**mail(3, None), "before": {"reason": "nothing_new", "content": {"papers": []}}}),
    ("ready", {**mail(4), "forced": True}),
    ("accepted", TOLD),
    ("ready", {**LETTER, "frame": FRAME}),
    ("deferred", {**LETTER, "frame": {**FRAME, "locale": "de"}}),
    ("ready", NOTICE),
    ("ready", QUIET),
    ("skipped", SKIPPED),
    ("accepted", None),
    ("ready", {"digest": digest(None), "papers": [7, 8], "frame": FRAME}),
]


def fill(db: Database, rows: list[tuple[str, dict[str, Any] | None]]) -> None:
    def write(session):
        session.execute(
            sa.text(
                "INSERT INTO edition (id, kind, audience, slot, state, title, opened_at, "
                "created_by, options, paused) VALUES "
                "(1, 'digest', 'all', '2026-11-18', 'open', '', :now, '', '{}', false)"
            ),
            {"now": NOW},
        )
        session.execute(
            sa.text(
                "INSERT INTO delivery (edition_id, recipient_key, rcpt, kind, locale, priority, "
                "state, fence, lease_owner, attempts, message_id, bounce_id, token, body_sha, "
                "content, enhanced, reason, planned_at) VALUES (1, :key, :key, 'daily', 'en', 2, "
                ":state, 3, 4, 1, :key, :key, :key, :sha, :content, '', '', :now)"
            ),
            [
                {"key": f"k{n}", "state": state, "sha": f"{n:064}", "now": NOW,
                 "content": None if held is None else json.dumps(held)}
                for n, (state, held) in enumerate(rows)
            ],
        )  # fmt: skip

    db.write(write)


def deliveries(db: Database) -> list[DeliveryRow]:
    return list(db.read(lambda s: s.exec(select(DeliveryRow).order_by(col(DeliveryRow.id))).all()))


def test_what_mails_hold_is_divided_and_whole_again(db):
    fill(db, ROWS)
    migrations.migrate(db)
    rows = deliveries(db)
    assert [row.content for row in rows] == [held for _, held in ROWS]
    for row, (state, held) in zip(rows, ROWS, strict=True):
        assert (row.state, row.fence, row.lease_owner, row.attempts) == (state, 3, 4, 1)
        for name in ("digest", "data", "frame"):  # to the order of names, as they are rendered
            was, is_now = (json.dumps((one or {}).get(name)) for one in (held, row.content))
            assert is_now == was
    assert [row.body_sha for row in rows] == [f"{n:064}" for n in range(len(ROWS))]
    shared = [row.content_id for row in rows]
    assert len({*shared[:3]}) == 1
    assert shared[5] == shared[6] is not None
    assert shared[7:11] == [None] * 4
    assert shared[3] == shared[11], "the same to everybody, but for the number of an interest"
    assert len({*shared} - {None}) == len(db.read(lambda s: s.exec(select(ContentRow)).all())) == 4


def test_what_is_written_next_finds_what_was_there(db):
    fill(db, ROWS)
    migrations.migrate(db)
    old = deliveries(db)[0]
    (held,) = db.write(lambda s: contents.put(s, [mail(11, None)]))
    assert held == {
        "content_id": old.content_id,
        "own": {"profiles": [11, None], "frame": FRAME},
    }


def test_more_than_one_part(db, monkeypatch):
    rows = [("ready", mail(n) if n % 3 else None) for n in range(1, 1203)]
    fill(db, rows)
    migrations.migrate(db)
    assert [row.content for row in deliveries(db)] == [held for _, held in rows]
    assert db.read(lambda s: s.scalar(sa.select(sa.func.count()).select_from(ContentRow))) == 1


def test_the_way_back(db):
    fill(db, ROWS)
    migrations.migrate(db, "0007")
    migrations._run(db, lambda made: command.downgrade(made, "0006"))
    with db.engine.connect() as connection:
        found = connection.execute(sa.text("SELECT content FROM delivery ORDER BY id")).scalars()
        back = [json.loads(one) if isinstance(one, str) else one for one in found]
    assert back == [held for _, held in ROWS]
    migrations.migrate(db)
    assert [row.content for row in deliveries(db)] == [held for _, held in ROWS]
