"""One reader from the first page to silence, in a real browser, over a real SMTP conversation."""

import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect
from support.browsing import open_browser
from support.house import ingest_items, paper_item
from support.reader_site import make_site, serving
from support.reading_house import Reading, path_in, reading_house, text_of

from service.flows.alerts import plan_alerts
from service.flows.daily import plan_daily, plan_due

pytestmark = pytest.mark.browser


@pytest.fixture
def page(chromium: str) -> Iterator[Page]:
    with open_browser(chromium, timezone_id="Europe/Zurich") as made:
        yield made


def test_from_the_first_page_to_silence(page: Page, tmp_path: Path) -> None:
    with reading_house(tmp_path) as house, serving(make_site(house.rt)) as site:
        _signs_up(page, site)
        assert house.send() == 1
        _confirms(page, site, house)
        _gets_an_alert(page, site, house, tmp_path)
        _gets_todays_and_opens_it(page, site, house, tmp_path)
        _leaves_by_the_button(page, site, house)
        _silence(house, tmp_path)
        _comes_back_and_leaves_by_one_click(page, site, house)
        _silence(house, tmp_path)


def _signs_up(page: Page, site: str) -> None:
    page.goto(site)
    page.get_by_label("Your words").type("adapters, unicorns, PEFT")
    expect(page.locator("#reading")).to_contain_text("Any of: adapters · unicorns · PEFT")
    expect(page.locator("#past-papers mark").first).to_have_text(re.compile("adapters", re.I))
    expect(page.get_by_label("in", exact=True)).to_have_value("Europe/Zurich")
    page.get_by_label("Address").fill("ada@uni.example")
    page.wait_for_timeout(2100)  # the form's clock: nobody types faster
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look in your mailbox")


def _confirms(page: Page, site: str, house: Reading) -> None:
    page.goto(site + path_in(house.mails("ada@uni.example")[0], "confirm"))
    expect(page.get_by_role("checkbox")).to_be_checked()
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are in.")
    expect(page.locator("main")).to_contain_text("of the last 3 weekdays")
    assert house.send() == 1
    assert str(house.mails("ada@uni.example")[1]["Subject"]).startswith("Your first papers:")


def _gets_an_alert(page: Page, site: str, house: Reading, folder: Path) -> None:
    page.get_by_role("link", name="Add or change words").click()
    page.get_by_text("Add an interest").click()
    form = page.locator("form", has=page.locator("#words-new"))
    form.get_by_label("Words").fill("towels")
    form.get_by_label("Comes").select_option("instant")
    form.get_by_role("button", name="Add").click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    house.clock.go(minutes=10)
    today = house.clock().date()
    ingest_items(house.rt, folder, [paper_item(7001, "Towels that fold themselves")], on=today)
    plan_alerts(house.rt)
    assert house.send() == 1
    alert = house.mails("ada@uni.example")[2]
    assert str(alert["Subject"]).startswith("New: ")
    assert "Towels that fold themselves" in text_of(alert).replace("*", "")


def _gets_todays_and_opens_it(page: Page, site: str, house: Reading, folder: Path) -> None:
    house.clock.go(days=1)
    today = house.clock().date()
    ingest_items(house.rt, folder, [paper_item(7002, "Adapters in the morning")], on=today)
    assert plan_daily(house.rt).ready == 1
    assert house.send() == 1
    mail = house.mails("ada@uni.example")[3]
    page.goto(site + path_in(mail, "tune"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Adapters in the morning")
    page.get_by_role("button", name="More like this").click()
    expect(page.get_by_role("status")).to_have_text("Noted: more like this.")
    page.get_by_role("link", name="The whole mail").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("checked")
    checked = page.get_by_role("link", name="What was checked").get_attribute("href")
    assert checked is not None
    page.goto(site + urlsplit(checked).path)  # mails name the public address, not the test's port
    expect(page.get_by_role("heading", level=1)).to_contain_text("Papers of")


def _leaves_by_the_button(page: Page, site: str, house: Reading) -> None:
    page.goto(site + path_in(house.mails("ada@uni.example")[3], "u"))
    page.get_by_role("button", name="Stop all mail").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You have left.")


def _comes_back_and_leaves_by_one_click(page: Page, site: str, house: Reading) -> None:
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are back.")
    header = str(house.mails("ada@uni.example")[3]["List-Unsubscribe"])
    found = re.search(r"<https?://[^/]+(/u/[^>]+)>", header)
    assert found is not None
    body = b"List-Unsubscribe=One-Click"
    with urllib.request.urlopen(urllib.request.Request(site + found[1], data=body)) as answer:
        assert answer.status == 200
        assert answer.geturl() == site + found[1]


def _silence(house: Reading, folder: Path) -> None:
    before = len(house.smtp.accepted)
    house.clock.go(hours=25)
    number = 7100 + before + house.clock().day
    on = house.clock().date()
    ingest_items(house.rt, folder, [paper_item(number, f"Adapters and towels {number}")], on=on)
    plan_alerts(house.rt)
    plan_due(house.rt)
    plan_daily(house.rt)
    assert house.send() == 0
    assert len(house.smtp.accepted) == before
