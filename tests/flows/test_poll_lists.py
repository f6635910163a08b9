"""Polling Hugging Face's lists: first poll, late arrivals, outage, pages, history."""

import asyncio
import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlmodel import select
from support.polling import (
    Clock,
    Wakes,
    hf_item,
    hf_lists,
    ledger,
    papers,
    poll,
    polling_house,
    source,
)
from support.web_site import WebSite

from service.flows.history import HistoryReport, bring_wanted, want_history
from service.flows.poll import PollError
from service.flows.replay import replay
from service.flows.runtime import Runtime
from service.flows.sources import add_source
from service.sources.calendar import source_day
from service.store.tables import PaperRow, SightingRow

pytestmark = pytest.mark.slow  # weeks of polls


@pytest.fixture
def clock() -> Clock:
    return Clock("2026-11-18T09:00:00")  # a Wednesday


@pytest.fixture
def rt(tmp_path: Path, clock: Clock) -> Iterator[Runtime]:
    with polling_house(tmp_path, clock) as house:
        house.runtime.engine = Wakes()
        yield house.runtime


def day_lists(*days: str) -> dict[str, list[dict[str, Any]]]:
    return {
        day: [hf_item(f"26{day[5:7]}.{day[8:]}{n:03d}", f"Paper {day} {n}", day) for n in range(3)]
        for day in days
    }


