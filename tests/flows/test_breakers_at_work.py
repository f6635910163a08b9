"""Domains that refuse us rest, two of them pause the edition, a silent relay is asked now and then;
the staff is told once when it begins and once when it is over."""

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from support.house import Clock, add, ingest_items, paper_item, rows
from support.smtp_server import SmtpServer, reply

from service.delivery.breakers import Breaker
from service.flows.alarms import Alarm, alarm_facts, raise_alarm
from service.flows.breakers import keep_breakers, relay_is_back
from service.flows.daily import plan_daily
from service.flows.editions import resume
from service.flows.journal import Journal
from service.flows.rest_try import RestError, try_one
from service.flows.runtime import Runtime
from service.flows.send import SendReport, send_ready
from service.flows.send_state import read_limits
from service.store import alarms as alarms_store
from service.store import rests as rests_store
from service.store.editions import get_edition
from service.store.instance import set_setting
from service.store.rests import ACCOUNT, DOMAIN, EVERY

pytestmark = pytest.mark.slow


@pytest.fixture
def rt(rt: Runtime, tmp_path: Path) -> Runtime:
    ingest_items(rt, tmp_path, [paper_item(1, "Sparse attention")])
    for name, value in (("breaker_least", "6"), ("breaker_in_a_row", "4"), ("spread_minutes", "0")):
        rt.db.write(lambda s, n=name, v=value: set_setting(s, n, v))
    return rt


def plan(rt: Runtime, *domains: str, each: int) -> None:
    for domain in domains:
        for n in range(each):
            add(rt, f"r{n}@{domain}")
    plan_daily(rt)


def send(rt: Runtime) -> SendReport:
    return asyncio.run(send_ready(rt))


def states(rt: Runtime, domain: str) -> Counter[str]:
    return Counter(row.state for row in rows(rt, "digest") if row.domain == domain)


def alarms(rt: Runtime) -> dict[tuple[str, str], dict[str, object]]:
    return {(a.kind, a.key): alarm_facts(a) for a in rt.db.read(alarms_store.list_all)}


def mails(server: SmtpServer, to: str = "papers@example.org") -> list[bytes]:
    return [mail.data for mail in server.accepted if mail.recipient == to]


def test_a_domain_that_refuses_us_rests_and_nobody_is_suppressed(rt, server):
    set_small_pool(rt)
    plan(rt, "hard.example", "soft.example", each=12)
    server.on("RCPT", reply("550 5.7.1 <r@hard.example> blocked by our list"), match="hard.example")
    send(rt)
    found = states(rt, "hard.example")
    assert states(rt, "soft.example") == {"accepted": 12}
    assert 4 <= found["failed"] <= 7  # those under way when it opened had their answer, too
    assert found["deferred"] == 12 - found["failed"]
    waiting = [row for row in rows(rt, "digest") if row.state == "deferred"]
    assert {row.meaning for row in waiting} == {"rest"}
    assert "hard.example refuses us" in waiting[0].reason
    assert {row.meaning for row in rows(rt) if row.state == "failed"} == {"policy"}
    told = alarms(rt)["domain", "hard.example"]
    assert told["state"] == "open"
    assert "blocked by our list" in str(told["where"])
    assert "<r@" not in str(told["where"])  # no address in an alarm
    assert len(mails(server)) == 1
    assert b"hard.example refuses our mail" in mails(server)[0]


def set_small_pool(rt: Runtime) -> None:
    rt.db.write(lambda s: set_setting(s, "smtp_connections", "1"))


def test_it_comes_back_one_mail_at_a_time_and_the_end_is_told(rt, server, clock: Clock):
    set_small_pool(rt)
    plan(rt, "hard.example", each=30)
    server.on("RCPT", reply("550 5.7.1 blocked"), match="hard.example")
    send(rt)
    begun = states(rt, "hard.example")["failed"]
    clock.go(minutes=31)
    send(rt)  # still refused: one probe, and it rests twice as long
    assert states(rt, "hard.example")["failed"] == begun + 1
    clock.go(minutes=31)
    send(rt)
    assert states(rt, "hard.example")["failed"] == begun + 1
    server.clear()
    clock.go(minutes=30)
    send(rt)
    assert states(rt, "hard.example") == {"failed": begun + 1, "accepted": 29 - begun}
    assert alarms(rt)["domain", "hard.example"]["state"] == "over"
    send(rt)
    subjects = [mail for mail in mails(server) if b"hard.example refuses our mail" in mail]
    assert len(subjects) == 2
    assert rt.db.read(lambda s: rests_store.list_rests(s, clock())) == []


