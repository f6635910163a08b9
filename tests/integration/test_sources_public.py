"""The public page of sources: days with signs and words, trouble without addresses, zones."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlmodel import Session
from support.browsing import open_browser
from support.reading_house import Reading, reading_house
from support.whole_site import WholeSite, whole_site

from service.flows.runtime import Runtime
from service.flows.source_health import SourceHealth, read_sources
from service.flows.sources import add_source
from service.store import sources as sources_store
from service.store.pace import claim_turn
from service.web import sources_page


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path) as made:
        yield made


def furnish(house: Reading | WholeSite) -> None:
    """A list that is in order, and a feed that has not answered for three days."""
    rt = house.rt
    now = rt.clock()
    listed = add_source(rt, "hf_daily", "", "Lists of Tests", history_days=0)["id"]
    feed = add_source(rt, "feed", "https://hidden.example/secret.xml", "Letters of Tests")["id"]

    def tell(session: Session) -> None:
        for source in (listed, feed):
            row = sources_store.get_source(session, source)
            assert row is not None
            row.created_at, row.last_poll_at = now - timedelta(days=5), now
            session.add(row)
        row = sources_store.get_source(session, feed)
        assert row is not None
        row.state, row.failures = "failing", 9
        row.last_error = "the server answered 404 Not Found (https://hidden.example/secret.xml)"
        row.last_poll_at = datetime(2026, 11, 15, 23, 30, tzinfo=UTC)
        session.add(row)
        for source, day, state in ((listed, date(2026, 11, 17), "open"),
                                   (feed, date(2026, 11, 17), "failed")):  # fmt: skip
            there = sources_store.get_source_day(session, source, day)
            there.state, there.items, there.new = state, 31, 31 if state == "open" else 0
            there.polled_at = datetime(2026, 11, 17, 13, 40, tzinfo=UTC)
            session.add(there)
        claim_turn(session, "fetch", "huggingface", now=now, gap=timedelta(seconds=0.7),
                   hold=timedelta(seconds=9))  # fmt: skip

    rt.db.write(tell)


def section(html: str, title: str) -> str:
    """The part of one source, without tags."""
    part = html.partition(f"<h2>{title}</h2>")[2].partition("</section>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", part).split())


def test_each_day_is_a_sign_and_a_word_with_a_list_behind_it(house: Reading) -> None:
    furnish(house)
    said = section(house.client.get("/sources").text, "Lists of Tests")
    assert said.startswith("● in order")
    assert "● 17 Nov complete" in said
    assert "○ 15 Nov no list" in said
    assert "17 Nov yes 13:40 31 31 0 ● 31 papers on the list." in said
    assert "1 request today, at least 0.7 s apart." in said


def test_what_is_wrong_is_said_without_addresses(house: Reading) -> None:
    furnish(house)
    page = house.client.get("/sources").text
    said = section(page, "Letters of Tests")
    assert "What happened There is nothing at its address any more." in said
    assert "Since 15 Nov, 23:30" in said
    assert "By itself It is asked again" in said
    assert "hidden.example" not in page
    assert "404" not in page
    assert "To do" not in page, "that is for the staff"


def test_times_follow_the_zone_that_was_chosen(house: Reading) -> None:
    furnish(house)
    page = house.client.get("/sources?zone=Asia/Kolkata").text
    assert "Since 16 Nov, 05:00" in section(page, "Letters of Tests")
    assert "17 Nov yes 19:10" in section(page, "Lists of Tests")
    assert '<option value="Asia/Kolkata" selected>' in page
    strange = house.client.get("/sources?zone=Mars/Olympus")
    assert (strange.status_code, "Times are those of" in strange.text) == (200, True)


def test_the_page_reads_all_sources_a_few_times_a_minute_at_most(
    house: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnish(house)
    reads = []

    def counted(rt: Runtime) -> list[SourceHealth]:
        reads.append(rt.clock())
        return read_sources(rt)

    monkeypatch.setattr(sources_page, "read_sources", counted)
    for _ in range(3):
        assert "Letters of Tests" in house.client.get("/sources").text
    assert len(reads) == 1
    house.clock.go(seconds=21)
    house.client.get("/sources")
    assert len(reads) == 2


@pytest.mark.browser
def test_the_zone_is_the_browsers_own(tmp_path: Path, chromium: str) -> None:
    with (
        whole_site(tmp_path) as site,
        open_browser(chromium, timezone_id="Asia/Kolkata") as page,
    ):
        furnish(site)
        page.goto(f"{site.address}/sources")
        letters = page.locator("section", has_text="Letters of Tests")
        expect(letters.locator(".trouble")).to_contain_text("16 Nov, 05:00")
        page.get_by_label("Your zone").select_option("America/New_York")
        expect(letters.locator(".trouble")).to_contain_text("15 Nov, 18:30")