def test_the_first_poll_brings_only_the_newest_day_as_new(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    lists = day_lists("2026-11-16", "2026-11-17", "2026-11-18")
    site.at["/api/daily_papers"] = hf_lists(lists)
    add_source(rt, "hf_daily", history_days=0)
    (row,) = poll(rt, clock)
    assert (row["outcome"], row["items"], row["new"], row["known"]) == ("read", 9, 3, 6)
    assert {title for title, new in papers(rt).items() if new} == {
        f"Paper 2026-11-18 {n}" for n in range(3)
    }
    assert rt.engine.tasks.count("send") >= 1  # type: ignore[attr-defined]
    days = ledger(rt)
    assert (days[date(2026, 11, 18)].new, days[date(2026, 11, 17)].known) == (3, 3)
    assert days[date(2026, 11, 18)].expected
    assert source(rt).next_poll_at == clock() + timedelta(minutes=30)


def test_a_late_arrival_on_an_old_list_is_new_and_nothing_else(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    lists = day_lists("2026-11-16", "2026-11-17", "2026-11-18")
    site.at["/api/daily_papers"] = hf_lists(lists)
    add_source(rt, "hf_daily", history_days=0)
    poll(rt, clock)
    assert poll(rt, clock) == []  # not due
    clock.turn(minutes=31)
    lists["2026-11-17"].append(hf_item("2611.99999", "The late one", "2026-11-17"))
    (row,) = poll(rt, clock)
    assert (row["new"], row["known"]) == (1, 9)
    assert papers(rt)["The late one"]


def test_a_day_that_is_not_open_yet_is_no_failure(rt: Runtime, site: WebSite, clock: Clock) -> None:
    site.at["/api/daily_papers"] = hf_lists(day_lists("2026-11-16", "2026-11-17"))
    add_source(rt, "hf_daily", history_days=0)
    (row,) = poll(rt, clock)
    assert (row["outcome"], row["new"]) == ("read", 3)
    assert source(rt).failures == 0
    assert source(rt).state == "ok"
    assert ledger(rt)[date(2026, 11, 18)].state == "open"
    clock.set("2026-11-18T12:10:00")
    poll(rt, clock)
    assert source(rt).state == "late"
    assert ledger(rt)[date(2026, 11, 18)].state == "late"


def test_every_page_of_a_full_list_is_read(rt: Runtime, site: WebSite, clock: Clock) -> None:
    many = [hf_item(f"2611.{n:05d}", f"Paper {n}", "2026-11-18") for n in range(130)]
    site.at["/api/daily_papers"] = hf_lists({"2026-11-18": many})
    add_source(rt, "hf_daily", history_days=0)
    (row,) = poll(rt, clock)
    assert (row["items"], row["new"]) == (130, 130)
    assert min(clock.slept) >= 0.02
    assert sum(clock.slept) >= 0.7 * 3  # at the shared pace


def test_a_server_that_repeats_its_full_page_is_left_after_the_second(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    lists = {"2026-11-18": [hf_item(f"2611.{n:05d}", f"P {n}", "2026-11-18") for n in range(100)]}
    whole = hf_lists(lists)
    site.at["/api/daily_papers"] = lambda query, headers: whole({**query, "p": "0"}, headers)
    add_source(rt, "hf_daily", history_days=0)
    (row,) = poll(rt, clock)
    assert row["new"] == 100
    assert sum("2026-11-18" in asked for asked in site.asked) == 2


def test_after_an_outage_every_missed_day_is_asked_and_is_new(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    days = [f"2026-11-{n:02d}" for n in range(2, 21)]
    lists = day_lists(*days)
    site.at["/api/daily_papers"] = hf_lists({d: lists[d] for d in days if d <= "2026-11-04"})
    clock.set("2026-11-04T09:00:00")
    add_source(rt, "hf_daily", history_days=0)
    poll(rt, clock)
    site.at["/api/daily_papers"] = hf_lists(lists)
    clock.set("2026-11-20T09:00:00")  # sixteen days later; fourteen are caught up
    (row,) = poll(rt, clock)
    new = {title for title, is_new in papers(rt).items() if is_new}
    assert {t[6:16] for t in new} == {"2026-11-04", *(d for d in days if d >= "2026-11-06")}
    assert row["new"] == 15 * 3


def test_history_is_known_and_comes_after_the_first_poll(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    days = [f"2026-11-{n:02d}" for n in range(1, 19)]
    lists = day_lists(*days)
    site.at["/api/daily_papers"] = hf_lists(lists)
    made = add_source(rt, "hf_daily", history_days=10)
    assert made["history"] == 8  # ten days back, less those that a poll asks for anyway
    (row,) = poll(rt, clock)
    assert (row["new"], row["history"]) == (3, 8 * 3)
    assert sum(papers(rt).values()) == 3
    assert {d for d, r in ledger(rt).items() if r.state == "history"} == {
        date(2026, 11, n) for n in range(8, 16)
    }
    asked = len(site.asked)
    clock.turn(minutes=31)
    (row,) = poll(rt, clock)
    assert (row["history"], len(site.asked) - asked) == (0, 3)


def test_broken_history_goes_on_where_it_stopped(rt: Runtime, site: WebSite, clock: Clock) -> None:
    whole = hf_lists(day_lists(*[f"2026-11-{n:02d}" for n in range(1, 19)]))

    def broken(query: dict[str, str], headers: dict[str, str]) -> Any:
        is_broken = query.get("week") == "2026-W45" or query.get("date") == "2026-11-05"
        return (500, {}, b"") if is_broken else whole(query, headers)

    site.at["/api/daily_papers"] = broken
    add_source(rt, "hf_daily", history_days=17)
    (row,) = poll(rt, clock)
    assert row["outcome"] == "read"
    assert "500" in row["error"]
    assert row["history"] == 7 * 3  # of the week of the 9th; then the one before does not come
    site.at["/api/daily_papers"] = whole
    clock.turn(minutes=31)
    (row,) = poll(rt, clock)
    assert (row["history"], row["error"]) == (8 * 3, "")


def asked_of(site: WebSite, since: int = 0) -> list[str]:
    """What was asked for, in order: days and weeks, with the page where it is not the first."""
    queries = [dict(parse_qsl(urlsplit(path).query)) for path in site.asked[since:]]
    pages = ["" if q["p"] == "0" else f" p{q['p']}" for q in queries]
    return [q.get("date", q.get("week", "")) + p for q, p in zip(queries, pages, strict=True)]


def test_history_comes_by_weeks_and_few_days_by_themselves(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    lists = day_lists(*[f"2026-11-{n:02d}" for n in range(1, 19) if n not in (7, 8, 14, 15)])
    lists["2026-11-12"] = [hf_item(f"2611.{n:05d}", f"Many {n}", "2026-11-12") for n in range(95)]
    site.at["/api/daily_papers"] = hf_lists(lists)
    add_source(rt, "hf_daily", history_days=17)
    (row,) = poll(rt, clock)
    assert asked_of(site, 3) == [
        "2026-W46", "2026-W46 p1", "2026-W46 p2", "2026-W45", "2026-W45 p1", "2026-11-01",
    ]  # fmt: skip
    assert (row["history"], row["error"]) == (95 + 10 * 3, "")
    kept = {d.day: (r.state, r.items) for d, r in ledger(rt).items() if d.day < 16}
    assert kept[12] == ("history", 95)
    assert kept[14] == ("history", 0)
    assert all(kept[n] == ("history", 3) for n in (1, 2, 6, 9, 13))
    days = rt.db.read(
        lambda s: s.exec(
            select(SightingRow.listed_on).where(
                SightingRow.paper_id == PaperRow.id, PaperRow.title == "Many 94"
            )
        ).all()
    )
    assert days == [date(2026, 11, 12)]


@pytest.mark.parametrize("why", ["refused", "undated", "a day is missing", "pages repeat"])
def test_what_a_week_does_not_settle_is_asked_day_by_day(
    rt: Runtime, site: WebSite, clock: Clock, why: str
) -> None:
    days = [f"2026-11-{n:02d}" for n in (9, 10, 11, 12, 13)]
    lists = day_lists(*days, "2026-11-16", "2026-11-17", "2026-11-18")
    whole = hf_lists(lists, takes_weeks=why != "refused")

    def answer(query: dict[str, str], headers: dict[str, str]) -> Any:
        if why == "pages repeat":
            query = {**query, "p": "0"}
        status, extra, body = whole(query, headers)
        if "week" in query and why == "undated":
            return status, extra, body.replace(b"submittedOnDailyAt", b"elsewhere")
        if "week" in query and why == "a day is missing":
            found = json.loads(body)
            dated = [x for x in found if x["paper"]["submittedOnDailyAt"][:10] != "2026-11-11"]
            return status, extra, json.dumps(dated).encode()
        return status, extra, body

    site.at["/api/daily_papers"] = answer
    add_source(rt, "hf_daily", history_days=9)
    (row,) = poll(rt, clock)
    assert (row["history"], row["error"]) == (15, "")
    week = [f"2026-11-{n:02d}" for n in range(15, 8, -1)]
    alone = {"a day is missing": ["2026-11-11"], "pages repeat": []}.get(why, week)
    pages = ["2026-W46"] if why == "refused" else ["2026-W46", "2026-W46 p1"]
    assert asked_of(site, 3) == [*pages, *alone]
    assert {r.items for d, r in ledger(rt).items() if 9 <= d.day <= 13} == {3}


def bring_past(rt: Runtime, clock: Clock, days: int) -> HistoryReport:
    """Ask for the past alone, as a poll does behind what is new."""
    row = source(rt)
    rt.db.write(lambda s: want_history(s, row, days, source_day(row.kind, clock())))

    async def bring() -> HistoryReport:
        async with rt.open_fetcher() as fetcher:
            return await bring_wanted(rt, fetcher, row, sleep=clock.sleep)

    return asyncio.run(bring())


def test_a_polled_day_in_a_week_that_is_asked_for_the_past_stays_news(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    clock.set("2026-11-16T09:00:00")  # a Monday: polls ask for Thursday and Friday, too
    lists = day_lists(*[f"2026-11-{n:02d}" for n in range(6, 17)])
    late = hf_item("2611.99999", "Late on Friday's list", "2026-11-13")
    site.at["/api/daily_papers"] = hf_lists(lists)
    add_source(rt, "hf_daily", history_days=0)
    poll(rt, clock)
    lists["2026-11-13"].append(late)
    asked = len(site.asked)
    made = bring_past(rt, clock, 9)
    assert asked_of(site, asked) == ["2026-W46", "2026-W46 p1", "2026-11-08", "2026-11-07"]
    assert (made.papers, made.error) == (5 * 3, "")
    assert "Late on Friday's list" not in papers(rt)
    clock.turn(minutes=31)
    (row,) = poll(rt, clock)
    assert (row["new"], papers(rt)["Late on Friday's list"]) == (1, True)


def test_an_outage_is_caught_up_by_weeks(rt: Runtime, site: WebSite, clock: Clock) -> None:
    lists = day_lists(*[f"2026-11-{n:02d}" for n in range(4, 21)])
    site.at["/api/daily_papers"] = hf_lists({"2026-11-04": lists["2026-11-04"]})
    clock.set("2026-11-04T09:00:00")
    add_source(rt, "hf_daily", history_days=0)
    poll(rt, clock)
    site.at["/api/daily_papers"] = hf_lists(lists)
    clock.set("2026-11-17T09:00:00")
    asked = len(site.asked)
    (row,) = poll(rt, clock)
    # the last three weekdays by themselves, the whole week before them, what is left of the first
    assert asked_of(site, asked) == [
        "2026-11-17", "2026-11-16", "2026-11-15", "2026-11-14", "2026-11-13", "2026-W46",
        "2026-W46 p1", "2026-W45", "2026-W45 p1",
    ]  # fmt: skip
    assert (row["new"], row["error"]) == (13 * 3, "")
    rows = ledger(rt)
    assert all(rows[date(2026, 11, n)].new == 3 for n in range(5, 18))


def test_history_can_be_asked_for_later(rt: Runtime, site: WebSite, clock: Clock) -> None:
    days = [f"2026-11-{n:02d}" for n in range(1, 19)]
    site.at["/api/daily_papers"] = hf_lists(day_lists(*days))
    add_source(rt, "hf_daily", history_days=0)
    poll(rt, clock)
    made = bring_past(rt, clock, 4)
    assert (made.days, made.papers, made.error) == (2, 6, "")


def test_kept_bytes_can_be_read_again(rt: Runtime, site: WebSite, clock: Clock) -> None:
    site.at["/api/daily_papers"] = hf_lists(day_lists("2026-11-17", "2026-11-18"))
    add_source(rt, "hf_daily", history_days=0)
    poll(rt, clock)
    (row,) = replay(rt, date(2026, 11, 18))
    assert (row["outcome"], row["items"], row["new"], row["known"]) == ("replayed", 6, 0, 6)
    assert replay(rt, date(2026, 11, 17)) == []

    def lose(session: Any) -> None:
        for paper in session.exec(select(PaperRow)).all():
            if paper.title == "Paper 2026-11-18 1":
                session.delete(paper)

    rt.db.write(lose)
    clock.turn(days=3)
    (row,) = replay(rt, date(2026, 11, 18), 1)
    assert row["new"] == 1
    again = rt.db.read(lambda s: s.exec(select(PaperRow)).all())
    back = next(p for p in again if p.title == "Paper 2026-11-18 1")
    assert back.eligible_at is not None
    assert back.eligible_at.date() == date(2026, 11, 18)
    assert back.listed_on == date(2026, 11, 18)


def test_a_source_that_is_not_there_is_named(rt: Runtime, clock: Clock) -> None:
    with pytest.raises(PollError, match="no source 7"):
        poll(rt, clock, only=7)
