"""The pictures of docs/admin.md: ``make screens``. Every page of the desk as an owner sees it.

Most come from a house of a thousand readers with three days of mails behind it (bench/desk_house),
those of one thing from the world of the tables of addresses. A page that is added to the tables
is photographed, too, by the name of its path.
"""

import base64
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Any

from playwright.sync_api import Browser, Page
from support.desk_addresses import DESK_PAGES
from support.desk_screens import OUTSIDE, name_of, screens, table_of_acts
from support.desk_site import desk_site, reached
from support.every_address import BASE, PASSWORD
from support.reader_pictures import WEBP

from bench import desk_house
from service.app import make_app
from service.flows import census, staff

ROOT = Path(__file__).resolve().parents[2]
DOC = ROOT / "docs" / "admin.md"
OUT = ROOT / "docs" / "pictures" / "admin"
MOST_BYTES = 2_500_000
BEGIN, END = "<!-- acts: written by make screens -->\n", "<!-- end of the acts -->\n"
DESK: dict[str, Any] = {"viewport": {"width": 1100, "height": 820}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True,
    "device_scale_factor": 1.5,
}  # fmt: skip
LARGE = (
    "/admin", "/admin/readers", "/admin/deliveries", "/admin/deliveries/groups",
    "/admin/bounces", "/admin/bounces/rates", "/admin/interests", "/admin/interests/list",
    "/admin/sources", "/admin/sources/contribution",
    "/admin/suppressions", "/admin/audit",
)  # fmt: skip
"""Lists, photographed in the house of many readers."""
ELSE: Mapping[str, tuple[str, dict[str, Any]]] = {
    "overview-dark": ("/admin", {**DESK, "color_scheme": "dark"}),
    "overview-phone": ("/admin", PHONE),
    "editions": ("/admin/editions?kind=digest", DESK),
    "editions-one": ("/admin/editions/{edition}", DESK),
    "edition-phone": ("/admin/editions/{edition}", PHONE),
    "readers-phone-dark": ("/admin/readers", {**PHONE, "color_scheme": "dark"}),
}


@dataclass
class _Press:
    """Writes what a page shows as WebP; a tab of its own makes it."""

    tab: Page

    def take(self, page: Page, name: str) -> None:
        page.evaluate("() => document.fonts.ready")
        png = base64.b64encode(page.screenshot()).decode()
        OUT.mkdir(parents=True, exist_ok=True)
        (OUT / f"{name}.webp").write_bytes(base64.b64decode(self.tab.evaluate(WEBP, png)))


def _page(browser: Browser, cookie: str, **context: Any) -> Page:
    made = browser.new_context(**context)
    if cookie:
        made.add_cookies([{"name": "paperpost", "value": cookie, "url": BASE}])
    return made.new_page()


def _many(folder: Path, chromium: str) -> None:
    """Lists, in a house of a thousand readers."""
    desk_house.make(folder, readers=1000, days=3)
    with desk_house.opened(folder) as house:
        rt = house.runtime
        token = staff.create_admin(rt, "olga", "owner", by="cli").rpartition("/")[2]
        staff.redeem(rt, token, PASSWORD)
        cookie = staff.log_in(rt, "olga", PASSWORD, "127.0.0.1", "a browser")
        census.count_interests(rt)
        with reached(make_app(rt, house.settings), chromium) as browser:
            press = _Press(browser.new_page())
            page = _page(browser, cookie, **DESK)
            for route in LARGE:
                page.goto(BASE + route)
                press.take(page, name_of(route))
            page.goto(BASE + "/admin/editions?kind=digest")
            found = page.locator("td.source a").first.get_attribute("href") or ""
            values = {"edition": found.rpartition("/")[2]}
            for name, (pattern, context) in ELSE.items():
                page = _page(browser, cookie, **context)
                page.goto(BASE + pattern.format_map(values))
                press.take(page, name)


def _each(folder: Path, chromium: str) -> None:
    """One thing of each kind, in the world of the tables."""
    with desk_site(folder, chromium) as site:
        press = _Press(site.browser.new_page())
        page, stranger = (_page(site.browser, one, **DESK) for one in (site.cookie, ""))
        for name, route in screens().items():
            if route not in LARGE and name not in ELSE:
                shown = stranger if route in OUTSIDE else page
                shown.goto(site.address(DESK_PAGES[route][1]))
                press.take(shown, name)


def main() -> int:
    """Write the pictures; 1 when they are too large together."""
    chromium = which("chromium") or which("chromium-browser") or which("google-chrome")
    if not chromium:
        print("Chromium is not on PATH.", file=sys.stderr)
        return 1
    for old in OUT.glob("*.webp"):
        old.unlink()
    with tempfile.TemporaryDirectory() as name:
        _many(Path(name) / "many", chromium)
        _each(Path(name) / "each", chromium)
    text = DOC.read_text("utf-8")
    head, _, rest = text.partition(BEGIN)
    DOC.write_text(head + BEGIN + table_of_acts() + END + rest.partition(END)[2], "utf-8")
    sizes = [path.stat().st_size for path in OUT.glob("*.webp")]
    print(f"docs/admin.md: {len(sizes)} pictures, {sum(sizes) / 1000:.0f} kB")
    return int(sum(sizes) > MOST_BYTES)


if __name__ == "__main__":
    sys.exit(main())
