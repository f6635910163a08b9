"""The sign-up page says when a day's papers are complete, from what was seen; else nothing."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlmodel import Session
from support.browsing import open_browser
from support.house import add
from support.reading_house import WEDNESDAY, Reading, fill, reading_house
from support.whole_site import WholeSite, whole_site

from service.flows.manage_link import manage_token
from service.flows.usual import list_sources
from service.store import sources as sources_store
from service.store.tables import SightingRow

DAYS = [date(2026, 11, d) for d in (10, 11, 12, 13, 16)]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path) as made:
        yield made


def sentence(html: str) -> str:
    found = re.search(r'id="usual"[^>]*>([^<]*)<', html)
    assert found is not None
    return found[1].replace("&#39;", "'")


def watch(house: Reading | WholeSite, kind: str, hour: int, minute: int, days: list[date]) -> None:
    """A source that lists by day, watched from the Monday before; its last paper came then."""

    def add(session: Session) -> None:
        made = sources_store.add_source(
            session,
            kind=kind,
            params={"category": "cs.LG"} if kind == "arxiv_rss" else {"list": "watched"},
            title=kind,
            now=datetime(2026, 11, 9, 8, tzinfo=UTC),
        )
        for day in days:
            at = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
            for paper, when in ((1, at - timedelta(minutes=1)), (2, at)):
                session.add(
                    SightingRow(
                        source_id=made.id or 0, paper_id=paper, listed_on=day, first_seen_at=when
                    )
                )

    house.rt.db.write(add)


def test_with_a_habit_the_page_says_when(house: Reading) -> None:
    watch(house, "hf_daily", 13, 34, DAYS)
    html = house.client.get("/").text
    assert sentence(html) == "Today's papers are usually complete by 13:40 in your zone."


@pytest.mark.slow
def test_the_slowest_list_counts_and_every_list_needs_a_habit(house: Reading) -> None:
    watch(house, "arxiv_rss", 5, 20, DAYS)
    watch(house, "hf_daily", 13, 34, DAYS[:2])
    assert sentence(house.client.get("/").text) == ""
    house.clock.go(minutes=11)
    watch(house, "hf_daily", 4, 0, DAYS[2:])
    asked = house.client.post("/estimate", data={"words": "", "zone": "Europe/Zurich"}).text
    assert sentence(asked) == "Today's papers are usually complete by 14:40 in your zone."


def test_it_follows_the_zone_with_and_without_a_script(house: Reading) -> None:
    watch(house, "hf_daily", 13, 34, DAYS)
    form = {"zone": "Europe/Zurich", "words": "adapters", "email": "no address"}
    for path in ("/estimate", "/"):
        assert "by 14:40 in your zone" in sentence(house.client.post(path, data=form).text)
    live = {"HX-Request": "true", "HX-Target": "usual"}
    for zone, said in (
        ("Asia/Kolkata", "by 19:10 in your zone"),
        ("Pacific/Auckland", "by 02:40 the next day, your time"),
        ("Mars/Olympus", "by 13:40 in your zone"),
    ):
        part = house.client.post("/estimate", data={"zone": zone}, headers=live).text
        assert said in part
        assert "<p" not in part, "the place that is read out stays where it is"


@pytest.mark.slow
def test_arxiv_alone_is_there_the_evening_before_in_the_west(house: Reading) -> None:
    watch(house, "arxiv_rss", 5, 20, DAYS)
    page = house.client.post("/estimate", data={"zone": "America/Los_Angeles", "words": "x"}).text
    assert "by 21:20 the evening before, your time" in sentence(page)


def test_the_sources_say_it_each(house: Reading) -> None:
    watch(house, "hf_daily", 13, 34, DAYS)
    assert "usually complete by 13:40" in house.client.get("/sources").text
    rows = {row["title"]: row["usually_by"] for row in list_sources(house.rt)}
    assert rows.pop("hf_daily") == "13:40"
    assert set(rows.values()) == {None}


def test_without_a_habit_it_says_nothing(house: Reading) -> None:
    assert sentence(house.client.get("/").text) == ""
    watch(house, "hf_daily", 13, 34, [*DAYS[:2], WEDNESDAY - timedelta(days=60)])
    house.clock.go(minutes=11)
    assert sentence(house.client.get("/").text) == ""


@pytest.mark.browser
def test_it_follows_the_zone_while_one_chooses(tmp_path: Path, chromium: str) -> None:
    with (
        whole_site(tmp_path) as site,
        open_browser(chromium, timezone_id="Asia/Kolkata") as page,
    ):
        fill(site.rt, tmp_path, WEDNESDAY, 0)
        watch(site, "hf_daily", 13, 34, DAYS)
        page.goto(site.address)
        shown = page.locator("#usual")
        expect(shown).to_contain_text("by 19:10 in your zone")  # the browser's own, by itself
        page.get_by_label("the time zone").select_option("Pacific/Auckland")
        expect(shown).to_contain_text("by 02:40 the next day, your time")
        expect(page.locator("#reading")).to_be_empty()


def test_a_reader_is_told_beside_the_hour_in_their_own_zone(house: Reading) -> None:
    watch(house, "hf_daily", 13, 34, DAYS)
    add(house.rt, "ada@uni.example", "robots", tz="Asia/Kolkata")
    ada = house.reader("ada@uni.example")
    token = manage_token(house.rt, ada, house.clock(), fresh=False)
    said = sentence(house.client.get(f"/manage/{token}").text)
    assert said == "Today's papers are usually complete by 19:10 in your zone."
