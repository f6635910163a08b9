"""One paper rides once, also when two processes compose for the same reader at the same moment."""

import asyncio
import threading

import pytest
from support.house import add, ingest_items, open_house, paper_item
from support.smtp_server import SmtpServer

from service.flows import manual
from service.flows.alerts import plan_alerts
from service.flows.daily import plan_daily
from service.flows.send import send_ready
from service.store.deliveries import list_deliveries


@pytest.fixture
def server():
    with SmtpServer() as made:
        yield made


@pytest.fixture
def houses(tmp_path, database_url, server):
    """Two processes over one database."""
    with (
        open_house(tmp_path, smtp_port=server.port, database_url=database_url) as one,
        open_house(tmp_path, smtp_port=server.port, database_url=database_url) as two,
    ):
        yield one.runtime, two.runtime


def shown(rt):
    """Papers of every mail that is ready or gone, per recipient, in the order of the rows."""
    found = {}
    for row in rt.db.read(lambda s: list_deliveries(s)):
        if row.state not in ("skipped", "cancelled"):
            found.setdefault(row.recipient_key, []).append((row.content or {}).get("papers", []))
    return found


def two_wishes(rt, tmp_path):
    add(rt, "ada@example.org", "adapters", cadence="instant")
    from service.flows.interests import add_interest, read_kind
    from service.store.subscribers import get_subscriber_row

    def daily_too(session):
        row = get_subscriber_row(session, email_key="ada@example.org")
        add_interest(session, row.id, read_kind("keywords", "forget"), rt.clock())

    rt.db.write(daily_too)
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])


def test_a_daily_made_ready_while_an_alert_was_decided(houses, tmp_path):
    one, two = houses
    two_wishes(one, tmp_path)
    real = one.db.read

    def read(work):  # decided on what this saw; then the other process is quicker
        made = real(work)
        if getattr(made, "kind", "") == "alert" and not done:
            done.append(True)
            assert plan_daily(two).ready == 1
        return made

    done = []
    one.db.read = read
    report = plan_alerts(one)
    one.db.read = real
    assert done
    assert report.planned == 0
    assert shown(one) == {"ada@example.org": [[1]]}


def test_an_alert_made_ready_while_a_daily_was_decided(houses, tmp_path):
    one, two = houses
    two_wishes(one, tmp_path)
    ingest_items(one, tmp_path, [paper_item(2, "How to forget")])
    real = one.db.read

    def read(work):
        made = real(work)
        if isinstance(made, list) and made and type(made[0]).__name__ == "Decided" and not done:
            done.append(True)
            assert plan_alerts(two).planned == 1
        return made

    done = []
    one.db.read = read
    report = plan_daily(one)
    one.db.read = real
    assert done
    assert report.ready == 1
    assert shown(one) == {"ada@example.org": [[2], [1]]}


def test_chosen_papers_made_ready_while_a_daily_was_decided(houses, tmp_path):
    one, two = houses
    add(one, "ada@example.org", "adapters")
    ingest_items(one, tmp_path, [paper_item(1, "Adapters that forget less")])
    real, done = one.db.read, []

    def read(work):
        made = real(work)
        if isinstance(made, list) and made and type(made[0]).__name__ == "Decided" and not done:
            done.append(True)
            plan = manual.draft(two, papers=["1"])
            assert manual.start(two, plan, expected=1, at_once=True).planned == 1
        return made

    one.db.read = read
    report = plan_daily(one)
    one.db.read = real
    assert done
    assert report.skipped == {"nothing_new": 1}
    assert shown(one) == {"ada@example.org": [[1]]}


def test_many_readers_two_processes_alerts_and_dailies_at_once(houses, server, tmp_path):
    one, two = houses
    for n in range(25):
        add(one, f"r{n:02}@example.org", "adapters", cadence="instant")
        one.db.write(lambda s, n=n: _also_daily(one, s, f"r{n:02}@example.org"))
    ingest_items(one, tmp_path, [paper_item(n, f"Adapters, part {n}") for n in range(1, 9)])
    faults, gate = [], threading.Barrier(3)

    def go(work, *args, **values):
        try:
            gate.wait()
            work(*args, **values)
        except Exception as error:
            faults.append(error)

    threads = [
        threading.Thread(target=go, args=(plan_alerts, one)),
        threading.Thread(target=go, args=(plan_daily, two)),
        threading.Thread(target=go, args=(plan_alerts, two)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []
    for recipient, mails in shown(one).items():
        papers = [p for mail in mails for p in mail]
        assert sorted(papers) == sorted(set(papers)), recipient
    asyncio.run(send_ready(one))
    had = {}
    for mail in server.accepted:
        had.setdefault(mail.recipient, []).append(mail)
    assert len(had) == 25


def _also_daily(rt, session, email):
    from service.flows.interests import add_interest, read_kind
    from service.store.subscribers import get_subscriber_row

    row = get_subscriber_row(session, email_key=email)
    add_interest(session, row.id, read_kind("keywords", "part"), rt.clock())
