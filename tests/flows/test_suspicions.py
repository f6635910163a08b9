"""What a suspicious engineer tries: things that happen between planning, composing and sending."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from support.house import add, ingest_items, paper_item, rows
from support.meanwhile import between, composed, decided, listed
from support.sizes import one_on_postgres
from support.smtp_server import reply

from service.flows import manage
from service.flows.address import ask_address, change_address
from service.flows.alerts import plan_alerts
from service.flows.daily import DateError, plan_daily, plan_due
from service.flows.interests import add_interest, read_kind
from service.flows.leave import erase, unsubscribe
from service.flows.letter import digest_of
from service.flows.manage import Choices
from service.flows.manage_link import manage_token
from service.flows.send import send_ready
from service.store.deliveries import count_waiting
from service.store.editions import get_edition, list_editions
from service.store.subscribers import get_subscriber_row
from service.subscribers.cadence import local_date, slot_at
from service.subscribers.model import Cadence

pytestmark = pytest.mark.slow  # days of lists

ADA = "ada@example.org"
STEP = timedelta(minutes=30)
WED, THU, FRI = date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20)


def slots(rt):
    """(local date, state, reason) of every daily row."""
    return [
        (rt.db.read(lambda s, r=r: get_edition(s, id=r.edition_id)).slot, r.state, r.reason)
        for r in rows(rt, "digest")
    ]


def titles(row):
    return [e.title.text for e in digest_of(row).entries()]


def reader(rt, email=ADA):
    return rt.db.read(lambda s: get_subscriber_row(s, email_key=email))


def token(rt):
    return manage_token(rt, reader(rt), rt.clock(), fresh=True)


def send(rt):
    return asyncio.run(send_ready(rt))


def at(rt, *when):
    rt.clock.at = datetime(*when, tzinfo=UTC)


def papers(rt, tmp_path, *numbers, **more):
    ingest_items(rt, tmp_path, [paper_item(n, f"Adapters, part {n}") for n in numbers], **more)


# ---- the clock of a reader ----


def test_an_earlier_hour_on_the_same_day_loses_no_day(rt, tmp_path):
    at(rt, 2026, 11, 18, 5, 0)
    add(rt, ADA, "adapters", hour="9")
    papers(rt, tmp_path, 1)
    at(rt, 2026, 11, 18, 7, 30)
    days = frozenset(range(5))
    manage.choose(rt, token(rt), Choices(hour=6, zone="UTC", weekdays=days))
    assert plan_due(rt).ready == 1
    assert slots(rt) == [("2026-11-18", "ready", "")]
    manage.choose(rt, token(rt), Choices(hour=10, zone="UTC", weekdays=days))
    at(rt, 2026, 11, 18, 10, 0)
    plan_due(rt)
    assert len(slots(rt)) == 1


def test_an_hour_chosen_after_the_days_mail_brings_no_second(rt, tmp_path):
    at(rt, 2026, 11, 18, 5, 0)
    add(rt, ADA, "adapters", hour="6")
    papers(rt, tmp_path, 1)
    at(rt, 2026, 11, 18, 6, 0)
    plan_due(rt)
    manage.choose(rt, token(rt), Choices(hour=5, zone="UTC", weekdays=frozenset(range(5))))
    papers(rt, tmp_path, 2)
    plan_due(rt)
    assert len(slots(rt)) == 1
    at(rt, 2026, 11, 19, 5, 0)
    plan_due(rt)
    assert [s[0] for s in slots(rt)] == ["2026-11-18", "2026-11-19"]


def test_a_new_hour_before_the_first_mail_does_not_send_at_once(rt, tmp_path):
    at(rt, 2026, 11, 18, 9, 0)
    add(rt, ADA, "adapters", hour="8")
    papers(rt, tmp_path, 1)
    manage.choose(rt, token(rt), Choices(hour=7, zone="UTC", weekdays=frozenset(range(5))))
    assert plan_due(rt).planned == 0


@one_on_postgres(
    ("zone", "first"),
    [
        ("Europe/Zurich", datetime(2026, 3, 27, 0, 30, tzinfo=UTC)),  # 02:00 is skipped on 29
        ("Europe/Zurich", datetime(2026, 10, 22, 22, 15, tzinfo=UTC)),  # 02:00 twice on 25
        ("America/New_York", datetime(2026, 3, 6, 6, 30, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 4, 3, 14, 0, tzinfo=UTC)),  # half an hour
    ],
)
def test_one_mail_a_date_where_the_clock_is_changed(rt, tmp_path, zone, first):
    rt.clock.at = first
    add(rt, ADA, "adapters", hour="2", tz=zone)
    manage.choose(rt, token(rt), Choices(hour=2, zone=zone, weekdays=frozenset(range(7))))
    end, n = first + timedelta(days=4), 0
    while rt.clock() < end:
        n += 1
        if n % 8 == 0:
            papers(rt, tmp_path, n)
        plan_due(rt)
        if rt.db.read(count_waiting):
            send(rt)
        rt.clock.go(minutes=30)
    dates = [local_date(first, zone) + timedelta(days=d) for d in range(6)]
    meant = [str(d) for d in dates if first < slot_at(d, 2, zone) <= rt.clock() - STEP]
    assert len(meant) >= 4
    assert [s[0] for s in slots(rt)] == meant
    shown = [p for row in rows(rt) for p in (row.content or {}).get("papers", ())]
    assert len(shown) == len(set(shown))


def test_moving_west_and_back_brings_one_mail_a_date(rt, tmp_path):
    at(rt, 2026, 11, 17, 20, 0)
    add(rt, ADA, "adapters", hour="8", tz="Asia/Tokyo")
    papers(rt, tmp_path, 1)
    every = frozenset(range(7))
    at(rt, 2026, 11, 17, 23, 0)  # Wednesday 08:00 in Tokyo
    plan_due(rt)
    manage.choose(rt, token(rt), Choices(hour=8, zone="America/Los_Angeles", weekdays=every))
    for _ in range(30):
        plan_due(rt)
        rt.clock.go(hours=1)
    manage.choose(rt, token(rt), Choices(hour=8, zone="Asia/Tokyo", weekdays=every))
    for _ in range(30):
        plan_due(rt)
        rt.clock.go(hours=1)
    seen = [s[0] for s in slots(rt)]
    assert len(seen) == len(set(seen))
    assert seen[0] == "2026-11-18"
    assert "2026-11-20" in seen


# ---- pause and resume ----


def test_a_pause_stops_what_is_not_begun(rt, server, tmp_path):
    at(rt, 2026, 11, 18, 7, 0)
    add(rt, ADA, "adapters", hour="8", cadence="daily")
    papers(rt, tmp_path, 1)
    at(rt, 2026, 11, 18, 8, 0)
    assert plan_due(rt).ready == 1  # spread over ten minutes: not gone yet
    manage.pause(rt, token(rt), THU)
    rt.clock.go(minutes=15)
    assert send(rt).accepted == 0
    assert slots(rt) == [("2026-11-18", "skipped", "paused")]
    at(rt, 2026, 11, 19, 8, 0)
    assert plan_due(rt).ready == 1
    assert titles(rows(rt)[-1]) == ["Adapters, part 1"]


def test_pause_and_resume_around_midnight(rt, server, tmp_path):
    at(rt, 2026, 11, 17, 22, 0)
    add(rt, ADA, "adapters", hour="0", tz="Europe/Zurich")
    at(rt, 2026, 11, 17, 22, 59)  # 23:59 on Tuesday in Zurich
    manage.pause(rt, token(rt), WED + timedelta(days=1))
    papers(rt, tmp_path, 1)
    at(rt, 2026, 11, 17, 23, 0)
    plan_due(rt)
    assert slots(rt) == [("2026-11-18", "skipped", "paused")]
    manage.pause(rt, token(rt), None)
    rt.clock.go(minutes=5)
    plan_due(rt)
    assert len(slots(rt)) == 1  # the date's slot is used
    at(rt, 2026, 11, 18, 23, 0)
    plan_due(rt)
    assert titles(rows(rt)[-1]) == ["Adapters, part 1"]


# ---- daily and weekly together ----


def test_a_weekly_interest_rides_on_its_day_with_the_daily(rt, server, tmp_path):
    at(rt, 2026, 11, 16, 7, 0)
    add(rt, ADA, "adapters", hour="8")

    def weekly(session):
        row = get_subscriber_row(session, email_key=ADA)
        wanted = read_kind("keywords", "robots, adapters")
        add_interest(session, row.id, wanted, rt.clock(), cadence=Cadence.WEEKLY, weekday=4)

    rt.db.write(weekly)
    ingest_items(rt, tmp_path, [paper_item(1, "Robots"), paper_item(2, "Adapters, part 2")])
    for day in range(16, 21):
        at(rt, 2026, 11, day, 8, 0)
        plan_due(rt)
        rt.clock.go(minutes=15)
        send(rt)
    assert [s[1] for s in slots(rt)] == ["accepted", *["skipped"] * 3, "accepted"]
    assert titles(rows(rt)[0]) == ["Adapters, part 2"]
    assert titles(rows(rt)[-1]) == ["Robots"]
    assert len(server.accepted) == 2


# ---- a person's send on other dates ----


def test_dates_past_tomorrow_and_later(rt, server, tmp_path):
    add(rt, ADA, "adapters", hour="8")
    papers(rt, tmp_path, 1)
    with pytest.raises(DateError):
        plan_daily(rt, FRI)
    assert plan_daily(rt, WED - timedelta(days=1)).skipped == {"nothing_new": 1}  # not yet there
    assert plan_daily(rt, THU).ready == 1
    assert send(rt).accepted == 1
    assert plan_daily(rt, WED).skipped == {"nothing_new": 1}
    papers(rt, tmp_path, 2)
    at(rt, 2026, 11, 19, 8, 0)
    assert plan_due(rt).planned == 0  # tomorrow's slot was used
    assert len(server.accepted) == 1
    at(rt, 2026, 11, 20, 8, 0)
    plan_due(rt)
    assert titles(rows(rt)[-1]) == ["Adapters, part 2"]


def test_a_send_to_one_reader_hurries_nobody_else(rt, server, tmp_path):
    at(rt, 2026, 11, 18, 7, 0)
    for n in range(6):
        add(rt, f"r{n}@example.org", "adapters", hour="8")
    papers(rt, tmp_path, 1)
    at(rt, 2026, 11, 18, 8, 0)
    plan_due(rt)
    before = {r.recipient_key: r.not_before for r in rows(rt)}
    plan_daily(rt, email_key="r0@example.org")
    after = {r.recipient_key: r.not_before for r in rows(rt)}
    assert after.pop("r0@example.org") is None
    assert after == {key: when for key, when in before.items() if key in after}


# ---- who goes while a mail is made ----


@pytest.mark.parametrize("act", [erase, unsubscribe])
@pytest.mark.parametrize(
    ("seen", "cadence", "mails"),
    [
        pytest.param(listed, "", lambda rt: plan_daily(rt).planned, id="daily planned"),
        pytest.param(decided, "", lambda rt: plan_daily(rt).ready, id="daily composed"),
        pytest.param(composed, "instant", lambda rt: plan_alerts(rt).planned, id="alert decided"),
    ],
)
def test_who_goes_while_a_mail_is_made_gets_none(rt, server, tmp_path, act, seen, cadence, mails):
    for email in (ADA, "ben@example.org"):
        add(rt, email, "adapters", cadence=cadence)
    papers(rt, tmp_path, 1)
    key = ADA if act is erase else reader(rt).unsubscribe_token
    done = between(rt, seen, lambda: act(rt, key))
    assert mails(rt) == 1
    assert done
    assert send(rt).accepted == 1
    assert [m.recipient for m in server.accepted] == ["ben@example.org"]


# ---- what changes between ----


def test_another_address_brings_no_second_mail_of_a_date(rt, server, tmp_path):
    add(rt, ADA, "adapters")
    papers(rt, tmp_path, 1)
    plan_daily(rt)
    send(rt)
    ask_address(rt, token(rt), "ada@example.net")
    send(rt)
    import re

    text = server.accepted[-1].data.decode().replace("=\r\n", "").replace("=3D", "=")
    change_address(rt, re.search(r"/address/([\w.~=-]+)", text)[1])
    papers(rt, tmp_path, 2)
    assert plan_daily(rt).planned == 0
    assert len(rows(rt, "digest")) == 1
    rt.clock.go(days=1)
    assert plan_daily(rt).ready == 1
    assert titles(rows(rt, "digest")[-1]) == ["Adapters, part 2"]


def test_a_second_attempt_has_the_same_bytes_whatever_the_reader_changed(rt, server, tmp_path):
    add(rt, ADA, "adapters")
    papers(rt, tmp_path, 1)
    plan_daily(rt)
    seen = []

    def changed():
        manage.choose(
            rt, token(rt), Choices(hour=11, zone="Asia/Tokyo", weekdays=frozenset({0, 2}))
        )
        manage.choose(
            rt, token(rt), Choices(locale="de", format="text", style="full", trending=True)
        )

    server.on("DOT", reply("451 4.3.0 later"), times=1)
    assert send(rt).deferred == 1
    seen.append(rows(rt)[0].body_sha)
    changed()
    ingest_items(rt, tmp_path, [paper_item(1, "Another title altogether")])
    rt.clock.go(minutes=15)
    assert send(rt).accepted == 1
    seen.append(rows(rt)[0].body_sha)
    assert seen[0] == seen[1]


def test_a_paper_whose_words_changed_before_the_mail(rt, server, tmp_path):
    add(rt, ADA, "adapters")
    papers(rt, tmp_path, 1, 2)
    other = sa.text(
        "UPDATE paper SET title = 'Withdrawn', abstract = 'No words are left.', folded = NULL, "
        "matched_at = NULL, withdrawn = true WHERE title LIKE :part"
    )

    def withdraw(n):
        rt.db.write(lambda s: s.execute(other, {"part": f"%part {n}"}))

    done = between(rt, decided, lambda: withdraw(2))
    assert plan_daily(rt).ready == 1
    assert done
    assert sorted(titles(rows(rt)[0])) == ["Adapters, part 1", "Adapters, part 2"]
    send(rt)
    rt.clock.go(days=1)
    papers(rt, tmp_path, 3)
    withdraw(3)
    assert plan_daily(rt).skipped == {"nothing_new": 1}


def test_editions_are_one_a_date(rt, tmp_path):
    add(rt, ADA, "adapters")
    plan_daily(rt)
    plan_daily(rt)
    at(rt, 2026, 11, 18, 23, 0)
    plan_daily(rt)
    kinds = [(e.kind, e.slot) for e in rt.db.read(lambda s: list_editions(s))]
    assert len(kinds) == len(set(kinds)) == 1
    with rt.db.engine.connect() as connection:
        twice = connection.execute(
            sa.text(
                "SELECT count(*) FROM delivery GROUP BY edition_id, recipient_key "
                "HAVING count(*) > 1"
            )
        ).all()
    assert twice == []
