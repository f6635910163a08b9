"""A real browser for tests: no network but loopback."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@contextmanager
def launched(chromium: str) -> Iterator[Browser]:
    """A browser without pages, as the fixture ``browser`` has it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_page(browser: Browser, **context: Any) -> Iterator[Page]:
    """One page in a context of its own. Raises AssertionError at the end when a script failed or
    CSP refused something."""
    made = browser.new_context(**context)
    page = made.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda said: faults.append(said.text) if "Content Security" in said.text else None,
    )
    yield page
    made.close()
    assert faults == []


@contextmanager
def open_browser(chromium: str, **context: Any) -> Iterator[Page]:
    """``open_page`` in a browser of its own."""
    with launched(chromium) as browser, open_page(browser, **context) as page:
        yield page
