"""The gallery: forty-one pictures of mails of real readers of the captures. ``make gallery``.

Writes ``NAME.html``, ``NAME.txt`` and ``NAME.png`` for each picture, and ``index.html`` over them,
into ``var/gallery``. ``make gallery ARGS="daily quiet"`` takes those mails alone; ``--sample`` uses
the bundled sample day, which also stands in where the captures are not beside the checkout;
``--out`` names another folder. Needs Chromium.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from support.gallery_house import CAPTURES, ROOT
from support.gallery_list import PICTURES, SHOWN, Picture, chosen
from support.gallery_mails import Mail, make_mails

if TYPE_CHECKING:
    from playwright.sync_api import Browser

OUT = ROOT / "var" / "gallery"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
HEIGHT = {360: 740, 600: 900, 640: 900, 1200: 900}
TALLEST = 16_000
"""Chromium paints no picture taller than this."""

FORCED_DARK = (Path(__file__).parent / "forced_dark.js").read_text(encoding="utf-8")


def main(words: Sequence[str] | None = None) -> int:
    """Make the pictures; 1 without a browser, 2 when a word names none."""
    asked = _arguments(words)
    try:
        pictures = chosen(" ".join(asked.names))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    captured = not asked.sample and CAPTURES.is_dir()
    if not captured:
        why = "as asked" if asked.sample else f"no captures at {CAPTURES}"
        print(f"From the bundled sample day ({why}).")
    chromium = find_chromium()
    if not chromium:
        print("Chromium is not on PATH.", file=sys.stderr)
        return 1
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        mails = make_mails(Path(folder), captured=captured)
    write(pictures, mails, asked.out, chromium, captured=captured)
    took = time.monotonic() - started
    print(f"{len(pictures)} pictures in {took:.0f} s: {asked.out / 'index.html'}")
    return 0


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make gallery", description=__doc__)
    parser.add_argument("names", nargs="*", help="names of pictures or mails; none = all")
    parser.add_argument("--sample", action="store_true", help="the bundled sample day")
    parser.add_argument("--out", type=Path, default=OUT)
    return parser.parse_args(words)


def find_chromium() -> str:
    """The browser's path, "" without one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), "")


def write(
    pictures: Sequence[Picture],
    mails: dict[str, Mail],
    out: Path,
    chromium: str,
    *,
    captured: bool,
) -> None:
    """Write the files of these pictures and the index; what an earlier run left is removed."""
    from playwright.sync_api import sync_playwright  # half a second: only for pictures

    out.mkdir(parents=True, exist_ok=True)
    for old in (*out.glob("*.html"), *out.glob("*.txt"), *out.glob("*.png")):
        old.unlink()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for picture in pictures:
            mail = mails[picture.mail]
            (out / f"{picture.name}.html").write_text(mail.html, encoding="utf-8")
            (out / f"{picture.name}.txt").write_text(mail.text, encoding="utf-8")
            shoot(browser, picture, mail, out / f"{picture.name}.png")
        browser.close()
    (out / "index.html").write_text(_index(pictures, mails, captured), encoding="utf-8")


def shoot(
    browser: "Browser", picture: Picture, mail: Mail, to: Path, clip: tuple[int, int] | None = None
) -> None:
    """Photograph a mail as a screen shows it. clip: width and height of the first screen, else
    the whole mail. Nothing is fetched from the network but a stand-in for remote pictures."""
    context = browser.new_context(
        viewport={"width": picture.width, "height": HEIGHT[picture.width]},
        color_scheme="dark" if picture.look == "dark" else "light",
        java_script_enabled=True,
    )
    page = context.new_page()
    page.route("http*://**/*", lambda route: route.abort())
    page.set_content(mail.html, wait_until="load")
    if picture.look == "zoom-200":
        page.evaluate("document.documentElement.style.zoom = 2")
    if picture.look == "outlook-dark":
        page.evaluate(FORCED_DARK)
    if clip is not None:
        page.screenshot(path=to, clip={"x": 0, "y": 0, "width": clip[0], "height": clip[1]})
    else:
        height = int(page.evaluate("document.documentElement.scrollHeight"))
        page.set_viewport_size({"width": picture.width, "height": min(height, TALLEST)})
        page.screenshot(path=to)
    context.close()


def shoot_shown(browser: "Browser", mails: dict[str, Mail], out: Path) -> None:
    """The six pictures of the documents. mails: of the bundled day, whose texts are our own."""
    for picture in PICTURES:
        if picture.name in SHOWN:
            clip = (picture.width, SHOWN[picture.name])
            shoot(browser, picture, mails[picture.mail], out / f"mail-{picture.name}.png", clip)


def _index(pictures: Sequence[Picture], mails: dict[str, Mail], captured: bool) -> str:
    source = "the captures" if captured else "the bundled sample day"
    rows = "".join(_card(picture, mails[picture.mail]) for picture in pictures)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Gallery</title>'
        "<style>body{font:16px/1.5 system-ui,sans-serif;margin:2rem;color:#1b1a17;"
        "background:#fffdf7}"
        "ul{list-style:none;padding:0;display:grid;gap:2rem;"
        "grid-template-columns:repeat(auto-fill,minmax(300px,1fr))}"
        "img{display:block;width:100%;height:420px;object-fit:cover;object-position:top;"
        "border:1px solid #8a847a}h2{font-size:1rem;margin:.5rem 0 0}p{margin:0}</style>"
        f"<h1>{len(pictures)} of {len(PICTURES)} pictures, from {source}</h1>"
        f"<ul>{rows}</ul></html>\n"
    )


def _card(picture: Picture, mail: Mail) -> str:
    name, size = picture.name, len(mail.html.encode())
    return (
        f'<li><a href="{name}.png"><img src="{name}.png" loading="lazy" alt=""></a>'
        f"<h2>{name}</h2><p>{escape(mail.subject)}</p>"
        f"<p>{picture.mail}, {picture.width} px, {picture.look}; {size / 1000:.1f} kB of HTML, "
        f'{len(mail.text.encode()) / 1000:.1f} kB of text</p><p><a href="{name}.html">HTML</a> '
        f'<a href="{name}.txt">Text</a></p></li>'
    )


if __name__ == "__main__":
    sys.exit(main())
