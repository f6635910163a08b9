"""A send by hand in a browser, from the first word to the report: what is typed is kept over the
end of a session, two who work at once harm nobody, a double click and the back button are one
edition, a canary that refuses pauses, and the brake holds."""

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from support.axe import violations
from support.house import add, ingest_items, paper_item, rows
from support.smtp_server import SmtpServer, hang, reply
from support.whole_site import WholeSite, whole_site

from service.flows import editions, staff
from service.flows.daily import plan_daily
from service.store.editions import list_editions
from service.store.instance import set_setting
from service.store.staff import list_audit

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("cheap_passwords")]
PASSWORD = "correct horse battery"
READERS = 8


@pytest.fixture
def relay() -> Iterator[SmtpServer]:
    with SmtpServer() as made:
        yield made


@pytest.fixture
def site(tmp_path: Path, relay: SmtpServer) -> Iterator[WholeSite]:
    with whole_site(tmp_path, relay_port=relay.port) as made:
        for n in range(READERS):
            add(made.rt, f"r{n}@uni.example", "adapters")
        ingest_items(
            made.rt, tmp_path, [paper_item(1, "Adapters that forget less"), paper_item(2, "Sheep")]
        )
        for name, value in (("canary", "2"), ("canary_offered_above", "3"), ("typed_above", "5")):
            made.rt.db.write(lambda s, n=name, v=value: set_setting(s, n, v))
        yield made


Desk = Callable[[str], Page]


@pytest.fixture
def desk(site: WholeSite, browser: Browser) -> Desk:
    """Somebody of the staff who may send, logged in with a browser of their own."""

    def opened(name: str) -> Page:
        link = staff.create_admin(site.rt, name, "sender", by="cli")
        page = browser.new_context(viewport={"width": 1200, "height": 900}).new_page()
        page.set_default_timeout(15_000)
        page.goto(link)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("The same again").fill(PASSWORD)
        page.get_by_role("button", name="Set password").click()
        log_in(page, name)
        return page

    return opened


