"""The order of commits, seen from a second connection while the relay is silent."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.house import Clock, add, ingest_items, open_house, paper_item, plan_one
from support.smtp_server import drop, hang, reply

from service.flows.daily import plan_daily
from service.flows.leave import unsubscribe
from service.flows.runtime import Runtime
from service.flows.send import SendReport, send_ready
from service.store.db import make_engine
from service.store.deliveries import list_attempts, list_deliveries
from service.store.sent import list_carried, list_sent
from service.store.subscribers import get_subscriber_row


@pytest.fixture
def rt(rt: Runtime, tmp_path: Path) -> Runtime:
    plan_one(rt, tmp_path)
    return rt


def in_background(rt: Runtime) -> tuple[threading.Thread, list[SendReport]]:
    reports: list[SendReport] = []
    thread = threading.Thread(target=lambda: reports.append(asyncio.run(send_ready(rt))))
    thread.start()
    return thread, reports


def second_connection(rt: Runtime) -> Callable[[str], list[str]]:
    """A reader of its own, as another process would be."""

    def states(sql: str) -> list[str]:
        engine = make_engine(rt.db.url)
        try:
            with engine.connect() as connection:
                return [row[0] for row in connection.execute(sa.text(sql))]
        finally:
            engine.dispose()

    return states


@pytest.mark.parametrize(
    ("step", "seen"), [("RCPT", "leased"), ("DATA", "leased"), ("DOT", "sending")]
)
def test_state_while_the_relay_is_silent(rt, server, step, seen):
    server.on(step, hang(), times=1)
    thread, reports = in_background(rt)
    server.wait_until_hung()
    states = second_connection(rt)
    assert states("SELECT state FROM delivery") == [seen]
    # nothing is locked: a second connection can write meanwhile
    engine = make_engine(rt.db.url)
    with engine.connect().execution_options(write=True) as connection, connection.begin():
        connection.execute(sa.text("INSERT INTO setting (name, value) VALUES ('hour', '9')"))
    engine.dispose()
    server.release()
    thread.join(20)
    assert reports[0].accepted == 1
    assert states("SELECT state FROM delivery") == ["accepted"]
    assert len(server.accepted) == 1


@pytest.mark.parametrize("where", ["the same process", "another process"])
def test_unsubscribe_while_rcpt_hangs_stops_the_mail(rt, server, tmp_path, where):
    server.on("RCPT", hang(), times=1)
    thread, reports = in_background(rt)
    server.wait_until_hung()
    token = rt.db.read(
        lambda s: get_subscriber_row(s, email_key="ada@example.org")
    ).unsubscribe_token
    if where == "the same process":
        unsubscribe(rt, token)
    else:  # the pages as a process of their own: nothing is shared but the database
        with open_house(tmp_path, database_url=rt.db.url) as pages:
            unsubscribe(pages.runtime, token)
    assert second_connection(rt)("SELECT state FROM subscriber") == ["left"]
    server.release()
    thread.join(20)
    assert reports[0].accepted == 0
    assert server.accepted == []
    row = rt.db.read(lambda s: list_deliveries(s))[0]
    assert (row.state, row.reason) == ("suppressed", "left")


def test_answer_lost_after_the_dot_is_held_and_rides_in_the_next_mail(rt, server, tmp_path):
    server.on("DOT", drop(record=True), times=1)
    report = asyncio.run(send_ready(rt))
    assert (report.accepted, report.held) == (0, 1)
    row = rt.db.read(lambda s: list_deliveries(s))[0]
    assert row.state == "unknown"
    rt.clock.go(minutes=31)
    asyncio.run(send_ready(rt))
    row = rt.db.read(lambda s: list_deliveries(s))[0]
    assert row.state == "presumed"
    assert rt.db.read(lambda s: list_carried(s, [row.subscriber_id])) == {
        row.subscriber_id: {1: True}
    }
    rt.clock.go(days=1)
    plan_daily(rt)
    assert asyncio.run(send_ready(rt)).accepted == 1
    assert len(server.accepted) == 2
    assert b"may have seen" in server.accepted[1].data
    assert rt.db.read(lambda s: list_carried(s, [row.subscriber_id])) == {}


def test_4xx_is_tried_again_with_the_same_bytes(rt, server):
    server.on("DOT", reply("451 4.3.0 try later"), times=1)
    report = asyncio.run(send_ready(rt))
    assert report.deferred == 1
    assert asyncio.run(send_ready(rt)).accepted == 0  # not before its time
    rt.clock.go(minutes=13)
    assert asyncio.run(send_ready(rt)).accepted == 1
    row = rt.db.read(lambda s: list_deliveries(s))[0]
    tries = rt.db.read(lambda s: list_attempts(s, row.id))
    assert [(t.n, t.code) for t in tries] == [(1, 451), (2, 250)]
    assert "try later" in tries[0].text


def test_5xx_at_rcpt_suppresses_the_address_with_the_servers_words(rt, server):
    server.on("RCPT", reply("550 5.1.1 no such user here"), times=1)
    report = asyncio.run(send_ready(rt))
    assert report.failed == 1
    row = rt.db.read(lambda s: list_deliveries(s))[0]
    assert row.state == "failed"
    assert row.code == 550
    assert "no such user here" in row.reason
    assert rt.db.read(lambda s: get_subscriber_row(s, id=row.subscriber_id)).state == "bounced"


def test_policy_refusal_suppresses_nobody(rt, server):
    server.on("RCPT", reply("550 5.7.1 blocked by policy"), times=1)
    asyncio.run(send_ready(rt))
    row = rt.db.read(lambda s: list_deliveries(s))[0]
    assert row.state == "failed"
    assert row.reason.startswith("policy")
    assert rt.db.read(lambda s: get_subscriber_row(s, id=row.subscriber_id)).state == "active"


def test_what_was_sent_is_remembered_and_not_sent_again(rt, server):
    assert asyncio.run(send_ready(rt)).accepted == 1
    row = rt.db.read(lambda s: list_deliveries(s))[0]
    assert rt.db.read(lambda s: list_sent(s, [row.subscriber_id])) == {row.subscriber_id: {1}}
    assert plan_daily(rt).planned == 0
    rt.clock.go(days=1)
    report = plan_daily(rt)
    assert (report.planned, report.ready) == (1, 0)
    assert report.skipped == {"nothing_new": 1}
    assert asyncio.run(send_ready(rt)).accepted == 0
    assert len(server.accepted) == 1


def test_a_relay_that_is_down_defers(tmp_path):
    with open_house(tmp_path, smtp_port=9, clock=Clock()) as house:
        rt = house.runtime
        add(rt, "ada@example.org", "adapters")
        ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
        plan_daily(rt)
        report = asyncio.run(send_ready(rt))
        assert report.deferred == 1
        rt.clock.go(hours=21)
        asyncio.run(send_ready(rt))
        row = rt.db.read(lambda s: list_deliveries(s))[0]
        assert row.state == "expired"
