"""The pictures of docs/readers.md, and what each page weighs: a part of ``make pictures``.

One reader goes through the pages on a phone, in a house with the bundled day spread over three;
each page is photographed where they meet it, then weighed as a browser fetches it for the first
time. The weights are written into the page between two marks.
"""

import base64
import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page
from support.hands import Thumb
from support.house import ingest_items
from support.life import Life
from support.reading_house import WEDNESDAY
from support.whole_site import WholeSite, whole_site

ROOT = Path(__file__).resolve().parents[2]
DOC = ROOT / "docs" / "readers.md"
OUT = ROOT / "docs" / "pictures" / "readers"
MOST_BYTES = 600_000
BEGIN, END = "<!-- weights: written by make pictures -->\n", "<!-- end of the weights -->\n"
_PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 640},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 1.5,
    "timezone_id": "Europe/Zurich",
    "locale": "en-GB",
}
WEBP = """png => new Promise(done => { const image = new Image(); image.onload = () => {
  const canvas = document.createElement('canvas');
  canvas.width = image.width; canvas.height = image.height;
  canvas.getContext('2d').drawImage(image, 0, 0);
  done(canvas.toDataURL("image/webp", 0.42).split(',')[1]); };
  image.src = 'data:image/png;base64,' + png; })"""


def take(browser: Browser) -> int:
    """Write pictures and weights; 1 when the pictures are too large together."""
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.glob("*.webp"):
        old.unlink()
    with tempfile.TemporaryDirectory() as name, whole_site(Path(name)) as site:
        _fill(site, Path(name))
        album = _Album(browser)
        pages = _through(site, browser, album)
        _state(_weights(browser, pages))
    total = sum(path.stat().st_size for path in OUT.glob("*.webp"))
    print(f"docs/readers.md: {len(album.names)} pictures, {total / 1000:.0f} kB")
    return int(total > MOST_BYTES)


def _fill(site: WholeSite, folder: Path) -> None:
    items = json.loads((ROOT / "service" / "data" / "sample_day.json").read_text(encoding="utf-8"))
    share = len(items) // 3 + 1
    for back in (2, 1, 0):
        part = items[(2 - back) * share : (3 - back) * share]
        ingest_items(site.rt, folder, part, on=WEDNESDAY - timedelta(days=back))


class _Album:
    """Takes the first screens of what is shown, in the light mode."""

    def __init__(self, browser: Browser) -> None:
        self._press = browser.new_page()
        self.names: list[str] = []

    def __call__(self, page: Page, name: str, height: int = 640) -> None:
        page.mouse.move(0, 0)
        page.evaluate("document.activeElement.blur()")
        tall = page.evaluate("Math.ceil(document.querySelector('.site-foot').offsetTop + 60)")
        page.set_viewport_size({"width": 360, "height": max(320, min(height, tall))})
        page.wait_for_timeout(100)
        png = base64.b64encode(page.screenshot()).decode()
        webp = base64.b64decode(self._press.evaluate(WEBP, png))
        (OUT / f"{name}.webp").write_bytes(webp)
        self.names.append(name)
        page.set_viewport_size(_PHONE["viewport"])


