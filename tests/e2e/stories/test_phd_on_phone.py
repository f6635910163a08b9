"""A doctoral student on a phone, between two trains: words, address, one press."""

from pathlib import Path

import pytest
from playwright.sync_api import expect
from support.browsing import open_browser
from support.reader_site import make_site, serving
from support.reading_house import path_in, reading_house

pytestmark = pytest.mark.browser
PHONE = {"width": 360, "height": 640}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_fits_on_the_first_screen_and_works_by_thumb(
    chromium: str, tmp_path: Path, scheme: str
) -> None:
    with (
        reading_house(tmp_path) as house,
        serving(make_site(house.rt)) as site,
        open_browser(
            chromium, viewport=PHONE, has_touch=True, is_mobile=True, color_scheme=scheme
        ) as page,
    ):
        page.goto(site)
        for field in ("#words", "#email", "button.primary"):
            box = page.locator(field).bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= PHONE["height"], field
            assert box["height"] >= 44, field
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not page.evaluate(wide)
        page.locator("#words").fill("LoRA, adapters")
        page.locator("#email").fill("phd@uni.example")
        page.wait_for_timeout(2100)
        page.get_by_role("button", name="Subscribe").tap()
        expect(page.get_by_role("heading", level=1)).to_have_text("Look in your mailbox")
        assert house.send() == 1
        page.goto(site + path_in(house.mails("phd@uni.example")[0], "confirm"))
        expect(page.locator("main")).to_contain_text("LoRA · adapters")
        page.get_by_role("button", name="Begin").tap()
        expect(page.get_by_role("heading", level=1)).to_have_text("You are in.")
        assert not page.evaluate(wide)
