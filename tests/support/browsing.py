"""A real browser for stories: no network but loopback, errors of scripts fail the test."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page, sync_playwright

_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@contextmanager
def open_browser(chromium: str, **context: Any) -> Iterator[Page]:
    """One page. Raises AssertionError at the end when a script failed or CSP refused something."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        page = browser.new_context(**context).new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "console",
            lambda said: faults.append(said.text) if "Content Security" in said.text else None,
        )
        try:
            yield page
        finally:
            browser.close()
        assert faults == []
