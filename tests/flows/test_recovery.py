"""What no process holds any more, answers that the database did not take, wrong blame."""

import asyncio
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from support.house import add, ingest_items, mark, open_house, paper_item, plan_one, take
from support.smtp_server import hang, reply

from service.flows.begin import never
from service.flows.daily import plan_daily
from service.flows.notice import add_notice
from service.flows.send import send_ready
from service.flows.sweep import sweep
from service.store import consent as consent_store
from service.store.consent import list_suppressions
from service.store.db import Database
from service.store.deliveries import list_attempts, list_deliveries
from service.store.leases import mark_expired, release
from service.store.processes import Process
from service.store.sent import list_carried, list_sent
from service.store.subscribers import get_subscriber_row


@pytest.fixture
def rt(rt, tmp_path):
    plan_one(rt, tmp_path)
    return rt


def row(rt):
    return rt.db.read(lambda s: list_deliveries(s))[0]


def test_leases_of_a_process_that_ended_in_order_are_given_back(rt, tmp_path):
    other = Process(rt.db, tmp_path / "locks", rt.clock())
    take(rt, other.id)
    other.close()
    assert row(rt).state == "ready"
    assert asyncio.run(send_ready(rt)).accepted == 1


def test_rows_of_an_owner_that_is_no_more_are_found_by_the_sweep(rt, tmp_path):
    other = Process(rt.db, tmp_path / "locks", rt.clock())
    taken = take(rt, other.id)
    assert mark(rt, taken, other.id)
    rt.db.write(lambda s: s.execute(sa.text("UPDATE process SET ended = true")))
    sweep(rt)
    assert row(rt).state == "unknown"
    other.close()


def test_a_lease_that_lasts_longer_than_any_conversation_is_over(rt):
    take(rt, rt.owner().id)
    rt.clock.go(minutes=31)
    assert asyncio.run(send_ready(rt)).accepted == 1


def test_a_new_process_never_looks_dead(rt, tmp_path):
    locks = tmp_path / "locks"
    seen = []
    real = rt.db.write

    def write(work, *more):
        made = real(work, *more)
        seen.append(rt.owner().dead())  # the moment its row can be seen
        return made

    rt.owner()
    watched = Database(rt.db.url)
    watched.write = write
    other = Process(watched, locks, rt.clock())
    assert seen == [[]]
    other.close()
    watched.close()


def test_an_owner_taken_for_dead_is_one_again(rt):
    first = rt.owner().id
    rt.db.write(lambda s: s.execute(sa.text("UPDATE process SET ended = true")))
    assert asyncio.run(send_ready(rt)).accepted == 1
    assert rt.owner().id != first


def test_a_lost_lease_is_no_reason_to_suppress(rt, server):
    server.on("RCPT", hang(), times=1)
    reports = []
    thread = threading.Thread(target=lambda: reports.append(asyncio.run(send_ready(rt))))
    thread.start()
    server.wait_until_hung()
    rt.db.write(lambda s: release(s, [rt.owner().id]))  # another process took us for dead
    server.release()
    thread.join(20)
    assert row(rt).state in ("ready", "accepted")
    asyncio.run(send_ready(rt))
    assert row(rt).state == "accepted"
    assert len(server.accepted) == 1


def test_an_answer_that_comes_after_the_doubt_was_settled_is_proof(rt, server):
    """The process stood still, or a clock jumped: its mail was presumed before the relay spoke."""
    server.on("DOT", hang(), times=1)
    reports = []
    thread = threading.Thread(target=lambda: reports.append(asyncio.run(send_ready(rt))))
    thread.start()
    server.wait_until_hung()
    rt.clock.go(hours=1)
    sweep(rt)
    assert row(rt).state == "presumed"
    assert rt.db.read(lambda s: list_carried(s, [row(rt).subscriber_id]))
    server.release()
    thread.join(20)
    assert reports[0].accepted == 1
    assert row(rt).state == "accepted"
    assert rt.db.read(lambda s: list_sent(s, [row(rt).subscriber_id]))
    assert not any(rt.db.read(lambda s: list_carried(s, [row(rt).subscriber_id])).values())


