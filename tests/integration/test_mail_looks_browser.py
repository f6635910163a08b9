"""Every mail of the gallery as a browser measures it: contrast in every kind of dark, narrow
screens, letters made twice as large, and from right to left."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from support.browsing import open_page
from support.digests import everything, frame, renderer
from support.gallery import FORCED_DARK
from support.gallery_mails import Mail, make_mails

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("mail_looks")]
LOOKS = (Path(__file__).parents[1] / "support" / "looks.js").read_text()
OF_PAGES = ("not one main part", "0 first headings", "target of", "letters of 0 px")
"""What is asked of pages and not of mails, which lie inside a page with its own main part."""
NO_RULES = "document.querySelectorAll('head style').forEach(style => style.remove())"
SIDES = """() => [...document.querySelectorAll('h1,h2,h3,.small,.abstract,.why,.links,.line')]
  .filter(e => !e.closest('.letter'))
  .map(e => {
    const range = document.createRange();
    range.selectNodeContents(e);
    const text = [...range.getClientRects()].filter(box => box.width > 1);
    const box = document.querySelector('.inside').getBoundingClientRect();
    return [Math.min(...text.map(one => one.left)) - box.left,
      box.right - Math.max(...text.map(one => one.right))];
  })"""

SMALL = """() => [...document.querySelectorAll('.links a, a.title, .button')]
  .map(a => [a.getBoundingClientRect().height, a.textContent.trim()])
  .filter(([height]) => height < 44)"""
"""Links that are tapped: those in a sentence stand in its line and are left out."""


def made_in(folder: Path) -> dict[str, Mail]:
    """In a thread of their own: the browser has a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(make_mails, folder, captured=False).result()


@pytest.fixture(scope="module")
def mails(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Mail]:
    return made_in(tmp_path_factory.mktemp("gallery"))


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with open_page(browser) as page:
        page.route("http*://**/*", lambda route: route.abort())
        yield page


def _faults(page: Page) -> list[str]:
    return [one for one in page.evaluate(LOOKS) if not one.startswith(OF_PAGES)]


@pytest.mark.parametrize("light", ["light", "dark", "outlook", "forced"])
def test_every_colour_pair_is_legible(light: str, page: Page, mails: dict[str, Mail]) -> None:
    page.emulate_media(color_scheme="dark" if light == "dark" else "light")
    found = {}
    for name, mail in mails.items():
        page.set_content(mail.html)
        if light == "forced":  # Outlook for Windows: turned over, and no rule is read
            page.evaluate(NO_RULES)
        if light in ("outlook", "forced"):
            page.evaluate(FORCED_DARK)
            ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert ground != "rgb(255, 253, 247)", "nothing was turned over"
        if faults := _faults(page):
            found[name] = faults
    assert found == {}


@pytest.mark.parametrize(("width", "zoom"), [(320, 1), (360, 1), (600, 1), (1200, 1), (640, 2)])
def test_nothing_is_wider_than_the_screen(
    width: int, zoom: int, page: Page, mails: dict[str, Mail]
) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    for name, mail in mails.items():
        page.set_content(mail.html)
        page.evaluate(f"document.documentElement.style.zoom = {zoom}")
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{name} is {wide} px wide at {width} px"
    column = page.locator(".inside").bounding_box()
    assert column is not None
    assert column["width"] == min(width, 600 * zoom)


def test_what_is_tapped_is_44_px_high(page: Page, mails: dict[str, Mail]) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    shown = {name: mail.html for name, mail in mails.items()}
    shown["furnished"] = renderer().render_digest(everything(), frame()).html
    small = {}
    for name, html in shown.items():
        page.set_content(html)
        if found := page.evaluate(SMALL):
            small[name] = found
    assert small == {}


def test_letters_twice_as_large_cut_nothing_off(page: Page, mails: dict[str, Mail]) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.set_content(mails["daily"].html)
    page.evaluate(
        "document.querySelectorAll('body *').forEach(e => { const s = getComputedStyle(e);"
        " e.dataset.size = parseFloat(s.fontSize); e.dataset.line = parseFloat(s.lineHeight); });"
        "document.querySelectorAll('body *').forEach(e => {"
        " e.style.fontSize = 2 * e.dataset.size + 'px';"
        " e.style.lineHeight = 2 * e.dataset.line + 'px'; })"
    )
    cut = page.evaluate(
        "[...document.querySelectorAll('body *')].filter(e => e.scrollHeight > e.clientHeight + 2"
        " && getComputedStyle(e).overflow === 'hidden' && e.clientHeight > 0).length"
    )
    assert cut == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_two_runs_make_the_same_mails(mails: dict[str, Mail], tmp_path: Path) -> None:
    assert made_in(tmp_path) == mails


def test_lines_begin_where_their_language_begins(page: Page, mails: dict[str, Mail]) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.set_content(mails["daily"].html)
    assert {round(left) for left, _ in page.evaluate(SIDES)} == {20}
    page.set_content(mails["daily-right-to-left"].html)
    assert {round(right) for _, right in page.evaluate(SIDES)} == {20}
    page.set_content(renderer().render_digest(everything(), frame(locale="ar-XB")).html)
    in_a_frame = {37, 35}  # behind the bar of a note, inside the box of who was added
    assert {round(right) for _, right in page.evaluate(SIDES)} <= {20} | in_a_frame
