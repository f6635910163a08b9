"""One reader's way through the pages: what they press and write, and what every page must keep."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    FrameLocator,
    Locator,
    Page,
    Request,
    Response,
    expect,
)
from support.hands import Hand
from support.whole_site import WholeSite

_SOUND = """() => {
  const faults = [], all = (what, from = document) => [...from.querySelectorAll(what)];
  const there = id => document.getElementById(id);
  const names = (e, of) => (e.getAttribute(of) || '').split(' ').filter(Boolean);
  for (const what of ['h1', 'main', 'title'])
    if (all(what).length !== 1) faults.push(all(what).length + ' of ' + what);
  if (!document.documentElement.lang) faults.push('no language');
  for (const e of all('input,select,textarea,button,a[href],summary'))
    if (!e.closest('[aria-hidden=true]') && e.type !== 'hidden' && !e.labels?.length
        && !e.textContent.trim() && !e.getAttribute('aria-label'))
      faults.push('without a name: ' + e.outerHTML);
  for (const e of all('[aria-invalid=true]'))
    if (!names(e, 'aria-describedby').some(id => there(id)?.matches('.fault')))
      faults.push('its fault stands apart from it: ' + e.outerHTML);
  for (const of of ['aria-describedby', 'aria-labelledby', 'for'])
    for (const e of all('[' + of + ']')) for (const id of names(e, of))
      if (!there(id)) faults.push(of + ' leads nowhere: ' + id);
  const ids = all('[id]').map(e => e.id), twice = ids.filter((id, n) => ids.indexOf(id) !== n);
  if (twice.length) faults.push('ids that stand twice: ' + twice);
  const levels = all('h1,h2,h3,h4').map(e => Number(e.tagName[1]));
  if (levels.some((level, n) => n && level - levels[n - 1] > 1)) faults.push('levels ' + levels);
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) faults.push('wider than the screen');
  return faults;
}"""
"""What a person who hears or enlarges a page needs of it: a list of faults."""


@dataclass
class Life:
    """hand: how the pages are worked · look: more to be checked on each page, by its name · pages:
    names of those met · leave:
    the link that ends the mails."""

    site: WholeSite
    page: Page
    hand: Hand
    address: str
    script: bool = True
    look: Callable[[Page, str], None] | None = None
    pages: list[str] = field(default_factory=list)
    leave: str = ""

    # ---- what every page keeps ----

    def at(self, name: str, heading: str | re.Pattern[str] = "") -> None:
        """The page that is shown now is this one, and is sound."""
        page = self.page
        if heading:
            expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        assert page.evaluate(_SOUND) == [], name
        if self.look is not None and name not in self.pages:
            self.look(page, name)
        self.pages.append(name)

    def focused(self) -> str:
        """What has the keyboard now, in short: "input#email", "body", "p[role=status]"."""
        said: str = self.page.evaluate(
            """() => { const e = document.activeElement;
            return e.tagName.toLowerCase() + (e.id ? '#' + e.id : '')
              + (e.getAttribute('role') ? '[role=' + e.getAttribute('role') + ']' : ''); }"""
        )
        return said

    def announced(self) -> list[str]:
        """What the page says by itself to who listens: the live regions of the accessibility tree
        that wait for a pause, with their words."""
        session = self.page.context.new_cdp_session(self.page)
        nodes = session.send("Accessibility.getFullAXTree")["nodes"]
        session.detach()
        by_id = {node["nodeId"]: node for node in nodes}

        def words(node: dict[str, Any]) -> str:
            if node.get("role", {}).get("value") == "StaticText":
                return str(node["name"]["value"])
            return " ".join(words(by_id[one]) for one in node.get("childIds", ()) if one in by_id)

        found = []
        for node in nodes:
            traits = {one["name"]: one["value"].get("value") for one in node.get("properties", ())}
            if traits.get("live") == "polite" and node.get("role", {}).get("value") == "status":
                found.append(words(node))
        return found

    # ---- what they do ----

    def goto(self, path: str) -> None:
        self.page.goto(path if path.startswith("http") else self.site.address + path)

    def press(self, name: str | re.Pattern[str], within: Locator | None = None) -> None:
        """A button by its words; its answer is there."""
        place = self.page if within is None else within
        self.go(place.get_by_role("button", name=name).filter(visible=True).first)

    def follow(self, name: str | re.Pattern[str], within: Locator | None = None) -> None:
        """A link by its words; its page is there."""
        place = self.page if within is None else within
        self.go(place.get_by_role("link", name=name).filter(visible=True).first)

    def go(self, target: Locator) -> None:
        """Press what leads to another page."""
        with self.page.expect_navigation():
            self.hand.press(target)

    def open(self, name: str | re.Pattern[str], within: Locator | None = None) -> None:
        """Unfold what is folded, unless it is open."""
        place = self.page if within is None else within
        summary = place.locator("summary", has_text=name).first
        if not summary.evaluate("e => e.parentElement.open"):
            self.hand.press(summary)

    def form(self, ends: str) -> Locator:
        """A form of this page by the end of its address."""
        return self.page.locator(f"form[action$='{ends}']").first

    # ---- mails ----

    def newest(self, subject: str, to: str = "") -> FrameLocator:
        """A minute later, open the newest mail to the reader out of the built-in mailbox; its
        HTML part."""
        self.site.go(minutes=1)
        self.site.send()
        self.goto(f"/mailbox?to={to or self.address}")
        row = self.page.locator(".row-link").first
        expect(row).to_contain_text(subject)
        self.go(row)
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(subject)
        return self.page.frame_locator("iframe.mail-frame")

    def link_in(self, mail: FrameLocator, kind: str) -> str:
        """The address of a mail's link of a kind: "confirm", "manage", "u"."""
        at = mail.locator(f"a[href*='/{kind}/']").first.get_attribute("href")
        assert at is not None
        return at


@dataclass
class Watch:
    """Every request of a browser context, and what its pages complained of."""

    home: str
    foreign: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        """Begin to watch."""
        context.on("request", self._asked)
        context.on("response", self._answered)
        context.on("page", self._page)

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        ours = urlsplit(self.home).netloc
        if parts.scheme not in ("data", "about", "blob") and parts.netloc != ours:
            self.foreign.append(request.url)

    def _answered(self, answer: Response) -> None:
        if answer.status >= 400 and answer.request.resource_type != "document":
            self.faults.append(f"{answer.status} {answer.url}")

    def _page(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", self._said)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.faults.append(message.text)
