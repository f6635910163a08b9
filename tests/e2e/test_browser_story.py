"""One reader from the first page to silence, and the editor who sends to them: in a real browser,
over real SMTP conversations into the built-in mailbox.

Told twice: with everything in the test's own process, where work is done when the story says so;
and by `paperpost run` as one process on PostgreSQL, which does all of it by itself.
"""

import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from playwright.sync_api import Locator, Page, expect
from support.browsing import open_browser
from support.command import Shell
from support.house import ingest_items, paper_item
from support.reading_house import fill_three_days
from support.running_site import RunningSite, running_site
from support.whole_site import WholeSite, whole_site

from service.flows.daily import plan_daily
from service.store.deliveries import list_deliveries

pytestmark = pytest.mark.browser
ADA = "ada@uni.example"
PASSWORD = "correct horse battery"
Site = WholeSite | RunningSite


@pytest.fixture
def page(chromium: str) -> Iterator[Page]:
    with open_browser(chromium, timezone_id="Europe/Zurich") as made:
        yield made


@pytest.fixture(
    params=["in this process", pytest.param("run on postgres", marks=pytest.mark.postgres)]
)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    if request.param == "in this process":
        with whole_site(tmp_path) as whole:
            yield whole
    else:
        with running_site(tmp_path, request.getfixturevalue("postgres_url")) as running:
            yield running


