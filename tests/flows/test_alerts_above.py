"""Alerts above the day's number ride in the digest; a person's daily does not wait for an alert."""

import asyncio
from datetime import UTC, date, datetime

import pytest
from support.house import add, ingest_items, open_house, paper_item

from service.flows.alerts import plan_alerts
from service.flows.daily import plan_daily, plan_due
from service.flows.letter import digest_of
from service.flows.preview import would_send
from service.flows.send import send_ready
from service.store.deliveries import list_deliveries


@pytest.fixture
def rt(tmp_path, server):
    with open_house(tmp_path, smtp_port=server.port) as house:
        yield house.runtime


def at(rt, *when):
    rt.clock.at = datetime(*when, tzinfo=UTC)


def mails(rt):
    return [
        (row.kind, [e.title.text for e in made.entries()])
        for row in rt.db.read(list_deliveries)
        if (made := digest_of(row)) is not None
    ]


@pytest.mark.parametrize(("zone", "shift"), [("UTC", 0), ("America/Los_Angeles", 8)])
@pytest.mark.slow
def test_what_is_above_four_alerts_waits_for_the_digest(rt, tmp_path, zone, shift):
    at(rt, 2026, 11, 17, 12 + shift)
    add(rt, "ada@example.org", "adapters", cadence="instant", hour="8", tz=zone)
    for n in range(6):
        at(rt, 2026, 11, 18, 10 + shift + n // 2, 30 * (n % 2))
        ingest_items(rt, tmp_path, [paper_item(n, f"Adapters {n}")])
        plan_alerts(rt)
        asyncio.run(send_ready(rt))
    assert [kind for kind, _ in mails(rt)] == ["alert"] * 4
    at(rt, 2026, 11, 19, 7 + shift, 5)
    plan_alerts(rt)
    assert len(mails(rt)) == 4
    at(rt, 2026, 11, 19, 8 + shift)
    plan_due(rt)
    assert mails(rt)[4:] == [("digest", ["Adapters 4", "Adapters 5"])]


def test_a_persons_daily_and_a_replay_do_not_wait_for_an_alert(rt, tmp_path):
    at(rt, 2026, 11, 18, 9)
    add(rt, "ada@example.org", "adapters", cadence="instant", hour="8")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters of today")])
    plan_due(rt)
    assert would_send(rt)["mails"] == 1
    plan_daily(rt)
    assert mails(rt) == [("digest", ["Adapters of today"])]
    at(rt, 2026, 11, 20, 9)
    ingest_items(rt, tmp_path, [paper_item(2, "Adapters of Thursday")], on=date(2026, 11, 19))
    plan_daily(rt, date(2026, 11, 19))
    assert mails(rt)[1:] == [("digest", ["Adapters of Thursday"])]


def test_the_clocks_daily_leaves_todays_papers_to_the_alert(rt, tmp_path):
    at(rt, 2026, 11, 18, 7, 30)
    add(rt, "ada@example.org", "adapters", cadence="instant", hour="8")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters of today")])
    at(rt, 2026, 11, 18, 8)
    plan_due(rt)
    assert mails(rt) == []
    plan_alerts(rt)
    assert mails(rt) == [("alert", ["Adapters of today"])]