def test_two_domains_pause_the_edition_and_resume_goes_on(rt, server, clock: Clock):
    set_small_pool(rt)
    plan(rt, "a.example", "b.example", each=8)
    add(rt, "late@c.example")
    server.on("RCPT", reply("550 5.7.26 unauthenticated"), match="[ab].example")
    send(rt)
    edition_id = rows(rt, "digest")[0].edition_id
    edition = rt.db.read(lambda s: get_edition(s, id=edition_id))
    assert edition.paused
    assert (
        edition.paused_why == "a.example, b.example refuse its mails: 550 5.7.26 unauthenticated."
    )
    told = alarms(rt)["edition", str(edition_id)]
    assert "editions resume" in str(told["next_step"])
    clock.go(hours=1)
    server.clear()
    assert send(rt).accepted == 0 or not mails(server, "r0@a.example")
    resume(rt, edition_id, by="ann")
    send(rt)
    edition = rt.db.read(lambda s: get_edition(s, id=edition_id))
    assert (edition.paused, edition.paused_why) == (False, "")
    assert alarms(rt)["edition", str(edition_id)]["state"] == "over"
    assert states(rt, "a.example")["accepted"] + states(rt, "a.example")["failed"] == 8


@pytest.mark.parametrize("words", ["421 4.7.0 slow down", "450 4.7.28 unusual rate"])
def test_asked_to_go_slower_it_rests_ten_minutes(rt, server, clock: Clock, words: str):
    set_small_pool(rt)
    plan(rt, "busy.example", "calm.example", each=6)
    server.on("RCPT", reply(words), match="busy.example", times=1)
    send(rt)
    assert states(rt, "calm.example") == {"accepted": 6}
    assert states(rt, "busy.example")["accepted"] <= 2
    rest = rt.db.read(lambda s: rests_store.list_rests(s, clock()))[0]
    assert (rest.key, rest.at_once) == ("busy.example", 1)
    assert rest.until == clock() + timedelta(minutes=10)
    assert [one.waiting for one in read_limits(rt)] == [states(rt, "busy.example")["deferred"]]
    assert alarms(rt) == {}  # everyday: nobody is told
    clock.go(minutes=8)  # a wait of up to 90 seconds would be sat out
    before = states(rt, "busy.example")
    send(rt)
    assert states(rt, "busy.example") == before
    clock.go(minutes=5)
    send(rt)
    assert states(rt, "busy.example") == {"accepted": 6}


def test_a_silent_relay_costs_no_tries_and_is_back_at_once(rt, server, clock: Clock):
    plan(rt, *(f"d{n}.example" for n in range(10)), each=3)
    server.on("CONNECT", reply("554 5.7.1 nothing from you"))
    report = send(rt)
    assert report.accepted == 0
    tried = [row for row in rows(rt) if row.code == 554]
    assert 5 <= len(tried) <= 20  # of 30
    assert {row.state for row in rows(rt)} == {"deferred"}
    account = rt.db.read(lambda s: rests_store.list_open(s, clock()))[ACCOUNT, EVERY]
    assert (account.cause, account.until) == ("silent", clock() + timedelta(minutes=2))
    server.clear()
    assert relay_is_back(rt)
    assert send(rt).accepted == 30
    assert rt.db.read(lambda s: rests_store.list_open(s, clock())) == {}
    assert alarms(rt) == {}


def test_many_small_domains_together_stop_the_account(rt, server, clock: Clock):
    set_small_pool(rt)
    plan(rt, *(f"d{n:02}.example" for n in range(16)), each=2)
    server.on("RCPT", reply("550 5.7.1 bad reputation"))
    send(rt)
    account = rt.db.read(lambda s: rests_store.list_open(s, clock()))[ACCOUNT, EVERY]
    assert account.cause == "policy"
    assert alarms(rt)["account", EVERY]["state"] == "open"
    edition = rt.db.read(lambda s: get_edition(s, id=rows(rt, "digest")[0].edition_id))
    assert edition.paused
    left = [row for row in rows(rt, "digest") if row.state not in ("failed",)]
    assert len(left) >= 8


