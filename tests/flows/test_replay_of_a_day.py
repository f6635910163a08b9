"""Days again from the bytes that polls kept, over captured lists, announcements and journals: the
same papers, list days and verdicts, nothing mailed twice, nothing old made new."""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col, select
from support.oai import oai_answer, oai_record
from support.polling import (
    Clock,
    arxiv_answer,
    arxiv_feed,
    hf_item,
    hf_lists,
    poll,
    polling_house,
    rss_feed,
)
from support.sizes import BOTH, sized
from support.web_site import WebSite

from service.flows.daily import plan_daily
from service.flows.readers import add_reader, read_new
from service.flows.replay import replay
from service.flows.runtime import Runtime
from service.flows.sources import add_source
from service.flows.tidy import tidy
from service.store.deliveries import list_deliveries
from service.store.raw_polls import list_kept
from service.store.tables import (
    MatchRow,
    PaperAliasRow,
    PaperEventRow,
    PaperRow,
    RawPollRow,
    SightingRow,
)

FEEDS = "feeds/journals_2026"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rt(site: WebSite, database_url: str, tmp_path: Path, clock: Clock) -> Iterator[Runtime]:
    with polling_house(tmp_path, clock, database_url=database_url) as house:
        yield house.runtime


def told(rt: Runtime) -> dict[str, Any]:
    """Name -> (title, when it became new, sources and list days with what was held)."""

    def read(session: Any) -> dict[str, Any]:
        names: dict[int, list[str]] = {}
        for alias in session.exec(select(PaperAliasRow)):
            names.setdefault(alias.paper_id, []).append(f"{alias.scheme}:{alias.value}")
        seen: dict[int, set[Any]] = {}
        for row in session.exec(select(SightingRow)):
            seen.setdefault(row.paper_id, set()).add((row.source_id, row.listed_on, row.held))
        live = select(PaperRow).where(col(PaperRow.merged_into).is_(None))
        return {
            min(names[row.id]): (row.title, row.eligible_at, row.listed_on, seen[row.id])
            for row in session.exec(live)
        }

    return rt.db.read(read)


def lose_the_papers(rt: Runtime) -> None:
    tables = (MatchRow, PaperEventRow, SightingRow, PaperAliasRow, PaperRow)
    rt.db.write(lambda s: [s.execute(sa.delete(table)) for table in tables] and None)


def days_of(rt: Runtime) -> list[date]:
    kept = rt.db.read(
        lambda s: list_kept(
            s, datetime.min.replace(tzinfo=rt.clock().tzinfo), rt.clock() + timedelta(days=1)
        )
    )
    return sorted({one.at.date() for one in kept})


def visited(rt: Runtime, clock: Clock, *source_ids: int) -> str:
    """Ask sources now; a line of what is kept of this day."""
    for source_id in source_ids:
        poll(rt, clock, source_id)
    start, end = clock() - timedelta(hours=12), clock() + timedelta(hours=1)
    query = select(RawPollRow.body).where(col(RawPollRow.at) >= start, col(RawPollRow.at) < end)
    sizes = [len(body) for body in rt.db.read(lambda s: s.exec(query).all())]
    return f"{clock():%Y-%m-%d}: {len(sizes)} answers, {sum(sizes) / 1024:.0f} kB as stored"


