"""Sources by the staff's hand: asked now, caught up, changed, decided on, each on record."""

import asyncio
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from support.house import add
from support.polling import (
    Clock,
    Wakes,
    arxiv_feed,
    ledger,
    papers,
    poll,
    polling_house,
    rss_feed,
    source,
)
from support.web_site import WebSite

from service.errors import PaperpostError
from service.flows.burst import read_burst
from service.flows.catch_up import bring_in, read_missing
from service.flows.fetch_again import fetch_again
from service.flows.hidden import PaperError
from service.flows.ingest import ingest_files
from service.flows.runtime import Runtime
from service.flows.source_acts import SourceError, ask_now, change_source, read_newest
from service.flows.source_edit import edit_source, plan_change
from service.flows.sources import add_source
from service.store.staff import list_audit
from service.store.tables import PaperRow


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rt(tmp_path: Path, clock: Clock) -> Iterator[Runtime]:
    with polling_house(tmp_path, clock) as house:
        house.runtime.engine = Wakes()
        yield house.runtime


@pytest.fixture
def site() -> Iterator[WebSite]:
    with WebSite() as made:
        yield made


def acts(rt: Runtime) -> list[tuple[str, object, object]]:
    return [(r.what, r.before, r.after) for r in rt.db.read(list_audit)]


def feed(site: WebSite, *titles: str) -> None:
    items = [(f"{title}".replace(" ", "-"), title, "2026-11-17") for title in titles]
    site.at["/feed"] = (200, {}, rss_feed(items))


def test_pressed_twice_it_is_asked_once_and_says_what_came(
    rt: Runtime, clock: Clock, site: WebSite
) -> None:
    feed(site, "One")
    add_source(rt, "feed", f"{site.base}/feed", title="Letters")
    poll(rt, clock)
    asked = len(site.asked)
    clock.turn(minutes=1)
    feed(site, "One", "Two", "Three")
    first, second = (ask_now(rt, 1, by="mia", address="::1") for _ in range(2))
    assert (first.is_new, second.is_new, first.at == second.at) == (True, False, True)
    assert read_newest(rt, 1).waits
    poll(rt, clock)  # what the clock asks when it comes by
    assert len(site.asked) == asked + 1
    newest = read_newest(rt, 1)
    assert (newest.waits, newest.says) == (False, "3 items, 2 new")
    assert [what for what, _, _ in acts(rt)] == ["poll source"]
    change_source(rt, 1, "pause", by="mia")
    assert acts(rt)[0] == (
        "pause source",
        {"title": "Letters", "state": "ok"},
        {"title": "Letters", "state": "paused"},
    )
    with pytest.raises(SourceError, match="paused"):
        ask_now(rt, 1, by="mia")


def test_one_that_died_while_it_asked_is_waited_for_ten_minutes(rt: Runtime, clock: Clock) -> None:
    add_source(rt, "feed", "http://127.0.0.1:9/feed")
    ask_now(rt, 1, by="mia")
    clock.turn(minutes=11)
    assert not read_newest(rt, 1).waits
    assert ask_now(rt, 1, by="mia").is_new


def test_days_that_are_missing_are_named_and_brought_in(rt: Runtime, clock: Clock) -> None:
    add_source(rt, "hf_daily", history_days=0)
    made = read_missing(rt, 1)
    assert (made.any, made.can_ask) == (False, True)
    clock.turn(days=3)  # nobody asked on Wednesday to Friday
    assert read_missing(rt, 1).lost == (date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20))
    wanted = bring_in(rt, 1, days=5, by="mia").wanted
    assert wanted[-1] == date(2026, 11, 20)
    assert {ledger(rt)[day].state for day in wanted} == {"wanted"}
    what, _, after = acts(rt)[1]
    assert (what, after["days"]) == ("bring in days", 5)  # type: ignore[index]
    add_source(rt, "feed", "http://127.0.0.1:9/feed")
    with pytest.raises(SourceError, match="cannot be asked for"):
        bring_in(rt, 2, days=5, by="mia")
    with pytest.raises(SourceError, match="Nothing is missing"):
        bring_in(rt, 2, by="mia")


