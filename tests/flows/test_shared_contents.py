"""What several readers get in the same words is stored once, and goes with the last who has it."""

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from time import sleep
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from sqlmodel import col, select
from support.arrows import by_hand
from support.house import add, ingest_items, paper_item, rows
from support.meanwhile import at_once
from support.smtp_server import reply
from support.statements import noted

from service.delivery.states import State
from service.flows import manual
from service.flows.daily import plan_daily
from service.flows.leave import erase, erase_row
from service.flows.own_data import export_reader
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.store import contents, keeping, leases, migrations
from service.store.subscribers import get_subscriber_row
from service.store.tables import ContentRow, DeliveryRow, ProfileRow

ADA, BEN, CY = (f"{name}@example.org" for name in ("ada", "ben", "cy"))
TITLE = "Adapters that forget less"


def bodies(rt: Runtime) -> list[ContentRow]:
    return list(rt.db.read(lambda s: s.exec(select(ContentRow).order_by(col(ContentRow.id))).all()))


def daily(rt: Runtime, folder: Path, *readers: str) -> None:
    for email in readers:
        add(rt, email, "adapters")
    ingest_items(rt, folder, [paper_item(1, TITLE), paper_item(2, "Adapters again")])
    plan_daily(rt)


def test_readers_of_the_same_words_share_them_and_keep_their_own_links(rt, server, tmp_path):
    daily(rt, tmp_path, ADA, BEN)
    (body,) = bodies(rt)
    assert body.papers == [1, 2]
    assert [section["profile_id"] for section in body.body["digest"]["sections"]] == [None]
    profiles = dict(rt.db.read(
        lambda s: s.execute(sa.select(col(ProfileRow.subscriber_id), col(ProfileRow.id))).all()
    ))  # fmt: skip
    for row in rows(rt):
        assert row.content_id == body.id
        (section,) = row.content["digest"]["sections"]
        assert section["profile_id"] == profiles[row.subscriber_id]
        assert row.content["frame"] == row.own["frame"]
    assert asyncio.run(send_ready(rt)).accepted == 2
    for mail in server.accepted:
        (row,) = [row for row in rows(rt) if row.rcpt == mail.recipient]
        text = mail.data.decode().replace("=\r\n", "").replace("=3D", "=")
        interests = {int(n) for n in re.findall(rf"/tune/{row.token}/interest/(\d+)", text)}
        assert interests <= {profiles[row.subscriber_id]}
    sent = "SELECT subscriber_id, paper_id FROM sent_paper"
    had = rt.db.read(lambda s: {tuple(one) for one in s.execute(sa.text(sent))})
    assert had == {(row.subscriber_id, paper) for row in rows(rt) for paper in (1, 2)}


def test_a_newsletter_and_chosen_papers_are_stored_once(rt, tmp_path):
    for email in (ADA, BEN, CY):
        add(rt, email, "towels")
    ingest_items(rt, tmp_path, [paper_item(1, TITLE)])
    letter = manual.draft(rt, kind="newsletter", subject="News", body="Words *for all*", key="n")
    manual.start(rt, letter, expected=3, at_once=True)
    manual.start(rt, manual.draft(rt, papers=["1"], key="p"), expected=3, at_once=True)
    assert [sorted(one.body) for one in bodies(rt)] == [["data", "notice"], ["digest"]]
    assert len([row for row in rows(rt) if row.content_id]) == 6


def test_two_processes_write_down_the_same(houses, tmp_path):
    one, two = houses
    for n in range(12):
        add(one, f"r{n:02}@example.org", "adapters")
    ingest_items(one, tmp_path, [paper_item(1, TITLE)])
    assert at_once(*[partial(plan_daily, rt) for rt in (one, two)]) == []
    assert [row.state for row in rows(one)] == ["ready"] * 12
    assert len(bodies(one)) == 1


@pytest.fixture
def shared(houses, tmp_path) -> tuple[Runtime, Runtime]:
    """Two processes, and one mail that nobody else shares."""
    one, two = houses
    daily(one, tmp_path, ADA)
    return one, two


