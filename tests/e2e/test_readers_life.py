"""A reader's whole life in a real browser, from the first page to the last trace of them: with and
without scripts, on a phone, and with nothing but a keyboard.

One house and one browser; each telling has a reader and a browser context of its own, and only
moves the clock forward.
"""

import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from support.hands import Hand, Keys, Mouse, Thumb
from support.life import Life, Watch
from support.reading_house import WEDNESDAY, fill
from support.whole_site import WholeSite, whole_site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("readers-life")]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PHONE = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeSite]:
    folder = tmp_path_factory.mktemp("life")
    with whole_site(folder) as made:
        for back in (2, 1, 0):
            fill(made.rt, folder, WEDNESDAY - timedelta(days=back), back)
        yield made


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield made
        made.close()


@pytest.mark.parametrize("way", ["mouse", "no script", "thumb", "keys"])
def test_from_the_first_page_to_the_last_trace(site: WholeSite, browser: Browser, way: str) -> None:
    shape = PHONE if way == "thumb" else {"viewport": {"width": 1200, "height": 900}}
    context = browser.new_context(
        timezone_id="Europe/Zurich", locale="en-GB", java_script_enabled=way != "no script", **shape
    )
    watch = Watch(site.address)
    watch.over(context)
    page = context.new_page()
    page.set_default_timeout(4000)
    hand: Hand = {"thumb": Thumb(), "keys": Keys(page)}.get(way, Mouse())
    life = Life(site, page, hand, f"{way.replace(' ', '-')}@uni.example", way != "no script")
    try:
        _signs_up(life)
        manage = _begins(life)
        _tunes(life)
        _governs(life, manage)
        _moves(life)
        manage = _takes_along(life)
        _leaves(life, manage)
        _is_erased(life, manage)
    finally:
        context.close()
    assert watch.foreign == [], "nothing is asked of anybody else"
    assert watch.faults == []


def _signs_up(life: Life) -> None:
    page = life.page
    life.goto("/")
    life.at("sign-up", "New papers with your words in them. One mail a day.")
    if isinstance(life.hand, Keys):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert life.focused() == "main#main"
    life.hand.write(page.locator("#words"), "adapters, unicorns")
    if not life.script:
        life.press("Show what it brings")
    reading = page.locator("#reading")
    expect(reading).to_contain_text("about 3 papers a day")
    expect(reading).to_contain_text("never occurred in 3 days")
    expect(reading).to_have_attribute("aria-live", "polite")
    expect(page.locator("#past-papers mark").first).to_have_text(re.compile("adapters", re.I))
    life.at("sign-up, estimated")
    email = page.locator("#email")
    life.hand.write(email, "life.uni.example")
    page.wait_for_timeout(1500)  # the form's clock: nobody types faster
    life.press("Subscribe")
    expect(page.get_by_role("alert")).to_be_visible()
    life.at("sign-up, refused")
    expect(email).to_have_attribute("aria-invalid", "true")
    assert life.focused() == "input#email", "the page opens at what is to be mended"
    fault = page.locator("#email-fault")
    expect(fault).to_contain_text("This address has no @.")
    expect(page.locator("#words")).to_have_value("adapters, unicorns")
    life.hand.write(email, life.address)
    page.wait_for_timeout(600)
    life.press("Subscribe")
    life.at("asked", "Look in your mailbox")
    expect(page.locator("main")).to_contain_text("Confirm your subscription to Paperpost")


