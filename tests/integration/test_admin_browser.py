"""Every page of the desk on a phone: nothing overflows, nothing is refused, tables can be moved."""

import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, sync_playwright
from support.axe import DESK, PHONE, violations
from support.came_back import lay
from support.house import add, ingest_items, paper_item, rows
from support.smtp_server import SmtpServer, reply
from support.whole_site import WholeSite, whole_site

from service.delivery.breakers import Breaker
from service.flows import staff
from service.flows.alarms import Alarm, end_alarm, raise_alarm
from service.flows.daily import plan_daily
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.flows.tokens import make_token
from service.store import rests
from service.store.db import Session

pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery"
LONG = "an-address-as-long-as-those-of-some-institutes-of-computational-linguistics@uni.example"
PAGES = [
    *("", "/sources", "/sources/1", "/sources/1?days=90", "/sources/add", "/sources/add/feed"),
    *("/sources/add/arxiv_rss", "/readers", "/import", "/suppressions", "/editions", "/deliveries"),
    *("/deliveries?state=failed", "/send", "/settings", "/staff", "/audit", "/account"),
    *(
        "/deliveries?domain=uni.example&words=x&order=address",
        "/deliveries/groups",
        "/deliveries/pace",
        "/instance",
        "/tokens",
        "/alarms",
    ),
    *("/deliveries/resend?edition=1", "/deliveries/resend?edition=1&meaning=policy"),
    *("/bounces", "/bounces?kind=soft&domain=uni.example", "/bounces/review", "/bounces/rates"),
    *("/bounces/1", "/bounces/2"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeSite]:
    """One edition behind it: accepted, refused, and with nothing new."""
    folder = tmp_path_factory.mktemp("desk")
    with SmtpServer() as smtp, whole_site(folder, relay_port=smtp.port) as made:
        smtp.on("RCPT", reply("550 5.1.1 unknown " + "x" * 120), match="gone")
        smtp.on("RCPT", reply("550 5.7.1 blocked https://help.example/" + "y" * 80), match="wall")
        for address, words in ((LONG, "adapters"), ("gone@uni.example", "adapters"),
                               ("wall@uni.example", "adapters"),
                               ("bo@uni.example", "unicorns")):  # fmt: skip
            add(made.rt, address, words)
        ingest_items(made.rt, folder, [paper_item(1, "Adapters that forget less")])
        plan_daily(made.rt)
        asyncio.run(send_ready(made.rt))
        add(made.rt, "late@uni.example", "adapters")
        _came_back(made.rt)
        made.rt.db.write(lambda s: _alarms(made.rt, s))
        yield made


def _came_back(rt: Runtime) -> None:
    """A mail that came back, in long words of a server, and one that nobody understood."""
    (taken,) = (row for row in rows(rt) if row.state == "accepted")
    words = "552 5.2.2 over quota https://help.example/" + "q" * 80
    mine = {"delivery_id": taken.id, "subscriber_id": taken.subscriber_id, "recipient": LONG}
    soft = {"kind": "soft", "reason": "mailbox_full", "words": words, "said": "scored"}
    lay(rt, {**mine, **soft}, {**mine, "kind": "complaint", "words": ""}, subject="s" * 90)
    odd = {"kind": "none", "reason": "unknown", "recipient": "", "domain": "", "said": "waits"}
    lay(rt, odd, state="review", subject="FAILURE NOTICE " + "z" * 80)


def _alarms(rt: Runtime, session: Session) -> None:
    """One that stands, in long words of a server, and one that is over."""
    said = "550 5.7.1 blocked https://help.example/" + "z" * 80
    for key in ("a-domain-of-a-very-long-name.institutes.uni.example", "soft.example"):
        what = f"{key} refuses our mail."
        alarm = Alarm(kind="domain", key=key, what=what, place=said, next_step="paperpost doctor")
        raise_alarm(rt, session, alarm)
    end_alarm(rt, session, "domain", "soft.example")
    rest = Breaker(cause="rate", until=rt.clock() + timedelta(minutes=10), at_once=1, words=said)
    rests.write(session, rests.DOMAIN, {"a-domain-of-a-very-long-name.uni.example": rest})


@pytest.fixture(scope="module")
def desk(site: WholeSite, chromium: str) -> Iterator[tuple[Page, list[str]]]:
    """A phone, logged in; and everything its console said."""
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    link = staff.create_admin(site.rt, "mia", "owner", by="cli")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        page = browser.new_context(viewport={"width": 360, "height": 740}).new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(f"{page.url}: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))
        page.goto(link)
        _fits(page)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("The same again").fill(PASSWORD)
        page.get_by_role("button", name="Set password").click()
        page.get_by_role("button", name="Log in").wait_for()  # the next page is there
        _fits(page)
        page.get_by_label("Name").fill("mia")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/admin")
        yield page, said
        browser.close()


def _fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= 360, page.url
    for table in page.locator(".table-scroll").all():
        if table.evaluate("e => e.scrollWidth > e.clientWidth"):
            assert table.get_attribute("tabindex") == "0", "the keyboard moves it too"
            sign = table.locator("xpath=preceding-sibling::*[1]")
            assert sign.is_visible()
            assert "goes on to the right" in sign.inner_text()


def _first(page: Page, site: WholeSite, path: str, part: str) -> str:
    """The address of the first link of a list page to a page of its own."""
    page.goto(f"{site.address}/admin{path}")
    found = page.locator(f"td a[href*='/admin/{part}/']").first.get_attribute("href")
    assert found is not None
    return site.address + found


def test_every_page_fits_a_phone_and_breaks_no_rule(
    desk: tuple[Page, list[str]], site: WholeSite
) -> None:
    page, said = desk
    reader = _first(page, site, "/readers", "readers")
    wanted = [f"{site.address}/admin{path}" for path in PAGES]
    wanted += [reader, f"{reader}/preview", _first(page, site, "/editions", "editions")]
    wanted += [_first(page, site, "/deliveries?state=failed", "deliveries")]
    for address in wanted:
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        _fits(page)
    assert said == []


def test_the_three_screens_of_a_send_fit_too_and_show_the_mail(
    desk: tuple[Page, list[str]], site: WholeSite
) -> None:
    page, said = desk
    page.goto(f"{site.address}/admin")
    page.get_by_role("button", name="Send today's digest now").click()
    page.wait_for_url("**/admin/send/*")
    _fits(page)
    frame = page.frame_locator("iframe.mail-frame")
    frame.get_by_text("contains your words.").first.wait_for()
    box = page.locator("iframe.mail-frame").bounding_box()
    assert box is not None
    assert box["height"] > 200
    page.locator(".equation a").first.click()
    page.wait_for_url("**/readers/*")
    _fits(page)
    page.go_back()
    page.get_by_role("button", name="Send to 1", exact=True).click()
    page.wait_for_url("**/admin/editions/*")
    _fits(page)
    assert said == []


def test_the_fault_of_a_form_has_the_focus_and_is_in_sight(
    desk: tuple[Page, list[str]], site: WholeSite
) -> None:
    page, said = desk
    page.goto(f"{site.address}/admin/send")
    page.get_by_label("Your own text").check()
    page.get_by_label("Subject").fill("News of the library")
    # a size that somebody gave to a field is not copied, which the policy would refuse
    page.evaluate("document.getElementById('key').style.height = '1rem'")
    page.get_by_label("Note on top").fill("We open on Sunday.")
    page.locator("#live", has_text=re.compile(r"Kept \d")).wait_for()
    page.get_by_role("button", name="Go on to Check").click()
    page.wait_for_url("**/admin/send/*")
    page.get_by_label("Addresses").fill("nobody")
    # by key: right after the page has moved, Chromium may still give a click to the mail's frame
    page.get_by_role("button", name="Send the test").press("Enter")
    page.wait_for_selector("#addresses-fault")
    assert page.evaluate("document.activeElement.id") == "addresses"
    top = page.evaluate("document.activeElement.getBoundingClientRect().top")
    assert 0 <= top < 740
    assert page.title().startswith("To mend: ")
    page.goto(page.url)
    assert page.locator("h1").inner_text() == "Check"
    assert all("422" in line for line in said), "the refused form, and nothing else"
    said.clear()


def test_rows_of_the_long_tables_stand_as_blocks_on_a_phone(
    desk: tuple[Page, list[str]], site: WholeSite
) -> None:
    page, _ = desk
    for path in ("", "/readers", "/editions", "/deliveries", "/sources"):
        page.goto(f"{site.address}/admin{path}")
        table = page.locator(".stack .table-scroll")
        assert table.evaluate("e => e.scrollWidth <= e.clientWidth"), path
        assert not page.locator(".sideways").first.is_visible()
        named = table.locator("td[data-label='State']").first
        assert "State" in named.evaluate("e => getComputedStyle(e, '::before').content")


def test_a_database_that_must_not_send_asks_on_a_page_that_fits(
    desk: tuple[Page, list[str]], site: WholeSite
) -> None:
    page, said = desk

    def older(by: int) -> None:  # as a restored backup is
        change = sa.text("UPDATE instance SET epoch = epoch - :by")
        site.rt.db.write(lambda s: s.execute(change, {"by": by}))

    older(1)
    try:
        for path in ("/instance", "/alarms", ""):
            page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
            page.goto(f"{site.address}/admin{path}")
            _fits(page)
            assert violations(page) == [], path
        page.goto(f"{site.address}/admin/instance")
        assert page.get_by_role("button", name="It is a restored backup").is_visible()
    finally:
        older(-1)
        page.set_viewport_size({"width": 360, "height": 740})
    assert said == []


def test_axe_finds_nothing_where_deliveries_are_watched(
    desk: tuple[Page, list[str]], site: WholeSite
) -> None:
    page, said = desk
    make_token(site.rt, "a monitor", ["deliveries:read"], by="a test")
    for path in ("/editions/1", "/deliveries", "/deliveries/1", "/deliveries/groups",
                 "/deliveries/pace", "/bounces", "/bounces/1", "/bounces/review",
                 "/bounces/rates", "/readers/1"):  # fmt: skip
        page.goto(f"{site.address}/admin{path}")
        assert violations(page) == [], path
    for path in ("/deliveries/resend?edition=1", "/tokens", "/staff", "/alarms", "/instance"):
        page.goto(f"{site.address}/admin{path}")
        assert violations(page, [PHONE]) == [], path
    page.goto(f"{site.address}/admin/tokens")
    page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
    assert violations(page, [DESK]) == []
    page.set_viewport_size({"width": 360, "height": 740})
    said.clear()  # of the page that holds a mail, axe says what it may not look into


def test_what_acts_on_deliveries_is_large_enough_for_a_finger(
    desk: tuple[Page, list[str]], site: WholeSite
) -> None:
    page, said = desk
    seen = 0
    for path in ("/deliveries", "/deliveries/groups", "/deliveries/resend?edition=1", "/tokens",
                 "/bounces", "/bounces/2", "/bounces/review"):  # fmt: skip
        page.goto(f"{site.address}/admin{path}")
        for one in page.locator(
            "main :is(button, select, summary, input:not([type=hidden]))"
        ).all():
            if not one.is_visible():
                continue
            inner = one.evaluate("e => (e.closest('label') || e).getBoundingClientRect().toJSON()")
            assert inner["height"] >= 40, (path, one.inner_html(), inner)
            seen += 1
        for line in page.locator(".links li").all():
            assert line.evaluate("e => e.getBoundingClientRect().height") >= 36, path
    assert seen > 12
    page.goto(f"{site.address}/admin/deliveries/groups?edition=1")
    page.get_by_role("button", name="Send again: Digest of").click()
    page.wait_for_url("**/deliveries/resend?*")
    page.get_by_role("button", name="Send again to 1", exact=True).click()
    page.wait_for_url("**/admin/editions/*")
    assert page.get_by_text("These are sent again.").is_visible()
    _fits(page)
    assert said == []


def test_axe_finds_nothing_on_the_page_of_alarms(
    desk: tuple[Page, list[str]], site: WholeSite
) -> None:
    page, _ = desk
    page.goto(f"{site.address}/admin/alarms")
    assert page.get_by_text("a-domain-of-a-very-long-name").count()
    assert violations(page) == []
    page.set_viewport_size({"width": 360, "height": 740})
