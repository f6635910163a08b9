"""In a browser: what a change brings stands below the words while they are typed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from support.browsing import launched
from support.reader_site import make_site, serving
from support.reading_house import Reading, reading_house

from service.flows.manage_link import manage_token

pytestmark = pytest.mark.browser


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path) as made:
        made.subscribe("ada@uni.example", "adapters")
        yield made


@pytest.fixture
def browser(chromium: str) -> Iterator[Browser]:
    """One each: beside a running one no house can be made (playwright has the thread's loop)."""
    with launched(chromium) as made:
        yield made


@pytest.mark.parametrize(("width", "script"), [(360, True), (1200, True), (360, False)])
def test_a_change_stands_below_the_words(
    house: Reading, browser: Browser, width: int, script: bool
) -> None:
    link = f"/manage/{manage_token(house.rt, house.reader('ada@uni.example'), house.clock())}"
    with serving(make_site(house.rt)) as address:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, java_script_enabled=script
        )
        page = context.new_page()
        page.goto(address + link)
        page.click("details.interest summary")
        page.fill("textarea[name=words] >> nth=0", "adapters, robots, -survey")
        if not script:
            page.click("text=Show what it changes")
        told = page.locator(".looked", has_text="Over 3 days")
        told.wait_for()
        assert "Over 3 days: 6 added, 0 gone; 15 papers instead of 9." in told.inner_text()
        assert "Without survey: 3 papers left out." in told.inner_text()
        assert told.locator("mark").first.inner_text().lower() == "robots"
        assert page.input_value("textarea[name=words] >> nth=0") == "adapters, robots, -survey"
        wide = page.evaluate("document.documentElement.scrollWidth") if script else width
        assert wide <= width
        context.close()
