"""The eight rules of what a daily is, each by its words and on real planning.

What another file shows is not shown again: of 1 the first poll and missed days (test_poll_lists,
test_missed_days), of 2 the seven days, of 3 the latest date, of 6 the forty papers (test_daily), of
5 pauses and outages (test_catching_up), of 8 the page of a day (test_browse_days).
"""

import asyncio
import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from support.house import add, ingest_items, paper_item, rows
from support.smtp_server import drop, reply

from service.flows.alerts import plan_alerts
from service.flows.begin import confirm
from service.flows.daily import plan_daily, plan_due
from service.flows.editions import cancel
from service.flows.estimate import estimate
from service.flows.ingest import ingest_files
from service.flows.interests import (
    InterestChange,
    add_whole,
    apply_change,
    change_interest,
    read_form,
    read_kind,
)
from service.flows.leave import unsubscribe
from service.flows.letter import digest_of
from service.flows.readers import import_readers
from service.flows.search import search
from service.flows.send import send_ready
from service.flows.sources import add_source
from service.flows.subscribe import Wish, request
from service.flows.sweep import sweep
from service.flows.welcome import send_first
from service.matching.counting import Asked
from service.matching.parse import parse_keywords
from service.store.editions import list_editions
from service.store.events import add_event
from service.store.sources import get_source_day, list_sources
from service.store.subscribers import get_subscriber_row, list_profile_rows
from service.subscribers.address import read_address
from service.subscribers.model import Cadence

ADA = "ada@example.org"
DAY = timedelta(days=1)


def on(day: int) -> date:
    return date(2026, 11, day)


def take_in(rt, folder, day, *numbers, votes=3):
    items = [paper_item(n, f"Adapters {n}", votes=votes) for n in numbers]
    ingest_items(rt, folder, items, on=on(day))


def titles(rt, number=-1):
    digest = digest_of(rows(rt)[number])
    return [e.title.text for e in digest.entries()] if digest is not None else []


def numbers(rt, number=-1):
    return sorted(int(title.split()[-1]) for title in titles(rt, number))


def send(rt):
    return asyncio.run(send_ready(rt)).accepted


def slots(rt):
    """(address, date) of each row of a daily."""
    days = {e.id: e.slot for e in rt.db.read(list_editions) if e.kind == "digest"}
    return sorted(
        (row.recipient_key.partition("@")[0], int(days[row.edition_id][-2:]))
        for row in rows(rt)
        if row.edition_id in days
    )


# ---- 1: new is what first reaches us; known is the past ----


def test_1_an_old_paper_that_is_listed_late_is_new_on_the_day_it_reaches_us(rt, tmp_path):
    add(rt, ADA, "adapters")
    late = paper_item(1, "Adapters 1", publishedAt="2019-03-01T00:00:00.000Z")
    ingest_items(rt, tmp_path, [late], on=on(18))
    assert plan_daily(rt, on(17)).ready == 0
    assert plan_daily(rt, on(18)).ready == 1
    assert numbers(rt) == [1]


def test_1_known_papers_are_searched_estimated_and_in_a_first_digest_alone(rt, tmp_path):
    file = tmp_path / "past.json"
    file.write_text(json.dumps([paper_item(n, f"Adapters {n}") for n in (1, 2)]))
    ingest_files(rt, "hf_daily", [file], on=on(17), history=True)
    query = parse_keywords("adapters")
    assert len(search(rt, "adapters").papers) == 2
    assert estimate(rt, Asked(query)).estimate.total == 2
    reader = add(rt, ADA, "adapters")
    assert plan_daily(rt).skipped == {"nothing_new": 1}
    rt.clock.at += DAY
    assert send_first(rt, reader)
    assert numbers(rt) == [1, 2]


# ---- 2: seven days, not before `since`, not what was had ----


def begin(rt, server):
    """Sign up and confirm, without a first digest."""
    wish = Wish(
        address=read_address(ADA), wanted=(read_form("adapters"),), hour=8, zone="UTC", locale="en"
    )
    request(rt, wish, network="203.0.113.0")
    send(rt)
    text = server.accepted[-1].data.decode().replace("=\r\n", "").replace("=3D", "=")
    assert confirm(rt, re.search(r"/confirm/([\w.~=-]+)", text)[1], first_now=False) == "begun"


@pytest.mark.slow
def test_2_who_signed_up_has_the_day_before_and_a_wider_query_digs_up_nothing(rt, server, tmp_path):
    for day in (16, 17, 18):
        take_in(rt, tmp_path, day, day)
    ingest_items(rt, tmp_path, [paper_item(26, "Robots 26")], on=on(16))
    ingest_items(rt, tmp_path, [paper_item(27, "Robots 27")], on=on(17))
    begin(rt, server)
    plan_daily(rt)
    assert numbers(rt) == [17, 18]
    send(rt)

    def widen(session):
        reader = get_subscriber_row(session, email_key=ADA)
        profile = list_profile_rows(session, reader.id)[0]
        change_interest(session, profile, rt.clock(), wanted=read_form("adapters, robots"))

    rt.db.write(widen)
    rt.clock.at += DAY
    plan_daily(rt)
    assert numbers(rt) == [27]


