"""Announcements that an outage swallowed: every paper of every missed day comes once, as new."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlmodel import select
from support.oai import error, oai_answer, oai_record
from support.polling import (
    Clock,
    arxiv_answer,
    arxiv_feed,
    ledger,
    papers,
    poll,
    polled_rt,
    polling_house,
)
from support.web_site import Answer, WebSite

from service.flows.runtime import Runtime
from service.flows.sources import add_source
from service.store.tables import PaperRow, SightingRow

rt = polled_rt

MON = [("2611.00001", "Monday one", "new"), ("2611.00002", "Monday two", "cross")]
THU = [("2611.00009", "Thursday", "new")]
TUESDAY, WEDNESDAY = date(2026, 11, 17), date(2026, 11, 18)
TUE = oai_record("2611.00003", "Tuesday one", created="2026-11-16", changed="2026-11-17")
HELD = oai_record("2611.00005", "Held for weeks", created="2026-09-30", changed="2026-11-17")
AGAIN = oai_record(
    "2611.00004", "Tuesday, again", created="2026-11-16", updated="2026-11-18", changed="2026-11-19"
)
WED = oai_record(
    "2611.00006", "Wednesday one", created="2026-11-17", changed="2026-11-18",
    categories="cs.LG cs.CL",
)  # fmt: skip
TODAY = oai_record("2611.00009", "Thursday", created="2026-11-18", changed="2026-11-19")
SECOND = oai_record(
    "2611.00001", "Monday one, mended", created="2026-11-13", updated="2026-11-16",
    changed="2026-11-17",
)  # fmt: skip
REPLACED = oai_record(
    "1804.00001", "Old, second version", created="2018-04-02", updated="2026-11-17",
    changed="2026-11-18",
)  # fmt: skip
CROSSED = oai_record(
    "2610.07777", "Cross-listed late", created="2026-10-30", changed="2026-11-18",
    categories="cs.LG cs.CL",
)  # fmt: skip
OLD = oai_record("1905.04444", "Old, got a DOI", created="2019-05-02", changed="2026-11-18")
RECORDS = [SECOND, OLD, REPLACED, CROSSED, WED, TUE, TODAY, HELD, AGAIN]


@pytest.fixture
def clock() -> Clock:
    return Clock("2026-11-16T05:20:00")  # Monday 00:20 Eastern


@pytest.fixture
def house(tmp_path: Path, clock: Clock, database_url: str) -> Iterator[Runtime]:
    with polling_house(tmp_path, clock, database_url=database_url) as made:
        yield made.runtime


def paged(records: Sequence[str], size: int = 3) -> object:
    """OAI's answers in pages, with the start of the next one as its token."""

    def answer(query: dict[str, str], headers: dict[str, str]) -> Answer:
        start = int(query.get("resumptionToken", "0"))
        rest = str(start + size) if start + size < len(records) else ""
        return 200, {}, oai_answer(records[start : start + size], rest)

    return answer


def until_thursday(rt: Runtime, site: WebSite, clock: Clock, what: str = "cs.CL") -> None:
    """Monday's batch came, then nothing was asked until Thursday."""
    site.at["/rss/cs.CL"] = (200, {}, arxiv_feed("cs.CL", MON))
    add_source(rt, "arxiv_rss", what, history_days=0)
    poll(rt, clock)
    clock.set("2026-11-19T05:20:00")
    site.at["/rss/cs.CL"] = (200, {}, arxiv_feed("cs.CL", THU))


def listed(rt: Runtime) -> dict[str, set[date]]:
    """Title -> the days it was listed on."""
    rows = rt.db.read(
        lambda s: s.exec(
            select(PaperRow.title, SightingRow.listed_on).where(SightingRow.paper_id == PaperRow.id)
        ).all()
    )
    found: dict[str, set[date]] = {}
    for title, day in rows:
        found.setdefault(title, set()).add(day)
    return found


def test_each_paper_comes_once_on_its_own_day(house: Runtime, site: WebSite, clock: Clock) -> None:
    rt = house
    until_thursday(rt, site, clock)
    site.at["/oai"] = paged(RECORDS)
    (row,) = poll(rt, clock)
    assert (row["new"], row["error"]) == (6, "")
    new = {title for title, is_new in papers(rt).items() if is_new}
    assert new == {
        "Monday one, mended", "Monday two", "Tuesday one", "Held for weeks", "Tuesday, again",
        "Wednesday one", "Cross-listed late", "Thursday",
    }  # fmt: skip
    assert "Old, got a DOI" not in papers(rt)
    assert papers(rt)["Old, second version"] is False  # as the feed would have shown it
    days = listed(rt)
    assert days["Held for weeks"] == {TUESDAY}
    assert days["Tuesday, again"] == {TUESDAY}
    assert days["Wednesday one"] == {WEDNESDAY}
    assert days["Monday one, mended"] == {date(2026, 11, 16), TUESDAY}
    rows = ledger(rt)
    assert {day.day: row.state for day, row in rows.items()} == dict.fromkeys(
        (16, 17, 18, 19), "complete"
    )
    tuesday, wednesday = rows[TUESDAY], rows[WEDNESDAY]
    assert (tuesday.items, tuesday.new, tuesday.known, tuesday.announced) == (4, 3, 1, 3)
    assert (wednesday.items, wednesday.new, wednesday.announced) == (3, 2, 2)
    asked = [parse_qs(urlsplit(path).query) for path in site.asked if path.startswith("/oai")]
    assert (asked[0]["set"], asked[0]["from"]) == (["cs:cs:CL"], ["2026-11-16"])
    assert [one.get("resumptionToken") for one in asked] == [None, ["3"], ["6"]]
    assert site.count("/api/query") == 0