def test_a_change_says_what_follows_and_floods_nobody(
    rt: Runtime, clock: Clock, site: WebSite
) -> None:
    feed(site, "One")
    site.at["/new"] = (
        200,
        {},
        rss_feed([("8", "An old one", "2026-11-10"), ("9", "Another", "2026-11-17")]),
    )
    add_source(rt, "feed", f"{site.base}/feed", title="Letters")
    add_source(rt, "feed", f"{site.base}/other")
    poll(rt, clock, only=1)
    plan = plan_change(rt, 1, "News", {"url": f"{site.base}/new"})
    assert len(plan.effects) == 2
    assert source(rt).title == "Letters"
    assert plan_change(rt, 1, "Letters").effects == ()
    for title, params, said in (
        ("", {}, "needs a title"),
        ("x" * 300, {}, "300 characters"),
        (None, {"uri": "x"}, "no parameter 'uri'"),
        (None, {"url": f"{site.base}/other"}, "has these parameters already"),
        (None, {"url": "no address"}, "no address of a feed"),
    ):
        with pytest.raises(PaperpostError, match=said):
            edit_source(rt, 1, title, params, by="mia")
    edit_source(rt, 1, "News", {"url": f"{site.base}/new"}, by="mia")
    assert acts(rt)[0][0] == "change source"
    poll(rt, clock, only=1)
    assert source(rt).title == "News"
    assert not papers(rt)["An old one"], "its first answer is known, as that of a new source"


@pytest.mark.slow  # eleven days of a feed
def test_a_burst_is_shown_with_whom_it_would_reach(
    rt: Runtime, clock: Clock, site: WebSite, tmp_path: Path
) -> None:
    add(rt, "ada@example.org", "adapters")
    add(rt, "bo@example.org", "towels", cadence="instant")
    add_source(rt, "feed", f"{site.base}/feed", title="Letters")
    for n in range(11):  # a feed of one paper a day, for long enough
        feed(site, *(f"Day {i}" for i in range(n + 1)))
        poll(rt, clock, only=1)
        clock.turn(days=1)
    feed(site, *(f"Day {i}" for i in range(11)), *(f"Adapters {i}" for i in range(30)), "Towels")
    poll(rt, clock, only=1)
    made = read_burst(rt, 1)
    assert (made.papers, made.readers, made.matches, made.alerts) == (31, 2, 31, 1)
    assert not made.is_old
    assert sum(one.wanted for one in made.samples) == 10
    assert change_source(rt, 1, "take-known", by="mia")["papers"] == 31
    assert acts(rt)[0][2] == {"title": "Letters", "papers": 31, "as": "known"}
    assert read_burst(rt, 1).papers == 0


def test_arxiv_is_asked_for_one_paper_again(
    rt: Runtime, clock: Clock, site: WebSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.sources import arxiv_api

    monkeypatch.setattr(arxiv_api, "_ADDRESS", f"{site.base}/api/query")
    entry = """<feed xmlns="http://www.w3.org/2005/Atom"><title>q</title><entry>
    <id>http://arxiv.org/abs/2611.00001v2</id><title>{title}</title><summary>It folds.</summary>
    <published>2026-11-16T00:00:00Z</published><updated>2026-11-18T00:00:00Z</updated>
    <author><name>Ana Silva</name></author></entry></feed>"""
    file = tmp_path / "rss.xml"
    file.write_bytes(arxiv_feed("cs.CL", [("2611.00001", "One", "new")]))
    ingest_files(rt, "arxiv_rss", [file])
    site.at["/api/query"] = (200, {}, entry.format(title="One, revised").encode())
    made = asyncio.run(fetch_again(rt, 1, by="mia", sleep=clock.sleep))
    assert (made.title, "title" in made.changed) == ("One, revised", True)
    assert rt.db.read(lambda s: s.get(PaperRow, 1)).eligible_at is not None
    what, before, after = acts(rt)[0]
    assert (what, before["title"], after["title"]) == (  # type: ignore[index]
        "fetch paper again", "One", "One, revised")  # fmt: skip
    assert asyncio.run(fetch_again(rt, 1, by="mia", sleep=clock.sleep)).changed == ()
    site.at["/api/query"] = (503, {"Retry-After": "600"}, b"")
    with pytest.raises(PaperError):
        asyncio.run(fetch_again(rt, 1, by="mia", sleep=clock.sleep))