def _through(site: WholeSite, browser: Browser, album: _Album) -> list[tuple[str, str]]:
    """One reader's way; returns the pages that can be fetched again, by name."""
    page = browser.new_context(**_PHONE).new_page()
    page.set_default_timeout(10_000)
    life = Life(site, page, Thumb(), "ada@uni.example")
    life.goto("/")
    album(page, "sign-up-empty")
    life.hand.write(page.locator("#words"), "reasoning, reinforcement learning")
    page.locator("#past-papers mark").first.wait_for()
    life.hand.write(page.locator("#email"), life.address)
    album(page, "sign-up", 860)
    page.wait_for_timeout(2100)
    life.press("Subscribe")
    album(page, "asked", 900)
    confirm = life.link_in(life.newest("Confirm your subscription"), "confirm")
    life.goto(confirm)
    album(page, "confirm", 800)
    life.press("Begin")
    album(page, "begun", 800)
    mail = life.newest("Your first papers:")
    links = {kind: life.link_in(mail, kind) for kind in ("manage", "u", "d", "tune")}
    life.goto(links["d"])
    _album_of_mail(album, page)
    life.goto(links["tune"])
    life.press("More like this")
    album(page, "tune", 900)
    life.goto(links["manage"])
    life.open("Add an interest")
    life.hand.write(page.locator("#words-new"), "robots")
    life.press(re.compile("^Add"), life.form("/interests"))
    life.goto(links["manage"])
    album(page, "manage", 900)
    page.locator("#when").scroll_into_view_if_needed()
    page.evaluate("scrollTo(0, document.getElementById('when').offsetTop - 16)")
    _album_here(album, page, "manage-when")
    life.follow("Your mails, day by day")
    life.hand.write(page.locator("[name=on]"), "2026-11-17")
    life.press(re.compile("^Tell me what became"))
    album(page, "history", 900)
    life.goto("/manage")
    life.hand.write(page.locator("[name=email]"), life.address)
    life.press("Mail me the link")
    fresh = life.link_in(life.newest("Your link to Paperpost"), "manage")
    life.goto(fresh + "/data")
    album(page, "data", 860)
    life.goto(links["u"])
    album(page, "leave", 800)
    life.press("Stop all mail")
    album(page, "left", 900)
    life.press("Undo")
    public = [
        *(("papers", "/papers"), ("paper", "/papers/arxiv/" + _first_paper(page, site))),
        *(("search", "/search?q=reasoning"), ("privacy", "/privacy"), ("sources", "/sources")),
    ]
    for name, path in public:
        life.goto(path)
        album(page, name, 900)
    fetched = [
        ("sign-up", "/"),
        *public,
        ("help", "/help/queries"),
        ("ask for the link", "/manage"),
    ]
    own = [(kind, links[of]) for kind, of in (("manage", "manage"), ("leave", "u"), ("mail", "d"),
                                              ("tune", "tune"))]  # fmt: skip
    return [(name, site.address + path) for name, path in fetched] + own


def _album_of_mail(album: _Album, page: Page) -> None:
    """A mail that is a page of its own has no foot of the site."""
    page.set_viewport_size({"width": 360, "height": 900})
    png = base64.b64encode(page.screenshot()).decode()
    (OUT / "digest.webp").write_bytes(base64.b64decode(album._press.evaluate(WEBP, png)))
    album.names.append("digest")
    page.set_viewport_size(_PHONE["viewport"])


def _album_here(album: _Album, page: Page, name: str) -> None:
    """What is scrolled to."""
    png = base64.b64encode(page.screenshot()).decode()
    (OUT / f"{name}.webp").write_bytes(base64.b64decode(album._press.evaluate(WEBP, png)))
    album.names.append(name)


def _first_paper(page: Page, site: WholeSite) -> str:
    page.goto(site.address + "/papers")
    found = re.search(r"/papers/arxiv/([\w.]+)", page.content())
    assert found is not None
    return found[1]


def _weights(browser: Browser, pages: Sequence[tuple[str, str]]) -> list[tuple[str, int, int]]:
    """(name, requests, bytes that came) of each page, fetched by a browser with nothing kept."""
    found = []
    for name, address in pages:
        with _counted(browser) as (page, counted):
            page.goto(address, wait_until="networkidle")
        found.append((name, len(counted), sum(counted)))
    return found


@contextmanager
def _counted(browser: Browser) -> Iterator[tuple[Page, list[int]]]:
    context = browser.new_context(viewport={"width": 360, "height": 640})
    page, counted = context.new_page(), []  # type: tuple[Page, list[int]]
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda one: counted.append(one["encodedDataLength"]))
    yield page, counted
    context.close()


def _state(weights: Sequence[tuple[str, int, int]]) -> None:
    rows = "".join(
        f"| {name} | {asked} | {came / 1000:.1f} kB |\n" for name, asked, came in weights
    )
    text = DOC.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    table = f"| page | requests | came over the wire |\n| --- | ---: | ---: |\n{rows}"
    table = f"Weighed on {datetime.now(UTC):%Y-%m-%d}.\n\n{table}"
    DOC.write_text(f"{before}{BEGIN}{table}{END}{after}", encoding="utf-8")
