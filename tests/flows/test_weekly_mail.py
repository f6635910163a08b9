"""A weekly interest: the week ranked anew, its days named where it rides beside daily ones, and
what an outage or a pause leaves for it."""

import asyncio
from datetime import UTC, date, datetime

import pytest
from support.house import Clock, add, ingest_items, paper_item, rows

from service.delivery.i18n import Texts
from service.delivery.phrases import period, section_name, subject
from service.flows.daily import plan_due
from service.flows.interests import InterestChange, add_whole, read_kind
from service.flows.letter import digest_of, frame_of
from service.flows.send import send_ready
from service.store.subscribers import get_subscriber_row
from service.subscribers.model import Cadence

EN = Texts("en")


@pytest.fixture
def clock():
    return Clock(datetime(2026, 11, 15, 9, tzinfo=UTC))  # a Sunday


def week(rt, folder, papers):
    """Monday to Friday: a day's papers, then the mails of its morning."""
    for number in range(16, 21):
        rt.clock.at = datetime(2026, 11, number, 7, tzinfo=UTC)
        if items := papers.get(number):
            ingest_items(rt, folder, items, on=date(2026, 11, number))
        rt.clock.at = datetime(2026, 11, number, 8, 15, tzinfo=UTC)
        plan_due(rt)
        rt.clock.go(minutes=12)
        asyncio.run(send_ready(rt))


def digests(rt):
    return [made for row in rows(rt) if (made := digest_of(row)) is not None]


def also(rt, reader, words, since=None, **change):
    made = InterestChange(wanted=read_kind("keywords", words), **change)
    rt.db.write(lambda s: add_whole(s, reader, made, rt.clock(), since=since))


@pytest.mark.slow
def test_the_week_is_ranked_anew_and_its_days_do_not_count(rt, tmp_path):
    add(rt, "ada@example.org", "adapters", cadence="weekly")
    papers = {
        16: [paper_item(1, "Adapters", votes=8)],
        18: [paper_item(2, "Adapters", votes=0)],
        20: [paper_item(3, "Adapters", votes=7)],
    }
    week(rt, tmp_path, papers)
    (digest,) = digests(rt)
    assert digest.kind == "weekly"
    assert [e.value for e in digest.entries()] == ["2611.00001", "2611.00003", "2611.00002"]
    assert len({e.parts["fresh"] for e in digest.entries()}) == 1
    assert subject(digest, EN) == "Your week: Adapters and 2 more"
    assert period(digest, EN) == "Sat 14 November to Fri 20 November"


def test_the_foot_of_a_weekly_mail_names_its_own_day(rt, tmp_path):
    reader = add(rt, "ada@example.org", "adapters", cadence="weekly")
    week(rt, tmp_path, {20: [paper_item(3, "Adapters")]})
    (digest,) = digests(rt)
    row = rt.db.read(lambda s: get_subscriber_row(s, id=reader))
    assert frame_of(rt, "t", row, rt.clock(), digest=digest).weekdays == {4}
    assert frame_of(rt, "t", row, rt.clock()).weekdays == {0, 1, 2, 3, 4}


@pytest.mark.slow
def test_beside_daily_interests_its_section_says_since_when(rt, tmp_path):
    reader = add(rt, "ada@example.org", "adapters")
    also(rt, reader, "speech", cadence=Cadence.WEEKLY)
    papers = {
        16: [paper_item(1, "Adapters"), paper_item(2, "Speech")],
        20: [paper_item(3, "Adapters"), paper_item(4, "Speech", votes=0)],
    }
    week(rt, tmp_path, papers)
    monday, friday = digests(rt)
    assert [[e.paper_id for e in s.entries] for s in monday.sections] == [[1]]
    assert [section_name(s, EN) for s in monday.sections] == ["adapters"]
    assert [section_name(s, EN) for s in friday.sections] == [
        "adapters",
        "speech: since 14\u00a0November",
    ]
    assert [[e.paper_id for e in s.entries] for s in friday.sections] == [[3], [2, 4]]
    assert friday.checked == 4  # those of the week, since one of them covers it


@pytest.mark.slow
def test_one_begun_in_the_week_says_since_then(rt, tmp_path):
    reader = add(rt, "ada@example.org", "adapters")
    also(rt, reader, "speech", since=date(2026, 11, 18), cadence=Cadence.WEEKLY)
    papers = {16: [paper_item(1, "Adapters"), paper_item(2, "Speech")]}
    week(rt, tmp_path, papers | {20: [paper_item(4, "Speech")]})
    assert [section_name(s, EN) for s in digests(rt)[-1].sections] == [
        "speech: since 18\u00a0November"
    ]


@pytest.mark.slow
def test_the_first_mail_after_a_pause_says_what_it_covers(rt, tmp_path):
    """Also where no mail came before the pause."""
    add(rt, "ada@example.org", "adapters", paused_until="2026-11-20")
    week(rt, tmp_path, {16: [paper_item(1, "Adapters")], 20: [paper_item(2, "Adapters")]})
    (digest,) = digests(rt)
    assert digest.kind == "catchup"
    assert subject(digest, EN) == "Since Saturday: Adapters and 1 more"