def test_expiry_does_not_take_a_row_that_somebody_began_meanwhile(rt):
    seen = row(rt)
    taken = take(rt, rt.owner().id)
    assert mark(rt, taken, rt.owner().id)
    assert not rt.db.write(lambda s: mark_expired(s, seen, rt.clock(), "deadline"))
    assert row(rt).state == "sending"


def test_an_answer_is_written_down_when_the_commit_had_none(rt, server, monkeypatch):
    """The first commit after the dot is done, but its answer is lost."""
    lost = []
    real_awrite = rt.db.awrite

    async def awrite(work, *more):
        made = await real_awrite(work, *more)
        if server.accepted and not lost:
            lost.append(True)
            raise sa.exc.OperationalError("COMMIT", {}, Exception("connection lost"))
        return made

    monkeypatch.setattr(rt.db, "awrite", awrite)
    asyncio.run(send_ready(rt))
    assert lost
    assert row(rt).state == "accepted"
    tries = rt.db.read(lambda s: list_attempts(s, row(rt).id))
    assert [t.code for t in tries] == [250]
    assert len(server.accepted) == 1


@pytest.mark.slow  # waits for a database to come back
def test_a_database_that_is_away_for_the_answer_does_not_cost_it(rt, server, monkeypatch):
    real, away = rt.db.awrite, []

    async def awrite(work, *more):
        if server.accepted and len(away) < 2:
            away.append(True)
            raise sa.exc.OperationalError("BEGIN", {}, Exception("server closed the connection"))
        return await real(work, *more)

    monkeypatch.setattr(rt.db, "awrite", awrite)
    assert asyncio.run(send_ready(rt)).accepted == 1
    assert row(rt).state == "accepted"


def test_a_mark_that_failed_sends_nothing_and_is_tried_later(rt, server, monkeypatch):
    import service.flows.journal as journal

    real, begun = journal.mark_sending, rt.clock()

    def mark_later(*args, **values):
        if rt.clock() == begun:
            raise sa.exc.OperationalError("UPDATE", {}, Exception("disk full"))
        return real(*args, **values)

    monkeypatch.setattr(journal, "mark_sending", mark_later)
    assert asyncio.run(send_ready(rt)).deferred == 1
    assert server.accepted == []
    rt.clock.go(minutes=15)
    assert asyncio.run(send_ready(rt)).accepted == 1


def test_test_mode_blames_no_reader(tmp_path, server):
    server.on("RCPT", reply("550 5.1.1 no such user"), times=1)
    values = {"smtp_port": server.port, "test_recipient": "me@example.org"}
    with open_house(tmp_path, **values) as house:
        rt = house.runtime
        add(rt, "ada@example.org", "adapters")
        ingest_items(rt, tmp_path, [paper_item(1, "Adapters today")])
        plan_daily(rt)
        assert asyncio.run(send_ready(rt)).failed == 1
        assert rt.db.read(list_suppressions) == []
        ada = rt.db.read(lambda s: get_subscriber_row(s, email_key="ada@example.org"))
        assert ada.state == "active"


def test_never_stops_a_notice_that_still_waits(rt, server):
    hashed = consent_store.email_hash(rt.instance.key, "eve@example.org")
    later = rt.clock() + timedelta(minutes=50)
    rt.db.write(
        lambda s: add_notice(
            rt, s, "test", email="eve@example.org", email_key="eve@example.org",
            data={"relay": "127.0.0.1:9", "on": "2026-11-18"}, now=rt.clock(), not_before=later,
        )
    )  # fmt: skip
    never(rt, rt.signer.sign("never", 0, later, hashed))
    rt.clock.go(hours=1)
    asyncio.run(send_ready(rt))
    assert "eve@example.org" not in [m.recipient for m in server.accepted]
    states = {r.kind: (r.state, r.reason) for r in rt.db.read(lambda s: list_deliveries(s))}
    assert states["test"] == ("suppressed", "suppressed")


def test_one_reading_session_sees_one_state(rt):
    with rt.db.reading() as session:
        before = list_deliveries(session)[0].state
        rt.db.write(lambda s: s.execute(sa.text("UPDATE delivery SET state = 'cancelled'")))
        session.expire_all()
        assert list_deliveries(session)[0].state == before
