"""The desk over a world that was laid, in a browser in which an owner is logged in."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from playwright.sync_api import Browser, Page, sync_playwright
from support.desk_addresses import DESK_PAGES
from support.desk_screens import FILES, OUTSIDE, PARTS
from support.every_address import BASE, PASSWORD, world
from support.laden import laden
from support.reader_site import serving

from service.flows import staff
from service.flows.runtime import Runtime

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@dataclass
class DeskSite:
    """A browser that reaches the application under its own name, and the values of its world."""

    browser: Browser
    values: Mapping[str, str]
    cookie: str
    rt: Runtime

    def page(self, **context: Any) -> Page:
        """A page in which the owner is logged in."""
        made = self.browser.new_context(bypass_csp=True, **context)
        made.add_cookies([{"name": "paperpost", "value": self.cookie, "url": BASE}])
        return made.new_page()

    def address(self, pattern: str) -> str:
        """The whole address of a pattern of the tables."""
        return BASE + re.sub(r"\{(\w+)\}", lambda m: self.values[m[1]], pattern)

    def pages(self) -> Iterator[tuple[str, str]]:
        """(route, address) of the first address of each page; not of files and parts of pages."""
        for route, (_may, first, *_more) in DESK_PAGES.items():
            if route not in {*PARTS, *FILES, *OUTSIDE}:
                yield route, self.address(first)


@contextmanager
def reached(app: FastAPI, chromium: str) -> Iterator[Browser]:
    """A browser for which the address that the application has in its settings leads to it."""
    with serving(app) as here, sync_playwright() as playwright:
        there = urlsplit(BASE).netloc
        rules = f"--host-resolver-rules=MAP {there} {urlsplit(here).netloc}"
        browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, rules])
        yield browser
        browser.close()


@contextmanager
def desk_site(folder: Path, chromium: str) -> Iterator[DeskSite]:
    """The world of the tables of addresses, with all that acts need, in a browser."""
    with world(folder) as made:
        values = made.values | laden(made)
        cookie = staff.log_in(made.house.rt, "olga", PASSWORD, "127.0.0.1", "a browser")
        with reached(made.app, chromium) as browser:
            yield DeskSite(browser, values, cookie, made.house.rt)
