"""Polling bioRxiv by day and PubMed's saved searches, and arXiv's records as a source."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from support.oai import error, oai_answer, oai_record
from support.polling import Clock, ledger, papers, poll, polled_rt, source
from support.web_site import Answer, WebSite

from service.flows.runtime import Runtime
from service.flows.sources import add_source
from service.papers.model import Alias
from service.sources import pubmed
from service.sources.adapter import Parameter
from service.store import papers as papers_store

rt = polled_rt

MON, TUE, WED = (date(2026, 11, day) for day in (16, 17, 18))


@pytest.fixture
def clock() -> Clock:
    return Clock("2026-11-17T12:00:00")  # Tuesday


def post(number: int, title: str, day: date, version: int = 1, **fields: str) -> dict[str, str]:
    return {
        "doi": f"10.64898/2026.11.01.{number:06}", "title": title, "authors": "Silva, A.; Chen, B.",
        "date": f"{day}", "version": str(version), "category": "cell biology", "server": "bioRxiv",
        "abstract": f"About {title}.", "license": "cc_by", "type": "new results", **fields,
    }  # fmt: skip


def serve(site: WebSite, lists: dict[date, list[dict[str, str]]], since: date, until: date) -> None:
    """The lists of the days, two posts a page; days without a list have no posts."""

    def answer(day: date, cursor: int) -> bytes:
        every = lists.get(day, [])
        part = every[cursor : cursor + 2]
        said: dict[str, Any] = {"status": "ok", "cursor": cursor, "total": str(len(every))}
        if not every:
            said = {"status": "no posts found"}
        return json.dumps({"messages": [said], "collection": part}).encode()

    for back in range((until - since).days + 1):
        day = since + timedelta(days=back)
        for cursor in range(0, max(2, len(lists.get(day, []))), 2):
            path = f"/details/biorxiv/{day}/{day}/{cursor}/json"
            site.at[path] = (200, {}, answer(day, cursor))


def test_a_first_poll_reads_every_page_and_makes_the_newest_day_new(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    lists = {
        MON: [post(n, f"Monday {n}", MON) for n in (1, 2, 3)],
        TUE: [post(n, f"Tuesday {n}", TUE) for n in (4, 5, 6, 7, 8)],
    }
    serve(site, lists, MON, TUE)
    add_source(rt, "biorxiv", "biorxiv", history_days=0)
    (row,) = poll(rt, clock)
    assert (row["title"], row["items"], row["new"], row["known"]) == ("bioRxiv", 8, 5, 3)
    assert papers(rt)["Tuesday 8"]
    assert not papers(rt)["Monday 1"]
    assert (ledger(rt)[TUE].items, ledger(rt)[MON].items) == (5, 3)
    assert source(rt).next_poll_at == clock() + timedelta(hours=2)


def test_a_later_version_refreshes_and_is_never_new(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    serve(site, {MON: [post(1, "First words", MON)]}, MON, TUE)
    add_source(rt, "biorxiv", "biorxiv", history_days=0)
    poll(rt, clock)
    clock.turn(days=1)
    lists = {
        WED: [
            post(1, "Better words", WED, 2, published="10.5555/cells.1"),
            post(2, "Never seen, second version", WED, 2),
            post(3, "Fresh", WED),
        ]
    }
    serve(site, lists, MON, WED)
    (row,) = poll(rt, clock)
    assert row["new"] == 1
    assert papers(rt) == {
        "Better words": True, "Never seen, second version": False, "Fresh": True,
    }  # fmt: skip
    journal = Alias("doi", "10.5555/cells.1")
    assert rt.db.read(lambda s: papers_store.find_ids(s, [journal])) == [1]


def test_days_of_an_outage_are_asked_one_by_one_and_are_new(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    start = date(2026, 11, 9)
    clock.set("2026-11-10T12:00:00")
    serve(site, {}, start, date(2026, 11, 10))
    add_source(rt, "biorxiv", "server=biorxiv subject=Cell_Biology", history_days=0)
    poll(rt, clock)
    clock.set("2026-11-17T12:00:00")
    days = [date(2026, 11, day) for day in range(10, 18)]
    serve(site, {day: [post(day.day, f"Of {day}", day)] for day in days}, start, TUE)
    (row,) = poll(rt, clock)
    assert (row["title"], row["new"], row["error"]) == ("bioRxiv cell biology", 8, "")
    assert all("category=cell_biology" in asked for asked in site.asked)
    assert all(papers(rt)[f"Of {day}"] for day in days)


def test_its_past_is_known(rt: Runtime, site: WebSite, clock: Clock) -> None:
    lists = {date(2026, 11, 12): [post(1, "Of the past", date(2026, 11, 12))]}
    serve(site, lists, date(2026, 11, 10), TUE)
    add_source(rt, "biorxiv", "biorxiv", history_days=7)
    (row,) = poll(rt, clock)
    assert (row["new"], row["history"], row["error"]) == (0, 1, "")
    assert papers(rt) == {"Of the past": False}
    assert ledger(rt)[date(2026, 11, 12)].state == "history"


def test_a_broken_page_is_told_and_asked_again(rt: Runtime, site: WebSite, clock: Clock) -> None:
    serve(site, {TUE: [post(n, f"Tuesday {n}", TUE) for n in (1, 2, 3)]}, MON, TUE)
    whole = site.at[f"/details/biorxiv/{TUE}/{TUE}/2/json"]
    site.at[f"/details/biorxiv/{TUE}/{TUE}/2/json"] = (200, {}, b"<html>Busy</html>")
    add_source(rt, "biorxiv", "biorxiv", history_days=0)
    (row,) = poll(rt, clock)
    assert (row["outcome"], papers(rt)) == ("failed", {})
    site.at[f"/details/biorxiv/{TUE}/{TUE}/2/json"] = whole
    clock.turn(minutes=10)
    (row,) = poll(rt, clock)
    assert row["new"] == 3


SEARCH = """<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>sleeping sponges</title>
<link>https://pubmed.ncbi.nlm.nih.gov/rss-feed/?ff={at}</link><description>d</description>
<ttl>120</ttl>{items}</channel></rss>"""
FOUND = """<item><title>{title}</title><guid isPermaLink="false">pubmed:{number}</guid>
<link>https://pubmed.ncbi.nlm.nih.gov/{number}/?ff={at}</link><dc:source>J Sponges</dc:source>
<pubDate>{day:%a, %d %b %Y} 06:00:00 -0500</pubDate></item>"""


def search(at: int, *found: tuple[int, str, date]) -> bytes:
    items = "".join(FOUND.format(number=n, title=title, day=d, at=at) for n, title, d in found)
    return SEARCH.format(items=items, at=at).encode()


def test_a_saved_search_is_asked_twice_an_hour_and_names_itself(
    rt: Runtime, site: WebSite, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pubmed.Pubmed, "parameters", (Parameter("url", "address", site.base),))
    site.at["/rss/search/1/"] = (
        200, {}, search(1, (41000001, "Old one", MON), (41000002, "New one", TUE)),
    )  # fmt: skip
    add_source(rt, "pubmed", f"{site.base}/rss/search/1/")
    (row,) = poll(rt, clock)
    assert (row["new"], row["known"], source(rt).title) == (1, 1, "sleeping sponges")
    assert source(rt).next_poll_at == clock() + timedelta(minutes=30)
    clock.turn(minutes=30)
    site.at["/rss/search/1/"] = (
        200, {}, search(2, (41000002, "New one", TUE), (41000003, "Newest", TUE)),
    )  # fmt: skip
    (row,) = poll(rt, clock)
    assert (row["new"], row["known"]) == (1, 1)
    assert papers(rt) == {"Old one": False, "New one": True, "Newest": True}


def test_records_as_a_source(rt: Runtime, site: WebSite, clock: Clock) -> None:
    site.at["/oai"] = (200, {}, error("noRecordsMatch"))
    add_source(rt, "arxiv_oai", "cs.CL", history_days=0)
    (row,) = poll(rt, clock)
    assert (row["title"], row["outcome"], row["items"]) == ("arXiv records cs:cs:CL", "read", 0)
    first = [
        oai_record("1905.00001", "Old, mended", created="2019-05-02", changed="2026-11-17"),
        oai_record("2611.00001", "Fresh", created="2026-11-16", changed="2026-11-17"),
    ]
    rest = [oai_record("2611.00002", "Second page", created="2026-11-16", changed="2026-11-17")]

    def pages(query: dict[str, str], headers: dict[str, str]) -> Answer:
        return 200, {}, oai_answer(rest) if "resumptionToken" in query else oai_answer(first, "t|2")

    site.at["/oai"] = pages
    clock.turn(hours=7)
    (row,) = poll(rt, clock)
    assert (row["items"], row["new"]) == (3, 2)
    assert papers(rt) == {"Old, mended": False, "Fresh": True, "Second page": True}
    assert site.asked[-1].endswith("?verb=ListRecords&resumptionToken=t%7C2")


def test_a_token_that_is_gone_begins_anew_at_the_next_poll(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    site.at["/oai"] = (200, {}, oai_answer([]))
    add_source(rt, "arxiv_oai", "cs.CL", history_days=0)
    poll(rt, clock)
    record = oai_record("2611.00001", "Fresh", created="2026-11-16", changed="2026-11-17")
    later = oai_record("2611.00002", "Later", created="2026-11-16", changed="2026-11-17")
    broken = {"is": True}

    def pages(query: dict[str, str], headers: dict[str, str]) -> Answer:
        if "resumptionToken" not in query:
            return 200, {}, oai_answer([record], "gone")
        return 200, {}, error("badResumptionToken") if broken["is"] else oai_answer([later])

    site.at["/oai"] = pages
    clock.turn(hours=7)
    (row,) = poll(rt, clock)
    assert row["outcome"] == "failed"
    assert "badResumptionToken" in row["error"]
    broken["is"] = False
    clock.turn(minutes=10)
    (row,) = poll(rt, clock)
    assert row["outcome"] == "read"
    assert papers(rt) == {"Fresh": True, "Later": True}


def test_records_bring_a_past(rt: Runtime, site: WebSite, clock: Clock) -> None:
    records = [
        oai_record("2611.00001", "Of the past", created="2026-11-09", changed="2026-11-10"),
        oai_record("1905.00001", "Old, mended", created="2019-05-02", changed="2026-11-11"),
    ]

    def answer(query: dict[str, str], headers: dict[str, str]) -> Answer:
        return 200, {}, oai_answer(records) if "until" in query else error("noRecordsMatch")

    site.at["/oai"] = answer
    add_source(rt, "arxiv_oai", "cs.CL", history_days=7)
    (row,) = poll(rt, clock)
    assert (row["new"], row["error"]) == (0, "")
    assert papers(rt)["Of the past"] is False
