"""What axe-core finds on a page that is shown in a browser."""

from collections.abc import Sequence

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

PHONE, DESK = (360, 640), (1200, 900)
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_OF_COLOURS = ["color-contrast", "link-in-text-block"]
_NO_COLOURS = {rule: {"enabled": False} for rule in _OF_COLOURS}
_SCRIPT = Axe().axe_script
_RUN = """([runOnly, rules]) =>
  axe.run({resultTypes: ["violations"], runOnly, rules}).then(found =>
  found.violations.map(one => one.id + ': ' + one.help + ': '
    + one.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join('; ')))"""


def violations(
    page: Page,
    widths: Sequence[tuple[int, int]] = (PHONE, DESK),
    *,
    colours: bool = True,
    dark: bool = True,
) -> list[str]:
    """All rules in the light mode of each width; those about colours in the last one alone, in the
    light and in the dark: they are the same in all widths.

    colours: without them, for the same page in another language: they take most of the time ·
    dark: without it, for a page of which others of its kind are asked in the dark, too.
    The page stays in its last width and its light mode. A page whose policy forbids all scripts
    (a mail that is shown) needs a context with ``bypass_csp``: axe would wait for ever.
    """
    found: dict[str, None] = {}
    page.evaluate(_SCRIPT)
    for width, height in widths:
        page.set_viewport_size({"width": width, "height": height})
        for scheme, only in (("dark", _OF_COLOURS), ("light", _TAGS)):
            is_last = (width, height) == tuple(widths[-1])
            if scheme == "dark" and not (colours and dark and is_last):
                continue
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            left_out = {} if colours and is_last else _NO_COLOURS
            for fault in page.evaluate(_RUN, [only, left_out]):
                found[f"{width} {scheme}: {fault}"] = None
    return list(found)
