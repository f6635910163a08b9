"""An editor's day in a browser: note, picks, a reader's proposal and vote, release."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright
from support.axe import DESK, PHONE, violations
from support.house import add, ingest_items, paper_item, rows
from support.polling import lead_home
from support.web_site import WebSite
from support.whole_site import WholeSite, whole_site

from service.flows import staff
from service.flows.daily import plan_due
from service.flows.manage_link import manage_token
from service.store.instance import set_setting
from service.store.subscribers import get_subscriber_row

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PASSWORD = "correct horse battery"
CAPTURE = Path(__file__).parents[1] / "golden" / "arxiv_api" / "answer.xml"
"""A real answer of arXiv's query interface."""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WholeSite]:
    """A house whose days wait for an editor, with votes and proposals."""
    with WebSite() as arxiv, whole_site(tmp_path) as made:
        lead_home(arxiv, monkeypatch)
        arxiv.at["/api/query"] = (200, {}, CAPTURE.read_bytes())
        for name, value in (("release", "hand"), ("proposals", "on"), ("votes", "on")):
            made.rt.db.write(lambda s, n=name, v=value: set_setting(s, n, v))
        add(made.rt, "ada@uni.example", "adapters", hour="10")
        items = [
            paper_item(1, "Adapters that forget less", votes=41),
            paper_item(2, "A survey of surveys", votes=3),
            paper_item(3, "Maps of adapters", votes=0),
        ]
        ingest_items(made.rt, tmp_path, items)
        yield made


@pytest.fixture
def pages(site: WholeSite, chromium: str) -> Iterator[tuple[Page, Page]]:
    """An editor at a desk, logged in, and a reader with a phone."""
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    link = staff.create_admin(site.rt, "mia", "editor", by="cli")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        desk = browser.new_context(viewport={"width": 1200, "height": 900}).new_page()
        desk.goto(link)
        desk.get_by_label("Password").fill(PASSWORD)
        desk.get_by_label("The same again").fill(PASSWORD)
        desk.get_by_role("button", name="Set password").click()
        desk.get_by_label("Name").fill("mia")
        desk.get_by_label("Password").fill(PASSWORD)
        desk.get_by_role("button", name="Log in").click()
        desk.get_by_role("navigation", name="Desk").wait_for()
        phone = browser.new_context(viewport={"width": 360, "height": 740}).new_page()
        yield desk, phone
        browser.close()


def _own_page(site: WholeSite) -> str:
    row = site.rt.db.read(lambda s: get_subscriber_row(s, email_key="ada@uni.example"))
    assert row is not None
    return f"{site.address}/manage/{manage_token(site.rt, row, site.clock(), fresh=True)}"


def test_a_day_by_an_editors_hand(site: WholeSite, pages: tuple[Page, Page]) -> None:
    desk, phone = pages
    site.clock.go(hours=1, minutes=5)
    plan_due(site.rt)  # ada's hour has come: her mail waits
    assert rows(site.rt, "digest") == []
    own = _own_page(site)

    # the reader proposes and votes
    phone.goto(own)
    phone.get_by_role("link", name="Propose a paper").click()
    phone.get_by_label("Link").fill("https://example.org/blog")
    phone.get_by_role("button", name="Propose").click()
    assert phone.get_by_text("This link names no paper that we can read.").first.is_visible()
    paper = site.rt.parse("arxiv_api", CAPTURE.read_bytes(), None).sightings[0].paper
    phone.get_by_label("Link").fill(f"https://arxiv.org/abs/{paper.key.value}")
    phone.get_by_label("Your name").fill("<b>Ada</b>")
    phone.get_by_role("button", name="Propose").click()
    assert phone.get_by_text("The editors see it and decide.").is_visible()
    assert violations(phone, [PHONE]) == []
    phone.goto(f"{own}/votes")
    phone.get_by_role("button", name=re.compile("Vote.*Maps of adapters")).click()
    assert phone.get_by_text("You voted for it.").is_visible()
    assert violations(phone, [PHONE]) == []

    # the editor writes, picks, accepts, releases
    desk.goto(f"{site.address}/admin/papers")
    assert desk.get_by_text("Waits for its release").is_visible()
    desk.get_by_label("Words on top").fill("Seminar at two.")
    desk.get_by_role("button", name="Save the note").click()
    for title in ("A survey of surveys", "Maps of adapters"):
        desk.get_by_role("button", name=re.compile(f"^Pick.*{title}")).click()
    desk.get_by_role("button", name=re.compile("Up.*Maps of adapters")).click()
    picked = desk.locator("ol.picked li > span").all_inner_texts()
    assert picked == ["Maps of adapters", "A survey of surveys"]
    assert violations(desk, [DESK]) == []
    phone.goto(f"{site.address}/papers")
    assert phone.get_by_text("Picked by the editors").count() == 0
    desk.get_by_role("link", name="Proposals (1 waiting)").click()
    desk.get_by_role("button", name="Accept").click()
    assert desk.get_by_text("Accepted: it stands on its day's page").is_visible()
    desk.goto(f"{site.address}/admin/papers")
    desk.get_by_role("button", name="Release the day").click()
    assert desk.get_by_text("Released: the day's digests go").is_visible()

    # the day's page says it all
    phone.goto(f"{site.address}/papers?order=here")
    assert phone.get_by_text("Seminar at two.").is_visible()
    assert phone.get_by_role("heading", name="Picked by the editors").is_visible()
    assert phone.get_by_text("submitted by <b>Ada</b>").is_visible()
    assert phone.get_by_text("1 reader here").first.is_visible()
    assert violations(phone, [PHONE]) == []
    plan_due(site.rt)
    assert [row.state for row in rows(site.rt, "digest")] == ["ready"]
