"""Somebody who hears the pages: by keyboard alone, in a sensible order, every field named."""

from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.browsing import open_browser
from support.reader_site import make_site, serving
from support.reading_house import path_in, reading_house

pytestmark = pytest.mark.browser
UNNAMED = """() => [...document.querySelectorAll('input,select,textarea,button,a[href]')]
  .filter(e => !e.closest('[aria-hidden=true]') && e.type !== 'hidden')
  .filter(e => !(e.labels?.length || e.textContent.trim() || e.getAttribute('aria-label')))
  .map(e => e.outerHTML)"""


def _sound(page: Page) -> None:
    """What a screen reader needs, on any page."""
    assert page.locator("html").get_attribute("lang") == "en"
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.get_by_role("main")).to_have_count(1)
    assert page.evaluate(UNNAMED) == []
    levels = page.evaluate(
        "() => [...document.querySelectorAll('h1,h2,h3')].map(e => Number(e.tagName[1]))"
    )
    assert all(after - before <= 1 for before, after in pairwise(levels)), levels


def _press_until(page: Page, selector: str) -> None:
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    pytest.fail(f"{selector} is not reached by the Tab key")


def test_a_subscription_by_keyboard_alone(chromium: str, tmp_path: Path) -> None:
    with (
        reading_house(tmp_path) as house,
        serving(make_site(house.rt)) as site,
        open_browser(chromium, java_script_enabled=True) as page,
    ):
        page.goto(site)
        _sound(page)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        _press_until(page, "#words")
        page.keyboard.type("adapters")
        _press_until(page, "#email")
        page.keyboard.type("ear.example")
        page.wait_for_timeout(2100)
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_be_visible()
        field = page.locator("#email")
        expect(field).to_have_attribute("aria-invalid", "true")
        said = page.locator("#" + (field.get_attribute("aria-describedby") or "none"))
        expect(said).to_contain_text("This address has no @.")
        _sound(page)
        field.focus()
        page.keyboard.press("Control+a")
        page.keyboard.type("ear@uni.example")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Look in your mailbox")
        assert house.send() == 1
        page.goto(site + path_in(house.mails("ear@uni.example")[0], "confirm"))
        _sound(page)
        _press_until(page, "button")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("You are in.")
        page.get_by_role("link", name="Add or change words").press("Enter")
        _sound(page)
        for path in ("/papers", "/search?q=robots", "/help/queries", "/sources", "/privacy"):
            page.goto(site + path)
            _sound(page)