def meanwhile(rt: Runtime, first: Callable[[Any], Any], second: Callable[[], Any]) -> Any:
    """``second`` begins while a transaction of the other process that did ``first`` is open."""

    def slowly(session: Any) -> None:
        first(session)
        sleep(0.3)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(rt.db.write, slowly)
        sleep(0.1)
        made = second()
        waiting.result()
    return made


@pytest.mark.slow  # two transactions that wait for each other
def test_a_reader_is_erased_while_another_begins_to_share(shared):
    one, two = shared
    ben = add(one, BEN, "towels")
    (mail,) = rows(one)
    plan_daily(one)

    def share(session: Any) -> None:
        (held,) = contents.put(session, [mail.content])
        theirs = sa.update(DeliveryRow).where(col(DeliveryRow.subscriber_id) == ben)
        session.execute(theirs.values(**held))

    assert meanwhile(two, share, lambda: erase(one, ADA))
    (body,) = bodies(one)
    assert {row.subscriber_id: row.content_id for row in rows(one)} == {None: None, ben: body.id}


@pytest.mark.slow  # two transactions that wait for each other
def test_somebody_begins_to_share_what_is_being_removed(shared):
    """Who comes second writes it down anew, under a number of its own."""
    one, two = shared
    (mail,) = rows(one)
    ben = add(one, BEN, "towels")
    plan_daily(one)

    def gone(session: Any) -> None:
        erase_row(two, session, get_subscriber_row(session, email_key=ADA), by="test")

    def share(session: Any) -> int:
        (held,) = contents.put(session, [mail.content])
        theirs = sa.update(DeliveryRow).where(col(DeliveryRow.subscriber_id) == ben)
        session.execute(theirs.values(**held))
        return held["content_id"]

    number = meanwhile(two, gone, lambda: one.db.write(share))
    (body,) = bodies(one)
    assert body.id == number != mail.content_id
    assert [row.content_id for row in rows(one) if row.subscriber_id == ben] == [number]


@pytest.mark.slow  # two transactions that wait for each other
@pytest.mark.parametrize("end", ["erased", "taken back"])
def test_a_mail_is_frozen_while_its_reader_is_erased_or_it_is_taken_back(houses, tmp_path, end):
    one, two = houses
    add(one, ADA, "adapters")
    ingest_items(one, tmp_path, [paper_item(1, TITLE)])
    made = manual.start(one, manual.draft(one, kind="daily", key="k"), expected=1)
    (mail,) = rows(one)
    with by_hand():
        back = sa.update(DeliveryRow).values(state="planned", content_id=None, own=None)
        one.db.write(lambda s: (s.execute(back), s.execute(sa.delete(ContentRow))))

    def freeze(session: Any) -> None:
        (held,) = contents.put(session, [mail.content])
        composed = leases.Composed(mail.id, State.READY, held)
        assert leases.set_composed(session, [composed]) == {mail.id}

    def goes() -> object:
        if end == "erased":
            return erase(one, ADA)
        return manual.undo_daily(one, made.edition_id, "k", by="ada")

    assert meanwhile(two, freeze, goes) == 1
    assert bodies(one) == []


@pytest.mark.slow  # two transactions that wait for each other
def test_both_who_share_are_erased_at_once(houses, tmp_path):
    one, two = houses
    daily(one, tmp_path, ADA, BEN)
    for rt in houses:
        real = rt.db.write
        rt.db.write = lambda work, *more, real=real: real(lambda s: (work(s), sleep(0.2))[0], *more)
    assert at_once(lambda: erase(one, ADA), lambda: erase(two, BEN)) == []
    assert bodies(one) == []


def test_one_of_two_is_erased_then_the_other(rt, tmp_path):
    daily(rt, tmp_path, ADA, BEN)
    before = {row.rcpt: row.content for row in rows(rt)}
    assert erase(rt, ADA)
    (body,) = bodies(rt)
    left = {row.rcpt: row.content for row in rows(rt)}
    assert left == {None: None, BEN: before[BEN]}
    assert erase(rt, BEN)
    assert bodies(rt) == []
    plan_daily(rt)
    add(rt, CY, "adapters")
    plan_daily(rt)
    (again,) = bodies(rt)
    assert (again.sha, again.id > body.id) == (body.sha, True), "a number is never given twice"


