"""A doctoral student on a phone, between two trains: words, address, one press; the tunnel comes
while the words are typed, and nothing is lost."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from support.browsing import open_browser
from support.hands import Thumb
from support.life import Life
from support.reading_house import WEDNESDAY, fill
from support.whole_site import whole_site

pytestmark = pytest.mark.browser
PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 640},
    "has_touch": True,
    "is_mobile": True,
    "locale": "de-CH",
    "timezone_id": "Europe/Zurich",
}
WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


def test_a_subscription_between_two_trains(chromium: str, tmp_path: Path) -> None:
    with whole_site(tmp_path) as site, open_browser(chromium, **PHONE) as page:
        fill(site.rt, tmp_path, WEDNESDAY, 0)
        life = Life(site, page, Thumb(), "phd@uni.example")
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            life.goto("/")
            _all_on_the_first_screen(page)
        expect(page.locator("html")).to_have_attribute("lang", "de")
        assert page.locator("#words").get_attribute("autocapitalize") == "none", "LoRA stays LoRA"
        assert page.locator("#email").get_attribute("autocomplete") == "email"
        page.context.set_offline(True)  # the tunnel
        life.hand.write(page.locator("#words"), "adapters")
        expect(page.locator("#reading")).to_contain_text("Der Server hat nicht geantwortet")
        expect(page.locator("#words")).to_have_value("adapters")
        page.context.set_offline(False)
        life.hand.write(page.locator("#words"), "robots, adapters")
        expect(page.locator("#reading")).to_contain_text("Artikel am Tag")
        _all_on_the_first_screen(page)
        life.hand.write(page.locator("#email"), "phd@gmial.com")
        page.locator("#words").tap()
        expect(page.locator("#meant")).to_contain_text("phd@gmail.com")
        life.hand.write(page.locator("#email"), life.address)
        page.wait_for_timeout(500)
        life.press("Abonnieren")
        life.at("asked")
        confirm = life.link_in(life.newest("Bestätigen"), "confirm")
        life.goto(confirm)
        life.at("confirm")
        expect(page.locator("main")).to_contain_text("robots · adapters")
        begin = page.get_by_role("button").filter(visible=True).first
        box = begin.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 640, "the one button is on the first screen"
        life.go(begin)
        life.at("begun")
        mail = life.newest("Ihre ersten Artikel")
        manage = life.link_in(mail, "manage")
        for turned in ((360, 640), (640, 360)):
            page.set_viewport_size({"width": turned[0], "height": turned[1]})
            for path in (life.link_in(mail, "d"), manage):
                life.goto(path)
                assert not page.evaluate(WIDE), (turned, path)
                life.goto(f"/mailbox?to={life.address}")
                life.go(page.locator(".row-link").first)


def _all_on_the_first_screen(page: Page) -> None:
    for field in ("h1", "#words", "#email", "#hour", "#zone", "main .primary"):
        box = page.locator(field).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 640, field
        assert box["height"] >= 44, field
    assert not page.evaluate(WIDE)