# Hundreds of captured papers, three times.
@pytest.mark.slow
@pytest.mark.parametrize("database_url", sized(BOTH[:1], BOTH), indirect=True)
def test_captured_days_come_again_as_they_were(
    rt: Runtime, site: WebSite, clock: Clock, shared: Path
) -> None:
    lists = {
        path.stem: json.loads(path.read_bytes())
        for path in (shared / "hf_daily").glob("2026-04-*.json")
    }

    def daily(query: dict[str, str], headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        """In the morning half of a day's list is there."""
        today = clock().date().isoformat()
        found = lists.get(query["date"], []) if query["p"] == "0" else []
        if query["date"] > today:
            return 400, {}, b'{"error":"not yet"}'
        is_half = query["date"] == today and clock().hour < 12
        return 200, {}, json.dumps(found[: len(found) // 2] if is_half else found).encode()

    history = sorted((shared / FEEDS / "history" / "jacs").iterdir())
    batch = (shared / "feeds/arxiv_rss20/cs.AI_2026-04-27.xml").read_bytes()
    site.at["/api/daily_papers"] = daily
    site.at["/api/query"] = (200, {}, arxiv_answer([]))
    site.at["/rss/cs.AI"] = (200, {}, batch)
    clock.set("2026-04-22T06:10:00")
    add_source(rt, "hf_daily", "", history_days=0)
    add_source(rt, "arxiv_rss", "cs.AI", history_days=0)
    report = []
    for day in (22, 23, 24, 27):
        clock.set(f"2026-04-{day}T06:10:00")
        visited(rt, clock, 1)
        clock.set(f"2026-04-{day}T13:10:00")
        report.append(visited(rt, clock, 1, *([2] if day == 27 else [])))
    for number, path in enumerate(history):
        site.at["/jacs"] = (200, {}, path.read_bytes())
        clock.set(f"{path.name[:10]}T23:40:00")
        if not number:
            add_source(rt, "feed", f"{site.base}/jacs")
        report.append(visited(rt, clock, 3))
    before = told(rt)
    days = days_of(rt)
    assert len(before) > 300, report
    assert {bool(new) for _, new, _, _ in before.values()} == {True, False}

    assert not any(row["new"] for day in days for row in replay(rt, day))
    again = told(rt)
    assert again == before

    lose_the_papers(rt)
    assert told(rt) == {}
    for day in days:
        assert all(row["error"] == "" for row in replay(rt, day))
    assert told(rt) == before

    lose_the_papers(rt)  # one day alone: what it showed of earlier days stays old
    replay(rt, days[-1])
    last = {name: new for name, (_, new, _, _) in told(rt).items() if new}
    assert last == {
        name: new for name, (_, new, _, _) in before.items() if new and new.date() == days[-1]
    }
    print("\n".join(report))


def small_day(rt: Runtime, site: WebSite, clock: Clock) -> None:
    """Two polls of a list, an announcement and a journal on one day, one on the day before."""
    lists = {"2026-11-17": [hf_item("2611.00001", "Adapters of yesterday", "2026-11-17")]}
    site.at["/api/daily_papers"] = hf_lists(lists)
    site.at["/api/query"] = (200, {}, arxiv_answer([]))
    site.at["/rss/cs.CL"] = (
        200,
        {},
        arxiv_feed("cs.CL", [("2611.00011", "Adapters first", "new")]),
    )
    journal = [
        ("a", "Adapters in sponges", "2026-11-16"),
        ("old", "Adapters long ago", "2026-11-02"),
    ]
    site.at["/feed"] = (200, {}, rss_feed(journal))
    clock.set("2026-11-17T09:00:00")
    add_source(rt, "hf_daily", "", history_days=0)
    add_source(rt, "arxiv_rss", "cs.CL", history_days=0)
    add_source(rt, "feed", f"{site.base}/feed")
    for source_id in (1, 2, 3):
        poll(rt, clock, source_id)
    clock.set("2026-11-18T09:00:00")
    lists["2026-11-18"] = [hf_item("2611.00002", "Adapters of today", "2026-11-18")]
    lists["2026-11-17"].append(hf_item("2611.00003", "Adapters that came late", "2026-11-17"))
    second = [("2611.00012", "Adapters second", "new"), ("2611.00011", "Adapters first", "replace")]
    site.at["/rss/cs.CL"] = (
        200, {}, arxiv_feed("cs.CL", second, "Wed, 18 Nov 2026 00:00:00 -0500"),
    )  # fmt: skip
    site.at["/feed"] = (200, {}, rss_feed([("b", "Adapters in whales", "2026-11-18"), *journal]))
    for source_id in (1, 2, 3):
        poll(rt, clock, source_id)


@pytest.mark.slow
def test_lost_papers_come_again_with_their_days_and_verdicts(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    small_day(rt, site, clock)
    before = told(rt)
    assert len(before) == 8
    clock.turn(days=3)
    lose_the_papers(rt)
    rows = [row for day in (17, 18) for row in replay(rt, date(2026, 11, day))]
    assert [row["outcome"] for row in rows] == ["replayed"] * 6
    assert told(rt) == before


def past_and_missed(rt: Runtime, site: WebSite, clock: Clock, records: bytes | None) -> None:
    """A list and an announcement that bring their past with them; then two days nobody asks."""
    days = [f"2026-11-{n:02}" for n in range(2, 17)]
    lists = {
        day: [hf_item(f"2610.{day[8:]}{n:03}", f"Listed {day} {n}", day) for n in range(2)]
        for day in days
    }
    site.at["/api/daily_papers"] = hf_lists(lists)
    before = [("2611.00001", "Sent before", "2026-11-10")]
    site.at["/api/query"] = (200, {}, arxiv_answer(before))
    monday = [("2611.00002", "Monday", "new")]
    site.at["/rss/cs.CL"] = (200, {}, arxiv_feed("cs.CL", monday))
    clock.set("2026-11-16T05:20:00")
    add_source(rt, "hf_daily", "", history_days=14)
    add_source(rt, "arxiv_rss", "cs.CL", history_days=10)
    for source_id in (1, 2):
        poll(rt, clock, source_id)
    clock.set("2026-11-19T05:20:00")
    thursday = [("2611.00009", "Thursday", "new")]
    site.at["/rss/cs.CL"] = (
        200, {}, arxiv_feed("cs.CL", thursday, "Thu, 19 Nov 2026 00:00:00 -0500"),
    )  # fmt: skip
    site.at["/oai"] = (200, {}, records) if records else (500, {}, b"")
    sent = [("2611.00003", "Tuesday", "2026-11-16"), ("2611.00004", "Wednesday", "2026-11-17")]
    site.at["/api/query"] = (200, {}, arxiv_answer([*sent, *before]))
    poll(rt, clock, 2)


@pytest.mark.slow
@pytest.mark.parametrize("answers", ["records", "submissions"])
def test_what_was_brought_of_the_past_and_of_missed_days_comes_again(
    rt: Runtime, site: WebSite, clock: Clock, answers: str
) -> None:
    records = [
        oai_record("2611.00003", "Tuesday", created="2026-11-16", changed="2026-11-17"),
        oai_record("2611.00004", "Wednesday", created="2026-11-17", changed="2026-11-18"),
        oai_record("2611.00009", "Thursday", created="2026-11-18", changed="2026-11-19"),
        oai_record(
            "1804.00001", "Old, again", created="2018-04-02", updated="2026-11-16",
            changed="2026-11-17",
        ),
    ]  # fmt: skip
    past_and_missed(rt, site, clock, oai_answer(records) if answers == "records" else None)
    before = told(rt)
    titles = {title for title, *_ in before.values()}
    assert {"Sent before", "Listed 2026-11-02 0", "Tuesday", "Wednesday"} <= titles
    assert ("Old, again" in titles) == (answers == "records")
    assert {t for t, when, *_ in before.values() if when and when.day == 19} == {
        "Tuesday", "Wednesday", "Thursday",
    }  # fmt: skip
    clock.turn(days=3)
    assert not any(row["new"] for day in (16, 19) for row in replay(rt, date(2026, 11, day)))
    assert told(rt) == before
    lose_the_papers(rt)
    rows = [row for day in (16, 19) for row in replay(rt, date(2026, 11, day))]
    assert [row["error"] for row in rows] == [""] * 3
    assert told(rt) == before


def test_one_lost_day_alone_makes_nothing_of_the_day_before_new(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    small_day(rt, site, clock)
    before = told(rt)
    lose_the_papers(rt)
    replay(rt, date(2026, 11, 18))
    new = {title for title, when, _, _ in told(rt).values() if when}
    assert new == {
        "Adapters of today", "Adapters that came late", "Adapters second", "Adapters in whales",
    }  # fmt: skip
    assert new == {t for t, when, _, _ in before.values() if when and when.day == 18}


@pytest.mark.slow  # a second or more
def test_a_day_that_is_there_changes_nothing_and_mails_nobody_again(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    small_day(rt, site, clock)
    add_reader(rt, read_new({"email": "eva@example.org", "keywords": "adapters"}))
    plan_daily(rt)
    before, mails = told(rt), rt.db.read(lambda s: len(list_deliveries(s)))
    assert mails == 1
    assert not any(row["new"] for row in replay(rt, date(2026, 11, 18)))
    assert told(rt) == before
    plan_daily(rt)
    assert rt.db.read(lambda s: len(list_deliveries(s))) == mails


# Two polls of three sources, and the days of a month after.
@pytest.mark.slow
def test_answers_are_kept_thirty_days(rt: Runtime, site: WebSite, clock: Clock) -> None:
    small_day(rt, site, clock)
    clock.turn(days=29)
    tidy(rt)
    assert len(replay(rt, date(2026, 11, 18))) == 3
    clock.turn(days=2)
    tidy(rt)
    assert replay(rt, date(2026, 11, 18)) == []