@pytest.mark.timeout(300)
def test_from_the_first_page_to_silence(
    page: Page, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_three_days(site.rt, site.folder)
    _signs_up(page, site)
    _confirms(page, site)
    _reads_the_first_digest(page, site)
    _gets_an_alert(page, site)
    _editor_logs_in(page, site, monkeypatch)
    _editor_sends_todays(page, site)
    leave = _opens_the_digest(page, site)
    _leaves_by_the_button(page, leave)
    _silence(page, site)
    _comes_back_and_leaves_by_one_click(page, site, leave)
    _silence(page, site)


def _newest_mail(page: Page, site: Site, subject: str) -> Locator:
    """Open the newest mail of the mailbox page by its subject; returns its body."""
    page.goto(f"{site.address}/mailbox")
    row = page.locator(".row-link").first
    expect(row).to_contain_text(subject)
    row.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(subject)
    return page.frame_locator("iframe.mail-frame").locator("body")


def _address_of(link: Locator) -> str:
    found = link.first.get_attribute("href")
    assert found is not None
    return found


def _papers(site: Site, *items: tuple[int, str]) -> None:
    made = [paper_item(number, title) for number, title in items]
    ingest_items(site.rt, site.folder, made, on=site.clock().date())


def _signs_up(page: Page, site: Site) -> None:
    page.goto(site.address)
    page.get_by_label("Your words").type("adapters, unicorns, PEFT")
    expect(page.locator("#reading")).to_contain_text("Any of: adapters · unicorns · PEFT")
    expect(page.locator("#reading")).to_contain_text("about 3 papers a day")
    expect(page.locator("#past-papers mark").first).to_have_text(re.compile("adapters", re.I))
    expect(page.get_by_label("in the time zone", exact=True)).to_have_value("Europe/Zurich")
    page.get_by_label("Address").fill(ADA)
    page.wait_for_timeout(2100)  # the form's clock: nobody types faster
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look in your mailbox")
    site.sends(1)


def _confirms(page: Page, site: Site) -> None:
    body = _newest_mail(page, site, "Confirm your subscription")
    page.goto(_address_of(body.locator("a[href*='/confirm/']")))
    expect(page.get_by_role("checkbox")).to_be_checked()
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are in.")
    expect(page.locator("main")).to_contain_text("of the last 3 weekdays")
    site.sends(1)


def _reads_the_first_digest(page: Page, site: Site) -> None:
    body = _newest_mail(page, site, "Your first papers:")
    heading = body.get_by_role("heading", level=1)
    expect(heading).to_have_text("18 papers checked, 9 contain your words. Here are the best 5.")
    expect(body.locator(".hit").first).to_be_visible()
    page.goto(_address_of(body.get_by_role("link", name="Change or pause")))


def _gets_an_alert(page: Page, site: Site) -> None:
    page.get_by_text("Add an interest").click()
    form = page.locator("form", has=page.locator("#words-new"))
    form.get_by_role("textbox", name="Words", exact=True).fill("origami")
    form.get_by_label("Comes").select_option("instant")
    form.get_by_role("button", name="Add").click()
    expect(page.get_by_role("status")).to_contain_text("Added.")
    site.clock.go(minutes=10)
    _papers(site, (7001, "Origami that folds itself"))
    site.tick()
    site.sends(1)
    body = _newest_mail(page, site, "New: Origami that folds itself")
    expect(body).to_contain_text("Origami that folds itself")


def _editor_logs_in(page: Page, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.clock.go(hours=20)  # before her own hour
    _papers(site, (7002, "Adapters in the morning"))
    site.go()
    shell = Shell(
        site.folder,
        monkeypatch,
        DATA_DIR=str(site.folder),
        BASE_URL=site.address,
        DATABASE_URL=site.rt.db.url,
    )
    with time_machine.travel(site.clock()):
        said = shell.say("admin", "create", "mia", "--role", "sender")
    link = said.out.strip()
    assert link.startswith(f"{site.address}/admin/link/"), said
    page.goto(link)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Set password").click()
    answer = page.request.get(link)
    assert answer.status in (404, 410), "the link works once"
    page.get_by_label("Name").fill("mia")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Newest editions")).to_be_visible()


def _editor_sends_todays(page: Page, site: Site) -> None:
    page.get_by_role("link", name="Send", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Compose")
    page.get_by_label("Today's digest, for those who missed it").check()
    page.get_by_role("button", name="Go on to Check").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check")
    expect(page.locator(".equation")).to_contain_text("1 reader")
    expect(page.locator(".equation strong")).to_have_text("1 mail")
    shown = page.frame_locator("iframe.mail-frame")
    expect(shown.get_by_role("heading", level=3).first).to_contain_text("Adapters in the morning")
    page.get_by_role("button", name="Send to 1", exact=True).click()
    expect(page.locator("#progress")).to_contain_text(re.compile(r"It begins in \d+ s"))
    site.sends(0)  # the undo window is open
    site.go(minutes=3)
    site.sends(1)
    expect(page.locator("#progress dd").nth(1)).to_have_text("1")  # by itself
    assert plan_daily(site.rt).ready == 0, "the clock sends nobody a second one"


def _opens_the_digest(page: Page, site: Site) -> str:
    """Returns the link that ends it."""
    body = _newest_mail(page, site, "Adapters in the morning")
    leave = _address_of(body.get_by_role("link", name="Leave"))
    tune = _address_of(body.get_by_role("link", name="Tune"))
    page.goto(_address_of(body.get_by_role("link", name="View in browser")))
    expect(page.get_by_role("heading", level=1)).to_contain_text("checked")
    page.goto(_address_of(page.get_by_role("link", name="What was checked")))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Papers of")
    page.goto(tune)
    expect(page.get_by_role("heading", level=1)).to_have_text("Adapters in the morning")
    page.get_by_role("button", name="More like this").click()
    expect(page.get_by_role("status")).to_contain_text("Noted: more like this.")
    return leave


def _leaves_by_the_button(page: Page, leave: str) -> None:
    page.goto(leave)
    page.get_by_role("button", name="Stop all mail").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You have left.")


def _comes_back_and_leaves_by_one_click(page: Page, site: Site, leave: str) -> None:
    page.goto(leave)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are back.")
    newest = site.mailbox.heads(limit=1)[0]
    mail = site.mailbox.read(newest.id)
    assert mail is not None
    header = {name.lower(): value for name, value in mail.headers}["list-unsubscribe"]
    found = re.search(r"<(https?://[^>]+/u/[^>]+)>", header)
    assert found is not None
    body = b"List-Unsubscribe=One-Click"
    with urllib.request.urlopen(urllib.request.Request(found[1], data=body)) as answer:
        assert answer.status == 200
        assert answer.geturl() == found[1]


def _silence(page: Page, site: Site) -> None:
    before = site.mailbox.count()
    site.clock.go(hours=25)
    number = 7100 + site.clock().day
    _papers(site, (number, f"Adapters and origami {number}"))
    site.tick()
    plan_daily(site.rt)
    site.sends(0)
    assert site.mailbox.count() == before
    page.goto(f"{site.address}/mailbox")
    expect(page.locator(".notice").first).to_contain_text(f"{before} mails are kept")
    waiting = site.rt.db.read(lambda s: list_deliveries(s, states=["planned", "ready"]))
    assert waiting == []
