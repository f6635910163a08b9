"""Somebody who hears the pages: by keyboard alone, in a sensible order, every field named, what
changes by itself said once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from support.browsing import open_browser
from support.by_ear import told
from support.hands import Keys
from support.life import Life
from support.reading_house import WEDNESDAY, fill
from support.whole_site import whole_site

pytestmark = pytest.mark.browser


@pytest.fixture
def life(chromium: str, tmp_path: Path) -> Iterator[Life]:
    with whole_site(tmp_path) as site, open_browser(chromium, locale="en-GB") as page:
        fill(site.rt, tmp_path, WEDNESDAY, 0)
        yield Life(site, page, Keys(page), "ear@uni.example")


def test_a_subscription_by_ear(life: Life) -> None:
    page, site = life.page, life.site
    life.goto("/")
    life.at("sign-up")
    heard = told(page)
    assert heard.index("[heading 1] New papers with your words in them. One mail a day.") < (
        heard.index("[textbox] Your words")
    )
    order = ["[textbox] Your words", "[textbox] Address", "[combobox] Weekdays at"]
    order += ["[combobox] in the time zone", "[button] Subscribe"]
    assert [line for line in heard if line in order] == order
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    life.hand.write(page.locator("#words"), "adapters")
    expect(page.locator("#told")).to_contain_text("about 3 papers a day")
    said = life.announced()
    assert sum("about 3 papers a day" in one for one in said) == 1
    assert not any("Adapters that forget less" in one for one in said), (
        "the papers are not read out"
    )
    _is_told_what_to_mend(life)
    life.hand.write(page.locator("#email"), life.address)
    page.keyboard.press("Enter")
    life.at("asked", "Look in your mailbox")
    assert any("A mail is on its way." in one for one in life.announced())
    life.goto(life.link_in(life.newest("Confirm your subscription"), "confirm"))
    life.at("confirm")
    heard = told(page)
    assert [line for line in heard if line.startswith("[button]")] == ["[button] Begin"]
    life.press("Begin")
    life.at("begun", "You are in.")
    _governs(life, life.link_in(life.newest("Your first papers:"), "manage"))
    for path in ("/papers", "/search?q=robots", "/help/queries", "/sources", "/privacy"):
        page.goto(site.address + path)
        life.at(path)


def _is_told_what_to_mend(life: Life) -> None:
    page = life.page
    field = page.locator("#email")
    life.hand.write(field, "ear.example")
    page.wait_for_timeout(2100)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    life.at("refused")
    assert page.title().startswith("To mend: ")
    assert life.focused() == "input#email"
    expect(field).to_have_accessible_description("This address has no @. Like name@university.edu.")
    assert field.get_attribute("aria-invalid") == "true"


def _governs(life: Life, manage: str) -> None:
    """What was saved is said where the keyboard is; each button says of what."""
    page = life.page
    life.goto(manage)
    life.at("manage")
    life.open("Add an interest")
    life.hand.write(life.form("/interests").locator("[name=words]"), "robots")
    life.press("Add", life.form("/interests"))
    life.at("added")
    assert life.focused() == "p#saved[role=status]"
    for summary in page.locator("details.interest > summary").all():
        summary.evaluate("e => { e.parentElement.open = true }")
    buttons = [line for line in told(page) if line.startswith("[button]")]
    asked_twice = "[button] Mail me a fresh link"  # for a feed, and for address and data
    buttons = [line for line in buttons if line != asked_twice]
    assert len(set(buttons)) == len(buttons), "no two say the same"
