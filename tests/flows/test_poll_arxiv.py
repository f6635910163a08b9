"""Polling arXiv: batches, stale ones, missed days, history, the pace, errors in its own words."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from support.polling import (
    Clock,
    arxiv_answer,
    arxiv_feed,
    ledger,
    papers,
    poll,
    polled_rt,
    source,
)
from support.web_site import WebSite

from service.flows.history import announced_by_now
from service.flows.runtime import Runtime
from service.flows.source_acts import change_source
from service.flows.sources import add_source
from service.flows.watch import mark_late
from service.store import sources as sources_store
from service.store.newest_days import list_late_titles
from service.store.pace import claim_turn, end_turn

rt = polled_rt

MON = [("2611.00001", "Monday one", "new"), ("2611.00002", "Monday two", "cross")]
TUE = [("2611.00003", "Tuesday one", "new"), ("2610.00009", "An old one, mended", "replace")]


@pytest.fixture
def clock() -> Clock:
    return Clock("2026-11-16T05:20:00")  # Monday 00:20 Eastern


def test_a_batch_is_complete_when_it_holds_an_id_never_seen(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    site.at["/rss/cs.CL"] = (200, {}, arxiv_feed("cs.CL", MON, "Mon, 16 Nov 2026 00:00:00 -0500"))
    add_source(rt, "arxiv_rss", "cs.cl", history_days=0)
    (row,) = poll(rt, clock)
    assert (row["title"], row["outcome"], row["new"]) == ("arXiv cs.CL", "read", 2)
    assert ledger(rt)[date(2026, 11, 16)].state == "complete"
    assert source(rt).next_poll_at == clock() + timedelta(hours=6)
    clock.turn(hours=6)
    (row,) = poll(rt, clock)
    assert (row["new"], row["known"]) == (0, 2)
    assert ledger(rt)[date(2026, 11, 16)].state == "complete"
    assert source(rt).state == "ok"


@pytest.mark.parametrize("all_but", [600, 9])
def test_an_answer_cut_off_is_no_batch_and_the_rest_comes_with_the_next(
    rt: Runtime, site: WebSite, clock: Clock, all_but: int
) -> None:
    site.at["/rss/cs.CL"] = (200, {"ETag": '"1"'}, arxiv_feed("cs.CL", MON))
    add_source(rt, "arxiv_rss", "cs.CL", history_days=0)
    poll(rt, clock)
    clock.set("2026-11-17T05:40:00")
    more = [("2611.00004", "Tuesday two", "new"), *TUE, ("2611.00005", "Tuesday three", "new")]
    whole = arxiv_feed("cs.CL", more, "Tue, 17 Nov 2026 00:00:00 -0500")
    site.at["/rss/cs.CL"] = (200, {"ETag": '"2"'}, whole[:-all_but])
    (row,) = poll(rt, clock)
    assert (row["outcome"], row["error"]) == ("failed", "the answer ends in the middle")
    assert "Tuesday two" in papers(rt)
    tuesday = ledger(rt)[date(2026, 11, 17)]
    assert tuesday.state != "complete"
    due = source(rt).next_poll_at
    assert due is not None
    assert due <= clock() + timedelta(minutes=20)
    assert (source(rt).etag, source(rt).last_error) == ('"1"', "the answer ends in the middle")
    clock.turn(minutes=21)
    site.at["/rss/cs.CL"] = (200, {"ETag": '"2"'}, whole)
    poll(rt, clock)
    assert papers(rt)["Tuesday three"]
    assert papers(rt)["Tuesday two"]
    assert ledger(rt)[date(2026, 11, 17)].state == "complete"
    assert (source(rt).etag, source(rt).last_error) == ('"2"', "")


def test_yesterdays_batch_again_is_stale_and_asked_again_soon(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    site.at["/rss/cs.CL"] = (200, {}, arxiv_feed("cs.CL", MON))
    add_source(rt, "arxiv_rss", "cs.CL", history_days=0)
    poll(rt, clock)
    clock.set("2026-11-17T05:40:00")  # Tuesday 00:40 Eastern, a current build date
    site.at["/rss/cs.CL"] = (200, {}, arxiv_feed("cs.CL", MON, "Tue, 17 Nov 2026 00:00:00 -0500"))
    poll(rt, clock)
    tuesday = date(2026, 11, 17)
    assert (source(rt).state, ledger(rt)[tuesday].state) == ("stale", "stale")
    assert rt.db.read(lambda s: list_late_titles(s, tuesday)) == ["arXiv cs.CL"]
    assert source(rt).next_poll_at == clock() + timedelta(minutes=20)
    clock.turn(minutes=21)
    site.at["/rss/cs.CL"] = (200, {}, arxiv_feed("cs.CL", TUE))
    (row,) = poll(rt, clock)
    assert (row["new"], source(rt).state, ledger(rt)[tuesday].state) == (1, "ok", "complete")
    assert papers(rt)["An old one, mended"] is False  # a replacement never makes a paper new
    assert rt.db.read(lambda s: list_late_titles(s, tuesday)) == []


def test_a_source_that_does_not_answer_in_time_is_late_in_the_ledger(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    site.at["/rss/cs.CL"] = (200, {}, arxiv_feed("cs.CL", MON))
    add_source(rt, "arxiv_rss", "cs.CL", history_days=0)
    poll(rt, clock)
    site.at["/rss/cs.CL"] = (500, {}, b"")
    clock.set("2026-11-17T05:12:00")
    (row,) = poll(rt, clock)
    assert row["outcome"] == "failed"
    assert ledger(rt)[date(2026, 11, 17)].state == "failed"
    clock.set("2026-11-17T05:31:00")
    assert mark_late(rt) == ["arXiv cs.CL"]
    assert ledger(rt)[date(2026, 11, 17)].state == "late"
    clock.set("2026-11-21T12:00:00")  # Saturday: nothing is expected
    assert mark_late(rt) == []


def test_weekends_are_none(rt: Runtime, site: WebSite, clock: Clock) -> None:
    clock.set("2026-11-14T12:00:00")
    site.at["/rss/cs.CL"] = (200, {}, arxiv_feed("cs.CL", []))
    add_source(rt, "arxiv_rss", "cs.CL", history_days=0)
    poll(rt, clock)
    row = ledger(rt)[date(2026, 11, 14)]
    assert (row.state, row.expected, source(rt).state) == ("none", False, "ok")
    assert source(rt).next_poll_at == datetime(2026, 11, 14, 18, 0, tzinfo=UTC)


def test_a_source_set_to_new_takes_no_cross_lists(rt: Runtime, site: WebSite, clock: Clock) -> None:
    site.at["/rss/cs.CL"] = (200, {}, arxiv_feed("cs.CL", MON))
    add_source(rt, "arxiv_rss", "category=cs.CL take=new", history_days=0)
    (row,) = poll(rt, clock)
    assert row["new"] == 1
    assert set(papers(rt)) == {"Monday one"}


def test_arxivs_past_is_known_and_stops_before_what_is_not_announced_yet(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    site.at["/rss/cs.CL"] = (200, {}, arxiv_feed("cs.CL", MON))
    old = [("2611.00001", "Monday one", "2026-11-12"), ("2610.11111", "Older", "2026-11-05")]
    site.at["/api/query"] = (200, {}, arxiv_answer(old))
    add_source(rt, "arxiv_rss", "cs.CL", history_days=10)
    (row,) = poll(rt, clock)
    assert (row["new"], row["history"]) == (2, 1)
    assert papers(rt) == {"Monday one": True, "Monday two": True, "Older": False}
    windows = [asked.split("submittedDate")[1] for asked in site.asked if "submitted" in asked]
    assert windows[0].startswith("%3A%5B202611090000+TO+202611122359%5D")
    listed = rt.db.read(lambda s: sources_store.list_source_days(s, date(2026, 11, 1), 1))
    assert all(r.state in ("history", "complete") for r in listed)


def test_what_counts_as_announced() -> None:
    assert announced_by_now(date(2026, 11, 16)) == date(2026, 11, 12)  # Monday -> Thursday
    assert announced_by_now(date(2026, 11, 18)) == date(2026, 11, 16)  # Wednesday -> Monday
    assert announced_by_now(date(2026, 11, 15)) == date(2026, 11, 11)  # Sunday counts as Friday
    assert announced_by_now(date(2026, 11, 27)) == date(2026, 11, 24)  # the 26th is a holiday


def test_an_unknown_category_is_told_in_arxivs_own_words(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    wrong = arxiv_feed("cs.XX", []).replace(b"cs.XX updates on arXiv.org", b"Feed error for query")
    site.at["/rss/cs.XX"] = (400, {}, wrong)
    add_source(rt, "arxiv_rss", "cs.XX", history_days=0)
    (row,) = poll(rt, clock)
    assert row["outcome"] == "failed"
    assert "arXiv answered with an error" in source(rt).last_error
    assert source(rt).failures == 1


def test_a_real_announcement_of_arxiv(
    rt: Runtime, site: WebSite, clock: Clock, shared: Path
) -> None:
    body = max((shared / "feeds" / "arxiv_rss20").iterdir(), key=lambda f: f.stat().st_size)
    site.at["/rss/cs.CL"] = (200, {}, body.read_bytes())
    add_source(rt, "arxiv_rss", "cs.CL", history_days=0)
    (row,) = poll(rt, clock)
    assert row["outcome"] == "read"
    assert row["new"] + row["known"] > 0.9 * row["items"] > 10


def test_one_bad_source_never_stops_the_others(rt: Runtime, site: WebSite, clock: Clock) -> None:
    site.at["/rss/cs.CL"] = (200, {}, b"<html><body>Maintenance</body></html>")
    site.at["/rss/cs.LG"] = (500, {}, b"")
    site.at["/rss/cs.CV"] = (200, {}, arxiv_feed("cs.CV", MON))
    for name in ("cs.CL", "cs.LG", "cs.CV"):
        add_source(rt, "arxiv_rss", name, history_days=0)
    rows = {row["title"]: row for row in poll(rt, clock)}
    assert [rows[f"arXiv {n}"]["outcome"] for n in ("cs.CL", "cs.LG", "cs.CV")] == [
        "failed",
        "failed",
        "read",
    ]
    assert rows["arXiv cs.CV"]["new"] == 2
    assert source(rt, 1).last_error != ""
    assert source(rt, 2).next_poll_at is not None
    assert source(rt, 2).next_poll_at > clock()


def test_arxiv_is_asked_once_in_three_seconds(rt: Runtime, site: WebSite, clock: Clock) -> None:
    names = ("cs.CL", "cs.LG", "cs.CV", "cs.RO")
    for name in names:
        site.at[f"/rss/{name}"] = (200, {}, arxiv_feed(name, MON))
        add_source(rt, "arxiv_rss", name, history_days=0)
    start = clock()
    rows = poll(rt, clock)
    assert {row["outcome"] for row in rows} == {"read"}
    assert clock() - start >= timedelta(seconds=9)


def test_when_arxiv_asks_us_to_wait_everything_of_arxiv_waits(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    site.at["/rss/cs.CL"] = (429, {"Retry-After": "1800"}, b"")
    site.at["/rss/cs.LG"] = (200, {}, arxiv_feed("cs.LG", MON))
    add_source(rt, "arxiv_rss", "cs.CL", history_days=0)
    poll(rt, clock)
    add_source(rt, "arxiv_rss", "cs.LG", history_days=0)
    (row,) = poll(rt, clock)
    assert row["outcome"] == "postponed"
    assert row["error"] == "arXiv announcements asks us to wait until 05:50 UTC."
    assert (source(rt, 2).failures, source(rt, 2).state) == (0, "ok")
    assert site.count("/rss/cs.LG") == 0
    at = source(rt, 2).next_poll_at
    assert at is not None
    assert timedelta(minutes=30) <= at - clock() <= timedelta(minutes=31)
    clock.turn(minutes=32)
    site.at["/rss/cs.CL"] = (200, {}, arxiv_feed("cs.CL", MON))
    assert [row["outcome"] for row in poll(rt, clock)] == ["read", "read"]


def test_two_processes_share_one_pace(rt: Runtime, clock: Clock) -> None:
    gap, hold = timedelta(seconds=3), timedelta(seconds=40)

    def claim() -> bool:
        turn = rt.db.write(
            lambda s: claim_turn(s, "fetch", "arxiv", now=clock(), gap=gap, hold=hold)
        )
        return turn.granted

    assert claim()
    clock.turn(seconds=5)
    assert not claim()  # the first is still asking: one connection at a time
    rt.db.write(lambda s: end_turn(s, "fetch", "arxiv"))
    assert claim()
    rt.db.write(lambda s: end_turn(s, "fetch", "arxiv"))
    clock.turn(seconds=2.9)
    assert not claim()
    clock.turn(seconds=0.2)
    assert claim()
    clock.turn(seconds=41)  # that process died
    assert claim()


def test_a_paused_source_asks_nothing(rt: Runtime, site: WebSite, clock: Clock) -> None:
    site.at["/rss/cs.CL"] = (200, {}, arxiv_feed("cs.CL", MON))
    add_source(rt, "arxiv_rss", "cs.CL", history_days=0)
    change_source(rt, 1, "pause", by="mia")
    assert poll(rt, clock) == []
    (row,) = poll(rt, clock, only=1)
    assert (row["outcome"], site.asked) == ("paused", [])
    change_source(rt, 1, "resume", by="mia")
    (row,) = poll(rt, clock)
    assert row["new"] == 2


def test_an_answer_read_just_after_midnight_is_of_the_day_that_it_names(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    clock.set("2026-11-17T05:00:05")  # five seconds past midnight in New York
    site.at["/rss/cs.CL"] = (200, {}, arxiv_feed("cs.CL", MON))
    add_source(rt, "arxiv_rss", "cs.CL", history_days=0)
    poll(rt, clock)
    assert {day.day: row.state for day, row in ledger(rt).items()} == {16: "complete"}
    assert source(rt).next_poll_at == datetime(2026, 11, 17, 5, 10, tzinfo=UTC)
    assert papers(rt) == {"Monday one": True, "Monday two": True}
    clock.set("2026-11-17T05:35:00")
    poll(rt, clock)
    assert ledger(rt)[date(2026, 11, 17)].state == "stale"
