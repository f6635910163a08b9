"""What a reader of another language sees, in a browser: all pages in German and from right to left;
in each other language the open ones, the first screen, and the settings."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, sync_playwright
from sqlmodel import col
from support.house import add
from support.reading_house import fill_three_days
from support.whole_site import WholeSite, whole_site

from service.delivery.i18n import MIRRORED
from service.flows.manage_link import manage_token
from service.store.tables import SubscriberRow

pytestmark = pytest.mark.browser
LOOKS = (Path(__file__).parents[1] / "support" / "looks.js").read_text()
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
ADA = "ada@uni.example"
PHONE = {"width": 360, "height": 640}
SIDES = """() => {
  const middle = e => { const range = document.createRange(); range.selectNodeContents(e);
    const box = range.getBoundingClientRect(); return (box.left + box.right) / 2; };
  const [name, heading, ...links] = ['.site-name', 'h1', '.site-head nav a', '.site-foot a']
    .map(one => middle(document.querySelector(one)));
  return {name, heading, links, scrolls: document.documentElement.scrollWidth - innerWidth,
    language: document.documentElement.lang, direction: document.documentElement.dir};
}"""
"""Where the middle of a text is, from the left edge of the screen."""


@dataclass
class Abroad:
    """A site, and a browser that speaks one language."""

    site: WholeSite
    page: Page
    language: str

    def newest(self, kind: str) -> str:
        """The first link of a kind in the newest mail."""
        mail = self.site.mailbox.read(self.site.mailbox.heads(limit=1)[0].id)
        assert mail is not None
        link = re.search(rf"{self.site.address}/{kind}/\S+", mail.text)
        assert link is not None, mail.text
        return link[0]

    def subscribe(self) -> dict[str, str]:
        """Sign up, confirm and get the first mail; the links in it, and the pages on the way."""
        page, site = self.page, self.site
        page.set_extra_http_headers({"Accept-Language": self.language})
        page.goto(site.address)
        page.fill("#words", "adapters, robots")
        page.fill("#email", ADA)
        page.wait_for_timeout(2100)
        page.locator("main .primary").click()
        page.wait_for_load_state()
        assert page.locator("html").get_attribute("lang") == self.language
        site.send()
        confirm = self.newest("confirm")
        page.goto(confirm)
        page.locator("main .primary").click()
        page.wait_for_load_state()
        site.send()
        found = {kind: self.newest(kind) for kind in ("manage", "d", "tune", "u")}
        history = re.sub(r"/tune/([^/]+)/.*", r"/history/\1", found["tune"])
        return found | {"history": history, "confirm": confirm}


@pytest.fixture(scope="module", params=["de", MIRRORED])
def abroad(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, chromium: str
) -> Iterator[Abroad]:
    folder = tmp_path_factory.mktemp(request.param)
    with whole_site(folder) as site, sync_playwright() as playwright:
        fill_three_days(site.rt, folder)
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        headers = {"Accept-Language": request.param}
        page = browser.new_context(extra_http_headers=headers, viewport=PHONE).new_page()
        yield Abroad(site, page, request.param)
        browser.close()


PUBLIC = (
    "/", "/?words=adapters,robots", "/?words=zebra+unicorns", "/papers", "/papers/arxiv/2611.00100",
    "/search?q=adapters", "/search?q=adapters+unicorns", "/help/queries", "/sources", "/about",
    "/privacy", "/manage", "/words", "/nowhere",
)  # fmt: skip


def test_pages_have_no_fault_on_a_phone(abroad: Abroad) -> None:
    """Long words, buttons of two lines, a page that scrolls sideways."""
    abroad.page.set_extra_http_headers({"Accept-Language": abroad.language})
    found = {}
    for path in PUBLIC:
        abroad.page.goto(abroad.site.address + path)
        if faults := abroad.page.evaluate(LOOKS):
            found[path] = faults
    assert found == {}


def test_heading_fields_and_button_stand_on_the_first_screen(abroad: Abroad) -> None:
    abroad.page.set_extra_http_headers({"Accept-Language": abroad.language})
    abroad.page.goto(abroad.site.address)
    for thing in ("h1", "#words", "#email", "main .primary"):
        box = abroad.page.locator(thing).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= PHONE["height"], thing


def test_a_reader_stays_in_the_language_they_signed_up_with(abroad: Abroad) -> None:
    """Also in a browser that speaks another one: the pages behind a link are the reader's."""
    links = abroad.subscribe()
    page = abroad.page
    page.set_extra_http_headers({"Accept-Language": "en"})
    found: dict[str, list[str]] = {}
    for kind, link in links.items():
        page.goto(link)
        if kind == "manage":
            for summary in page.locator("details > summary").all():
                summary.click()
        faults = page.evaluate(LOOKS)
        if page.locator("html").get_attribute("lang") != abroad.language:
            faults.append("another language")
        if kind != "d" and faults:  # how a mail looks, the gallery shows
            found[kind] = faults
    assert found == {}
    page.goto(links["d"])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("html").get_attribute("lang") == abroad.language
    assert page.locator('[lang="en"]').count() > 0, "papers stay as they are, and say so"


