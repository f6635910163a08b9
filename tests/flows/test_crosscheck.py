"""A batch that does not come: after two late answers the past is asked whether there was one."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from support.oai import oai_answer, oai_record
from support.polling import (
    Clock,
    arxiv_answer,
    arxiv_feed,
    lead_home,
    ledger,
    papers,
    poll,
    polling_house,
    source,
)
from support.web_site import WebSite

from service.flows.runtime import Runtime
from service.flows.source_days import read_days
from service.flows.sources import add_source
from service.flows.watch import mark_late
from service.sources.arxiv_days import read_calendar, use_calendar
from service.store.newest_days import list_late_titles

MON = [("2611.00001", "Monday one", "new"), ("2611.00002", "Monday two", "new")]
TUE = [("2611.00003", "Tuesday one", "new")]
KNOWN = [
    oai_record("2611.00001", "Monday one", created="2026-11-13", changed="2026-11-16"),
    oai_record("2611.00002", "Monday two", created="2026-11-13", changed="2026-11-16"),
]
WED = "Wed, 18 Nov 2026 00:00:00 -0500"
TUESDAY = date(2026, 11, 17)


@pytest.fixture
def clock() -> Clock:
    return Clock("2026-11-16T05:20:00")  # Monday 00:20 Eastern


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebSite]:
    with WebSite() as made:
        lead_home(made, monkeypatch)
        yield made


@pytest.fixture
def rt(tmp_path: Path, clock: Clock, database_url: str) -> Iterator[Runtime]:
    with polling_house(tmp_path, clock, database_url=database_url) as house:
        yield house.runtime
    use_calendar(None)


def stale_tuesday(rt: Runtime, site: WebSite, clock: Clock, *, feed=MON) -> None:
    """Monday's batch came; on Tuesday the first answer after the hour holds nothing new."""
    site.at["/rss/cs.CL"] = (200, {}, arxiv_feed("cs.CL", MON))
    add_source(rt, "arxiv_rss", "cs.CL", history_days=0)
    poll(rt, clock)
    site.at["/rss/cs.CL"] = (200, {}, arxiv_feed("cs.CL", feed))
    site.at["/oai"] = (200, {}, oai_answer(KNOWN))
    clock.set("2026-11-17T05:40:00")
    poll(rt, clock)
    assert site.count("/oai") == 0


def says(rt: Runtime) -> str:
    return next(str(day.says) for day in read_days(rt, 1, 14) if day.day == TUESDAY)


