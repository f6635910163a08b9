"""Which papers and days one mail covers: the reader's own date, weekly days, pauses, outages."""

import asyncio
from datetime import UTC, date, datetime

import pytest
from support.house import add, ingest_items, paper_item, rows

from service.flows.daily import plan_daily, plan_due
from service.flows.letter import digest_of
from service.flows.preview import why_nothing, would_send
from service.flows.send import send_ready
from service.flows.view import show
from service.flows.welcome import send_first
from service.store.subscribers import get_subscriber_row, list_profile_rows

WED, THU, FRI = date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20)


def digest(rt, at=-1):
    return digest_of(rows(rt)[at])


def titles(rt, at=-1):
    made = digest(rt, at)
    return sorted(e.title.text for e in made.entries()) if made is not None else None


def at(rt, *when):
    rt.clock.at = datetime(*when, tzinfo=UTC)


def change(rt, email, *, profile=None, **values):
    """Set columns of a reader, or with ``profile`` of every interest of theirs."""

    def act(session):
        reader = get_subscriber_row(session, email_key=email)
        for row in [reader] if profile is None else list_profile_rows(session, reader.id):
            for name, value in (values if profile is None else profile).items():
                setattr(row, name, value)
            session.add(row)

    rt.db.write(act)


@pytest.mark.parametrize("by", ["clock", "person"])
def test_an_evening_mail_west_of_utc_holds_what_came_until_then(rt, tmp_path, by):
    """Thursday evening in Los Angeles is Friday in UTC; the mail is Thursday's all the same."""
    at(rt, 2026, 11, 19, 20)
    add(rt, "ana@example.org", "adapters", hour="20", tz="America/Los_Angeles")
    at(rt, 2026, 11, 20, 2)  # Thursday 18:00 there
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters of the evening")])
    at(rt, 2026, 11, 20, 4, 0)
    plan_due(rt) if by == "clock" else plan_daily(rt)
    assert titles(rt) == ["Adapters of the evening"]
    assert digest(rt).on == THU
    assert digest(rt).checked == 1


def test_a_replay_of_a_past_date_ends_with_that_date_west_of_utc(rt, tmp_path):
    add(rt, "ana@example.org", "adapters", hour="20", tz="America/Los_Angeles")
    at(rt, 2026, 11, 20, 2)
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters of a Friday")])
    at(rt, 2026, 11, 21, 20)
    plan_daily(rt, THU)
    assert rows(rt)[-1].reason == "nothing_new"


def weekly_house(rt):
    at(rt, 2026, 11, 13, 9)
    add(rt, "week@example.org", "adapters", cadence="weekly", hour="8")


def tick_days(rt, tmp_path, days, title="Robots on a day"):
    """Every morning at eight, with a paper of the day."""
    for _ in range(days):
        rt.clock.go(days=1)
        rt.clock.at = rt.clock.at.replace(hour=7, minute=0)
        number = rt.clock.at.timetuple().tm_yday
        ingest_items(rt, tmp_path, [paper_item(number, f"{title} {number}")])
        rt.clock.at = rt.clock.at.replace(hour=8, minute=0)
        plan_due(rt)
        rt.clock.go(minutes=10)
        asyncio.run(send_ready(rt))


def test_other_days_of_a_weekly_reader_say_so_and_nothing_else(rt, tmp_path):
    weekly_house(rt)
    at(rt, 2026, 11, 18, 9)
    tick_days(rt, tmp_path, 1, "Adapters on a day")
    assert [(r.state, r.reason) for r in rows(rt)] == [("skipped", "not_your_day")]
    said = why_nothing(rt, "not_your_day", 0, THU)
    assert said == "Thu 19 November: none of your interests has its day."
    assert would_send(rt, THU)["skipped"] == {"not_your_day": 1}
    tick_days(rt, tmp_path, 1)
    assert titles(rt) == ["Adapters on a day 323"]


@pytest.mark.slow  # a second or more
def test_the_quiet_mail_of_a_weekly_reader_waits_for_two_empty_weeks(rt, server, tmp_path):
    weekly_house(rt)
    tick_days(rt, tmp_path, 13)  # one empty Friday, and six other days
    assert server.accepted == []
    tick_days(rt, tmp_path, 1)
    assert [r.kind for r in rows(rt) if r.state == "accepted"] == ["quiet"]
    assert "Nothing new in 13 days" in server.accepted[0].data.decode()


def test_what_was_checked_links_to_the_day_of_the_mail(rt, server, tmp_path):
    add(rt, "ana@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters")], on=WED)
    plan_daily(rt, WED)
    asyncio.run(send_ready(rt))
    assert "/papers/2026-11-18" in server.accepted[0].data.decode().replace("=\r\n", "")


def test_what_was_checked_on_a_day_without_a_list_links_to_the_newest_one(rt, server, tmp_path):
    at(rt, 2026, 11, 20, 9)
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters")], on=FRI)
    at(rt, 2026, 11, 21, 15)  # a Saturday
    assert send_first(rt, add(rt, "ana@example.org", "adapters"))
    asyncio.run(send_ready(rt))
    mail = server.accepted[0].data.decode().replace("=\r\n", "")
    assert "/papers/2026-11-20" in mail
    assert "/papers/2026-11-21" not in mail
    assert "/papers/2026-11-20" in show(rt, rows(rt)[-1]), "and so does the mail in a browser"
