"""Every page of the desk, from the tables of addresses: axe finds nothing, a phone shows all of it,
the keyboard has its way in. A page that is added to the tables is looked at, too."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page
from support.axe import PHONE, violations
from support.desk_addresses import DESK_PAGES
from support.desk_screens import FILES, OUTSIDE, PARTS
from support.desk_site import DeskSite, desk_site

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ALL = [route for route in DESK_PAGES if route not in {*PARTS, *FILES}]
DARK = set(ALL if os.environ.get("PAPERPOST_TEST_DESK") else ALL[::3])
"""The desk has one set of colours: a third of its pages is asked in the dark, too, in each run."""
RING = """() => {
  const on = document.activeElement, style = getComputedStyle(on);
  return [on.getAttribute('href'), style.outlineStyle, parseFloat(style.outlineWidth)]; }"""
LOW = """() => [...document.querySelectorAll('main a, main button, main summary')].filter(e => {
  const box = e.getBoundingClientRect();
  return box.width > 1 && box.height > 0 && box.height < 23.5 && !e.closest('.out-of-sight');
}).map(e => e.innerText)"""
"""What a finger could not hit."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[DeskSite]:
    with desk_site(tmp_path_factory.mktemp("desk"), chromium) as made:
        yield made


@pytest.fixture(scope="module")
def page(site: DeskSite) -> Page:
    made = site.page(viewport={"width": PHONE[0], "height": PHONE[1]})
    made.set_default_timeout(20_000)
    return made


@pytest.mark.parametrize("route", ALL)
def test_a_page_breaks_no_rule_and_fits(site: DeskSite, page: Page, route: str) -> None:
    shown = site.page() if route in OUTSIDE else page
    if route in OUTSIDE:
        shown.context.clear_cookies()
    answer = shown.goto(site.address(DESK_PAGES[route][1]))
    assert answer is not None
    assert answer.status == 200
    assert violations(shown, (PHONE,), dark=route in DARK) == []
    assert shown.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    assert shown.evaluate(LOW) == []
    assert shown.locator("h1").count() == 1
    shown.set_viewport_size({"width": 1200, "height": 900})
    assert shown.evaluate("document.documentElement.scrollWidth") <= 1200
    shown.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    if route in OUTSIDE:
        shown.context.close()


def test_the_keyboard_goes_past_the_navigation_and_sees_where_it_is(
    site: DeskSite, page: Page
) -> None:
    page.goto(site.address("/admin/readers"))
    page.keyboard.press("Tab")
    link, style, width = page.evaluate(RING)
    assert link == "#main"
    assert style != "none"
    assert width >= 2
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")
    assert page.evaluate(RING)[2] >= 2


def test_pause_is_on_the_first_screen_of_a_phone_and_the_navigation_in_one_line(
    site: DeskSite, page: Page
) -> None:
    page.goto(site.address("/admin/editions/{waiting_edition}"))
    box = page.get_by_role("button", name="Pause").first.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= PHONE[1]
    places = page.locator("header nav li").all()
    tops = {round(box["y"]) for one in places if (box := one.bounding_box())}
    assert len(places) == 9
    assert len(tops) == 1
    here = page.locator("header nav [aria-current=page]").bounding_box()
    assert here is not None
    assert here["x"] + here["width"] <= PHONE[0] / 2


def test_in_forced_colours_and_on_paper_all_is_there(site: DeskSite) -> None:
    page = site.page(forced_colors="active")
    page.goto(site.address("/admin"))
    assert page.locator("h1").is_visible()
    drawn = page.locator(".chart :is(.bar, .curve)").first
    paint = drawn.evaluate("e => [getComputedStyle(e).fill, getComputedStyle(e).stroke]")
    assert "rgb(0, 0, 0)" in paint, "as the system's text"
    page.emulate_media(media="print", forced_colors="none")
    assert not page.locator("header nav").is_visible()
    assert page.locator("h1").is_visible()
    page.context.close()
