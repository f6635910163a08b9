"""One editor's morning in a browser: words tried, a source asked, a burst decided, twins joined, a
paper hidden."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright
from sqlmodel import select
from support.axe import DESK, violations
from support.house import add
from support.polling import rss_feed
from support.reading_house import fill_three_days
from support.web_site import WebSite
from support.whole_site import WholeSite, whole_site

from service.flows import staff
from service.flows.census import count_interests
from service.flows.match import match_new
from service.flows.poll import poll_due
from service.flows.sources import add_source
from service.store.tables import PaperRow, SightingRow

pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[WholeSite]:
    with whole_site(tmp_path) as made:
        fill_three_days(made.rt, tmp_path)
        for n, words in enumerate(["adapters", "adapters, robots", "unicorns"]):
            add(made.rt, f"r{n}@x.example", words)
        match_new(made.rt)
        count_interests(made.rt)
        yield made


@pytest.fixture
def page(site: WholeSite, chromium: str) -> Iterator[Page]:
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    link = staff.create_admin(site.rt, "mia", "editor", by="cli")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        made = browser.new_context(viewport={"width": 1200, "height": 900}).new_page()
        made.goto(link)
        made.get_by_label("Password").fill(PASSWORD)
        made.get_by_label("The same again").fill(PASSWORD)
        made.get_by_role("button", name="Set password").click()
        made.get_by_role("button", name="Log in").wait_for()
        made.get_by_label("Name").fill("mia")
        made.get_by_label("Password").fill(PASSWORD)
        made.get_by_role("button", name="Log in").click()
        made.wait_for_url("**/admin")
        yield made
        browser.close()


def looked_at(page: Page, name: str) -> None:
    """Nothing breaks a rule of accessibility or overflows a phone; pictures where they are asked
    for (PAPERPOST_PICTURES: a folder)."""
    assert violations(page, (DESK,)) == [], name
    for width in (1200, 360):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        if folder := os.environ.get("PAPERPOST_PICTURES"):
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                page.screenshot(path=f"{folder}/{name}-{width}-{scheme}.png", full_page=True)
            page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1200, "height": 900})


def test_a_morning_at_the_workbench(page: Page, site: WholeSite) -> None:
    # what readers want, and words tried
    page.goto(f"{site.address}/admin/interests")
    assert page.get_by_role("cell", name="adapters").is_visible()
    looked_at(page, "interests")
    page.get_by_role("link", name="Dead (1)").click()
    page.get_by_role("link", name="Try it").click()
    assert page.get_by_text("never occurs").is_visible()
    page.get_by_label("Words", exact=True).fill("adapters, unicorns")
    page.get_by_label("Compared with").fill("robots")
    page.get_by_role("button", name="Try", exact=True).click()
    assert page.locator("mark").first.inner_text().lower() == "adapters"
    looked_at(page, "try")

    with WebSite() as feed:
        _ask_a_source(page, site, feed)
    _join_and_hide(page, site)


def _ask_a_source(page: Page, site: WholeSite, feed: WebSite) -> None:
    """Pressed twice, asked once; what came is said without a press. Then a burst is decided."""
    made = add_source(site.rt, "feed", {"url": f"{feed.base}/feed"}, "Letters", 0)
    number = made["id"]
    items = [("1", "One", "2026-11-17"), ("2", "Adapters again", "2026-11-17")]
    feed.at["/feed"] = (200, {}, rss_feed(items))
    page.goto(f"{site.address}/admin/sources/{number}")
    page.get_by_role("button", name="Ask now").click()
    page.get_by_text("it has not answered yet").wait_for()
    page.get_by_role("button", name="Ask now").click()
    page.get_by_text("it has not answered yet").wait_for()
    site.go(seconds=5)
    _poll(site)
    page.get_by_text("2 items, 2 new").wait_for()
    assert feed.count("/feed") == 1
    looked_at(page, "source")

    def hold(session: object) -> None:
        rows = session.exec(select(SightingRow).where(SightingRow.source_id == number))  # type: ignore[attr-defined]
        for row in rows:
            row.held = True
            paper = session.get(PaperRow, row.paper_id)  # type: ignore[attr-defined]
            paper.eligible_at = None
            paper.published_on = paper.published_on - timedelta(days=90)

    site.rt.db.write(hold)
    page.goto(f"{site.address}/admin/sources")
    looked_at(page, "sources")
    page.get_by_role("link", name="Look at the 2 papers that wait").click()
    assert page.get_by_text("the next mails of 2 readers have 2 more papers").is_visible()
    looked_at(page, "burst")
    page.get_by_role("button", name="Keep all as known").click()
    page.get_by_text("Saved.").wait_for()
    page.get_by_role("link", name="Title and parameters").click()
    page.get_by_label("Name shown to readers").fill("Letters of tests")
    page.get_by_role("button", name="Show what would follow").click()
    assert page.get_by_text("nothing is changed yet").is_visible()
    looked_at(page, "change")
    page.get_by_role("button", name="Change it").click()
    page.get_by_role("heading", name="Letters of tests").wait_for()
    page.goto(f"{site.address}/admin/sources/contribution")
    looked_at(page, "contribution")


def _poll(site: WholeSite) -> None:
    """What the engine does when it is woken, in a thread of its own."""
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(poll_due(site.rt))).result()


def _join_and_hide(page: Page, site: WholeSite) -> None:
    page.goto(f"{site.address}/admin/papers/find?q=adapters+forget")
    looked_at(page, "find")
    page.locator("td a").first.click()
    looked_at(page, "paper")
    page.get_by_role("link", name="Join it with its twin").click()
    page.get_by_label("Its twin").fill("2611.00101")
    page.get_by_role("button", name="Show both").click()
    assert page.get_by_text("they may be two works").is_visible()
    looked_at(page, "merge")
    page.get_by_role("button", name="Make them one paper").click()
    assert page.evaluate("document.activeElement.id") == "reason", "a reason is asked for"
    page.get_by_label("Why they are one work").fill("the same work twice")
    page.get_by_role("button", name="Make them one paper").click()
    page.get_by_text("The two are one paper now.").wait_for()
    title = page.locator("h1").inner_text()
    page.get_by_text("Hide this paper everywhere").click()
    page.locator("#hide-reason").fill("a hoax")
    page.get_by_role("button", name="Hide it everywhere").click()
    page.get_by_text("hidden: a hoax").wait_for()
    assert title == page.locator("h1").inner_text()
    page.get_by_role("button", name="Show it again").click()
    page.get_by_text("The paper is shown again.").wait_for()
