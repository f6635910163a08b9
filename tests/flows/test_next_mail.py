"""When the next mail comes, as readers are told: what a date had is not promised again, and what
waits is not put off to another day."""

from datetime import UTC, date, datetime, timedelta

import pytest
from support.house import add, ingest_items, paper_item, rows

from service.flows.daily import plan_daily, plan_due
from service.flows.leave import undo, unsubscribe
from service.flows.next_mail import next_mail_at
from service.flows.sources import add_source
from service.flows.welcome import send_first
from service.store.editions import list_editions
from service.store.sources import get_source_day, list_sources
from service.store.subscribers import get_subscriber_row

ADA = "ada@example.org"


def utc(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.fixture
def ada(rt, tmp_path):
    """A reader of every weekday at eight, on a Wednesday at seven; papers are there."""
    rt.clock.at = utc(18, 7)
    reader = add(rt, ADA, "adapters", hour="8")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters today")])
    return reader


def row(rt):
    return rt.db.read(lambda s: get_subscriber_row(s, email_key=ADA))


def told(rt):
    return rt.db.read(lambda s: next_mail_at(rt, s, row(rt)))


def leave(rt):
    unsubscribe(rt, row(rt).unsubscribe_token)


def come_back(rt):
    assert undo(rt, row(rt).unsubscribe_token)


def dates(rt):
    slots = {e.id: date.fromisoformat(e.slot).day for e in rt.db.read(list_editions)}
    return [slots[one.edition_id] for one in rows(rt)]


def test_a_date_that_had_its_mail_before_the_hour_is_not_promised_again(rt, ada):
    assert told(rt) == utc(18, 8)
    assert send_first(rt, ada)
    assert told(rt) == utc(19, 8)
    leave(rt)
    assert told(rt) is None
    come_back(rt)
    assert told(rt) == utc(19, 8)


@pytest.mark.parametrize(("on", "then"), [(18, 19), (19, 18)])
def test_what_was_sent_by_hand_counts_too(rt, ada, on, then):
    plan_daily(rt, date(2026, 11, on))
    assert told(rt) == utc(then, 8)


def test_a_mail_that_waits_for_a_late_list_comes_today(rt, ada):
    add_source(rt, "arxiv_rss", "cs.CL", history_days=0)
    source = rt.db.read(lambda s: list_sources(s, "arxiv_rss"))[0]

    def late(session):
        day = get_source_day(session, source.id, date(2026, 11, 18))
        day.state, day.expected = "late", True
        session.add(day)

    rt.db.write(late)
    rt.clock.at = utc(18, 8)
    assert plan_due(rt).planned == 0
    assert told(rt) == utc(18, 8, 5)
    rt.clock.at = utc(18, 8, 7)  # the clock's tick is late itself
    assert told(rt) == rt.clock()


def test_what_is_due_comes_now_and_after_a_pause_it_does_not(rt, ada):
    rt.clock.at = utc(18, 8, 1)
    assert told(rt) == rt.clock()

    def rest(session):
        get_subscriber_row(session, email_key=ADA).paused_until = date(2026, 11, 20)

    rt.db.write(rest)
    assert told(rt) == utc(20, 8)


@pytest.mark.parametrize(
    ("left", "back", "due", "had"),
    [
        pytest.param((18, 7, 30), (18, 7, 40), (18, 8), [18], id="before the hour"),
        pytest.param((18, 7, 30), (18, 9), (18, 9), [18], id="over the hour"),
        pytest.param((18, 8, 0), (18, 9), (18, 9), [18], id="in the minute of the mail"),
        pytest.param((18, 7, 30), (20, 9), (20, 9), [20], id="days later, after the hour"),
        pytest.param((18, 7, 30), (21, 9), (23, 8), [23], id="on a Saturday"),
    ],
)
def test_leaving_and_coming_back_costs_no_date_of_those_here(rt, ada, left, back, due, had):
    """Who comes back is as before: the date has its one mail, also where its hour is over."""
    rt.clock.at = utc(*left)
    leave(rt)
    rt.clock.at = utc(*back)
    plan_due(rt)
    come_back(rt)
    assert told(rt) == utc(*due)
    rt.clock.at = utc(*due)
    assert plan_due(rt).ready == 1
    assert dates(rt) == had
    rt.clock.go(hours=1)
    assert plan_due(rt).planned == 0


def test_who_began_after_the_hour_and_came_back_waits_for_the_next(rt, ada):
    rt.clock.at = utc(18, 9)
    add(rt, "ben@example.org", "adapters", hour="8")
    rt.clock.go(minutes=5)
    ben = rt.db.read(lambda s: get_subscriber_row(s, email_key="ben@example.org"))
    unsubscribe(rt, ben.unsubscribe_token)
    assert undo(rt, ben.unsubscribe_token)
    ben = rt.db.read(lambda s: get_subscriber_row(s, email_key="ben@example.org"))
    assert ben.next_digest_at == utc(19, 8)


def test_a_mail_that_leaving_stopped_is_not_made_again(rt, ada):
    rt.clock.at = utc(18, 8)
    plan_due(rt)
    leave(rt)
    come_back(rt)
    assert told(rt) == utc(19, 8)
    rt.clock.at += timedelta(days=1)
    assert plan_due(rt).ready == 1, "its papers ride in the next"
    assert [one.state for one in rows(rt)] == ["suppressed", "ready"]