def test_nothing_is_asked_or_new_twice(rt: Runtime, site: WebSite, clock: Clock) -> None:
    until_thursday(rt, site, clock)
    site.at["/oai"] = paged(RECORDS)
    poll(rt, clock)
    asked = site.count("/oai")
    clock.turn(hours=7)
    (row,) = poll(rt, clock)
    assert (row["new"], site.count("/oai")) == (0, asked)


def test_a_source_set_to_new_takes_no_cross_lists_of_missed_days(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    until_thursday(rt, site, clock, "category=cs.CL take=new")
    site.at["/oai"] = paged(RECORDS)
    poll(rt, clock)
    assert not {"Wednesday one", "Cross-listed late"} & set(papers(rt))
    assert papers(rt)["Tuesday one"]


def test_a_day_without_an_announcement_is_asked_for_once(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    until_thursday(rt, site, clock)
    site.at["/oai"] = (200, {}, error("noRecordsMatch"))
    (row,) = poll(rt, clock)
    assert (row["new"], row["error"]) == (1, "")
    assert [ledger(rt)[day].state for day in (TUESDAY, WEDNESDAY)] == ["none", "none"]
    clock.turn(hours=7)
    poll(rt, clock)
    assert site.count("/oai") == 1


@pytest.mark.parametrize("broken", ["token", "gone"])
@pytest.mark.slow
def test_when_records_do_not_answer_submissions_do_and_records_are_asked_again(
    rt: Runtime, site: WebSite, clock: Clock, broken: str
) -> None:
    until_thursday(rt, site, clock)
    pages = paged(RECORDS)

    def failing(query: dict[str, str], headers: dict[str, str]) -> Answer:
        if broken == "gone":
            return 500, {}, b""
        if "resumptionToken" in query:
            return 200, {}, error("badResumptionToken")
        return pages(query, headers)  # type: ignore[operator]

    site.at["/oai"] = failing
    submitted = [
        ("2611.00001", "Monday one", "2026-11-13"),
        ("2611.00003", "Tuesday one", "2026-11-16"),
        ("2611.00004", "Tuesday, again", "2026-11-16"),
        ("2611.00006", "Wednesday one", "2026-11-17"),
    ]
    site.at["/api/query"] = (200, {}, arxiv_answer(submitted))
    (row,) = poll(rt, clock)
    assert row["new"] == 4
    assert "submittedDate%3A%5B202611130000+TO+202611172359%5D" in site.asked[-1]
    assert row["error"].startswith("missed days are still missing: ")
    assert "Held for weeks" not in papers(rt)
    assert TUESDAY not in ledger(rt) or ledger(rt)[TUESDAY].state != "complete"
    clock.set("2026-11-20T05:20:00")  # the next day: what is missing is not forgotten
    site.at["/rss/cs.CL"] = (200, {}, arxiv_feed("cs.CL", [("2611.00010", "Friday", "new")]))
    site.at["/oai"] = paged(RECORDS)
    (row,) = poll(rt, clock)
    assert (row["new"], row["error"]) == (3, "")
    assert papers(rt)["Held for weeks"]
    assert ledger(rt)[TUESDAY].state == "complete"


def test_when_arxiv_asks_us_to_wait_nothing_else_of_it_is_asked(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    until_thursday(rt, site, clock)
    site.at["/oai"] = (503, {"Retry-After": "3600"}, b"")
    site.at["/api/query"] = (200, {}, arxiv_answer([]))
    (row,) = poll(rt, clock)
    assert row["error"].startswith("missed days are still missing: ")
    assert (row["new"], site.count("/api/query")) == (1, 0)


def test_fourteen_days_and_not_one_more(rt: Runtime, site: WebSite, clock: Clock) -> None:
    clock.set("2026-10-26T04:20:00")  # Monday 00:20 Eastern
    first = [("2610.00001", "The last before", "new")]
    site.at["/rss/cs.CL"] = (200, {}, arxiv_feed("cs.CL", first, "Mon, 26 Oct 2026 00:00:00 -0400"))
    add_source(rt, "arxiv_rss", "cs.CL", history_days=0)
    poll(rt, clock)
    days = [date(2026, 10, d) for d in range(26, 32)] + [date(2026, 11, d) for d in range(1, 12)]
    records = [
        oai_record(f"{day:%y%m}.{n:05}", f"Of {day}", created=f"{day}", changed=f"{days[n]}")
        for n, day in enumerate(days[:-1], 1)
        if days[n].weekday() < 5 and day.weekday() < 5
    ]
    clock.set("2026-11-12T05:20:00")
    today = [("2611.00020", "Today", "new")]
    site.at["/rss/cs.CL"] = (200, {}, arxiv_feed("cs.CL", today, "Thu, 12 Nov 2026 00:00:00 -0500"))
    site.at["/oai"] = paged(records, 5)
    (row,) = poll(rt, clock)
    asked = parse_qs(urlsplit(next(x for x in site.asked if x.startswith("/oai"))).query)
    assert asked["from"] == ["2026-10-28"]
    kept = [title for title, is_new in papers(rt).items() if is_new and title.startswith("Of")]
    assert len(kept) == row["new"] - 1 > 5
    assert "Of 2026-10-26" not in papers(rt)  # announced on the 27th, sixteen days ago