def log_in(page: Page, name: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Log out").wait_for()


def kept(page: Page) -> None:
    expect(page.locator("#live")).to_contain_text("Kept", timeout=15_000)


def test_from_the_first_word_to_the_report(site: WholeSite, desk: Desk, relay: SmtpServer) -> None:
    mia, ben = desk("mia"), desk("ben")
    mia.goto(f"{site.address}/admin/send")
    mia.get_by_label("Your own text").check()
    mia.get_by_label("Subject").fill("The reading group moves")
    mia.get_by_label("Note on top").fill("We meet on *Thursday*. ![map](https://x.example/m.png)")
    kept(mia)
    expect(mia.locator("#live")).to_contain_text("1 picture is left out")
    expect(mia.locator("#counted")).to_contain_text("8 readers = 8 mails")
    expect(mia.locator(".samples li")).to_have_count(8)
    shown = mia.frame_locator("#live iframe").locator("body")
    expect(shown).to_contain_text("We meet on Thursday.")
    assert violations(mia) == []

    # the server is away for a while: what was typed is not called kept
    mia.context.set_offline(True)
    mia.get_by_label("Note on top").fill("We meet on *Tuesday*.")
    expect(mia.locator("#live [role=alert]")).to_contain_text("Not kept")
    mia.context.set_offline(False)
    mia.get_by_label("Note on top").fill("We meet on *Wednesday*.")
    expect(shown).to_contain_text("We meet on Wednesday.")
    expect(mia.locator("#live [role=alert]")).to_have_count(0)

    # the session ends in the middle: what was typed, also after that, is there after the log-in
    mia.context.clear_cookies()
    mia.get_by_label("Note on top").fill("We meet on *Friday*.")
    expect(mia.locator("#live")).to_contain_text("Your session is over")
    mia.get_by_role("button", name="Go on to Check").click()
    log_in(mia, "mia")
    assert mia.get_by_label("Note on top").input_value() == "We meet on *Friday*."
    mia.get_by_role("button", name="Go on to Check").click()
    mia.get_by_role("heading", name="Check", exact=True).wait_for()
    check = mia.url

    # ben changes it while mia looks: she is told, and what she looked at is not what goes
    ben.goto(f"{site.address}/admin/send?draft={check.rsplit('/', 1)[1]}")
    ben.get_by_label("Note on top").fill("We meet on *Monday*.")
    ben.get_by_role("button", name="Go on to Check").click()
    ben.get_by_role("heading", name="Check", exact=True).wait_for()
    mia.get_by_label("Type the number of mails").fill("8")
    mia.get_by_label("To 2 readers first").check()
    mia.get_by_role("button", name="Send to 8").click()
    expect(mia.locator("body")).to_contain_text("ben changed it since you looked")
    assert site.rt.db.read(list_editions) == []

    # a double click; then the other one presses, too; then the back button and once more
    mia.get_by_label("Type the number of mails").fill("8")
    mia.get_by_label("To 2 readers first").check()
    mia.get_by_role("button", name="Send to 8").dblclick()
    mia.wait_for_url("**/admin/editions/*")
    ben.get_by_label("Type the number of mails").fill("8")
    ben.get_by_role("button", name="Send to 8").click()
    ben.wait_for_url("**/admin/editions/*")
    expect(ben.locator("body")).to_contain_text("was begun before")
    ben.go_back()
    ben.wait_for_url("**/admin/editions/*")
    (edition,) = site.rt.db.read(list_editions)
    begun = [a for a in site.rt.db.read(list_audit) if a.what == "send newsletter"]
    assert [a.who for a in begun] == ["mia"]

    # the canary is refused: it pauses by itself, and says why
    expect(mia.locator("#progress")).to_contain_text("It begins in")
    relay.on("RCPT", reply("550 5.7.1 we do not like you"), match=r"r[01]@")
    site.go(minutes=3)
    assert site.send() == 0
    expect(ben.locator("#progress")).to_contain_text("2 of the first 2 were refused", timeout=9000)
    expect(ben.locator("#acts")).to_contain_text("Send to the other 6")
    expect(ben.locator("#acts")).not_to_contain_text("Resume")
    mia.goto(f"{site.address}/admin")
    expect(mia.locator("#now")).not_to_contain_text("Resume")
    mia.get_by_role("link", name="The other 6 wait for a word").click()
    mia.get_by_role("button", name="Send to the other 6").click()
    expect(mia.locator("#progress")).to_contain_text("open")

    # the brake, and off it again
    mia.get_by_role("button", name="Pause").click()
    expect(mia.locator("#progress")).to_contain_text("paused")
    site.send()
    assert [m.recipient for m in relay.accepted] == ["papers@example.org"], "the alarm alone"
    mia.set_viewport_size({"width": 360, "height": 740})
    assert mia.evaluate("document.documentElement.scrollWidth") <= 360
    box = mia.get_by_role("button", name="Resume").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 740, "on the first screen of a phone"
    mia.get_by_role("button", name="Resume").click()
    assert site.send() == 6
    mia.reload()
    body = mia.locator("main")
    expect(body).to_contain_text("5.7.1 we do not like you")
    assert violations(mia) == []
    letters = {m.recipient: m.data for m in relay.accepted if m.recipient.endswith("uni.example")}
    assert set(letters) == {f"r{n}@uni.example" for n in range(2, 8)}
    assert all(b"Monday" in data for data in letters.values())

    # the report by mail, and who came later
    assert site.send() == 1
    assert relay.accepted[-1].recipient == "papers@example.org"
    add(site.rt, "late@uni.example", "adapters")
    mia.reload()
    mia.get_by_role("button", name="Send it to 1 who came later").click()
    expect(mia.locator(".equation")).to_contain_text("1 reader = 1 mail")
    mia.get_by_label("At each reader's own hour").check()
    mia.get_by_role("button", name="Send to 1").click()
    mia.wait_for_url("**/admin/editions/*")
    assert site.rt.db.read(list_editions)[0].options["timing"]["own_hour"] is True
    assert edition.id != site.rt.db.read(list_editions)[0].id
    for page in (mia, ben):
        page.context.close()


def test_chosen_papers_without_a_script(site: WholeSite, browser: Browser) -> None:
    """Search, tick, a file of addresses, count, a time: all of it by buttons alone."""
    link = staff.create_admin(site.rt, "zoe", "sender", by="cli")
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto(link)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Set password").click()
    log_in(page, "zoe")
    page.goto(f"{site.address}/admin/send")
    page.get_by_label("Search stored papers").fill("sheep")
    page.get_by_role("button", name="Find").click()
    page.get_by_label(re.compile("Sheep arxiv/2611.00002")).check()
    page.get_by_label("To whom").select_option("list")
    table = b"Name;E-Mail\r\nZo\xeb;r3@uni.example\r\nNobody;stranger@uni.example\r\n"
    page.get_by_label("Or a list of addresses as a file").set_input_files(
        {"name": "members.csv", "mimeType": "text/csv", "buffer": table}
    )
    page.get_by_role("button", name="Count").click()
    expect(page.locator("#count")).to_contain_text("1 reader = 1 mail")
    expect(page.locator("#count")).to_contain_text("1 address of the list belongs to no reader")
    assert page.get_by_label("Papers", exact=True).input_value() == "arxiv/2611.00002"
    page.get_by_label("Or a list of addresses as a file").set_input_files(
        {"name": "members.csv", "mimeType": "text/csv", "buffer": table}
    )
    page.get_by_role("button", name="Go on to Check").click()
    expect(page.locator(".equation")).to_contain_text("1 reader = 1 mail")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_label("At this time").check()
    page.get_by_label("Date and time").fill("2026-11-17T10:00")
    page.get_by_role("button", name="Send to 1").click()
    expect(page.locator("#at-fault")).to_contain_text("is over")
    assert page.get_by_label("At this time").is_checked()
    page.get_by_label("Date and time").fill("2026-11-19T10:00")
    page.get_by_role("button", name="Send to 1").click()
    expect(page.locator("#progress")).to_contain_text("It begins on")
    page.get_by_text("Move it to another time").click()
    page.get_by_label("Date and time").fill("2026-11-20T08:00")
    page.get_by_role("button", name="See what it means").click()
    expect(page.locator("#move")).to_contain_text("1 mail goes on 20 Nov 08:00")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.context.clear_cookies()
    page.get_by_role("button", name="Move it").click()
    log_in(page, "zoe")  # and comes back to what was chosen
    page.get_by_role("button", name="Move it").click()
    expect(page.locator("#progress")).to_contain_text("It begins on 20 Nov 08:00")
    page.get_by_role("button", name="Take it back").click()
    expect(page.locator("#progress")).to_contain_text("cancelled")
    context.close()


@pytest.mark.slow
def test_what_was_begun_is_taken_back_and_cancelled_in_the_middle(
    site: WholeSite, desk: Desk, relay: SmtpServer
) -> None:
    page = desk("mia")
    page.goto(f"{site.address}/admin/send")
    page.get_by_label("Your own text").check()
    page.get_by_label("Subject").fill("The reading group moves")
    page.get_by_label("Note on top").fill("We meet on *Thursday*.")
    page.get_by_role("button", name="Go on to Check").click()

    # the session ends before the press: nothing is begun, what was chosen is there after the log-in
    page.get_by_label("Type the number of mails").fill("8")
    page.get_by_label("At each reader's own hour").check()
    page.context.clear_cookies()
    page.get_by_role("button", name="Send to 8").click()
    log_in(page, "mia")
    assert page.get_by_label("Type the number of mails").input_value() == "8"
    assert page.get_by_label("At each reader's own hour").is_checked()
    assert site.rt.db.read(list_editions) == []

    # in time: taken back, nobody has it
    page.get_by_label("In 2 minutes").check()
    page.get_by_role("button", name="Send to 8").click()
    expect(page.locator("#progress")).to_contain_text("It begins in")
    page.get_by_role("button", name="Take it back").click()
    expect(page.locator("#progress")).to_contain_text("cancelled")
    site.go(minutes=3)
    assert site.send() == 0

    # composed again; cancelled while a mail is on its way: seven have it, the eighth never will
    page.get_by_role("link", name="Compose it again").click()
    assert page.get_by_label("Note on top").input_value() == "We meet on *Thursday*."
    page.get_by_role("button", name="Go on to Check").click()
    page.get_by_label("Type the number of mails").fill("8")
    page.get_by_role("button", name="Send to 8").click()
    page.wait_for_url("**/admin/editions/*")
    site.go(minutes=3)
    relay.on("RCPT", hang(), match="r7@")
    with ThreadPoolExecutor(1) as thread:
        sending = thread.submit(site.send)
        try:
            relay.wait_until_hung()
            page.reload()
            page.get_by_text("Cancel the rest").click()
            expect(page.locator("#unsent")).to_contain_text("stay")
            page.get_by_role("button", name="Cancel it for good").click()
            page.get_by_text("what was not sent stays unsent").wait_for()
        finally:
            relay.clear()
            relay.release()
        assert sending.result() == 7
    page.reload()
    found = page.locator("#progress dl").first.locator("dd").all_inner_texts()
    assert found == ["8", "7", "0", "1"], "planned; handed over, refused, cancelled"
    assert site.send() == 0
    assert len(relay.accepted) == 7

    # what cannot be undone can be sent anew, to who has none
    page.get_by_role("link", name="Compose it for those whose mail was cancelled").click()
    page.get_by_role("button", name="Go on to Check").click()
    expect(page.locator(".equation")).to_contain_text("1 reader = 1 mail")
    page.context.close()


MOVES = 2100
"""Milliseconds of the page's clock: it asks once."""
HEARD = """() => {
  window.heard = [];
  for (const id of ['told', 'stale']) {
    const region = document.getElementById(id);
    new MutationObserver(() => window.heard.push(region.isConnected && region.textContent.trim()))
      .observe(region, {childList: true, characterData: true, subtree: true}); } }"""
"""What a screen reader is told from now on: the words of live regions that change."""
HIDE = """yes => { Object.defineProperty(document, 'hidden', {configurable: true, get: () => yes});
  document.dispatchEvent(new Event('visibilitychange')); }"""
FOCUSED = "document.activeElement.id"
TOP = "e => e.getBoundingClientRect().top"


def test_what_refreshes_itself_leaves_hand_eye_and_ear_alone(
    site: WholeSite, desk: Desk, relay: SmtpServer
) -> None:
    plan_daily(site.rt)
    page = desk("mia")
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if "/overview/now" in r.url else None)
    page.clock.install(time=site.clock())
    page.clock.pause_at(site.clock() + timedelta(minutes=1))
    page.set_viewport_size({"width": 1200, "height": 500})
    page.goto(f"{site.address}/admin")
    page.evaluate(HEARD)

    def moves(part: str = "overview/now", wait: int = MOVES) -> None:
        with page.expect_response(f"**/{part}*"):
            page.clock.run_for(wait)
        while page.locator(".htmx-request").count():
            page.clock.run_for(10)

    # the keyboard's place, what is opened, what is looked at, and the ear
    table = page.locator("#table-papers")
    table.locator("summary").click()
    page.get_by_role("button", name=re.compile("^Pause")).focus()
    table.scroll_into_view_if_needed()
    place, top = page.evaluate(FOCUSED), table.evaluate(TOP)
    assert place.startswith("now-act-")
    for _ in range(3):
        moves()
    assert (page.evaluate(FOCUSED), table.evaluate(TOP)) == (place, top)
    assert table.get_attribute("open") is not None
    assert page.evaluate("heard") == []
    relay.on("RCPT", hang(), match="r7@")
    with ThreadPoolExecutor(1) as thread:
        sending = thread.submit(site.send)
        try:
            relay.wait_until_hung()
            while sum(row.state == "accepted" for row in rows(site.rt)) < 7:
                time.sleep(0.02)
            moves()
            expect(page.locator("#now")).to_contain_text("7 of 8 settled")
            assert page.evaluate(FOCUSED) == place
            assert page.evaluate("heard") == ["Digest of Wed 18 November: 80 %"]

            # nobody looks: nobody is asked; who comes back sees at once what is
            asked.clear()
            page.evaluate(HIDE, True)
            page.clock.run_for(60_000)
            assert asked == []
            with page.expect_response("**/overview/now*"):
                page.evaluate(HIDE, False)

            # the server is away for a while: said once, and gone on with by itself
            moves()
            page.evaluate("heard.length = 0")
            page.context.set_offline(True)
            page.clock.run_for(5 * MOVES)
            said = page.locator("#stale")
            expect(said).to_contain_text("No answer from the server since 09:02:")
            assert page.evaluate("heard.length") == 1
            page.context.set_offline(False)
            moves()
            expect(said).to_be_empty()

            # a refresh falls into a press
            page.get_by_role("button", name=re.compile("^Pause")).hover()
            page.mouse.down()
            moves()
            page.mouse.up()
            expect(page.locator("#progress")).to_contain_text("in flight is being finished")
        finally:
            relay.clear()
            relay.release()
        assert sending.result() == 7

    # the page of the edition
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#progress")).to_contain_text("open")
    page.evaluate(HEARD)
    page.locator("#n-accepted").focus()
    moves("progress")
    assert page.evaluate("heard") == []
    site.go(minutes=1)
    assert site.send() == 1
    moves("progress")
    expect(page.locator("#n-accepted")).to_have_text("8")
    assert page.evaluate(FOCUSED) == "n-accepted"
    assert page.evaluate("heard") == ["open, 100 %"]

    # what was opened in a part that moves stays open
    add(site.rt, "late@uni.example", "adapters")
    plan_daily(site.rt)
    page.reload()
    minutes = page.locator("#table-minutes")
    minutes.locator("summary").click()
    moves("after", 5 * MOVES)
    expect(minutes.get_by_role("row", name="18 Nov 09:01 1")).to_be_visible()
    assert page.evaluate(FOCUSED) == "opens-minutes"

    # it rests by another's hand, and goes on by it
    number = int(page.url.rpartition("/")[2].partition("?")[0])
    editions.pause(site.rt, number, "ola")
    moves("progress")
    expect(page.locator("#progress")).to_contain_text("paused")
    page.locator("#cancel-rest summary").click()
    page.locator("#n-planned").focus()
    moves("progress", 12_100)
    assert page.locator("#cancel-rest").get_attribute("open") is not None
    expect(page.locator("#unsent")).to_contain_text("1 mail ")
    editions.resume(site.rt, number, "ola")
    moves("progress", 12_100)
    expect(page.locator("#progress")).to_contain_text("open")
    assert page.get_by_role("button", name="Pause").is_visible()
    assert page.evaluate(FOCUSED) == "n-planned"

    # the session ends: the whole page goes to the log-in, and comes back
    page.goto(f"{site.address}/admin")
    page.context.clear_cookies()
    page.clock.run_for(MOVES)
    page.wait_for_url("**/admin/login?next=/admin")
    log_in(page, "mia")
    expect(page.locator("#now")).to_contain_text("8 of 9 settled")
    page.context.close()
