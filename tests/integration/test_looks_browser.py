"""Every page for readers as a designer measures it: at 360 and 1200 px, light and dark."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright
from support.house import add
from support.reading_house import fill_three_days
from support.whole_site import WholeSite, whole_site

from service.flows.daily import plan_daily

pytestmark = pytest.mark.browser
LOOKS = (Path(__file__).parents[1] / "support" / "looks.js").read_text()
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
WIDTHS = ((360, 640), (1200, 900))
FIXED = [
    *("/papers", "/papers/2026-11-18", "/papers/2026-11-22", "/papers/2024-01-01", "/about"),
    *("/papers/arxiv/2611.00100", "/search", "/search?q=adapters", "/search?q=adapters+unicorns"),
    *("/search?q=a+(b", "/help/queries", "/sources", "/privacy", "/nowhere", "/manage"),
    *("/papers/arxiv/1234.56789", "/confirm/cut-off", "/mailbox", "/?words=adapters,robots"),
    *("/words", "/words?liked=arXiv:2611.00100", "/words?liked=of+the", "/?words=robots+AND+(a"),
    *("/search?q=walking+towels+emus", "/?words=use+adapters"),
]


@dataclass
class Desk:
    """One browser page over one site."""

    site: WholeSite
    page: Page

    def goto(self, path: str) -> None:
        self.page.goto(path if path.startswith("http") else self.site.address + path)

    def faults(self) -> list[str]:
        """Of what is shown now, in both widths and both modes."""
        found: dict[str, None] = {}
        for width, height in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": height})
            for scheme in ("light", "dark"):
                self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                for fault in self.page.evaluate(LOOKS):
                    found[f"{width} {scheme}: {fault}"] = None
        return list(found)

    def newest(self, kind: str) -> str:
        """The first link of a kind in the newest mail."""
        mail = self.site.mailbox.read(self.site.mailbox.heads(limit=1)[0].id)
        assert mail is not None
        link = re.search(rf"{self.site.address}/{kind}/\S+", mail.text)
        assert link is not None, mail.text
        return link[0]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("looks")
    with whole_site(folder) as site, sync_playwright() as playwright:
        fill_three_days(site.rt, folder)
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page()
        yield Desk(site, page)
        browser.close()


@pytest.mark.parametrize("path", FIXED)
def test_a_page_has_no_fault(desk: Desk, path: str) -> None:
    desk.goto(path)
    assert desk.faults() == []


def test_heading_fields_and_button_stand_on_the_first_screen_of_a_phone(desk: Desk) -> None:
    desk.page.set_viewport_size({"width": 360, "height": 640})
    desk.goto("/")
    for thing in ("h1", "#words", "#email", "main .primary"):
        box = desk.page.locator(thing).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 640, thing


def test_the_field_for_words_grows_with_them(desk: Desk) -> None:
    desk.page.set_viewport_size({"width": 360, "height": 640})
    desk.goto("/")
    field = desk.page.get_by_label("Your words")
    one = field.bounding_box()
    field.fill("reasoning, reinforcement learning, robots that fold towels")
    many = field.bounding_box()
    assert one is not None
    assert many is not None
    assert many["height"] >= one["height"] + 20


def test_the_pages_of_one_reader_have_no_fault_and_a_title_each(desk: Desk) -> None:
    page, site = desk.page, desk.site
    titles: dict[str, str] = {}

    def look(name: str, path: str = "") -> None:
        if path:
            desk.goto(path)
        assert desk.faults() == [], name
        titles[name] = page.title()

    desk.goto("/")
    page.get_by_label("Your words").fill("adapters OR (robots")
    page.get_by_label("Address").fill("ada.uni")
    page.get_by_role("button", name="Show what it brings").click()
    look("form with faults")
    page.goto(site.address)
    page.get_by_label("Your words").fill("adapters, robots")
    page.get_by_label("Address").fill("ada@uni.example")
    page.wait_for_timeout(2100)
    page.get_by_role("button", name="Subscribe").click()
    look("asked")
    site.send()
    look("never", desk.newest("never"))
    look("confirm", desk.newest("confirm"))
    page.get_by_role("button", name="Begin").click()
    page.wait_for_load_state()
    look("begun")
    site.send()
    manage = desk.newest("manage")
    look("manage", manage)
    for summary in page.locator("details > summary").all():
        summary.click()
    look("manage, all open")
    look("view in browser", desk.newest("d"))
    look("tune", desk.newest("tune"))
    desk.goto(manage)
    page.get_by_role("link", name="Your mails, day by day").click()
    look("history")
    leave = desk.newest("u")
    look("leave", leave)
    page.get_by_role("button", name="Stop all mail").click()
    page.wait_for_load_state()
    look("left")
    page.get_by_role("button", name="Undo").click()
    page.wait_for_load_state()
    look("back")
    site.clock.go(days=40)
    look("ended", manage)
    distinct = {name: title for name, title in titles.items() if name != "manage, all open"}
    assert len(set(distinct.values())) == len(distinct), distinct


def test_what_has_the_keyboard_is_ringed(desk: Desk) -> None:
    page = desk.page
    for path in ("/", "/papers/2026-11-18", "/manage"):
        desk.goto(path)
        for _ in range(14):
            page.keyboard.press("Tab")
            ring = page.evaluate(
                """() => { const e = document.activeElement, s = getComputedStyle(e);
                return [e.tagName, s.outlineStyle, parseFloat(s.outlineWidth)]; }"""
            )
            if ring[0] == "BODY":
                break
            assert ring[1] != "none", (path, ring)
            assert ring[2] >= 2, (path, ring)


def test_a_mail_in_its_frame_fits_a_phone(desk: Desk) -> None:
    add(desk.site.rt, "trend@uni.example")
    plan_daily(desk.site.rt)
    desk.site.send()
    desk.page.set_viewport_size({"width": 360, "height": 640})
    for head in desk.site.mailbox.heads(limit=6):
        desk.goto(f"/mailbox/{head.id}/html")
        found = [f for f in desk.page.evaluate(LOOKS) if not f.startswith(("target", "not one"))]
        assert [f for f in found if "first headings" not in f] == [], head