def _begins(life: Life) -> str:
    """Returns the link to the reader's own page that came with the first mail."""
    page = life.page
    mail = life.newest("Confirm your subscription")
    life.at("mailbox")
    never, confirm = life.link_in(mail, "never"), life.link_in(mail, "confirm")
    life.goto(never)
    life.at("never")
    life.goto(confirm)
    life.at("confirm")
    expect(page.locator("main")).to_contain_text("adapters · unicorns")
    expect(page.get_by_role("checkbox").first).to_be_checked()
    life.press("Begin")
    life.at("begun", "You are in.")
    mail = life.newest("Your first papers:")
    expect(mail.locator(".hit").first).to_be_visible()
    manage = life.link_in(mail, "manage")
    life.goto(life.link_in(mail, "d"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("18 papers checked")
    life.goto(f"/mailbox?to={life.address}")
    life.go(page.locator(".row-link").first)
    return manage


def _tunes(life: Life) -> None:
    page = life.page
    life.goto(life.link_in(page.frame_locator("iframe.mail-frame"), "tune"))
    life.at("tune")
    expect(page.locator("main")).to_contain_text("adapters in the title")
    life.press("More like this")
    expect(page.get_by_role("status")).to_contain_text("Noted: more like this.")
    life.at("tuned")
    life.press("Take it back")
    life.at("tuned back")


def _governs(life: Life, manage: str) -> None:
    page, hand = life.page, life.hand
    life.goto(manage)
    life.at("manage", "Your settings")
    life.open("Add an interest")
    form = life.form("/interests")
    hand.write(form.locator("[name=words]"), "robots, -towels")
    life.press(re.compile("^Add"), form)
    _told(life, "manage, interest added")
    expect(page.locator("details.interest", has_text="robots").first).to_be_visible()
    form = page.locator("#schedule")
    hand.choose(form.locator("[name=hour]"), "07")
    hand.press(form.locator("input[value=fri]"))
    life.press(re.compile("^Save"), form)
    _told(life, "manage, schedule saved")
    expect(form.locator("[name=hour]")).to_have_value("07")
    expect(form.locator("input[value=fri]")).not_to_be_checked()
    form = page.locator("#pause")
    until = form.locator("[name=until]")
    hand.write(until, (life.site.clock() - timedelta(days=9)).date().isoformat())
    page.locator("#pause").evaluate("form => form.noValidate = true")
    life.press(re.compile("^Pause"), form)
    life.at("manage, refused")
    expect(page.get_by_role("alert").first).to_be_visible()
    away = (life.site.clock() + timedelta(days=6)).date()
    hand.write(page.locator("#pause [name=until]"), away.isoformat())
    life.press(re.compile("^Pause"), page.locator("#pause"))
    _told(life, "manage, paused")
    expect(page.locator("main")).to_contain_text("Paused until")
    life.follow("Your mails, day by day")
    life.at("history")
    expect(page.locator("main")).to_contain_text("5 papers mailed")
    life.goto(manage)
    life.press("End the pause now")
    _told(life, "manage, going on")


def _moves(life: Life) -> None:
    """To another address, by a fresh link."""
    life.press("Mail me a fresh link")
    life.at("link mailed")
    fresh = life.link_in(life.newest("Your link to Paperpost"), "manage")
    life.goto(fresh)
    life.at("manage, fresh")
    form = life.form("/address")
    life.hand.write(form.locator("[name=email]"), "nowhere")
    life.press("Mail a link there", form)
    life.at("manage, address refused")
    moved = "moved-" + life.address
    form = life.form("/address")
    life.hand.write(form.locator("[name=email]"), moved)
    life.press("Mail a link there", form)
    life.at("address asked")
    mail = life.newest("Confirm your new address", to=moved)
    life.goto(life.link_in(mail, "manage"))
    life.at("address")
    life.press("Change the address")
    life.at("address changed")
    life.address = moved


def _takes_along(life: Life) -> str:
    """A fresh link asked for on the public page; what is stored, as files. Returns the link."""
    page = life.page
    life.goto("/manage")
    life.at("ask for the link")
    life.hand.write(page.locator("[name=email]"), "nowhere")
    life.press("Mail me the link")
    life.at("ask for the link, refused")
    life.hand.write(page.locator("[name=email]"), life.address)
    life.press("Mail me the link")
    life.at("link mailed")
    manage = life.link_in(life.newest("Your link to Paperpost"), "manage")
    life.goto(manage)
    with page.expect_download() as taken:
        life.hand.press(page.get_by_role("link", name="Everything stored about you, as a file"))
    stored = json.loads(taken.value.path().read_text(encoding="utf-8"))
    assert life.address in json.dumps(stored)
    return manage


def _leaves(life: Life, manage: str) -> None:
    """One interest; then everything, and back, and everything again with a reason."""
    page = life.page
    life.goto(manage)
    life.open("robots")
    one = page.locator("details.interest", has_text="robots").first
    life.press(re.compile("^Remove"), one)
    _told(life, "manage, interest gone")
    expect(page.locator("details.interest summary", has_text="robots")).to_have_count(0)
    life.goto(f"/mailbox?to={life.address.removeprefix('moved-')}")
    life.go(page.locator(".row-link", has_text="Your first papers:").first)
    leave = life.link_in(page.frame_locator("iframe.mail-frame"), "u")
    life.goto(leave)
    life.at("leave", "Leave?")
    life.press("Stop all mail")
    life.at("left", "You have left.")
    life.hand.write(page.locator("[name=reason]"), "Too many papers.")
    life.press("Tell them")
    life.at("left, reason told")
    life.goto(leave)
    life.press("Undo")
    life.at("back", "You are back.")


def _is_erased(life: Life, manage: str) -> None:
    page = life.page
    life.goto(manage)
    life.press("Erase")
    life.at("erase, refused")
    life.hand.press(page.locator("[name=sure]"))
    life.press("Erase")
    life.at("erased")
    life.goto(manage)
    life.at("a link of nobody")


def _told(life: Life, name: str) -> None:
    """The answer to what was saved: told at once to who listens, and the keyboard stands there."""
    expect(life.page.get_by_role("status").first).to_be_visible()
    life.at(name)
