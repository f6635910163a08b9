"""The machine's clock jumps, the rules of a zone change, the house is down: nobody has two mails of
a date, no date and no paper is lost."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from support.house import Clock, add, ingest_items, make_due, paper_item, rows
from support.sizes import one_on_postgres

from service.flows.alerts import plan_alerts
from service.flows.clocks import set_clocks
from service.flows.daily import plan_due
from service.flows.letter import digest_of
from service.flows.send import send_ready
from service.flows.sources import add_source
from service.store.editions import list_editions
from service.store.sources import list_sources
from service.store.subscribers import get_subscriber_row

EVERY_DAY = "mon,tue,wed,thu,fri,sat,sun"


@pytest.fixture
def clock():
    return Clock(datetime(2026, 11, 18, 7, tzinfo=UTC))  # a Wednesday


def at(rt, day, hour=8, minute=0):
    rt.clock.at = datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def paper(rt, folder, number):
    ingest_items(rt, folder, [paper_item(number, f"Adapters {number}")])


def tick(rt):
    """A round of the engine, and what was spread over the hour."""
    set_clocks(rt)
    plan_due(rt)
    asyncio.run(send_ready(rt))


def had(rt):
    """(date, numbers of papers) of each mail, in the order in which they were planned."""
    slots = {e.id: e.slot for e in rt.db.read(list_editions)}
    made = [(slots[row.edition_id], digest_of(row)) for row in rows(rt, "digest")]
    return [
        (date.fromisoformat(slot).day, sorted(int(title.split()[-1]) for title in titles_of(one)))
        for slot, one in made
        if one is not None
    ]


def titles_of(digest):
    found = [e.title.text for e in digest.entries()]
    return found + [line.title.text for s in digest.sections for line in s.lines]


def next_at(rt):
    row = rt.db.read(lambda s: get_subscriber_row(s, email_key="ada@example.org"))
    return row.next_digest_at


@pytest.fixture
def ada(rt):
    return add(rt, "ada@example.org", "adapters", hour="8", weekdays=EVERY_DAY)


@one_on_postgres(
    ("ahead",),
    [(timedelta(hours=1),), (timedelta(days=1),), (timedelta(days=5),), (timedelta(days=4000),)],
)
@pytest.mark.slow  # thirteen rounds of the engine
def test_a_clock_that_was_ahead_costs_no_date_and_doubles_none(rt, tmp_path, ada, ahead):
    paper(rt, tmp_path, 1)
    at(rt, 18, 7, 30)
    rt.clock.at += ahead
    tick(rt)
    paper(rt, tmp_path, 2)  # new by the wrong clock
    rt.clock.at -= ahead
    tick(rt)
    for day in range(18, 22):
        paper(rt, tmp_path, 10 + day)
        for hour in (8, 9, 20):
            at(rt, day, hour)
            tick(rt)
    mails = had(rt)
    dates = [day for day, _ in mails]
    assert len(dates) == len(set(dates))
    papers = [number for _, numbers in mails for number in numbers]
    assert len(papers) == len(set(papers))
    assert next_at(rt) == datetime(2026, 11, 22, 8, tzinfo=UTC)
    assert {1, 29, 30, 31} <= set(papers)
    slots = {e.slot for e in rt.db.read(list_editions)}
    assert {f"2026-11-{day}" for day in range(18, 22)} <= slots
    if ahead < timedelta(days=4):
        assert 2 in papers, "its day has come"


@one_on_postgres(("back",), [(timedelta(hours=1),), (timedelta(days=1),)])
@pytest.mark.slow  # thirty rounds
def test_a_clock_that_was_set_back_doubles_nothing(rt, tmp_path, ada, back):
    paper(rt, tmp_path, 1)
    at(rt, 18)
    tick(rt)
    at(rt, 18, 8, 30)
    tick(rt)
    rt.clock.at -= back
    paper(rt, tmp_path, 2)
    for _ in range(28):
        tick(rt)
        rt.clock.go(hours=2)
    mails = had(rt)
    assert [numbers for _, numbers in mails] == [[1], [2]]
    assert len({day for day, _ in mails}) == 2


def test_alerts_go_on_after_the_clock_was_set_back(rt, tmp_path):
    at(rt, 18, 12)
    add(rt, "ada@example.org", "adapters", cadence="instant")
    paper(rt, tmp_path, 1)
    plan_alerts(rt)
    asyncio.run(send_ready(rt))
    at(rt, 18, 11)
    paper(rt, tmp_path, 2)
    assert plan_alerts(rt).planned == 1


def stored(rt, at):
    make_due(rt, 1, at)


def test_a_newer_tzdata_brings_the_mail_at_its_new_hour_and_none_of_the_day_before(
    rt, tmp_path, ada
):
    """What was stored was told by other rules: two hours too late, then two too early."""
    paper(rt, tmp_path, 1)
    stored(rt, datetime(2026, 11, 18, 10, tzinfo=UTC))
    assert set_clocks(rt) == 1
    assert set_clocks(rt) == 0
    assert next_at(rt) == datetime(2026, 11, 18, 8, tzinfo=UTC)
    stored(rt, datetime(2026, 11, 18, 6, tzinfo=UTC))
    assert plan_due(rt).planned == 0, "the 17th was before the first mail"
    at(rt, 18)
    tick(rt)
    assert had(rt) == [(18, [1])]


def test_who_is_due_at_no_time_is_found(rt, ada):
    stored(rt, None)
    assert set_clocks(rt) == 1
    assert next_at(rt) == datetime(2026, 11, 18, 8, tzinfo=UTC)


@one_on_postgres(
    ("down", "up", "dates", "since"),
    [
        (17, 20, [17, 20], 18),  # three days
        (19, 23, [19, 23], 20),  # a weekend, and two more
        (10, 20, [10, 20], 11),  # ten
        (10, 24, [10, 24], 11),  # as far as it goes
    ],
)
@pytest.mark.parametrize("cadence", ["daily", "weekly"])
@pytest.mark.slow  # a paper a day
def test_after_an_outage_one_mail_with_all_that_reached_us(
    rt, tmp_path, down, up, dates, since, cadence
):
    at(rt, down - 1, 12)
    add(rt, "ada@example.org", "adapters", hour="8", weekdays=EVERY_DAY, cadence=cadence)
    for day in range(down, up + 1):  # papers come, mails do not
        at(rt, day, 7)
        paper(rt, tmp_path, day)
        if day in (down, up):
            rt.clock.go(hours=5)
            tick(rt)
    mails = had(rt)
    everything = [n for _, numbers in mails for n in numbers]
    assert len(everything) == len(set(everything))
    if cadence == "daily":
        assert mails == [(dates[0], [down]), (dates[1], list(range(since, up + 1)))]
    else:  # its Friday was missed, or comes on its own
        friday = any(date(2026, 11, day).weekday() == 4 for day in range(down + 1, up + 1))
        assert len(mails) == friday


def test_sources_that_a_clock_ahead_has_asked_are_asked_again(rt):
    add_source(rt, "arxiv_rss", "cs.CL", history_days=0)
    add_source(rt, "arxiv_rss", "cs.CV", history_days=0)

    def set_rows(session):
        for source, ahead in zip(list_sources(session, "arxiv_rss"), (True, False), strict=True):
            source.last_poll_at = rt.clock() + timedelta(days=ahead, minutes=-20)
            source.next_poll_at = source.last_poll_at + timedelta(hours=6)
            session.add(source)

    rt.db.write(set_rows)
    set_clocks(rt)
    set_clocks(rt)
    first, second = rt.db.read(lambda s: list_sources(s, "arxiv_rss"))
    assert (first.next_poll_at, first.last_poll_at) == (rt.clock(), rt.clock())
    assert second.next_poll_at == rt.clock() + timedelta(hours=5, minutes=40)