def test_what_was_erased_is_not_in_the_file_any_more(rt, tmp_path):
    """Of SQLite; PostgreSQL writes over it in its own time."""
    add(rt, ADA, "unforgettable adapters, adapters")
    add(rt, BEN, "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, TITLE)])
    plan_daily(rt)
    assert len(bodies(rt)) == 2
    assert erase(rt, ADA)
    assert len(bodies(rt)) == 1
    if rt.db.is_sqlite:
        assert rt.db.empty_log()
        assert b"unforgettable" not in Path(rt.db.engine.url.database).read_bytes()


def test_what_is_over_goes_with_the_last_mail_that_holds_it(rt, tmp_path):
    daily(rt, tmp_path, ADA, BEN)
    (mail, _) = rows(rt)
    asyncio.run(send_ready(rt))
    rt.clock.go(days=1)
    before = rt.clock() + timedelta(days=1)
    assert rt.db.write(lambda s: keeping.clear_contents(s, before, 1)) == 1
    assert [body.id for body in bodies(rt)] == [mail.content_id]
    assert rt.db.write(lambda s: keeping.clear_contents(s, before, 1)) == 1
    assert bodies(rt) == []
    assert [row.content for row in rows(rt)] == [None, None]


def test_a_daily_taken_back_leaves_nothing(rt, tmp_path):
    for email in (ADA, BEN):
        add(rt, email, "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, TITLE)])
    made = manual.start(rt, manual.draft(rt, kind="daily", key="k"), expected=2)
    assert len(bodies(rt)) == 1
    assert manual.undo_daily(rt, made.edition_id, "k", by="ada") == 2
    assert (bodies(rt), rows(rt)) == ([], [])


def test_readers_take_along_all_that_a_mail_held(rt, tmp_path):
    daily(rt, tmp_path, ADA, BEN)
    (mail, _) = rows(rt)
    (taken,) = export_reader(rt, ADA)["mails"]
    assert taken["content"] == mail.content
    assert TITLE in str(taken["content"])


def test_a_mail_that_was_begun_has_the_same_bytes_after_the_migration(rt, server, tmp_path):
    daily(rt, tmp_path, ADA, BEN)
    server.on("DOT", reply("451 4.3.0 later", record=True), times=2)
    assert asyncio.run(send_ready(rt)).deferred == 2
    hashes = [row.body_sha for row in rows(rt)]
    for back in (lambda made: command.downgrade(made, "0006"), None):
        migrations._run(rt.db, back) if back else migrations.migrate(rt.db)
    rt.clock.go(minutes=15)
    assert asyncio.run(send_ready(rt)).accepted == 2
    assert [row.body_sha for row in rows(rt)] == hashes


def test_a_row_that_moved_on_leaves_no_content(rt, tmp_path, monkeypatch):
    """Frozen for a row that somebody stopped meanwhile: what was written down for it goes."""
    daily(rt, tmp_path, ADA)
    kept = bodies(rt)
    add(rt, CY, "adapters again")
    monkeypatch.setattr(leases, "set_composed", lambda *_: set())
    plan_daily(rt)
    assert bodies(rt) == kept


def test_rows_are_frozen_and_contents_looked_up_by_number(rt, tmp_path):
    """However many rows are planned: no statement walks through them all."""
    if not rt.db.is_sqlite:
        pytest.skip("PostgreSQL chooses its way by what it counted")
    with noted(rt.db.engine) as all_of_them:
        daily(rt, tmp_path, ADA, BEN)
        assert erase(rt, ADA)
    asked = dict(all_of_them)
    plans = {}
    with rt.db.engine.connect() as connection:
        for words in ("UPDATE delivery SET state = given", "DELETE FROM content"):
            ((statement, values),) = [one for one in asked.items() if one[0].startswith(words)]
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            plans[words] = [row[-1] for row in plan]
    frozen, removed = plans.values()
    assert "SEARCH delivery USING INTEGER PRIMARY KEY (rowid=?)" in frozen
    assert any("ix_delivery_content_id (content_id=?)" in step for step in removed)
    assert "SEARCH content USING INTEGER PRIMARY KEY (rowid=?)" in removed
