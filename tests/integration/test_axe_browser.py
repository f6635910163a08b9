"""axe-core finds nothing on the pages for the public and on those of mails: both widths, light and
dark; in German what its longer words may change. The pages that a reader meets between signing up
and being erased are looked at where that is told (tests/e2e/test_readers_life.py)."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright
from support.axe import DESK, PHONE, violations
from support.house import ingest_items, paper_item
from support.mail_pages import MailPages, send_everything
from support.reader_site import make_site, serving
from support.reading_house import reading_house

from service.flows.topics import add_topic

pytestmark = pytest.mark.browser
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
OF_MAILS = ("digest", "alert", "letter", "history", "tune", "tune a line", "tune shared", "manage")
PUBLIC = (
    *("/", "/?words=adapters,robots", "/?words=robots+AND+(a", "/papers", "/papers/2026-11-17"),
    *("/papers/2026-11-22", "/papers/2024-01-01", "/papers/arxiv/2611.00100", "/papers/arxiv/1.1"),
    *("/search", "/search?q=survey", "/search?q=adapters+unicorns", "/search?q=a+(b"),
    *("/words", "/words?liked=arXiv:2611.00100", "/words?liked=of+the", "/help/queries"),
    *("/sources", "/about", "/privacy", "/manage", "/d/nowhere", "/tune/x/arxiv/1"),
    *("/topics", "/topics/adapters", "/topics/none-such", "/search?q=robots+-towels&page=2"),
    *("/confirm/cut-off", "/never/cut-off", "/u/nobodys", "/history/cut-off", "/nowhere"),
)


class Desk:
    """One browser page over one site."""

    def __init__(self, page: Page, site: str, pages: MailPages) -> None:
        self.page, self.site, self.pages = page, site, pages

    def goto(self, name: str, language: str) -> None:
        path = name if name.startswith("/") else self.pages.path(name, language)
        self.page.set_extra_http_headers({"Accept-Language": language})
        answer = self.page.goto(self.site + path)
        assert answer is not None
        assert answer.status in (200, 404, 410, 422), answer.status


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[Desk]:
    folder: Path = tmp_path_factory.mktemp("axe")
    with reading_house(folder) as house:
        few = [paper_item(7000 + n, f"Adapters for radios, part {n}") for n in range(14)]
        pages = send_everything(house, few)
        ingest_items(house.rt, house.folder, few[:1], on=date(2026, 11, 17))
        topic = {"name": "adapters", "about": "Small parts.", "text": "adapters, LoRA"}
        add_topic(house.rt, {**topic, "likes": ["arXiv:2611.00100"]}, by="a test")
        with serving(make_site(house.rt)) as site, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            # the pages of mails forbid all scripts, with them the clock that axe waits by
            page = browser.new_context(bypass_csp=True).new_page()
            page.set_default_timeout(20_000)
            yield Desk(page, site, pages)
            browser.close()


@pytest.mark.parametrize("name", OF_MAILS + PUBLIC)
def test_axe_finds_nothing(desk: Desk, name: str) -> None:
    desk.goto(name, "en")
    assert violations(desk.page, (DESK, PHONE)) == []
    desk.goto(name, "de")
    assert desk.page.locator("html").get_attribute("lang") == "de"
    assert violations(desk.page, (PHONE,), colours=False) == []


@pytest.mark.parametrize("language", ["en", "de"])
def test_axe_finds_nothing_after_the_acts(desk: Desk, language: str) -> None:
    desk.goto("tune", language)
    page = desk.page
    with page.expect_navigation():
        page.locator("form:has(input[value=without]) button").click()
    assert page.locator(".fault").count(), "an empty word is told"
    assert violations(page, (PHONE,)) == []
    page.locator("#author").select_option("Ana Silva")
    with page.expect_navigation():
        page.locator("form:has(input[value=follow]) button").click()
    assert violations(page, (PHONE,)) == []
    with page.expect_navigation():
        page.locator("button[name=undo]").click()
    assert violations(page, (PHONE,)) == []


def test_axe_would_find_something(desk: Desk) -> None:
    page = desk.page.context.new_page()
    page.set_content("<html><body><img src='x'><p style='color:#eee'>pale</p></body></html>")
    found = violations(page, (PHONE,))
    assert any("image-alt" in fault for fault in found)
    assert any("color-contrast" in fault and "light" in fault for fault in found)
    page.close()


def test_axe_would_find_what_is_dark_on_dark(desk: Desk) -> None:
    desk.goto("/about", "en")
    desk.page.add_style_tag(
        content="@media (prefers-color-scheme: dark) { main p { color: #222 } }"
    )
    found = violations(desk.page, (PHONE,))
    assert any("dark: color-contrast" in fault for fault in found)
    assert not any("light: color-contrast" in fault for fault in found)
