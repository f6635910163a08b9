"""One paper rides once, also when two processes compose for the same reader at the same moment."""

import asyncio
from functools import partial

import pytest
from support.house import add, ingest_items, paper_item, rows
from support.meanwhile import at_once, between, composed, decided

from service.flows import manual
from service.flows.alerts import plan_alerts
from service.flows.daily import plan_daily
from service.flows.send import send_ready


def shown(rt):
    """Papers of every mail that is ready or gone, per recipient, in the order of the rows."""
    found = {}
    for row in rows(rt):
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
    quicker = between(one, composed, lambda: plan_daily(two).ready)
    assert plan_alerts(one).planned == 0
    assert quicker == [1]
    assert shown(one) == {"ada@example.org": [[1]]}


def test_an_alert_made_ready_while_a_daily_was_decided(houses, tmp_path):
    one, two = houses
    two_wishes(one, tmp_path)
    ingest_items(one, tmp_path, [paper_item(2, "How to forget")])
    quicker = between(one, decided, lambda: plan_alerts(two).planned)
    assert plan_daily(one).ready == 1
    assert quicker == [1]
    assert shown(one) == {"ada@example.org": [[2], [1]]}


def test_chosen_papers_made_ready_while_a_daily_was_decided(houses, tmp_path):
    one, two = houses
    add(one, "ada@example.org", "adapters")
    ingest_items(one, tmp_path, [paper_item(1, "Adapters that forget less")])

    def by_hand():
        plan = manual.draft(two, papers=["1"])
        return manual.start(two, plan, expected=1, at_once=True).planned

    quicker = between(one, decided, by_hand)
    assert plan_daily(one).skipped == {"nothing_new": 1}
    assert quicker == [1]
    assert shown(one) == {"ada@example.org": [[1]]}


@pytest.mark.slow  # two houses at once
def test_many_readers_two_processes_alerts_and_dailies_at_once(houses, server, tmp_path, quick):
    one, two = houses
    readers = 10 if quick else 25
    for n in range(readers):
        add(one, f"r{n:02}@example.org", "adapters", cadence="instant")
        one.db.write(lambda s, n=n: _also_daily(one, s, f"r{n:02}@example.org"))
    ingest_items(one, tmp_path, [paper_item(n, f"Adapters, part {n}") for n in range(1, 9)])
    acts = (plan_alerts, one), (plan_daily, two), (plan_alerts, two)
    assert at_once(*(partial(act, rt) for act, rt in acts)) == []
    for recipient, mails in shown(one).items():
        papers = [p for mail in mails for p in mail]
        assert sorted(papers) == sorted(set(papers)), recipient
    asyncio.run(send_ready(one))
    had = {}
    for mail in server.accepted:
        had.setdefault(mail.recipient, []).append(mail)
    assert len(had) == readers


def _also_daily(rt, session, email):
    from service.flows.interests import add_interest, read_kind
    from service.store.subscribers import get_subscriber_row

    row = get_subscriber_row(session, email_key=email)
    add_interest(session, row.id, read_kind("keywords", "part"), rt.clock())