def test_2_ingest_then_import_then_send_reaches_everybody(rt, tmp_path):
    take_in(rt, tmp_path, 12, 12)
    take_in(rt, tmp_path, 18, 18)
    import_readers(rt, b"email,keywords\nada@example.org,adapters\nben@example.org,adapters\n")
    assert plan_daily(rt).ready == 2
    assert [numbers(rt, n) for n in (0, 1)] == [[12, 18]] * 2


# ---- 3: a person's send ----


def test_3_a_persons_send_asks_for_no_hour_and_waits_for_no_source(rt, tmp_path):
    add(rt, ADA, "adapters", hour="23")
    add_source(rt, "arxiv_rss", "cs.CL", history_days=0)
    source = rt.db.read(lambda s: list_sources(s, "arxiv_rss"))[0]

    def late(session):
        day = get_source_day(session, source.id, on(18))
        day.state, day.expected = "late", True
        session.add(day)

    rt.db.write(late)
    take_in(rt, tmp_path, 18, 1)
    assert plan_daily(rt).ready == 1
    assert send(rt) == 1


@pytest.mark.slow
def test_3_today_is_the_readers_own_and_again_is_the_rest(rt, tmp_path):
    rt.clock.at = datetime(2026, 11, 20, 11, tzinfo=UTC)  # Saturday 01:00 on Kiritimati
    take_in(rt, tmp_path, 20, 1)
    add(rt, ADA, "adapters")
    add(rt, "kim@example.org", "adapters", tz="Pacific/Kiritimati")
    add(rt, "leo@example.org", "adapters", tz="Pacific/Kiritimati", weekdays="sat")
    add(rt, "hana@example.org", "adapters", tz="Pacific/Honolulu")
    assert plan_daily(rt).planned == 3
    assert slots(rt) == [("ada", 20), ("hana", 20), ("leo", 21)]
    add(rt, "ben@example.org", "adapters")
    unsubscribe(rt, rt.db.read(lambda s: get_subscriber_row(s, email_key=ADA)).unsubscribe_token)
    assert plan_daily(rt).planned == 1
    assert plan_daily(rt).planned == 0
    assert slots(rt)[1] == ("ben", 20)


@pytest.mark.parametrize("day", [2, 19])
def test_3_deadlines_count_from_planning_never_from_the_date(rt, tmp_path, day):
    add(rt, ADA, "adapters")
    take_in(rt, tmp_path, day, 1)
    assert plan_daily(rt, on(day)).ready == 1
    assert rows(rt)[0].deadline_at == rt.clock() + timedelta(hours=20)
    rt.clock.go(hours=19)
    sweep(rt)
    assert send(rt) == 1


# ---- 4: one scheduled mail a date ----


def also(rt, reader, words, kind="keywords", **change):
    made = InterestChange(wanted=read_kind(kind, words), **change)
    rt.db.write(lambda s: add_whole(s, reader, made, rt.clock()))


@pytest.mark.slow
def test_4_daily_weekly_follows_and_signals_are_one_mail(rt, tmp_path):
    reader = add(rt, ADA, "adapters", hour="8")
    also(rt, reader, "glaciers", cadence=Cadence.WEEKLY, weekday=4)
    also(rt, reader, "Carla Diaz", "follow")

    def want_news(session):
        row = list_profile_rows(session, reader)[0]
        wanted = read_kind("keywords", "adapters")
        apply_change(session, row, InterestChange(wanted=wanted, signals=True), rt.clock())

    rt.db.write(want_news)
    items = [
        paper_item(1, "Adapters 1"),
        paper_item(2, "Glaciers 2"),
        paper_item(3, "Something 3", authors=[{"name": "Carla Diaz"}]),
    ]
    ingest_items(rt, tmp_path, items, on=on(18))
    plan_daily(rt)
    assert numbers(rt) == [1, 3], "the weekly one rides on Fridays"
    assert send(rt) == 1
    rt.clock.at = datetime(2026, 11, 20, 8, tzinfo=UTC)
    take_in(rt, tmp_path, 20, 4)
    rt.db.write(lambda s: add_event(s, 1, "code", rt.clock(), "https://code.example/adapters"))
    assert plan_due(rt).planned == 1
    assert numbers(rt) == [2, 4]
    assert [one.paper_id for s in digest_of(rows(rt)[-1]).sections for one in s.signals] == [1]
    assert slots(rt) == [("ada", 18), ("ada", 20)]


