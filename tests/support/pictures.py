"""Takes the pictures of README.md and docs from the running product: ``make pictures``.

Runs the demo into a folder of its own, serves it as ``paperpost run`` does, and photographs the
sign-up page with its estimate, and the daily page; then six mails of the gallery, made from the
bundled day; then every page that a reader meets, for docs/readers.md. Needs Chromium.
"""

import io
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.gallery import FLAGS, find_chromium, shoot_shown  # noqa: E402
from support.gallery_mails import make_mails  # noqa: E402
from support.reader_pictures import take as take_readers  # noqa: E402
from support.reader_site import serving  # noqa: E402

from service.app import make_app  # noqa: E402
from service.cli.serving import DEMO_BANNER  # noqa: E402
from service.demo import demo_settings, run_demo  # noqa: E402
from service.mailbox import Mailbox  # noqa: E402
from service.wiring import House  # noqa: E402

OUT = ROOT / "docs" / "pictures"
MOST_BYTES = 200_000


def main() -> int:
    """Write the pictures; 1 when one is too large."""
    chromium = find_chromium()
    if not chromium:
        print("Chromium is not on PATH.", file=sys.stderr)
        return 1
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "demo"
        run_demo(folder, out=io.StringIO())
        mails = make_mails(Path(name) / "gallery", captured=False)
        house = House(demo_settings(folder, timezone="Europe/Zurich"))
        try:
            app = make_app(
                house.runtime,
                house.settings,
                mailbox=Mailbox(folder / "mailbox"),
                banner=DEMO_BANNER,
            )
            with serving(app) as address, sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
                page = browser.new_context(
                    viewport={"width": 640, "height": 860}, timezone_id="Europe/Zurich"
                ).new_page()
                _take(page, address)
                shoot_shown(browser, mails, OUT)
                are_large = take_readers(browser)
                browser.close()
        finally:
            house.close()
    sizes = {path.name: path.stat().st_size for path in sorted(OUT.glob("*.png"))}
    for picture, size in sizes.items():
        print(f"{picture}: {size / 1000:.0f} kB")
    return int(are_large or any(size >= MOST_BYTES for size in sizes.values()))


def _take(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_label("Your words").type("reasoning, reinforcement learning")
    page.locator("#past-papers mark").first.wait_for()
    page.get_by_role("heading", level=1).click()  # out of the field
    page.screenshot(path=OUT / "sign-up.png")
    page.goto(f"{address}/papers")
    page.locator("summary").first.click()
    page.screenshot(path=OUT / "daily-page.png")


if __name__ == "__main__":
    sys.exit(main())
