"""Rules of the clock that only show over days: late batches, spread, missed weeks, empty weeks."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from support.house import add, ingest_items, open_house, paper_item, rows
from support.meanwhile import at_once

from service.flows.alerts import plan_alerts
from service.flows.daily import plan_daily, plan_due
from service.flows.editions import cancel
from service.flows.leave import erase, unsubscribe
from service.flows.letter import digest_of
from service.flows.match import match_new
from service.flows.planning import begins_at
from service.flows.readers import add_reader, read_new
from service.flows.send import send_ready
from service.flows.settle import settle_editions
from service.flows.sources import add_source
from service.flows.welcome import send_first
from service.store.editions import get_edition, list_editions
from service.store.sources import get_source_day, list_sources
from service.store.subscribers import get_subscriber_row, list_profile_rows
from service.subscribers.cadence import after_quiet, awake_until

WED, FRI = date(2026, 11, 18), date(2026, 11, 20)


def titles(rt, at=-1):
    return [e.title.text for e in digest_of(rows(rt)[at]).entries()]


def change(rt, email, **values):
    def act(session):
        reader = get_subscriber_row(session, email_key=email)
        for name, value in values.items():
            setattr(reader, name, value)
        session.add(reader)

    rt.db.write(act)


def test_mails_of_one_hour_are_spread_and_each_keeps_its_place():
    slot = datetime(2026, 11, 18, 8, tzinfo=UTC)
    keys = [f"r{n}@example.org" for n in range(500)]
    begins = [begins_at(slot, key, 10, slot - timedelta(seconds=1)) for key in keys]
    assert min(begins) >= slot
    assert max(begins) < slot + timedelta(minutes=10)
    assert len(set(begins)) > 250
    day = timedelta(days=1)
    assert [begins_at(slot + day, k, 10, slot) for k in keys] == [b + day for b in begins]
    late = slot + timedelta(hours=5)  # an outage: counted from now
    assert late <= max(b for k in keys if (b := begins_at(slot, k, 10, late)))
    assert begins_at(slot, keys[0], 0, slot) is None


def test_the_clock_spreads_and_a_person_does_not_wait(rt, tmp_path):
    rt.clock.at = datetime(2026, 11, 18, 7, 30, tzinfo=UTC)
    for n in range(12):
        add(rt, f"r{n}@example.org", "adapters", hour="8")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters today")])
    rt.clock.at = datetime(2026, 11, 18, 8, 0, tzinfo=UTC)
    plan_due(rt)
    waits = [row.not_before for row in rows(rt)]
    assert len(set(waits)) > 6
    assert asyncio.run(send_ready(rt)).accepted < 12
    plan_daily(rt)
    assert asyncio.run(send_ready(rt)).accepted > 0
    assert {row.state for row in rows(rt)} == {"accepted"}


@pytest.mark.parametrize("comes", [True, False])
def test_a_late_batch_is_waited_for_an_hour_at_most(rt, tmp_path, comes):
    rt.clock.at = datetime(2026, 11, 18, 7, 0, tzinfo=UTC)
    add(rt, "ada@example.org", "adapters", hour="8")
    add(rt, "tom@example.org", hour="8")  # trending only: nothing to wait for
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters today")])
    add_source(rt, "arxiv_rss", "cs.CL", history_days=0)
    source = rt.db.read(lambda s: list_sources(s, "arxiv_rss"))[0]

    def say(state):
        def act(session):
            day = get_source_day(session, source.id, WED)
            day.state, day.expected = state, True
            session.add(day)

        rt.db.write(act)

    say("late")
    rt.clock.at = datetime(2026, 11, 18, 8, 0, tzinfo=UTC)
    assert plan_due(rt).planned == 1
    assert [row.recipient_key for row in rows(rt)] == ["tom@example.org"]
    rt.clock.go(minutes=2)
    assert plan_due(rt).planned == 0
    if comes:
        say("complete")
        rt.clock.go(minutes=5)
        assert plan_due(rt).ready == 1
        assert digest_of(rows(rt)[-1]).late == ()
        return
    rt.clock.at = datetime(2026, 11, 18, 8, 59, tzinfo=UTC)
    assert plan_due(rt).planned == 0
    rt.clock.at = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
    assert plan_due(rt).ready == 1
    assert digest_of(rows(rt)[-1]).late == (source.title,)


def test_one_clock_that_cannot_be_read_stops_nobody_else(rt, tmp_path):
    rt.clock.at = datetime(2026, 11, 18, 7, 0, tzinfo=UTC)
    add(rt, "ada@example.org", "adapters", hour="8")
    add(rt, "ben@example.org", "adapters", hour="8")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters today")])
    change(rt, "ada@example.org", weekdays="")
    rt.clock.at = datetime(2026, 11, 18, 8, 0, tzinfo=UTC)
    assert plan_due(rt).planned == 1
    assert plan_daily(rt).planned == 0
    assert [row.recipient_key for row in rows(rt)] == ["ben@example.org"]


def test_who_has_a_zone_that_is_gone_from_tzdata_has_mail_by_the_houses_clock(rt, tmp_path):
    rt.clock.at = datetime(2026, 11, 18, 7, 0, tzinfo=UTC)
    for name, cadence in (("ada", "daily"), ("ben", "instant")):
        add(rt, f"{name}@example.org", "adapters", hour="8", cadence=cadence)
        change(rt, f"{name}@example.org", zone="Mars/Olympus")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters today")])
    assert plan_alerts(rt).planned == 1
    asyncio.run(send_ready(rt))
    rt.clock.at = datetime(2026, 11, 18, 8, 0, tzinfo=UTC)
    assert plan_due(rt).ready == 1
    assert [row.recipient_key[:3] for row in rows(rt) if digest_of(row)] == ["ben", "ada"]


@pytest.mark.slow
def test_a_weekly_mail_holds_what_came_after_the_last_one(rt, tmp_path):
    rt.clock.at = datetime(2026, 11, 13, 9, 0, tzinfo=UTC)  # a Friday, after its hour
    add(rt, "ada@example.org", "adapters", cadence="weekly", hour="8")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters before eight")])
    plan_daily(rt)
    rt.clock.go(hours=3)
    ingest_items(rt, tmp_path, [paper_item(2, "Adapters at noon")])
    asyncio.run(send_ready(rt))
    rt.clock.at = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
    plan_due(rt)
    assert titles(rt) == ["Adapters at noon"]


def test_a_weekly_day_missed_in_an_outage_is_made_up(rt, tmp_path):
    rt.clock.at = datetime(2026, 11, 18, 7, 0, tzinfo=UTC)
    add(rt, "ada@example.org", "adapters", cadence="weekly", hour="8")
    rt.clock.go(hours=1)
    plan_due(rt)  # Wednesday: a row that says why there is no mail
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters on Wednesday")])
    rt.clock.at = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # down over Friday, up on Monday
    assert plan_due(rt).ready == 1
    assert titles(rt) == ["Adapters on Wednesday"]


def test_a_first_digest_is_composed_as_one_whoever_composes_it(rt, tmp_path):
    add(rt, "ada@example.org", "adapters")
    old = [paper_item(n, f"Adapters, part {n}") for n in range(1, 9)]
    file = tmp_path / "old.json"
    import json

    from service.flows.ingest import ingest_files

    file.write_text(json.dumps(old))
    ingest_files(rt, "hf_daily", [file], on=WED, history=True)
    ben = add_reader(rt, read_new({"email": "ben@example.org", "keywords": "adapters"}))
    from service.flows.daily import _plan_now, due_readers

    pair = rt.db.read(lambda s: due_readers(rt, s, None, "ada@example.org"))
    # the clock has planned Ada, not composed her
    rt.db.write(lambda s: _plan_now(rt, s, pair, "clock"))
    assert send_first(rt, ben)
    states = {row.recipient_key: (row.kind, row.state) for row in rows(rt)}
    assert states == {
        "ada@example.org": ("digest", "planned"),
        "ben@example.org": ("first", "ready"),
    }


def test_an_edition_that_was_done_is_open_again_with_a_new_row(rt, tmp_path):
    add(rt, "ada@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters today")], on=WED)
    plan_daily(rt, WED)
    asyncio.run(send_ready(rt))
    rt.clock.go(days=5)
    settle_editions(rt)
    assert rt.db.read(lambda s: get_edition(s, id=1)).state == "done"
    add(rt, "ben@example.org", "adapters")
    plan_daily(rt, WED)
    assert rt.db.read(lambda s: get_edition(s, id=1)).state == "open"


def test_rows_planned_into_a_cancelled_date_say_so_and_their_papers_ride_on(rt, tmp_path):
    add(rt, "ada@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters today")])
    plan_daily(rt)
    cancel(rt, 1, "ada")
    add(rt, "ben@example.org", "adapters")
    plan_daily(rt)
    assert [row.state for row in rows(rt)] == ["cancelled", "cancelled"]
    rt.clock.go(days=1)
    assert plan_daily(rt).ready == 2


@pytest.mark.slow
def test_alerts_at_most_four_a_day_also_where_utc_is_a_day_ahead(rt, tmp_path):
    rt.clock.at = datetime(2026, 11, 19, 0, 30, tzinfo=UTC)  # 14:30 on the 18th in Honolulu
    add(rt, "ada@example.org", "adapters", cadence="instant", tz="Pacific/Honolulu")
    for n in range(1, 7):
        ingest_items(rt, tmp_path, [paper_item(n, f"Adapters, part {n}")])
        plan_alerts(rt)
        asyncio.run(send_ready(rt))
        rt.clock.go(minutes=20)
    assert len(rows(rt)) == 4


def test_no_alert_in_a_pause_where_utc_is_a_day_ahead(rt, tmp_path):
    rt.clock.at = datetime(2026, 11, 19, 0, 30, tzinfo=UTC)
    add(rt, "ada@example.org", "adapters", cadence="instant", tz="Pacific/Honolulu")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters today")])
    change(rt, "ada@example.org", paused_until=date(2026, 11, 19))
    assert plan_alerts(rt).waiting == {"paused": 1}


def test_the_deadline_of_an_alert_does_not_count_quiet_hours(rt, tmp_path):
    rt.clock.at = datetime(2026, 11, 18, 20, 0, tzinfo=UTC)
    add(rt, "ada@example.org", "adapters", cadence="instant")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters at eight")])
    plan_alerts(rt)
    assert rows(rt)[0].deadline_at == datetime(2026, 11, 19, 12, 0, tzinfo=UTC)


def test_quiet_hours_as_spans():
    night = datetime(2026, 11, 18, 23, 10, tzinfo=UTC)
    assert after_quiet(night, "UTC", 21, 7) == datetime(2026, 11, 19, 7, 0, tzinfo=UTC)
    noon = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
    assert after_quiet(noon, "UTC", 21, 7) == noon
    assert awake_until(noon, 6, "UTC", 21, 7) == noon + timedelta(hours=6)


def test_an_alert_that_is_tried_again_waits_for_the_morning(tmp_path):
    with open_house(tmp_path, smtp_port=9) as house:  # no relay there
        rt = house.runtime
        rt.clock.at = datetime(2026, 11, 18, 20, 58, tzinfo=UTC)
        add(rt, "ada@example.org", "adapters", cadence="instant")
        ingest_items(rt, tmp_path, [paper_item(1, "Adapters at nine")])
        plan_alerts(rt)
        assert asyncio.run(send_ready(rt)).deferred == 1
        assert rows(rt)[0].not_before == datetime(2026, 11, 19, 7, 0, tzinfo=UTC)


def test_who_is_erased_and_comes_back_harms_nobody_and_leaves_no_address(rt, server, tmp_path):
    from support.smtp_server import reply

    ingest_items(rt, tmp_path, [paper_item(1, "Adapters today")])
    server.on("RCPT", reply("450 4.2.1 <Ada@example.org> is busy"), times=2)
    add(rt, "ben@example.org", "robots")
    for _ in range(2):
        rt.db.write(lambda s: s.execute(sa.text("DELETE FROM suppression")))
        add(rt, "Ada@example.org", "adapters")
        plan_daily(rt)
        asyncio.run(send_ready(rt))
        assert erase(rt, "ada@example.org")
    # one scheduled mail a date, also for who was erased meanwhile; Ben has his
    assert len(rows(rt)) == 2
    with rt.db.engine.connect() as connection:
        text = sa.text
        for table in ("delivery", "attempt", "suppression", "consent"):
            kept = connection.execute(text(f"SELECT * FROM {table}")).all()
            assert "ada@" not in repr(kept).lower(), table


def empty_days(rt, tmp_path, days):
    """Mail days with papers that contain none of the words."""
    for n in range(days):
        rt.clock.go(days=1)
        item = paper_item(100 + rt.clock().timetuple().tm_yday, f"Robots, day {n}")
        ingest_items(rt, tmp_path, [item])
        plan_due(rt)
        rt.clock.go(minutes=10)
        asyncio.run(send_ready(rt))
        rt.clock.go(minutes=-10)


@pytest.mark.slow  # a second or more
def test_after_seven_empty_days_one_quiet_mail_and_never_a_second(rt, server, tmp_path, quick):
    rt.clock.at = datetime(2026, 11, 10, 8, 0, tzinfo=UTC)
    add(rt, "ada@example.org", "adapters, glaciers", hour="8")
    empty_days(rt, tmp_path, 6)
    assert server.accepted == []
    empty_days(rt, tmp_path, 3)
    quiet = [row for row in rows(rt) if row.kind == "quiet"]
    assert [row.state for row in quiet] == ["accepted"]
    text = server.accepted[0].data.decode()
    assert "Nothing new in 7 days" in text
    assert "glaciers" in text
    assert "List-Unsubscribe" in text
    empty_days(rt, tmp_path, 9 if quick else 20)
    assert len(server.accepted) == 1
    assert [e.kind for e in rt.db.read(lambda s: list_editions(s))].count("quiet") == 1


@pytest.mark.slow
def test_no_quiet_mail_after_a_pause_or_for_somebody_who_had_a_mail(rt, server, tmp_path):
    rt.clock.at = datetime(2026, 11, 10, 8, 0, tzinfo=UTC)
    add(rt, "ada@example.org", "glaciers", hour="8")
    add(rt, "ben@example.org", "robots", hour="8")
    change(rt, "ada@example.org", paused_until=date(2026, 11, 17))
    empty_days(rt, tmp_path, 9)
    assert "quiet" not in [row.kind for row in rows(rt)]


@pytest.mark.slow
def test_an_unsubscribe_stops_the_quiet_mail(rt, server, tmp_path):
    rt.clock.at = datetime(2026, 11, 10, 8, 0, tzinfo=UTC)
    add(rt, "ada@example.org", "glaciers", hour="8")
    empty_days(rt, tmp_path, 6)
    rt.clock.go(days=1)
    ingest_items(rt, tmp_path, [paper_item(99, "Robots again")])
    plan_due(rt)
    reader = rt.db.read(lambda s: get_subscriber_row(s, email_key="ada@example.org"))
    unsubscribe(rt, reader.unsubscribe_token)
    rt.clock.go(minutes=10)
    assert asyncio.run(send_ready(rt)).accepted == 0
    assert [r.state for r in rows(rt) if r.kind == "quiet"] == ["suppressed"]


@pytest.mark.slow  # two houses at once
def test_two_processes_plan_the_same_date_at_once(houses, tmp_path, server, quick):
    emails = sorted(f"r{n}@example.org" for n in range(20 if quick else 60))
    for email in emails:
        add(houses[0], email, "adapters")
    ingest_items(houses[0], tmp_path, [paper_item(1, "Adapters today")])
    reports = []

    def go(rt):
        reports.append(plan_daily(rt))
        asyncio.run(send_ready(rt))

    assert at_once(*(partial(go, rt) for rt in houses)) == []
    asyncio.run(send_ready(houses[0]))
    assert sum(r.planned for r in reports) == len(emails)
    assert sum(r.ready for r in reports) == len(emails)
    assert sorted(m.recipient for m in server.accepted) == emails


@pytest.mark.slow
def test_profiles_may_change_while_papers_are_matched(rt, tmp_path, quick):
    ada = add(rt, "ada@example.org", "adapters")
    parts = range(1, 40 if quick else 120)
    ingest_items(rt, tmp_path, [paper_item(n, f"Adapters, part {n}") for n in parts])

    def run(work):
        for n in range(6 if quick else 15):
            work(n)

    def again(n):
        def act(session):
            session.execute(sa.text("UPDATE paper SET matched_at = NULL"))

        rt.db.write(act)
        match_new(rt)

    def more(n):
        add(rt, f"x{n}@example.org", f"adapters, word{n}, robots")
        rt.db.read(rt.index.sync)

    assert at_once(*(partial(run, work) for work in (again, more, again))) == []
    assert rt.db.read(lambda s: list_profile_rows(s, ada))