def test_4_a_first_digest_takes_the_dates_slot_and_an_alert_does_not(rt, tmp_path):
    rt.clock.at = datetime(2026, 11, 18, 7, 30, tzinfo=UTC)
    ben = add(rt, "ben@example.org", "adapters", hour="8")
    add(rt, ADA, "adapters", hour="8", cadence="instant")
    take_in(rt, tmp_path, 18, 1)
    assert send_first(rt, ben)
    assert plan_alerts(rt).planned == 1
    assert send(rt) == 2
    take_in(rt, tmp_path, 18, 2)
    rt.clock.at = datetime(2026, 11, 18, 8, tzinfo=UTC)
    plan_due(rt)
    plan_daily(rt)
    assert slots(rt) == [("ada", 18), ("ben", 18)]
    assert [row.kind for row in rows(rt)] == ["first", "alert", "digest"]


# ---- 5: days without mail ----


@pytest.mark.slow
def test_5_what_comes_on_days_without_mail_rides_in_the_next(rt, tmp_path):
    add(rt, ADA, "adapters", hour="8", weekdays="mon,fri")
    for day in range(20, 24):
        rt.clock.at = datetime(2026, 11, day, 8, tzinfo=UTC)
        take_in(rt, tmp_path, day, day)
        plan_due(rt)
        rt.clock.go(minutes=10)
        send(rt)
    assert slots(rt) == [("ada", 20), ("ada", 23)]
    assert [numbers(rt, n) for n in (0, 1)] == [[20], [21, 22, 23]]


# ---- 6: what is carried ----


def refused(rt, server):
    server.on("DOT", reply("550 5.7.1 not today"), times=1)
    send(rt)


def too_late(rt, server):
    server.on("MAIL", reply("451 4.3.0 later"), times=9)
    send(rt)
    rt.clock.go(hours=21)
    send(rt)


def in_doubt(rt, server):
    server.on("DOT", drop(record=True), times=1)
    send(rt)


def presumed(rt, server):
    in_doubt(rt, server)
    rt.clock.go(minutes=31)
    send(rt)


def went(rt, server):
    send(rt)


def called_off(rt, server):
    cancel(rt, rows(rt)[0].edition_id, "ada")


def stopped(rt, server):
    unsubscribe(rt, rt.db.read(lambda s: get_subscriber_row(s, email_key=ADA)).unsubscribe_token)


@pytest.mark.parametrize(
    ("happens", "state", "is_carried"),
    [
        (refused, "failed", True),
        (too_late, "expired", True),
        (in_doubt, "unknown", False),  # while it may still be said to have come
        (presumed, "presumed", True),
        (went, "accepted", False),
        (called_off, "cancelled", False),
        (stopped, "suppressed", False),
    ],
)
def test_6_carried_are_papers_of_mails_that_failed_expired_or_are_held(
    rt, server, tmp_path, happens, state, is_carried
):
    add(rt, ADA, "adapters")
    take_in(rt, tmp_path, 18, 1)
    plan_daily(rt)
    happens(rt, server)
    with rt.db.engine.connect() as connection:
        found = list(connection.execute(sa.text("SELECT paper_id FROM carry")).scalars())
    assert rows(rt)[0].state == state
    assert found == [1] * is_carried


# ---- 7: one paper, two interests ----


def test_7_the_same_paper_stands_in_the_better_interest_which_names_the_other(rt, tmp_path):
    reader = add(rt, ADA, "speech")
    also(rt, reader, "adapters")
    said = paper_item(1, "Adapters 1", "Adapters, and what adapters do to speech.")
    ingest_items(rt, tmp_path, [said, paper_item(2, "Speech 2")], on=on(18))
    plan_daily(rt)
    found = {
        s.name: [(e.paper_id, e.also_in) for e in s.entries]
        for s in digest_of(rows(rt)[0]).sections
    }
    assert found == {"adapters": [(1, ("speech",))], "speech": [(2, ())]}


# ---- 8: trending ----


@pytest.mark.slow
def test_8_trending_is_of_three_list_days_by_votes_a_day_and_ten(rt, tmp_path):
    add(rt, ADA)
    listed = {
        12: [(1, 900)],  # a fourth list day back
        13: [(2, 60), (3, 5)],  # a Friday: six days of votes
        17: [(4, 21), (5, 22)],
        18: [(6, 10), (7, 11), (8, 0), *[(n, 1) for n in range(20, 30)]],
    }
    for day, papers in listed.items():
        items = [paper_item(n, f"Paper {n}", votes=votes) for n, votes in papers]
        ingest_items(rt, tmp_path, items, on=on(day))
    plan_daily(rt)
    shown = [int(title.split()[-1]) for title in titles(rt)]
    # 22/2 and 11 by their names, 21/2, 60/6 and 10 by their names, 1 each; 5/6 finds no room
    assert shown == [5, 7, 4, 2, 6, 20, 21, 22, 23, 24]
    send(rt)
    rt.clock.at += DAY
    plan_daily(rt)
    assert [int(title.split()[-1]) for title in titles(rt)] == [3, 25, 26, 27, 28, 29]  # 5/7, 1/2
