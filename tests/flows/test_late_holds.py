"""Whose mail waits for a late batch, for how long, and what its first line says."""

from datetime import UTC, date, datetime, timedelta

import pytest
from support.house import add, ingest_items, paper_item, rows

from service.delivery import phrases
from service.flows.daily import plan_due
from service.flows.letter import digest_of
from service.flows.sources import add_source
from service.store.instance import set_setting
from service.store.sources import get_source_day, list_sources
from service.store.subscribers import get_subscriber_row

WED = date(2026, 11, 18)
LOOK = datetime(2026, 11, 18, 7, 0, tzinfo=UTC)  # 02:00 Eastern: a batch is due
HOUR = datetime(2026, 11, 18, 8, 0, tzinfo=UTC)


def say(rt, title, state, *, kind="arxiv_rss"):
    def act(session):
        source = next(s for s in list_sources(session, kind) if s.title == title)
        source.first_polled = True
        day = get_source_day(session, source.id, WED)
        day.state, day.expected, day.items = state, True, 0 if state == "late" else 7
        session.add_all([source, day])

    rt.db.write(act)


def planned(rt):
    """Readers with a mail of this hour."""
    plan_due(rt)
    return sorted(row.recipient_key.partition("@")[0] for row in rows(rt))


@pytest.fixture
def arxiv(rt, tmp_path):
    """cs.CL and cs.CV are polled, at seven on a Wednesday, and a paper is there."""
    rt.clock.at = LOOK
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters today")])
    for name in ("cs.CL", "cs.CV"):
        add_source(rt, "arxiv_rss", name, history_days=0)
    return rt


def reader(rt, name, query, *, on_time=False, **cells):
    add(rt, f"{name}@example.org", profile=query, hour="8", **cells)

    def choose(session):
        row = get_subscriber_row(session, email_key=f"{name}@example.org")
        row.on_time = on_time
        session.add(row)

    rt.db.write(choose)


def test_only_who_can_be_meant_waits(arxiv):
    rt = arxiv
    reader(rt, "any", "adapters")
    reader(rt, "language", "adapters AND cat:cs.CL")
    reader(rt, "vision", "adapters AND cat:cs.CV")  # their batch is there
    reader(rt, "without", "adapters -cat:cs.CL")
    reader(rt, "hugging", "adapters source:hf")
    reader(rt, "punctual", "adapters", on_time=True)
    add(rt, "tom@example.org", hour="8")  # trending alone
    say(rt, "arXiv cs.CL", "stale")
    say(rt, "arXiv cs.CV", "complete")
    rt.clock.at = HOUR
    assert planned(rt) == ["hugging", "punctual", "tom", "vision", "without"]
    late = {
        row.recipient_key.partition("@")[0]: digest_of(row).late
        for row in rows(rt)
        if row.content and row.state == "ready"
    }
    assert late.pop("punctual") == ("arXiv cs.CL",)  # not waited for, and told all the same
    assert set(late.values()) <= {()}


def test_a_weekly_interest_waits_on_its_day_alone(arxiv):
    rt = arxiv
    for name, day in (("wednesday", "wed"), ("friday", "fri")):
        reader(rt, name, "adapters", cadence="weekly", weekly_day=day)
    say(rt, "arXiv cs.CL", "late")
    rt.clock.at = HOUR
    assert planned(rt) == ["friday"]


def test_a_held_mail_goes_an_hour_after_its_time_at_once_and_says_what_follows(arxiv):
    rt = arxiv
    reader(rt, "ada", "adapters")
    say(rt, "arXiv cs.CL", "late")
    say(rt, "arXiv cs.CV", "complete")
    rt.clock.at = HOUR
    assert planned(rt) == []
    for minutes in range(5, 60, 5):
        rt.clock.at = HOUR + timedelta(minutes=minutes)
        assert planned(rt) == []
    rt.clock.at = HOUR + timedelta(minutes=60)
    assert planned(rt) == ["ada"]
    (row,) = rows(rt)
    assert row.not_before is None  # not spread over further minutes
    digest = digest_of(row)
    assert (digest.late, digest.read_from) == (("arXiv cs.CL",), ("arXiv cs.CV",))
    texts = rt.catalogs.texts("en")
    assert phrases.late(digest, texts) == (
        "Checked: arXiv cs.CV. Late today: arXiv cs.CL. Those papers follow in your next mail."
    )


def test_what_comes_within_the_hour_lets_the_mail_go(arxiv):
    rt = arxiv
    reader(rt, "ada", "adapters")
    say(rt, "arXiv cs.CL", "late")
    rt.clock.at = HOUR
    assert planned(rt) == []
    say(rt, "arXiv cs.CL", "complete")
    say(rt, "arXiv cs.CV", "none")  # a cross-check found no announcement
    rt.clock.at = HOUR + timedelta(minutes=5)
    assert planned(rt) == ["ada"]
    assert digest_of(rows(rt)[0]).late == ()


def test_a_batch_that_no_poll_looked_at_is_late_all_the_same(arxiv):
    rt = arxiv
    reader(rt, "ada", "adapters")
    for name in ("cs.CL", "cs.CV"):
        say(rt, f"arXiv {name}", "failed")
    rt.clock.at = HOUR
    assert planned(rt) == []


def test_a_list_that_grows_is_never_waited_for_and_is_named_when_it_is_empty(arxiv):
    rt = arxiv
    add_source(rt, "hf_daily", history_days=0)
    reader(rt, "ada", "adapters")
    title = "Hugging Face Daily Papers"
    say(rt, title, "late", kind="hf_daily")
    for name in ("cs.CL", "cs.CV"):
        say(rt, f"arXiv {name}", "complete")
    rt.clock.at = HOUR
    assert planned(rt) == ["ada"]
    assert digest_of(rows(rt)[0]).late == (title,)


def test_no_wait_is_a_setting_too(arxiv):
    rt = arxiv
    reader(rt, "ada", "adapters")
    say(rt, "arXiv cs.CL", "late")
    rt.db.write(lambda s: set_setting(s, "late_wait_minutes", "0"))
    rt.clock.at = HOUR
    assert planned(rt) == ["ada"]
