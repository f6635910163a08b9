"""Mistakes that systems of this kind are known for: none of them is made here.

Others of them have their tests elsewhere: a versioned id as identity (test_same_paper) · a scrape
error as an empty success, a bulk import that floods (test_poll_feeds, unit/sources/test_novelty) ·
the first page alone (test_poll_lists) · a refusal that ends a batch of thousands (e2e/stories).
"""

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.house import add, ingest_items, paper_item, rows
from support.polling import Clock as PollClock
from support.polling import (
    arxiv_feed,
    hf_item,
    hf_lists,
    ledger,
    papers,
    poll,
    polling_house,
    rss_feed,
)
from support.sightings import bring, seen, stored
from support.smtp_server import SmtpServer, reply
from support.web_site import WebSite

from service.flows import browse
from service.flows.daily import plan_daily
from service.flows.preview import preview
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.flows.sources import add_source
from service.store.tables import SentPaperRow


def sent(rt: Runtime) -> int:
    return rt.db.read(
        lambda s: s.execute(sa.select(sa.func.count(SentPaperRow.paper_id))).scalar_one()
    )  # type: ignore[arg-type]


def test_no_window_on_the_date_of_publication(rt: Runtime, tmp_path: Path) -> None:
    """What was written two months ago and is listed today is new today."""
    add(rt, "ada@example.org", "adapters")
    item = paper_item(1, "Adapters that forget less", publishedAt="2026-09-14T00:00:00.000Z")
    ingest_items(rt, tmp_path, [item])
    assert plan_daily(rt).ready == 1


def test_nothing_counts_as_sent_before_a_server_took_it(
    rt: Runtime, server: SmtpServer, tmp_path: Path
) -> None:
    add(rt, "ada@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
    today = rt.clock().date()
    browse.read_day(rt, today)
    preview(rt, "ada@example.org", on=today)
    plan_daily(rt)
    assert sent(rt) == 0
    server.on("MAIL", reply("451 4.3.0 not now"))
    asyncio.run(send_ready(rt))
    assert sent(rt) == 0
    server.clear()
    rt.clock.go(minutes=15)  # type: ignore[attr-defined]
    asyncio.run(send_ready(rt))
    assert sent(rt) == 1


def test_one_refused_recipient_stops_nobody(
    rt: Runtime, server: SmtpServer, tmp_path: Path
) -> None:
    for name in ("ada", "ben", "chen", "dana"):
        add(rt, f"{name}@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
    plan_daily(rt)
    server.on("RCPT", reply("550 5.1.1 no such user"), match="ben@")
    report = asyncio.run(send_ready(rt))
    assert (report.accepted, report.failed) == (3, 1)
    assert sorted(row.state for row in rows(rt)) == ["accepted"] * 3 + ["failed"]


def test_no_papers_at_all_are_no_crash(rt: Runtime) -> None:
    add(rt, "ada@example.org", "adapters")
    add(rt, "ben@example.org")
    assert bring(rt, "feed").papers == 0
    assert plan_daily(rt).skipped == {"nothing_new": 2}
    assert browse.newest_day(rt) is None
    assert asyncio.run(send_ready(rt)).accepted == 0


def test_the_day_we_fetched_is_not_said_to_be_the_papers(rt: Runtime) -> None:
    add(rt, "ada@example.org", "adapters")
    bring(rt, "feed", seen("guid:a", title="Adapters that forget less"))
    (row,) = rt.db.read(stored)
    assert (row.published_on, row.announced_on) == (None, None)
    plan_daily(rt)
    (mail,) = rows(rt)
    assert mail.content is not None
    (entry,) = mail.content["digest"]["sections"][0]["entries"]
    assert entry["dated_on"] is None


@pytest.fixture
def clock_of_polls() -> PollClock:
    return PollClock("2026-11-16T05:20:00")  # Monday 00:20 Eastern


@pytest.fixture
def polled(tmp_path: Path, clock_of_polls: PollClock) -> Iterator[Runtime]:
    with polling_house(tmp_path / "polled", clock_of_polls) as house:
        yield house.runtime


def test_each_category_is_judged_by_itself(
    polled: Runtime, site: WebSite, clock_of_polls: PollClock
) -> None:
    """That one has its new batch says nothing of the other."""
    for name, number in (("cs.CL", "2611.00001"), ("cs.CV", "2611.00002")):
        site.at[f"/rss/{name}"] = (200, {}, arxiv_feed(name, [(number, "Monday's", "new")]))
        add_source(polled, "arxiv_rss", name, history_days=0)
    poll(polled, clock_of_polls)
    clock_of_polls.set("2026-11-17T05:40:00")
    fresh = arxiv_feed("cs.CL", [("2611.00009", "Tuesday's paper", "new")])
    site.at["/rss/cs.CL"] = (200, {}, fresh)
    poll(polled, clock_of_polls)
    tuesday = date(2026, 11, 17)
    assert ledger(polled, 1)[tuesday].state == "complete"
    assert ledger(polled, 2)[tuesday].state == "stale"


def test_dates_are_no_words(polled: Runtime, site: WebSite, clock_of_polls: PollClock) -> None:
    """As words Wednesday 30 September comes last; as a date Monday 16 November does."""
    days = ("2026-11-16", "2026-09-30", "2026-11-09", "2026-10-11")
    site.at["/feed"] = (200, {}, rss_feed([(day, f"Paper {day}", day) for day in days]))
    add_source(polled, "feed", f"{site.base}/feed")
    poll(polled, clock_of_polls)
    assert [title for title, is_new in papers(polled).items() if is_new] == ["Paper 2026-11-16"]


def test_a_catch_up_just_after_midnight_claims_no_wrong_day(
    polled: Runtime, site: WebSite, clock_of_polls: PollClock
) -> None:
    clock_of_polls.set("2026-11-18T20:00:00")
    lists = {"2026-11-18": [hf_item("2611.00001", "In the evening", "2026-11-18")]}
    site.at["/api/daily_papers"] = hf_lists(lists)
    add_source(polled, "hf_daily", history_days=0)
    poll(polled, clock_of_polls)
    clock_of_polls.set("2026-11-19T00:05:00")
    lists["2026-11-18"].append(hf_item("2611.00002", "Late on the list", "2026-11-18"))
    poll(polled, clock_of_polls)
    late = next(row for row in polled.db.read(stored) if row.title == "Late on the list")
    assert late.listed_on == date(2026, 11, 18)
    assert late.eligible_at is not None
    assert late.eligible_at.date() == date(2026, 11, 19)  # new when it came
    assert browse.read_day(polled, date(2026, 11, 18)).total == 2
    assert browse.read_day(polled, date(2026, 11, 19)).total == 0
    assert clock_of_polls() - timedelta(hours=1) < late.eligible_at
