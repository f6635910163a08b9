"""The release of a day: mails of its date wait for it, none is lost, none goes twice."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from support.house import add, ingest_items, paper_item, rows

from service.flows.alerts import plan_alerts
from service.flows.daily import plan_daily, plan_due
from service.flows.letter import digest_of
from service.flows.manage import Choices
from service.flows.release import KIND, ReleaseError, release, standing_of, waiting_days
from service.flows.send import send_ready
from service.flows.staff_choices import choose_by_hand
from service.flows.watchdog import watch_runs
from service.flows.welcome import send_first
from service.flows.why_day import answer_day
from service.store import alarms as alarms_store
from service.store import staff as staff_store
from service.store.instance import set_setting

ON = date(2026, 11, 18)
NEXT = ON + timedelta(days=1)


def by_hand(rt, **more):
    for name, value in {"release": "hand", **more}.items():
        rt.db.write(lambda s, n=name, v=value: set_setting(s, n, v))


def told(rt):
    return [
        (row.rcpt, row.state, row.reason)
        for row in rows(rt, "digest", missed=True)
        if row.reason != "missed"
    ]


def titles(rt, email):
    made = [digest_of(row) for row in rows(rt, "digest") if row.rcpt == email]
    return [[entry.title.text for entry in one.entries()] for one in made if one is not None]


def test_a_date_waits_and_goes_once_with_its_release(rt, tmp_path):
    by_hand(rt)
    ada = add(rt, "ada@example.org", "adapters", hour="10", on_time="true")
    add(rt, "ben@example.org", "adapters", hour="12")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters")])
    rt.clock.go(hours=1, minutes=5)
    plan_due(rt)
    assert told(rt) == []
    (waits,) = rt.db.read(lambda s: waiting_days(rt, s))
    assert (waits.on, waits.waiting.readers, waits.is_free) == (ON, 1, False)
    assert watch_runs(rt).left.is_empty
    said = [str(one) for one in answer_day(rt, ada, ON).says]
    assert said[0] == "It waits until the editors release the day."
    made = release(rt, ON, by="ak", address="192.0.2.1")
    assert made.is_free
    plan_due(rt)
    plan_due(rt)
    assert told(rt) == [("ada@example.org", "ready", "")]
    rt.clock.go(hours=2)
    plan_due(rt)
    rt.clock.go(minutes=15)
    asyncio.run(send_ready(rt))
    assert [(who, state) for who, state, _ in told(rt)] == [
        ("ada@example.org", "accepted"),
        ("ben@example.org", "accepted"),
    ]
    release(rt, ON, by="ben")
    acts = rt.db.read(lambda s: staff_store.list_audit(s))
    assert [(a.who, a.target, a.after) for a in acts if a.what == "release"] == [
        ("ak", f"digest {ON}", {"readers_waiting": 1})
    ]


def test_a_date_that_nobody_releases_is_told_and_its_papers_ride_in_the_next(rt, tmp_path):
    by_hand(rt)
    ada = add(rt, "ada@example.org", "adapters", hour="10")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters")])
    rt.clock.go(hours=2)
    plan_due(rt)
    ingest_items(rt, tmp_path, [paper_item(2, "More adapters")], on=NEXT)
    rt.clock.go(days=1)
    plan_due(rt)
    assert told(rt) == [("ada@example.org", "skipped", "unreleased")]
    release(rt, ON, by="ak")  # too late for that date: its slot is over
    plan_due(rt)
    assert len(told(rt)) == 1
    release(rt, NEXT, by="ak")
    plan_due(rt)
    assert titles(rt, "ada@example.org") == [["More adapters", "Adapters"]]
    was = answer_day(rt, ada, ON)
    assert was.mails[0].reason == "unreleased"


def test_an_alarm_tells_of_a_date_that_waits_after_the_hour_of_the_days_run(rt, tmp_path):
    by_hand(rt)
    add(rt, "ada@example.org", "adapters", hour="10")
    rt.clock.go(hours=1, minutes=1)
    plan_due(rt)

    def alarms():
        return [a for a in rt.db.read(alarms_store.list_open) if a.kind == KIND]

    assert not alarms()
    rt.clock.go(hours=2)
    plan_due(rt)
    assert "waits for its release since 18 November, 10:01: 1 reader waits" in alarms()[0].what
    release(rt, ON, by="ak")
    assert not alarms()


def test_until_goes_by_itself_at_its_minute_by_the_clock_of_the_house(rt, tmp_path):
    by_hand(rt, release="until", release_by="11:30")
    add(rt, "ada@example.org", "adapters", hour="10")
    kai = add(rt, "kai@example.org", "adapters", hour="8", tz="Pacific/Auckland")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters")], on=ON - timedelta(days=1))
    rt.clock.go(hours=1, minutes=1)
    plan_due(rt)
    assert told(rt) == []
    rt.clock.go(hours=1, minutes=28)
    plan_due(rt)
    assert told(rt) == []
    assert rt.db.read(lambda s: standing_of(rt, s, ON)).goes_at == datetime(
        2026, 11, 18, 11, 30, tzinfo=UTC
    )
    rt.clock.go(minutes=1)
    plan_due(rt)
    assert told(rt) == [("ada@example.org", "ready", "")]
    # 19 November, 8:00 in Auckland: that date of the house has not begun, and is waited for, too
    rt.clock.at = datetime(2026, 11, 18, 19, 5, tzinfo=UTC)
    plan_due(rt)
    assert rt.db.read(lambda s: waiting_days(rt, s))[0].on == NEXT
    said = [str(one) for one in answer_day(rt, kai, NEXT).says]
    assert said[1] == "It goes at 00:30 at the latest."
    rt.clock.at = datetime(2026, 11, 19, 11, 31, tzinfo=UTC)
    plan_due(rt)
    assert ("kai@example.org", "ready", "") in told(rt)


def test_a_persons_send_leaves_out_what_waits_first_digests_and_alerts_go(rt, tmp_path):
    by_hand(rt)
    ada = add(rt, "ada@example.org", "adapters", hour="20")
    add(rt, "ben@example.org", "adapters", hour="20")
    add(rt, "eve@example.org", "adapters", cadence="instant")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters")])
    assert send_first(rt, ada)
    assert plan_alerts(rt).planned == 1
    report = plan_daily(rt, ON)
    assert (report.planned, report.skipped) == (0, {"unreleased": 3})
    release(rt, ON, by="ak")
    assert plan_daily(rt, ON).skipped.get("unreleased") is None
    assert [who for who, state, _ in told(rt) if state == "ready"] == ["ben@example.org"]


def test_a_reader_who_moves_their_hour_while_they_wait_has_one_mail_of_the_date(rt, tmp_path):
    by_hand(rt)
    add(rt, "ada@example.org", "adapters", hour="10")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters")])
    rt.clock.go(hours=1, minutes=1)
    plan_due(rt)
    choose_by_hand(rt, "ada@example.org", Choices(hour=15), by="ak")
    release(rt, ON, by="ak")
    plan_due(rt)
    assert told(rt) == []
    rt.clock.go(hours=5)
    plan_due(rt)
    assert told(rt) == [("ada@example.org", "ready", "")]


def test_back_to_auto_wakes_who_waits(rt, tmp_path):
    by_hand(rt)
    add(rt, "ada@example.org", "adapters", hour="10")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters")])
    rt.clock.go(hours=2)
    plan_due(rt)
    by_hand(rt, release="auto")
    plan_due(rt)
    assert told(rt) == [("ada@example.org", "ready", "")]


def test_what_lies_too_far_ahead_is_not_released(rt):
    with pytest.raises(ReleaseError, match="later than tomorrow"):
        release(rt, ON + timedelta(days=2), by="ak")


def test_days_without_anybody_at_work_are_told_and_nothing_is_lost(rt, tmp_path):
    by_hand(rt)
    ada = add(rt, "ada@example.org", "adapters", hour="10")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters")])
    rt.clock.go(hours=2)
    plan_due(rt)
    rt.clock.go(days=2)  # Friday; nothing ran on Thursday
    release(rt, ON + timedelta(days=2), by="ak")
    plan_due(rt)
    found = [(row.state, row.reason) for row in rows(rt, "digest", missed=True)]
    assert sorted(found) == [("ready", ""), ("skipped", "missed"), ("skipped", "unreleased")]
    assert titles(rt, "ada@example.org") == [["Adapters"]]
    assert not rt.db.read(lambda s: waiting_days(rt, s))
    assert answer_day(rt, ada, ON).mails[0].reason == "unreleased"
