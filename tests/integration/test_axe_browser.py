"""axe-core finds nothing on pages of mails and papers: both widths, light and dark, en and de."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright
from support.mail_pages import MailPages, send_everything
from support.reader_site import make_site, serving
from support.reading_house import reading_house

pytestmark = pytest.mark.browser
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
OF_MAILS = (
    *("digest", "alert", "letter", "history", "tune", "tune a line", "tune shared"),
    *("paper", "manage"),
    *("/", "/papers", "/search?q=adapters", "/words?liked=arXiv:2611.00100", "/help/queries"),
    *("/sources", "/about", "/privacy", "/d/nowhere", "/tune/x/arxiv/1"),
)
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_OPTIONS = {"resultTypes": ["violations"], "runOnly": _RULES}


class Desk:
    """One browser page over one site; scripts of axe run although the pages allow none."""

    def __init__(self, page: Page, site: str, pages: MailPages) -> None:
        self.page, self.site, self.pages = page, site, pages

    def goto(self, name: str, language: str) -> None:
        path = name if name.startswith("/") else self.pages.path(name, language)
        self.page.set_extra_http_headers({"Accept-Language": language})
        answer = self.page.goto(self.site + path)
        assert answer is not None
        assert answer.status in (200, 404)

    def violations(self) -> list[str]:
        """What axe finds in what is shown now, in both widths and both modes."""
        found: dict[str, None] = {}
        for width, height in ((360, 640), (1200, 900)):
            self.page.set_viewport_size({"width": width, "height": height})
            for scheme in ("light", "dark"):
                self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                for fault in Axe().run(self.page, options=_OPTIONS).response["violations"]:
                    nodes = "; ".join(node["html"][:160] for node in fault["nodes"][:3])
                    found[f"{width} {scheme}: {fault['id']}: {fault['help']}: {nodes}"] = None
        return list(found)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[Desk]:
    folder: Path = tmp_path_factory.mktemp("axe")
    with reading_house(folder) as house:
        pages = send_everything(house)
        with serving(make_site(house.rt)) as site, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            yield Desk(browser.new_context(bypass_csp=True).new_page(), site, pages)
            browser.close()


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("name", OF_MAILS)
def test_axe_finds_nothing(desk: Desk, name: str, language: str) -> None:
    desk.goto(name, language)
    assert desk.page.locator("html").get_attribute("lang") == language or name.startswith("/")
    assert desk.violations() == []


@pytest.mark.parametrize("language", ["en", "de"])
def test_axe_finds_nothing_after_the_acts(desk: Desk, language: str) -> None:
    desk.goto("tune", language)
    page = desk.page
    with page.expect_navigation():
        page.locator("form:has(input[value=without]) button").click()
    assert page.locator(".fault").count(), "an empty word is told"
    assert desk.violations() == []
    page.locator("#author").select_option("Ana Silva")
    with page.expect_navigation():
        page.locator("form:has(input[value=follow]) button").click()
    assert desk.violations() == []
    with page.expect_navigation():
        page.locator("button[name=undo]").click()
    assert desk.violations() == []


def test_axe_would_find_something(desk: Desk) -> None:
    desk.page.set_content("<html><body><img src='x'><p style='color:#eee'>pale</p></body></html>")
    assert any("image-alt" in fault for fault in desk.violations())
