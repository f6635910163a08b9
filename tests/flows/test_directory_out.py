"""A domain whose directory is out says of all its readers that they are not there."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from support.house import Clock, add, ingest_items, paper_item, rows
from support.smtp_server import SmtpServer, reply

from service.flows.alarms import alarm_facts
from service.flows.daily import plan_daily
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.store import alarms as alarms_store
from service.store.instance import set_setting
from service.store.subscribers import list_subscriber_rows

pytestmark = pytest.mark.slow

GONE = reply("550 5.1.1 <r0@lab.example> no such user")


def mailed(rt: Runtime, folder: Path, *readers: str) -> None:
    """Readers whose domains took a mail the day before; the next one is planned."""
    rt.db.write(lambda s: set_setting(s, "spread_minutes", "0"))
    ingest_items(rt, folder, [paper_item(1, "Sparse attention")])
    for reader in readers:
        add(rt, reader)
    plan_daily(rt)
    asyncio.run(send_ready(rt))
    assert Counter(row.state for row in rows(rt)) == {"accepted": len(readers)}
    assert isinstance(rt.clock, Clock)
    next_day(rt, folder, 2)


def next_day(rt: Runtime, folder: Path, paper: int) -> None:
    rt.clock.go(days=1)
    ingest_items(rt, folder, [paper_item(paper, "Dense attention")], rt.clock().date())
    plan_daily(rt)


def send(rt: Runtime, *, after: float = 0) -> Counter[tuple[str, str]]:
    """What the newest mails are by now, and readers are."""
    rt.clock.go(minutes=after)
    asyncio.run(send_ready(rt))
    newest = max(row.edition_id for row in rows(rt, "digest"))
    return Counter(
        (row.domain, row.state) for row in rows(rt, "digest") if row.edition_id == newest
    )


def bounced(rt: Runtime) -> list[str]:
    return [r.email_key for r in rt.db.read(list_subscriber_rows) if r.state == "bounced"]


def test_a_run_of_them_suppresses_nobody(rt, server: SmtpServer, tmp_path):
    mailed(rt, tmp_path, *[f"r{n}@lab.example" for n in range(4)], "ada@fine.example")
    server.on("RCPT", GONE, match="lab.example")
    for wait in (0, 13, 37):
        assert send(rt, after=wait)["lab.example", "deferred"] == 4
    assert bounced(rt) == []
    (told,) = [alarm_facts(a) for a in rt.db.read(alarms_store.list_open) if a.kind == "gone"]
    assert told["what"] == "lab.example says of 4 readers at once that they are not there."
    assert "@" not in str(told["where"])
    server.clear()
    assert send(rt, after=80) == {("lab.example", "accepted"): 4, ("fine.example", "accepted"): 1}
    assert {row.meaning for row in rows(rt, "digest")} == {""}  # what was said before is over


def test_one_alone_is_believed_when_it_is_said_again(rt, server: SmtpServer, tmp_path):
    mailed(rt, tmp_path, "r0@lab.example", "r1@lab.example")
    server.on("RCPT", GONE, match="r0@")
    assert send(rt) == {("lab.example", "deferred"): 1, ("lab.example", "accepted"): 1}
    assert bounced(rt) == []
    assert send(rt, after=13) == {("lab.example", "failed"): 1, ("lab.example", "accepted"): 1}
    assert bounced(rt) == ["r0@lab.example"]
    assert not [a for a in rt.db.read(alarms_store.list_open) if a.kind == "gone"]


def test_few_of_many_are_believed_too(rt, server: SmtpServer, tmp_path):
    """Where the domain takes mails all the while, its directory is there."""
    mailed(rt, tmp_path, *[f"r{n}@lab.example" for n in range(4)])
    rt.db.write(lambda s: set_setting(s, "breaker_percent", "75"))
    server.on("RCPT", GONE, match="r[012]@")
    assert send(rt)["lab.example", "deferred"] == 3
    assert send(rt, after=13)["lab.example", "failed"] == 3
    assert len(bounced(rt)) == 3


def test_a_domain_that_stays_so_is_believed_in_the_end(rt, server: SmtpServer, tmp_path):
    mailed(rt, tmp_path, *[f"r{n}@lab.example" for n in range(3)])
    server.on("RCPT", GONE)
    assert send(rt)["lab.example", "deferred"] == 3
    rt.clock.go(days=14)
    assert send(rt)["lab.example", "expired"] == 3  # its deadline has come long ago
    next_day(rt, tmp_path, 3)
    assert send(rt)["lab.example", "failed"] == 3
    assert len(bounced(rt)) == 3


def test_who_never_had_a_mail_is_believed_at_once(rt, server: SmtpServer, tmp_path):
    ingest_items(rt, tmp_path, [paper_item(1, "Sparse attention")])
    for n in range(4):
        add(rt, f"r{n}@lab.example")
    plan_daily(rt)
    server.on("RCPT", GONE)
    assert send(rt) == {("lab.example", "failed"): 4}
    assert len(bounced(rt)) == 4
