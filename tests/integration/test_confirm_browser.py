"""The page after the form and the confirmation page in a browser: the minute, the zone, the focus;
axe-core finds nothing, wide and narrow, light and dark."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from support.axe import DESK, PHONE, violations
from support.reader_site import make_site, serving
from support.reading_house import Reading, path_in, reading_house

pytestmark = pytest.mark.browser
ONCE_MORE = "Send it once more"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path) as made:
        yield made


@pytest.fixture
def page(house: Reading, browser: Browser) -> Iterator[Page]:
    with serving(make_site(house.rt)) as site:
        page = browser.new_page(base_url=site, viewport={"width": 360, "height": 640})
        page.set_default_timeout(20_000)
        yield page
        page.close()


def ask(house: Reading, page: Page, email: str, words: str = "adapters") -> None:
    page.goto("/")
    page.fill("#words", words)
    page.fill("#email", email)
    page.evaluate("document.querySelector('[name=shown]').remove()")  # typed in no time
    with page.expect_navigation():
        page.press("#email", "Enter")


def test_the_button_comes_in_a_minute_and_stands_there_where_nothing_moves(
    house: Reading, page: Page
) -> None:
    ask(house, page, "ada@uni.example")
    button, line = page.get_by_role("button", name=ONCE_MORE), page.locator(".in-a-minute > span")
    expect(button).to_have_count(0)
    expect(line).to_be_visible()
    page.evaluate("document.getAnimations().forEach(one => one.finish())")
    expect(button).to_be_visible()
    expect(line).to_be_hidden()
    page.emulate_media(reduced_motion="reduce")
    expect(button).to_be_visible()
    assert violations(page, (DESK, PHONE)) == []
    with page.expect_navigation():
        button.press("Enter")
    assert "Not yet: the mail can be sent once more in 60 seconds." in page.inner_text("main")
    assert "Not yet" in page.evaluate("document.activeElement.textContent")
    house.send()
    house.clock.go(minutes=1)
    with page.expect_navigation():
        button.press("Enter")
    assert "Sent once more." in page.evaluate("document.activeElement.textContent")
    with page.expect_navigation():
        page.get_by_role("button", name="Wrong address? Change it").press("Enter")
    assert page.input_value("#words").strip() == "adapters"
    assert page.evaluate("document.activeElement.id") == "email"
    assert violations(page, (PHONE,)) == []


def test_the_zone_is_changed_and_what_follows_is_told(house: Reading, page: Page) -> None:
    ask(house, page, "ada@uni.example")
    house.send()
    link = path_in(house.mails("ada@uni.example")[0], "confirm")
    page.goto(link)
    begin = page.get_by_role("button")
    assert begin.count() == 1
    box = begin.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 640, "the button is on the first screen of a phone"
    page.select_option("#zone", "Asia/Tokyo")
    expect(page.locator("#next")).to_contain_text("Tokyo (now 18:00 there)")
    assert page.locator("#next").get_attribute("role") == "status"
    assert violations(page, (DESK, PHONE)) == []
    page.evaluate("document.querySelector('#hour').add(new Option('25', '25', true, true))")
    with page.expect_navigation():
        begin.press("Enter")
    assert page.locator("#hour").get_attribute("aria-invalid") == "true"
    assert page.input_value("#zone") == "Asia/Tokyo", "what can be read stays chosen"
    assert violations(page, (PHONE,)) == []
    page.select_option("#hour", "06")
    with page.expect_navigation():
        begin.press("Enter")
    expect(page.locator("h1")).to_have_text("You are in.")
    assert violations(page, (DESK, PHONE)) == []
    assert (house.reader("ada@uni.example").hour, house.reader("ada@uni.example").zone) == (
        6, "Asia/Tokyo",
    )  # fmt: skip


@pytest.mark.parametrize("language", ["en", "de"])
def test_begin_stands_on_the_first_screen(house: Reading, page: Page, language: str) -> None:
    ask(
        house, page, "ada.lovelace@university.example",
        "adapters, low-rank adaptation, retrieval-augmented unicorns",
    )  # fmt: skip
    house.send()
    link = path_in(house.mails("ada.lovelace@university.example")[0], "confirm")
    page.goto(f"{link}?lang={language}")
    assert page.locator(".reading").count() == 1
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for thing in ("#hour", "#zone", "main .primary"):
            box = page.locator(thing).bounding_box()
            assert box is not None
            assert box["height"] >= 44, (thing, box)
            assert box["y"] + box["height"] <= 640, (thing, box)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_an_ended_link_in_a_browser(house: Reading, page: Page) -> None:
    ask(house, page, "ada@uni.example")
    house.send()
    link = path_in(house.mails("ada@uni.example")[0], "confirm")
    house.clock.go(days=8)
    page.goto(link)
    assert violations(page, (DESK, PHONE)) == []
    with page.expect_navigation():
        page.get_by_role("button", name="Sign up again").press("Enter")
    assert re.search(r"A mail is on its way", page.inner_text("main"))
