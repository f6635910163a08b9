"""A reader's whole life in a real browser, from the first page to the last trace of them: with a
mouse and without scripts, on a phone, and with nothing but a keyboard.

One house and one browser; each telling has a reader and a browser context of its own, and only
moves the clock forward.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from support.axe import PHONE, violations
from support.hands import Hand, Keys, Mouse, Thumb
from support.life import Life, Watch
from support.reading_house import fill_three_days
from support.sizes import sized
from support.whole_site import WholeSite, whole_site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("readers-life")]
SMALL = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}
LOOKS = (Path(__file__).parents[1] / "support" / "looks.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeSite]:
    folder = tmp_path_factory.mktemp("life")
    with whole_site(folder) as made:
        fill_three_days(made.rt, folder)
        yield made


@pytest.mark.parametrize("way", sized(["no script", "keys"], ["no script", "keys", "thumb"]))
def test_from_the_first_page_to_the_last_trace(site: WholeSite, browser: Browser, way: str) -> None:
    shape = SMALL if way == "thumb" else {"viewport": {"width": 1200, "height": 900}}
    context = browser.new_context(
        timezone_id="Europe/Zurich", locale="en-GB", java_script_enabled=way != "no script", **shape
    )
    watch = Watch(site.address)
    watch.over(context)
    page = context.new_page()
    page.set_default_timeout(4000)
    hand: Hand = {"thumb": Thumb(), "keys": Keys(page)}.get(way, Mouse())
    look = _seen if way == "thumb" else None
    life = Life(site, page, hand, f"{way.replace(' ', '-')}@uni.example", way != "no script", look)
    try:
        _signs_up(life)
        manage = _begins(life)
        _tunes(life)
        _governs(life, manage)
        _moves(life)
        manage = _takes_along(life)
        _leaves(life)
        _is_erased(life, manage)
    finally:
        context.close()
    assert watch.foreign == [], "nothing is asked of anybody else"
    assert watch.faults == []


def _seen(page: Page, name: str) -> None:
    """axe and the designer find nothing, light and dark."""
    assert violations(page, (PHONE,)) == [], name
    assert page.evaluate(LOOKS) == [], name


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
        assert life.focused() == "div#reading", "what was asked for is read first"
    reading = page.locator("#reading")
    expect(reading).to_contain_text("about 3 papers a day")
    expect(reading).to_contain_text("never occurred in 3 days")
    expect(page.locator("#past-papers mark").first).to_have_text(re.compile("adapters", re.I))
    if life.script:
        expect(page.locator("#told")).to_contain_text("about 3 papers a day")
        told = [one for one in life.announced() if "about 3 papers a day" in one]
        assert len(told) == 1, "it is said once, and politely"
    life.at("sign-up, estimated")
    email = page.locator("#email")
    life.hand.write(email, "life.uni.example")
    page.wait_for_timeout(1500)  # the form's clock: nobody types faster
    life.press("Subscribe")
    expect(page.get_by_role("alert")).to_be_visible()
    life.at("sign-up, refused")
    expect(email).to_have_attribute("aria-invalid", "true")
    assert life.focused() == "input#email", "the page opens at what is to be mended"
    expect(page.locator("#email-fault")).to_contain_text("This address has no @.")
    expect(page.locator("#words")).to_have_value("adapters, unicorns")
    life.hand.write(email, "wrong-" + life.address)
    page.wait_for_timeout(600)
    life.press("Subscribe")
    life.at("asked", "Look in your mailbox")
    expect(page.locator("main")).to_contain_text("wrong-" + life.address)
    expect(page.locator("main")).to_contain_text("Confirm your subscription to Paperpost")
    life.press("Change it")
    life.at("sign-up, another address")
    assert life.focused() == "input#email"
    life.hand.write(email, life.address)
    life.press("Subscribe")
    life.at("asked again", "Look in your mailbox")
    expect(page.get_by_role("status").first).to_contain_text("was taken back")


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
    life.hand.choose(page.locator("[name=hour]"), "09")
    if life.script:
        expect(page.locator("#next")).to_contain_text("09:00")
    life.press("Begin")
    life.at("begun", "You are in.")
    expect(page.locator("main")).to_contain_text("09:00")
    mail = life.newest("Your first papers:")
    expect(mail.locator(".hit").first).to_be_visible()
    manage = life.link_in(mail, "manage")
    life.leave, tune = life.link_in(mail, "u"), life.link_in(mail, "tune")
    life.goto(life.link_in(mail, "d"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("18 papers checked")
    life.goto(tune)
    return manage


def _tunes(life: Life) -> None:
    page = life.page
    life.at("tune")
    expect(page.locator("main")).to_contain_text("adapters in the title")
    life.press("More like this")
    expect(page.get_by_role("status")).to_contain_text("Noted: more like this.")
    life.at("tuned")
    life.press("Take it back")
    life.at("tuned back")


def _governs(life: Life, manage: str) -> None:
    """Interests, hour, days, zone, a pause; and what became of a day."""
    page, hand = life.page, life.hand
    life.goto(manage)
    life.at("manage", "Your settings")
    life.open("Add an interest")
    form = life.form("/interests")
    hand.write(form.locator("[name=words]"), "robots, -towels")
    life.press(re.compile("^Add"), form)
    _told(life, "manage, interest added")
    expect(page.locator("details.interest", has_text="robots").first).to_be_visible()
    hand.choose(page.locator("#choices [name=hour]"), "07")
    hand.press(page.locator("#choices input[value=fri]"))
    hand.write(page.locator("#place"), "Tokyo")
    life.press("Save when")
    _told(life, "manage, schedule saved")
    expect(page.locator("#choices [name=hour]")).to_have_value("07")
    expect(page.locator("#choices input[value=fri]")).not_to_be_checked()
    expect(page.locator("#choices")).to_contain_text("Tokyo")
    hand.write(page.locator("#place"), "Atlantis")
    life.press("Save when")
    life.at("manage, refused")
    expect(page.get_by_role("alert").first).to_be_visible()
    assert life.focused() == "input#place"
    expect(page.locator("#choices [name=hour]")).to_have_value("07")
    life.goto(manage)
    life.press(re.compile("^A week, until"))
    _told(life, "manage, paused")
    expect(page.locator("main")).to_contain_text("Paused until")
    life.follow("Your mails, day by day")
    life.at("history")
    expect(page.locator("main")).to_contain_text("5 papers mailed")
    hand.write(page.locator("[name=on]"), "2026-11-17")
    life.press(re.compile("^Tell me what became"))
    life.at("why no mail")
    hand.write(page.locator("[name=paper]"), "2611.00103")
    life.press(re.compile("^Tell me why this"))
    life.at("why not this paper")
    life.goto(manage)
    life.press("End the pause now")
    _told(life, "manage, going on")


def _moves(life: Life) -> None:
    """To another address, by a fresh link."""
    life.press("Mail me a fresh link")
    life.at("fresh link mailed")
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
    life.site.go(minutes=1)


def _takes_along(life: Life) -> str:
    """A fresh link asked for on the public page; a feed; what is stored, as files. Returns the
    link."""
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
    life.press("Open a feed")
    _told(life, "manage, feed open")
    feed = page.locator("a[href*='/feeds/mine/']").first.get_attribute("href") or ""
    assert "<feed" in page.request.get(feed).text()
    life.press("Close the feed")
    _told(life, "manage, feed closed")
    assert page.request.get(feed).status in (404, 410)
    life.follow("Take your data along, or erase it")
    life.at("data")
    with page.expect_download() as taken:
        life.hand.press(page.get_by_role("link", name="Everything stored about you, as a file"))
    stored = json.loads(taken.value.path().read_text(encoding="utf-8"))
    assert life.address in json.dumps(stored)
    with page.expect_download() as taken:
        life.hand.press(page.get_by_role("link", name=re.compile("^BibTeX")).first)
    assert taken.value.path().read_text(encoding="utf-8").count("@") >= 5
    return manage


def _leaves(life: Life) -> None:
    """One interest, and back; then everything, with a reason, and back."""
    page = life.page
    life.goto(life.leave)
    life.at("leave", "Leave?")
    life.press(re.compile("^Stop this one.*robots"))
    life.at("leave, one interest stopped")
    life.press(re.compile("^Undo.*robots"))
    life.at("leave, one interest back")
    life.press("Stop all mail")
    life.at("left", "You have left.")
    life.hand.write(page.locator("[name=reason]"), "Too many papers.")
    life.press("Tell Example University Library")
    life.at("left, reason told")
    life.press("Undo")
    life.at("back", "You are back.")


def _is_erased(life: Life, manage: str) -> None:
    page = life.page
    life.goto(manage)
    life.follow("Take your data along, or erase it")
    life.press("Erase")
    life.at("erase, refused")
    assert life.focused() == "input#sure"
    life.hand.press(page.locator("[name=sure]"))
    life.press("Erase")
    life.at("erased", "You are forgotten.")
    life.goto(manage)
    life.at("a link of nobody")


def _told(life: Life, name: str) -> None:
    """The answer to what was saved stands where it was pressed, and has the keyboard."""
    saved = life.page.get_by_role("status").filter(visible=True).first
    expect(saved).to_be_visible()
    assert life.focused() == "p#saved[role=status]", name
    life.at(name)