def test_one_mail_is_tried_before_the_end_and_a_refusal_keeps_the_rest(rt, server, clock: Clock):
    set_small_pool(rt)
    plan(rt, "hard.example", each=30)
    server.on("RCPT", reply("550 5.7.1 blocked"), match="hard.example")
    send(rt)
    begun = states(rt, "hard.example")["failed"]
    first = rt.db.read(lambda s: rests_store.list_rests(s, clock()))[0]
    clock.go(minutes=5)
    tried = try_one(rt, "hard.example", by="ann", address="127.0.0.1")
    assert (tried.name, tried.until, tried.waiting) == ("hard.example", first.until, 30 - begun)
    send(rt)
    assert states(rt, "hard.example")["failed"] == begun + 1
    again = rt.db.read(lambda s: rests_store.list_rests(s, clock()))[0]
    assert again.until == clock() + timedelta(hours=1)  # twice as long, as at the rest's end
    server.clear()
    try_one(rt, "HARD.example ", by="ann")
    send(rt)
    assert states(rt, "hard.example") == {"failed": begun + 1, "accepted": 29 - begun}
    assert alarms(rt)["domain", "hard.example"]["state"] == "over"
    with pytest.raises(RestError, match=r"hard\.example does not rest"):
        try_one(rt, "hard.example", by="ann")
    with pytest.raises(RestError, match="Nothing rests"):
        try_one(rt, EVERY, by="ann")


def test_one_mail_is_tried_of_everything_and_a_refusal_keeps_the_rest(rt, server, clock: Clock):
    set_small_pool(rt)
    rt.db.write(lambda s: set_setting(s, "pause_at_domains", "0"))
    plan(rt, *(f"d{n:02}.example" for n in range(16)), each=2)
    server.on("RCPT", reply("550 5.7.1 bad reputation"))
    send(rt)
    failed = Counter(row.state for row in rows(rt))["failed"]
    with pytest.raises(RestError, match="Everything rests"):
        try_one(rt, "d00.example", by="ann")
    assert try_one(rt, EVERY, by="ann").waiting == 33 - failed  # with the alarm's mail
    report = send(rt)
    assert (report.accepted, report.failed) == (0, 1)  # and not a second one
    account = rt.db.read(lambda s: rests_store.list_open(s, clock()))[ACCOUNT, EVERY]
    assert (account.cause, account.until) == ("policy", clock() + timedelta(hours=1))
    server.clear()
    try_one(rt, EVERY, by="ann")
    send(rt)
    assert {row.state for row in rows(rt)} == {"failed", "accepted"}
    assert alarms(rt)["account", EVERY]["state"] == "over"


def test_content_is_told_and_blames_no_domain(rt, server, clock: Clock):
    plan(rt, "a.example", each=8)
    server.on("DOT", reply("554 5.6.0 bad MIME"))
    send(rt)
    assert states(rt, "a.example") == {"failed": 8}
    key = str(rows(rt, "digest")[0].edition_id)
    assert alarms(rt)["content", key]["count"] == 8
    assert rt.db.read(lambda s: rests_store.list_open(s, clock())) == {}


def test_what_our_own_database_refuses_is_held_against_nobody(rt, server, clock, monkeypatch):
    """Nobody rests, nobody is alarmed, and who is on trial is neither cleared nor condemned."""
    plan(rt, "near.example", "far.example", each=12)
    on_trial = Breaker(cause="policy", until=clock() - timedelta(seconds=1), at_once=2)
    rt.db.write(lambda s: rests_store.write(s, DOMAIN, {"far.example": on_trial}))

    async def down(*_: object) -> bool:
        raise OperationalError("UPDATE delivery", {}, Exception("disk I/O error"))

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "mark", down)
        report = send(rt)
    assert (report.accepted, report.deferred) == (0, 24)
    assert states(rt, "near.example") == states(rt, "far.example") == {"deferred": 12}
    assert {row.reason for row in rows(rt)} == {"the database did not take the mark"}
    bars = rt.db.read(lambda s: rests_store.list_all(s, clock()))
    assert {key: (b.times, b.good, b.refused) for (_, key), b in bars.items()} == {
        "far.example": (0, 0, 0)
    }
    assert alarms(rt) == {}
    assert server.accepted == []
    clock.go(minutes=30)
    assert send(rt).accepted == 24


