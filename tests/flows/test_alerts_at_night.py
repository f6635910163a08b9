"""Alerts that are ready when quiet hours begin: they wait for the morning, or for the daily."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from support.house import add, ingest_items, paper_item, rows
from support.smtp_server import reply

from service.flows import alerts
from service.flows.alerts import plan_alerts
from service.flows.daily import plan_due
from service.flows.editions import pause, resume
from service.flows.send import send_ready
from service.store.claims import claim

EVENING = datetime(2026, 11, 18, 20, 58, tzinfo=UTC)
MORNING = datetime(2026, 11, 19, 7, 0, tzinfo=UTC)


@pytest.fixture
def rt(rt):
    rt.clock.at = EVENING
    return rt


def ready_at_nine(rt, tmp_path, **cells):
    """An alert that was planned before nine and not sent before nine."""
    add(rt, "ada@example.org", "adapters", cadence="instant", **cells)
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters at nine")])
    assert plan_alerts(rt).planned == 1
    rt.clock.go(minutes=5)


def send(rt):
    return asyncio.run(send_ready(rt)).accepted


def test_it_waits_until_quiet_hours_end(rt, server, tmp_path):
    ready_at_nine(rt, tmp_path)
    assert send(rt) == 0
    row = rows(rt)[0]
    assert (row.state, row.not_before, row.attempts) == ("ready", MORNING, 0)
    assert row.date_header is None  # its Date is that of the morning
    rt.clock.at = MORNING
    assert send(rt) == 1
    assert rows(rt)[0].deadline_at == datetime(2026, 11, 19, 12, 58, tzinfo=UTC)


@pytest.mark.slow
def test_a_pause_of_the_edition_ends_in_the_night(rt, server, tmp_path):
    ready_at_nine(rt, tmp_path)
    pause(rt, 1, "ada")
    rt.clock.go(hours=1)
    resume(rt, 1, "ada")
    assert send(rt) == 0
    rt.clock.at = MORNING
    assert send(rt) == 1


def test_one_that_was_deferred_before_the_night_waits_too(rt, server, tmp_path):
    rt.clock.go(minutes=-60)
    add(rt, "ada@example.org", "adapters", cadence="instant")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters at eight")])
    server.on("RCPT", reply("451 4.3.0 later"), times=1)
    plan_alerts(rt)
    assert asyncio.run(send_ready(rt)).deferred == 1
    rt.clock.go(hours=2)
    assert send(rt) == 0
    rt.clock.at = MORNING
    assert send(rt) == 1


def test_a_persons_send_goes_at_night(rt, server, tmp_path):
    rt.clock.go(hours=2)
    add(rt, "ada@example.org", "adapters", cadence="instant")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters at eleven")])
    assert plan_alerts(rt, forced=True).planned == 1
    assert send(rt) == 1


def test_it_rides_in_the_daily_when_that_comes_first(rt, server, tmp_path):
    ready_at_nine(rt, tmp_path, hour="6")
    assert send(rt) == 0
    rt.clock.at = datetime(2026, 11, 19, 6, 0, tzinfo=UTC)
    assert plan_due(rt).ready == 1
    states = {row.kind: (row.state, row.reason) for row in rows(rt)}
    assert states == {"alert": ("skipped", "in_digest"), "digest": ("ready", "")}
    rt.clock.at = MORNING
    assert plan_alerts(rt).planned == 0
    assert send(rt) == 1
    assert len(server.accepted) == 1


@pytest.mark.slow
def test_it_rides_in_the_daily_also_where_utc_is_a_day_ahead(rt, server, tmp_path):
    rt.clock.at = datetime(2026, 11, 19, 4, 58, tzinfo=UTC)  # 20:58 on the 18th in Los Angeles
    ready_at_nine(rt, tmp_path, hour="6", tz="America/Los_Angeles")
    assert send(rt) == 0
    rt.clock.at = datetime(2026, 11, 19, 14, 0, tzinfo=UTC)
    assert plan_due(rt).ready == 1
    rt.clock.at = datetime(2026, 11, 19, 15, 30, tzinfo=UTC)
    assert plan_alerts(rt).planned == 0
    assert send(rt) == 1
    assert len(server.accepted) == 1


def test_a_daily_without_its_papers_leaves_it_alone(rt, server, tmp_path):
    ready_at_nine(rt, tmp_path, hour="6")
    send(rt)
    add(rt, "ben@example.org", "robots", hour="6")
    rt.clock.at = datetime(2026, 11, 19, 5, 0, tzinfo=UTC)
    ingest_items(rt, tmp_path, [paper_item(2, "Robots")])
    rt.clock.at = datetime(2026, 11, 19, 6, 0, tzinfo=UTC)

    def pause_ada(session):
        from service.store.subscribers import get_subscriber_row

        row = get_subscriber_row(session, email_key="ada@example.org")
        row.paused_until = date(2026, 11, 20)
        session.add(row)

    rt.db.write(pause_ada)
    plan_due(rt)
    assert [row.state for row in rows(rt) if row.kind == "alert"] == ["ready"]


def test_an_alert_that_began_meanwhile_is_not_taken_into_the_daily(rt, server, tmp_path):
    ready_at_nine(rt, tmp_path, hour="6")
    send(rt)
    rt.clock.at = datetime(2026, 11, 19, 6, 0, tzinfo=UTC)
    real, done = rt.db.read, []

    def read(work):
        made = real(work)
        if isinstance(made, list) and made and type(made[0]).__name__ == "Decided" and not done:
            done.append(True)  # another process, whose clock is ahead, has it now
            taken = rt.db.write(lambda s: claim(s, owner=rt.owner().id, now=MORNING, limit=5))
            assert [row.kind for row in taken] == ["alert"]
        return made

    rt.db.read = read
    report = plan_due(rt)
    rt.db.read = real
    assert done
    assert (report.ready, report.skipped) == (0, {"nothing_new": 1})
    assert [row.state for row in rows(rt) if row.kind == "alert"] == ["leased"]


def test_who_has_a_zone_that_is_gone_has_alerts_and_quiet_hours_of_the_house(rt, server, tmp_path):
    add(rt, "ada@example.org", "adapters", cadence="instant")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters at nine")])

    def break_zone(session):
        from service.store.subscribers import get_subscriber_row

        get_subscriber_row(session, email_key="ada@example.org").zone = "Mars/Olympus"

    rt.db.write(break_zone)
    assert plan_alerts(rt).planned == 1
    assert send(rt) == 1
    rt.clock.go(hours=1)
    ingest_items(rt, tmp_path, [paper_item(2, "Adapters at ten")])
    assert plan_alerts(rt).waiting == {"quiet": 1}


def test_an_alert_that_cannot_be_made_stops_nobody_elses(rt, server, tmp_path, monkeypatch):
    add(rt, "ada@example.org", "adapters", cadence="instant")
    add(rt, "ben@example.org", "adapters", cadence="instant")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters at nine")])
    real = alerts.digest_for

    def broken(rt, session, shelf, reader, on, occasion):
        if reader.email == "ada@example.org":
            raise KeyError("a clock, or whatever it is")
        return real(rt, session, shelf, reader, on, occasion)

    monkeypatch.setattr(alerts, "digest_for", broken)
    assert plan_alerts(rt).planned == 1
    assert send(rt) == 1
    assert [m.recipient for m in server.accepted] == ["ben@example.org"]


NIGHTS = [
    # hours (UTC) from the evening on in which an alert waits, in Zurich: quiet from 21 to 7
    ("2026-03-28", 20, 29),  # 02:00 is skipped: a night of nine hours
    ("2026-10-24", 19, 30),  # 02:00 comes twice: eleven
    ("2026-11-18", 20, 30),
]


@pytest.mark.parametrize(("day", "begins", "ends"), NIGHTS)
@pytest.mark.slow  # an alert is looked for twice an hour, all night
def test_quiet_hours_over_midnight_where_the_clock_is_changed(rt, tmp_path, day, begins, ends):
    noon = datetime.fromisoformat(f"{day}T12:00+00:00")
    rt.clock.at = noon
    add(rt, "ada@example.org", "adapters", cadence="instant", tz="Europe/Zurich")
    rt.clock.at = noon.replace(hour=begins) - timedelta(minutes=1)
    assert plan_alerts(rt).waiting == {}
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters at night")])
    midnight = noon.replace(hour=0)
    rt.clock.at = midnight + timedelta(hours=begins)
    while rt.clock() < midnight + timedelta(hours=ends):
        assert plan_alerts(rt).waiting == {"quiet": 1}
        rt.clock.go(minutes=30)
    assert plan_alerts(rt).planned == 1


def test_the_morning_brings_one_alert_in_fifteen_minutes(rt, server, tmp_path):
    ready_at_nine(rt, tmp_path)
    send(rt)
    rt.clock.go(hours=3)
    ingest_items(rt, tmp_path, [paper_item(2, "Adapters at midnight")])
    rt.clock.at = MORNING
    assert plan_alerts(rt).waiting == {"bundled": 1}
    assert send(rt) == 1
    rt.clock.go(minutes=10)
    assert plan_alerts(rt).waiting == {"bundled": 1}
    rt.clock.go(minutes=5)
    assert plan_alerts(rt).planned == 1
    assert send(rt) == 1
