"""Polling feeds: conditional requests, moves, ends, first polls, bursts, silence, real captures."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.polling import Clock, Wakes, ledger, papers, poll, polling_house, rss_feed, source
from support.web_site import WebSite

from service.flows.readers import add_reader, read_new
from service.flows.runtime import Runtime
from service.flows.source_acts import change_source
from service.flows.source_days import read_days
from service.flows.source_health import read_source
from service.flows.sources import add_source
from service.store.deliveries import list_deliveries
from service.store.raw_polls import get_body, list_kept


@pytest.fixture
def clock() -> Clock:
    return Clock("2026-11-18T09:00:00")


@pytest.fixture
def site() -> Iterator[WebSite]:
    with WebSite() as made:
        yield made


@pytest.fixture
def rt(tmp_path: Path, clock: Clock) -> Iterator[Runtime]:
    with polling_house(tmp_path, clock) as house:
        house.runtime.engine = Wakes()
        yield house.runtime


def items(*pairs: tuple[str, str]) -> list[tuple[str, str, str]]:
    return [(guid, f"Paper {guid}", day) for guid, day in pairs]


def test_a_feed_is_asked_only_for_what_changed(rt: Runtime, site: WebSite, clock: Clock) -> None:
    body = rss_feed(items(("a", "2026-11-18"), ("b", "2026-11-10")))

    def answer(query: dict[str, str], headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if headers.get("if-none-match") == '"one"':
            return 304, {}, b""
        return 200, {"ETag": '"one"'}, body

    site.at["/feed"] = answer
    add_source(rt, "feed", f"{site.base}/feed")
    (row,) = poll(rt, clock)
    assert (row["new"], row["known"]) == (1, 1)
    assert source(rt).title == "Journal of Tests"  # its own, once it is known
    clock.turn(hours=1, minutes=1)
    (row,) = poll(rt, clock)
    assert (row["outcome"], row["error"]) == ("unchanged", "")
    assert (source(rt).failures, source(rt).last_poll_at) == (0, clock())
    (kept,) = rt.db.read(lambda s: list_kept(s, clock() - timedelta(days=1), clock()))
    assert rt.db.read(lambda s: get_body(s, kept.id)) == body


def test_an_address_is_no_name(rt: Runtime, site: WebSite, clock: Clock) -> None:
    """Everybody sees the name of a source, and an address may hold a key."""
    site.at["/feed"] = (404, {}, b"")
    add_source(rt, "feed", f"{site.base}/feed?key=secret")
    assert source(rt).title == "127.0.0.1"
    rt.db.write(lambda s: s.execute(sa.text("UPDATE source SET title = 'http' || :rest"),
                                    {"rest": f"{site.base}/feed?key=secret"[4:]}))  # fmt: skip
    poll(rt, clock)  # it was added by an earlier version
    assert source(rt).title == "127.0.0.1"
    clock.turn(days=1)
    site.at["/feed"] = (200, {}, rss_feed(items(("a", "2026-11-18")), title=""))
    poll(rt, clock)
    assert source(rt).title == "127.0.0.1"
    clock.turn(days=1)
    site.at["/feed"] = (200, {}, rss_feed(items(("a", "2026-11-18"))))
    poll(rt, clock)
    assert source(rt).title == "Journal of Tests"


def test_a_place_in_the_page_is_no_feed_of_its_own(rt: Runtime, site: WebSite) -> None:
    first = add_source(rt, "feed", f"{site.base}/feed")
    again = add_source(rt, "feed", f"{site.base}/feed#latest")
    assert (again["id"], again["added"]) == (first["id"], False)


def test_what_a_first_poll_brings_stands_under_its_own_day(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    site.at["/feed"] = (200, {}, rss_feed(items(("a", "2026-11-18"), ("b", "2026-11-10"))))
    add_source(rt, "feed", f"{site.base}/feed")
    poll(rt, clock)
    assert papers(rt) == {"Paper a": True, "Paper b": False}
    days = sorted(
        str(row.listed_on) for row in rt.db.read(lambda s: _rows(s)) if row.listed_on is not None
    )
    assert days == ["2026-11-10", "2026-11-18"]


def _rows(session: Any) -> list[Any]:
    from service.store.papers import list_recent

    return [row for row, _ in list_recent(session, date(2026, 1, 1))]


def one_a_day(rt: Runtime, site: WebSite, clock: Clock, days: int) -> list[tuple[str, str, str]]:
    """A feed with a paper more each day of November, polled daily; what it lists at the end."""
    clock.set("2026-11-01T09:00:00")
    listed = items(("start", "2026-10-31"))
    add_source(rt, "feed", f"{site.base}/feed", title="Journal")
    for n in range(days):
        listed += items((f"d{n}", clock().date().isoformat()))
        site.at["/feed"] = (200, {}, rss_feed(listed))
        poll(rt, clock)
        clock.turn(days=1)
    return listed


@pytest.mark.slow
def test_a_burst_waits_for_the_admin(rt: Runtime, site: WebSite, clock: Clock) -> None:
    listed = one_a_day(rt, site, clock, 11)
    listed += items(*((f"burst{n}", "2026-11-12") for n in range(9)))
    site.at["/feed"] = (200, {}, rss_feed(listed))
    (row,) = poll(rt, clock)
    assert (row["new"], row["held"]) == (0, 9)
    assert change_source(rt, 1, "take-new", by="mia")["papers"] == 9
    assert papers(rt)["Paper burst3"]


@pytest.mark.slow  # eleven polls; a quick run has the burst at once
def test_a_burst_in_small_pieces_waits_too(rt: Runtime, site: WebSite, clock: Clock) -> None:
    listed = one_a_day(rt, site, clock, 11)
    got = []
    for hour in range(4):
        listed += items(*((f"h{hour}n{n}", "2026-11-12") for n in range(2)))
        site.at["/feed"] = (200, {}, rss_feed(listed))
        (row,) = poll(rt, clock)
        got.append((row["new"], row["held"]))
        clock.turn(hours=1, minutes=1)
    assert got == [(2, 0), (0, 2), (0, 2), (0, 2)]


def test_a_feed_that_moved_three_times_is_asked_at_its_new_address(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    site.at["/old"] = (301, {"Location": f"{site.base}/new"}, b"")
    site.at["/new"] = (200, {}, rss_feed(items(("a", "2026-11-18"))))
    add_source(rt, "feed", f"{site.base}/old")
    for _ in range(3):
        poll(rt, clock)
        clock.turn(hours=2)
    assert source(rt).params == {"url": f"{site.base}/new"}
    poll(rt, clock)
    assert site.count("/old") == 3


def test_a_move_onto_another_source_is_told_and_not_done(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    site.at["/old"] = (301, {"Location": f"{site.base}/new"}, b"")
    site.at["/new"] = (200, {}, rss_feed(items(("a", "2026-11-18"))))
    add_source(rt, "feed", f"{site.base}/old")
    add_source(rt, "feed", f"{site.base}/new")
    for _ in range(3):
        poll(rt, clock)
        clock.turn(hours=2)
    assert source(rt).params == {"url": f"{site.base}/old"}
    assert "another source asks already" in source(rt).last_error


def test_a_feed_that_is_gone_is_asked_no_more(rt: Runtime, site: WebSite, clock: Clock) -> None:
    site.at["/feed"] = (410, {}, b"")
    add_source(rt, "feed", f"{site.base}/feed")
    (row,) = poll(rt, clock)
    assert (row["outcome"], source(rt).state, source(rt).next_poll_at) == ("gone", "gone", None)
    clock.turn(days=3)
    assert poll(rt, clock) == []


def test_failures_back_off_and_are_said(rt: Runtime, site: WebSite, clock: Clock) -> None:
    site.at["/feed"] = (500, {}, b"")
    add_source(rt, "feed", f"{site.base}/feed")
    waits = []
    for _ in range(4):
        (row,) = poll(rt, clock)
        at = source(rt).next_poll_at
        assert at is not None
        waits.append(at - clock())
        clock.now = at
    assert waits == sorted(waits)
    assert (source(rt).state, source(rt).failures) == ("failing", 4)
    assert row["error"] == source(rt).last_error == "the server answered 500 Internal Server Error"
    site.at["/feed"] = (200, {}, rss_feed(items(("a", "2026-11-18"))))
    poll(rt, clock)
    assert (source(rt).state, source(rt).failures, source(rt).last_error) == ("ok", 0, "")


def test_a_page_that_is_no_feed_is_a_failure_and_no_empty_success(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    site.at["/feed"] = (200, {"ETag": '"x"'}, b"<!doctype html><p>Sign in to continue</p>")
    add_source(rt, "feed", f"{site.base}/feed")
    (row,) = poll(rt, clock)
    assert row["outcome"] == "failed"
    assert (source(rt).etag, source(rt).first_polled) == ("", False)


def test_an_empty_feed_is_an_answer(rt: Runtime, site: WebSite, clock: Clock) -> None:
    site.at["/feed"] = (200, {}, rss_feed([]))
    add_source(rt, "feed", f"{site.base}/feed")
    (row,) = poll(rt, clock)
    assert (row["outcome"], row["items"], source(rt).state) == ("read", 0, "ok")


@pytest.mark.slow
def test_a_feed_that_falls_silent_is_marked(rt: Runtime, site: WebSite, clock: Clock) -> None:
    listed = one_a_day(rt, site, clock, 6)
    assert source(rt).state == "ok"
    clock.turn(days=3)
    poll(rt, clock)
    assert source(rt).state == "silent"
    site.at["/feed"] = (200, {}, rss_feed([*listed, *items(("back", "2026-11-10"))]))
    clock.turn(hours=2)
    poll(rt, clock)
    assert source(rt).state == "ok"
    assert ledger(rt)[date(2026, 11, 3)].new == 1


def test_an_alert_goes_out_with_the_poll_that_brought_the_paper(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    add_reader(
        rt,
        read_new({"email": "eva@example.org", "keywords": "glacier", "cadence": "instant"}),
        by="test",
    )
    site.at["/feed"] = (200, {}, rss_feed(items(("a", "2026-11-18"))))
    add_source(rt, "feed", f"{site.base}/feed")
    poll(rt, clock)
    clock.turn(hours=2)
    site.at["/feed"] = (200, {}, rss_feed([("g", "A glacier melts", "2026-11-18")]))
    poll(rt, clock)
    rows = rt.db.read(lambda s: list_deliveries(s))
    assert [(row.kind, row.state) for row in rows] == [("alert", "ready")]


# Quick runs read the same captures in tests/unit/sources, and poll the feeds above.
@pytest.mark.slow
def test_real_feeds_of_journals(rt: Runtime, site: WebSite, clock: Clock, shared: Path) -> None:
    folder = shared / "feeds"
    wanted = ("nature", "pubmed", "biorxiv", "jsonfeed", "blogs", "zotero")
    captured = [f for name in wanted for f in sorted((folder / name).iterdir()) if f.is_file()][:12]
    for n, file in enumerate(captured):
        site.at[f"/{n}"] = (200, {}, file.read_bytes())
        add_source(rt, "feed", f"{site.base}/{n}")
    rows = poll(rt, clock)
    read = [row for row in rows if row["outcome"] == "read"]
    assert len(read) >= 8
    assert sum(row["items"] for row in read) > 50
    failed = [row for row in rows if row["outcome"] != "read"]
    assert all(row["error"] for row in failed)
    clock.turn(hours=26)
    again = poll(rt, clock)
    assert sum(row["new"] for row in again) == 0
    assert isinstance(clock(), datetime)


def window(first: int, size: int = 3) -> bytes:
    """The newest ``size`` papers of a feed that numbers them."""
    return rss_feed(items(*((f"n{n}", "2026-11-18") for n in range(first, first + size))))


def test_a_window_that_moved_on_altogether_may_have_dropped_papers(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    asked = {}
    add_source(rt, "feed", f"{site.base}/feed")
    for name, first in (("first", 0), ("overlaps", 2), ("jumped", 20), ("again", 40)):
        site.at["/feed"] = (200, {}, window(first))
        poll(rt, clock)
        told = read_source(rt, 1)
        asked[name] = ((source(rt).next_poll_at or clock()) - clock(), told.word, told.sign)
        clock.turn(hours=1)
    minutes = [round(gap.total_seconds() / 60) for gap, _, _ in asked.values()]
    assert minutes == [60, 60, 30, 15]
    assert asked["overlaps"][1:] == ("in order", "complete")
    assert asked["jumped"][1:] == ("may lack papers", "late")
    assert source(rt).last_error == ""
    assert told.trouble is not None
    assert "Its answer of 18 November 2026 held no paper of the answer" in str(told.trouble.what)
    assert "now every 15 minutes" in str(told.trouble.by_itself)
    assert "poll it more often" in str(told.trouble.to_do)
    (day,) = read_days(rt, 1, 1)
    assert (day.word, day.sign) == ("may lack some", "late")
    assert "some in between may be missing" in str(day.says)
    clock.turn(days=14)
    assert read_source(rt, 1).word == "in order"


def test_what_comes_after_an_empty_answer_pushed_nothing_out(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    add_source(rt, "feed", f"{site.base}/feed")
    for body in (window(0), rss_feed([]), window(20)):
        site.at["/feed"] = (200, {}, body)
        poll(rt, clock)
        clock.turn(days=1)
    assert [row.late_polls for row in ledger(rt).values()] == [0, 0, 0]


def test_unchanged_answers_of_a_day_do_not_hide_a_gap(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    add_source(rt, "feed", f"{site.base}/feed")
    for answer in ((200, {"ETag": "1"}, window(0)), (304, {}, b""), (200, {}, window(20))):
        site.at["/feed"] = answer
        poll(rt, clock)
        clock.turn(days=1)
    assert [row.late_polls for row in ledger(rt).values()] == [0, 0, 1]