def test_a_page_is_mirrored_where_the_language_runs_from_right_to_left(abroad: Abroad) -> None:
    page = abroad.page
    page.set_extra_http_headers({"Accept-Language": abroad.language})
    for path in ("/", "/papers", "/about", "/privacy"):
        page.goto(abroad.site.address + path)
        sides = page.evaluate(SIDES)
        assert sides["language"] == abroad.language
        assert sides["scrolls"] <= 0
        nav, foot = sides["links"]
        if abroad.language == MIRRORED:
            assert sides["direction"] == "rtl"
            assert min(sides["name"], sides["heading"], foot) > PHONE["width"] / 2
            assert nav < sides["name"]
        else:
            assert sides["direction"] == "ltr"
            assert max(sides["name"], sides["heading"], foot) < PHONE["width"] / 2
    page.goto(f"{abroad.site.address}/papers")
    title = page.locator(".paper-title").first
    assert title.get_attribute("lang") == "en", "papers stay as they are, and say so"
    assert title.get_attribute("dir") == ("auto" if abroad.language == MIRRORED else None)


def test_every_language_fits_a_phone(abroad: Abroad) -> None:
    """Heading, fields and button on the first screen, no long buttons, nothing that scrolls
    sideways; all choices of the settings opened. Two languages in each of the two houses."""
    site, page = abroad.site, abroad.page
    found: dict[tuple[str, str], list[str]] = {}
    for language in ("ja", "zh") if abroad.language == MIRRORED else ("es", "fr"):
        page.set_extra_http_headers({"Accept-Language": language})
        for path in PUBLIC:
            page.goto(site.address + path)
            if faults := page.evaluate(LOOKS):
                found[language, path] = faults
            if path == "/":
                for thing in ("h1", "#words", "#email", "main .primary"):
                    box = page.locator(thing).bounding_box()
                    if box is None or box["y"] + box["height"] > PHONE["height"]:
                        found[language, thing] = ["not on the first screen"]
        reader = add(site.rt, f"{language}@uni.example", "adapters")
        change = sa.update(SubscriberRow).where(col(SubscriberRow.id) == reader)
        site.rt.db.write(lambda s, c=change, to=language: s.execute(c.values(locale=to)))
        row = site.rt.db.read(lambda s, r=reader: s.get(SubscriberRow, r))
        assert row is not None
        token = manage_token(site.rt, row, site.rt.clock(), fresh=True)
        for end in ("", "/data", "/votes", "/propose"):
            page.goto(f"{site.address}/manage/{token}{end}")
            for summary in page.locator("details > summary").all():
                summary.click()
            assert page.locator("html").get_attribute("lang") == language
            if faults := page.evaluate(LOOKS):
                found[language, f"manage{end}"] = faults
        page.goto(f"{site.address}/u/{row.unsubscribe_token}")
        if faults := page.evaluate(LOOKS):
            found[language, "leave"] = faults
    assert found == {}
