"""What is typed in an interest travels along by htmx, while another form of the page is saved."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from support.reader_site import make_site, serving
from support.reading_house import reading_house

from service.flows.manage_link import manage_token

pytestmark = pytest.mark.browser
ADA = "ada@uni.example"


def test_nothing_typed_is_lost(tmp_path: Path, browser: Browser) -> None:
    with (
        reading_house(tmp_path, reader=(ADA, "adapters")) as house,
        serving(make_site(house.rt)) as site,
    ):
        page = browser.new_page(base_url=site, viewport={"width": 360, "height": 640})
        page.goto(f"/manage/{manage_token(house.rt, house.reader(ADA), house.clock())}")
        page.locator("details.interest summary").first.click()
        words = page.locator("details.interest textarea[name=words]").first
        words.fill("adapters, towels")
        expect(page.locator("#choices input[name=kept]")).to_have_count(1)
        page.locator("details.interest summary", has_text="Add an interest").click()
        page.locator("#people-new").fill("Wei Zhang")
        expect(page.locator("#choices input[name=kept]")).to_have_count(2)
        page.select_option("#choices [name=hour]", "07")
        with page.expect_navigation():
            page.get_by_role("button", name="Save when").press("Enter")
        assert house.reader(ADA).hour == 7
        assert page.evaluate("document.activeElement.id") == "saved"
        expect(words).to_have_value("adapters, towels")
        expect(words).to_be_visible()
        expect(page.locator("#people-new")).to_have_value("Wei Zhang")
        expect(page.get_by_text("Not saved yet.")).to_have_count(2)
        page.locator("#place").fill("Tokyo")
        page.locator("#until").fill("2027-01-04")
        expect(page.locator("form.pause input[name=kept]")).to_have_count(3)
        expect(page.locator("#choices input[name=kept]")).to_have_count(3)
        with page.expect_navigation():
            words.locator("xpath=ancestor::form").get_by_role("button", name="Save").press("Enter")
        expect(page.locator("#people-new")).to_have_value("Wei Zhang")
        expect(page.locator("#place")).to_have_value("Tokyo")
        expect(page.locator("#until")).to_have_value("2027-01-04")
        expect(page.get_by_text("Not saved yet.")).to_have_count(3)
        page.context.close()
