"""Alerts: soon after the poll, bundled, silent at night, at most four a day, then the digest."""

import asyncio
from datetime import UTC, datetime

import pytest
from support.house import add, ingest_items, open_house, paper_item

from service.flows.alerts import plan_alerts
from service.flows.daily import plan_daily
from service.flows.preview import would_alert
from service.flows.send import send_ready
from service.store.subscribers import get_subscriber_row


@pytest.fixture
def rt(tmp_path, server):
    with open_house(tmp_path, smtp_port=server.port) as house:
        house.runtime.clock.at = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)
        add(house.runtime, "ada@example.org", "adapters", cadence="instant")
        yield house.runtime


def alert(rt):
    report = plan_alerts(rt)
    return report, asyncio.run(send_ready(rt)).accepted


def test_an_alert_goes_out_at_once_and_its_paper_never_again(rt, server, tmp_path):
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters at ten")])
    assert alert(rt)[1] == 1
    assert b"Subject: New: Adapters at ten" in server.accepted[0].data
    rt.clock.go(hours=1)
    assert alert(rt)[1] == 0
    assert plan_daily(rt).skipped == {"nothing_new": 1}


def test_alerts_are_fifteen_minutes_apart(rt, tmp_path):
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters at ten")])
    assert alert(rt)[1] == 1
    rt.clock.go(minutes=5)
    ingest_items(rt, tmp_path, [paper_item(2, "Adapters at five past")])
    report, sent = alert(rt)
    assert (report.waiting, sent) == ({"bundled": 1}, 0)
    ingest_items(rt, tmp_path, [paper_item(3, "Adapters at six past")])
    rt.clock.go(minutes=10)
    assert alert(rt)[1] == 1


def test_a_persons_second_send_of_a_quarter_hour_says_what_waits(rt, tmp_path):
    def would():
        return would_alert(rt)

    def press():
        return plan_alerts(rt, forced=True, created_by="cli")

    ingest_items(rt, tmp_path, [paper_item(1, "Adapters at ten")])
    assert (would(), press().planned) == ({"mails": 1, "waiting": {}}, 1)
    asyncio.run(send_ready(rt))
    assert (would()["waiting"], press().waiting) == ({"nothing_new": 1}, {})
    rt.clock.go(minutes=5)
    ingest_items(rt, tmp_path, [paper_item(2, "Adapters at five past")])
    assert would() == {"mails": 0, "waiting": {"bundled": 1}}
    second = press()
    assert (second.planned, second.waiting) == (0, {"bundled": 1})
    rt.clock.go(minutes=10)
    assert (would(), press().planned) == ({"mails": 1, "waiting": {}}, 1)


def test_quiet_hours_are_the_readers_own(rt, server, tmp_path):
    rt.clock.at = datetime(2026, 11, 18, 22, 30, tzinfo=UTC)
    add(rt, "tomo@example.org", "adapters", cadence="instant", tz="Asia/Tokyo")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters at night")])
    report, sent = alert(rt)  # 07:30 in Tokyo
    assert (report.waiting, sent) == ({"quiet": 1}, 1)
    assert server.accepted[0].recipient == "tomo@example.org"
    rt.clock.at = datetime(2026, 11, 19, 7, 0, tzinfo=UTC)
    assert alert(rt)[1] == 1


@pytest.mark.slow
def test_after_four_alerts_the_rest_rides_in_the_digest(rt, tmp_path):
    for number in range(1, 5):
        ingest_items(rt, tmp_path, [paper_item(number, f"Adapters {number}")])
        assert alert(rt)[1] == 1
        rt.clock.go(minutes=20)
    ingest_items(rt, tmp_path, [paper_item(5, "Adapters five")])
    report, sent = alert(rt)
    assert (report.waiting, sent) == ({"capped": 1}, 0)
    assert plan_daily(rt).ready == 1
    assert asyncio.run(send_ready(rt)).accepted == 1


@pytest.mark.parametrize(
    ("own", "hour", "goes"),
    [
        ((13, 14), 13, False),  # a nap: quiet though the house is not
        ((13, 14), 22, True),  # and awake when the house sleeps
        ((0, 0), 3, True),  # never quiet
        ((23, 1), 0, False),  # over midnight
        ((23, 1), 1, True),
        ((None, None), 22, False),
    ],
)
def test_a_reader_has_quiet_hours_of_their_own(rt, tmp_path, own, hour, goes):
    def choose(session):
        row = get_subscriber_row(session, email_key="ada@example.org")
        row.quiet_from, row.quiet_until = own
        session.add(row)

    rt.db.write(choose)
    rt.clock.at = datetime(2026, 11, 19, hour, 0, tzinfo=UTC)
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters at any hour")])
    report, sent = alert(rt)
    assert (sent == 1, report.waiting) == (goes, {} if goes else {"quiet": 1})


def test_an_alert_that_waits_wakes_by_its_readers_hours(rt, tmp_path):
    """Not gone when its reader's quiet hours begin: it rests until they end."""
    rt.clock.at = datetime(2026, 11, 18, 12, 55, tzinfo=UTC)
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters before the nap")])
    plan_alerts(rt)

    def choose(session):
        row = get_subscriber_row(session, email_key="ada@example.org")
        row.quiet_from, row.quiet_until = 13, 15
        session.add(row)

    rt.db.write(choose)
    rt.clock.at = datetime(2026, 11, 18, 13, 0, tzinfo=UTC)
    assert asyncio.run(send_ready(rt)).accepted == 0
    rt.clock.at = datetime(2026, 11, 18, 14, 59, tzinfo=UTC)
    assert asyncio.run(send_ready(rt)).accepted == 0
    rt.clock.at = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)
    assert asyncio.run(send_ready(rt)).accepted == 1