def test_a_stale_feed_is_told_from_what_its_past_names(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    stale_tuesday(rt, site, clock)
    old = oai_record("2501.00001", "Old, mended", created="2025-01-03", changed="2026-11-17")
    missing = [
        oai_record("2611.00003", "Tuesday one", created="2026-11-16", changed="2026-11-17"),
        oai_record("2611.00004", "Two", created="2026-11-16", changed="2026-11-17"),
    ]
    site.at["/oai"] = (200, {}, oai_answer([*KNOWN, *missing, old]))
    clock.turn(minutes=20)
    poll(rt, clock)
    row = ledger(rt)[TUESDAY]
    assert (row.state, row.late_polls, row.announced) == ("stale", 2, 2)
    assert row.crosschecked_at == clock()
    assert papers(rt) == {"Monday one": True, "Monday two": True}  # it is no way in
    assert says(rt).endswith("list of an earlier day. Cross-checked: 2 papers were announced.")
    clock.turn(hours=2)
    poll(rt, clock)
    assert site.count("/oai") == 1  # it was answered
    site.at["/rss/cs.CL"] = (200, {}, arxiv_feed("cs.CL", TUE))
    clock.turn(minutes=20)
    poll(rt, clock)
    row = ledger(rt)[TUESDAY]
    assert (row.state, row.completed_at, source(rt).state) == ("complete", clock(), "ok")
    assert says(rt) == (
        "The day's list came whole, late: on 17 November 2026 at 08:20 UTC. "
        "Cross-checked: 2 papers were announced."
    )


@pytest.mark.slow
def test_an_announcement_that_is_late_everywhere_is_asked_for_again_after_an_hour(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    stale_tuesday(rt, site, clock)
    for _ in range(4):  # 06:00, 06:20, 06:40, 07:00
        clock.turn(minutes=20)
        poll(rt, clock)
    row = ledger(rt)[TUESDAY]
    assert (row.state, row.announced, site.count("/oai")) == ("stale", 0, 2)
    assert mark_late(rt) == ["arXiv cs.CL"]
    clock.set("2026-11-18T05:20:00")  # the day is over
    wed = oai_record("2611.00009", "Wednesday", created="2026-11-17", changed="2026-11-18")
    site.at["/oai"] = (200, {}, oai_answer([*KNOWN, wed]))
    feed = arxiv_feed("cs.CL", [("2611.00009", "Wednesday", "new")], WED)
    site.at["/rss/cs.CL"] = (200, {}, feed)
    poll(rt, clock)
    assert ledger(rt)[TUESDAY].state == "none"  # nothing was announced on it
    assert papers(rt)["Wednesday"]
    clock.turn(hours=6)
    poll(rt, clock)
    assert site.count("/oai") == 3  # that is told for good


def test_what_was_announced_after_the_cross_check_is_not_lost(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    use_calendar(read_calendar('{"source": "x", "empty_on": {"2025": []}}', "old.json"))
    stale_tuesday(rt, site, clock, feed=[])
    clock.turn(minutes=20)
    poll(rt, clock)
    assert ledger(rt)[TUESDAY].state == "none"  # as it seemed, at one in the morning
    late = oai_record("2611.00003", "Tuesday one", created="2026-11-16", changed="2026-11-17")
    wed = oai_record("2611.00009", "Wednesday", created="2026-11-17", changed="2026-11-18")
    site.at["/oai"] = (200, {}, oai_answer([*KNOWN, late, wed]))
    site.at["/rss/cs.CL"] = (
        200,
        {},
        arxiv_feed("cs.CL", [("2611.00009", "Wednesday", "new")], WED),
    )
    clock.set("2026-11-18T05:20:00")  # nothing ran in between
    poll(rt, clock)
    assert (papers(rt)["Tuesday one"], ledger(rt)[TUESDAY].state) == (True, "complete")


def test_a_holiday_that_is_not_on_file_makes_nothing_late(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    use_calendar(read_calendar('{"source": "x", "empty_on": {"2025": []}}', "old.json"))
    stale_tuesday(rt, site, clock, feed=[])
    assert (ledger(rt)[TUESDAY].state, source(rt).state) == ("late", "late")
    clock.turn(minutes=20)
    poll(rt, clock)
    assert (ledger(rt)[TUESDAY].state, source(rt).state) == ("none", "ok")
    assert says(rt) == "Nothing was listed on this day. Cross-checked: none was announced."
    clock.turn(minutes=20)
    assert poll(rt, clock) != []
    due = source(rt).next_poll_at
    assert due is not None
    assert due - clock() == timedelta(hours=1)
    assert mark_late(rt) == []
    assert rt.db.read(lambda s: list_late_titles(s, TUESDAY)) == []
    site.at["/rss/cs.CL"] = (200, {}, arxiv_feed("cs.CL", TUE))  # it was only very late
    clock.turn(hours=1)
    poll(rt, clock)
    assert ledger(rt)[TUESDAY].state == "complete"
    assert papers(rt)["Tuesday one"]


@pytest.mark.slow
def test_a_cross_check_without_an_answer_is_made_again(
    rt: Runtime, site: WebSite, clock: Clock
) -> None:
    stale_tuesday(rt, site, clock)
    site.at["/oai"] = site.at["/api/query"] = (500, {}, b"")
    clock.turn(minutes=20)
    (row,) = poll(rt, clock)
    assert row["error"].startswith("cross-check: ")
    assert ledger(rt)[TUESDAY].announced is None
    site.at["/api/query"] = (200, {}, arxiv_answer([("2611.00003", "Two", "2026-11-16")]))
    clock.turn(hours=6)  # the records do not answer still, submissions do
    clock.turn(minutes=20)
    poll(rt, clock)
    assert ledger(rt)[TUESDAY].announced == 1