def test_a_relay_that_is_not_set_up_for_us_costs_no_mail(rt, server, clock: Clock):
    """Another relay's settings, not ours: for some of the mails, so nothing rests."""
    plan(rt, "far.example", "near.example", each=2)
    server.on("RCPT", reply("554 5.7.1 <r@far.example>: Relay access denied"), match="far.example")
    send(rt)
    assert states(rt, "far.example") == {"deferred": 2}
    assert states(rt, "near.example") == {"accepted": 2}
    told = alarms(rt)["relaying", EVERY]
    assert told["state"] == "open"
    assert "far.example" in str(told["where"])
    assert "Relay access denied" in str(told["where"])
    assert "<r@" not in str(told["where"])
    server.clear()
    clock.go(minutes=13)
    send(rt)
    assert states(rt, "far.example") == {"accepted": 2}


def test_a_domain_of_few_readers_is_closed_by_time(rt, clock: Clock):
    probing = Breaker(cause="policy", until=clock(), at_once=2, times=1, good=1, since=clock())
    rt.db.write(lambda s: rests_store.write(s, DOMAIN, {"hard.example": probing}))
    alarm = Alarm(kind="domain", key="hard.example", what="x", place="y", next_step="z")
    rt.db.write(lambda s: raise_alarm(rt, s, alarm))
    clock.go(minutes=59)
    assert keep_breakers(rt) == 0
    clock.go(minutes=1)
    assert keep_breakers(rt) == 1
    assert rt.db.read(lambda s: rests_store.list_open(s, clock())) == {}
    assert alarms(rt)["domain", "hard.example"]["state"] == "over"


def test_a_refused_mail_about_an_alarm_raises_none(rt, server):
    add(rt, "papers@example.org")
    server.on("DOT", reply("554 5.6.0 bad MIME"))
    plan_daily(rt)
    send(rt)
    assert [row.state for row in rows(rt, "alarm")] == ["failed"]
    assert len(alarms(rt)) == 1


def test_hearing_that_fails_costs_no_answer(rt, server, monkeypatch):
    def fails(*_: object) -> None:
        raise RuntimeError("the breakers cannot be written")

    monkeypatch.setattr("service.flows.outcomes.listen", fails)
    plan(rt, "a.example", "b.example", each=3)
    server.on("RCPT", reply("550 5.7.1 blocked"), match="a.example")
    report = send(rt)
    assert (report.accepted, report.failed) == (3, 3)
    assert Counter(row.state for row in rows(rt)) == {"accepted": 3, "failed": 3}


def test_another_process_obeys_and_may_end_it(houses, server, tmp_path):
    one, two = houses
    ingest_items(one, tmp_path, [paper_item(1, "Sparse attention")])
    for name, value in (("breaker_in_a_row", "4"), ("spread_minutes", "0")):
        one.db.write(lambda s, n=name, v=value: set_setting(s, n, v))
    set_small_pool(one)
    plan(one, "hard.example", each=12)
    server.on("RCPT", reply("550 5.7.1 blocked"), match="hard.example")
    send(one)
    refused = states(one, "hard.example")["failed"]
    assert refused < 12
    server.clear()
    send(two)
    assert states(one, "hard.example") == {"failed": refused, "deferred": 12 - refused}
    ended = Breaker(cause="policy", until=two.clock(), at_once=1, times=1)
    two.db.write(lambda s: rests_store.write(s, DOMAIN, {"hard.example": ended}))
    two.db.write(lambda s: rests_store.try_now(s, two.clock()))
    assert one.tally.is_resting("hard.example", one.clock())
    send(one)  # it has heard of the rest, and not of its end
    assert states(one, "hard.example") == {"failed": refused, "accepted": 12 - refused}
