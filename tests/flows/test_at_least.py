"""Mails that wait for several papers, and the one a week that also says that nothing came."""

import asyncio
import re
from datetime import UTC, date, datetime

import pytest
from support.house import Clock, add, ingest_items, paper_item, rows

from service.delivery.i18n import Texts
from service.delivery.phrases import headline, period, subject
from service.flows.alerts import plan_alerts
from service.flows.daily import plan_due
from service.flows.letter import digest_of
from service.flows.preview import preview
from service.flows.send import send_ready

ADA = "ada@example.org"
EN = Texts("en")


@pytest.fixture
def clock():
    return Clock(datetime(2026, 11, 8, 9, tzinfo=UTC))  # a Sunday


def days(rt, folder, numbers, papers):
    """The clock's mails of each day, after its papers came."""
    for number in numbers:
        rt.clock.at = datetime(2026, 11, number, 7, tzinfo=UTC)
        if items := papers.get(number):
            ingest_items(rt, folder, items, on=date(2026, 11, number))
        rt.clock.at = datetime(2026, 11, number, 8, 15, tzinfo=UTC)
        plan_due(rt)
        rt.clock.go(minutes=12)
        asyncio.run(send_ready(rt))


def mails(rt, reader=ADA):
    found = [(row.rcpt, digest_of(row)) for row in rows(rt)]
    return {made.on.day: made for to, made in found if made is not None and to == reader}


def papers_on(rt):
    return {day: made.paper_ids() for day, made in mails(rt).items()}


def wanted(*numbers, words="Adapters"):
    return {n: [paper_item(n, words)] for n in numbers}


@pytest.mark.slow
def test_fewer_papers_wait_for_more_and_the_first_line_counts_all_their_days(rt, tmp_path):
    add(rt, ADA, "adapters", at_least="2")
    days(rt, tmp_path, range(9, 14), wanted(9, 11) | wanted(10, words="Another"))
    (digest,) = mails(rt).values()
    assert digest.on == date(2026, 11, 11)
    assert headline(digest, EN) == "3 new papers checked, 2 contain your words."
    reasons = [row.reason for row in rows(rt, "digest")]
    assert reasons == ["too_few", "too_few", "", "nothing_new", "nothing_new"]


@pytest.mark.slow
def test_none_waits_so_long_that_it_would_be_lost(rt, tmp_path):
    """A paper is new for seven days: who gets it on Monday could not on Tuesday."""
    add(rt, ADA, "adapters", at_least="5")
    days(rt, tmp_path, [9, 10, 11, 12, 13, 16, 17], wanted(10, 16))
    assert papers_on(rt) == {16: (2, 1)}
    days(rt, tmp_path, [18, 19, 20, 23, 24, 25, 26, 27], wanted(19))
    assert papers_on(rt) == {16: (2, 1), 25: (3,)}


@pytest.mark.slow
def test_a_weekly_interest_does_not_wait_for_another_week(rt, tmp_path):
    add(rt, ADA, "adapters", cadence="weekly", at_least="5")
    days(rt, tmp_path, range(9, 14), wanted(10))
    assert [made.kind for made in mails(rt).values()] == ["weekly"]


@pytest.mark.slow
def test_on_mondays_it_is_told_that_nothing_came(rt, tmp_path):
    add(rt, ADA, "adapters", tell_anyway="yes")
    add(rt, "ben@example.org", "adapters")
    papers = wanted(10) | wanted(12, 13, 16, words="Another")
    days(rt, tmp_path, [9, 10, 11, 12, 13, 16, 17], papers)
    mine = mails(rt)
    assert sorted(mine) == [9, 10, 16]
    assert headline(mine[9], EN) == "No new papers reached us."
    assert headline(mine[16], EN) == "3 new papers checked, none contains your words."
    assert subject(mine[16], EN) == "3 new papers checked, none contains your words"
    assert period(mine[16], EN) == "Wed 11 November to Mon 16 November"
    assert sorted(mails(rt, "ben@example.org")) == [10]
    sent = preview(rt, ADA, date(2026, 11, 16))
    assert "3 new papers checked, none contains your words." in sent.text
    assert re.search(r"<h1[^>]*>3 new papers checked, none contains your words.</h1>", sent.html)
    asked = "You asked for a mail once a week, also when nothing new came."
    assert asked in sent.text
    assert asked in sent.html
    assert "You asked for" not in preview(rt, ADA, date(2026, 11, 10)).text


def test_on_mondays_few_papers_come_too(rt, tmp_path):
    add(rt, ADA, "adapters", at_least="3", tell_anyway="yes")
    days(rt, tmp_path, [9, 10], wanted(9, 10))
    assert papers_on(rt) == {9: (1,)}


def test_who_had_them_by_alert_is_told_nothing_untrue(rt, tmp_path):
    add(rt, ADA, "adapters", cadence="instant", tell_anyway="yes")
    rt.clock.at = datetime(2026, 11, 9, 7, 30, tzinfo=UTC)
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters")], on=date(2026, 11, 9))
    plan_alerts(rt)
    asyncio.run(send_ready(rt))
    days(rt, tmp_path, [9], {})
    assert [(row.kind, row.reason) for row in rows(rt)] == [
        ("alert", ""),
        ("digest", "nothing_new"),
    ]


def test_in_the_west_what_came_last_week_is_not_what_was_had_since(rt, tmp_path):
    """Monday's mail of Los Angeles at 20:00 holds papers of Tuesday, by their day in UTC."""
    add(rt, ADA, "adapters", tell_anyway="yes", weekdays="mon",
        tz="America/Los_Angeles", hour="20")  # fmt: skip
    rt.clock.at = datetime(2026, 11, 10, 3, tzinfo=UTC)
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters")])
    for day in (10, 17):
        rt.clock.at = datetime(2026, 11, day, 4, 1, tzinfo=UTC)
        plan_due(rt)
        rt.clock.go(minutes=12)
        asyncio.run(send_ready(rt))
    assert papers_on(rt) == {9: (1,), 16: ()}


@pytest.mark.slow
def test_who_had_one_by_alert_after_a_mails_hour_is_told_nothing_untrue(rt, tmp_path):
    add(rt, ADA, "adapters", cadence="instant", tell_anyway="yes")
    days(rt, tmp_path, [9], wanted(9))
    rt.clock.at = datetime(2026, 11, 9, 14, tzinfo=UTC)
    ingest_items(rt, tmp_path, [paper_item(2, "Adapters")])
    plan_alerts(rt)
    asyncio.run(send_ready(rt))
    days(rt, tmp_path, [10], {})
    *_, row = rows(rt, "digest")
    assert (row.content["checked"], row.content["had"]) == (1, 1)
