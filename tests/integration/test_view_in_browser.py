"""A mail as a page: what it shows, in which language, for how long; and the reader's history."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.arrows import by_hand
from support.browsing import open_browser
from support.held import hold
from support.house import add, ingest_items, paper_item
from support.reading_house import WEDNESDAY, Reading, fill, path_in, reading_house
from support.whole_site import whole_site

from service.digest.model import from_json
from service.flows import manual
from service.flows.alerts import plan_alerts
from service.flows.daily import plan_daily
from service.flows.letter import share_name
from service.flows.manage_link import manage_token
from service.flows.tidy import tidy
from service.store.deliveries import list_deliveries
from service.store.tables import DeliveryRow, SubscriberRow
from service.web import mails

OLD = Path(__file__).resolve().parents[1] / "golden" / "old_digest.json"
ADA = "ada@uni.example"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path) as made:
        yield made


def mails_of(house: Reading) -> list[DeliveryRow]:
    reader = house.reader(ADA)
    rows = house.rt.db.read(lambda s: list_deliveries(s, subscriber_id=reader.id))
    return [row for row in rows if row.content]


def mailed(house: Reading) -> DeliveryRow:
    house.subscribe(ADA, "adapters")
    plan_daily(house.rt)
    house.send()
    return next(row for row in mails_of(house) if row.content and "digest" in row.content)


def change(house: Reading, row: DeliveryRow | SubscriberRow, **values: object) -> None:
    """Give a stored row other values."""
    table = type(row)
    change = sa.update(table).where(sa.column("id") == row.id).values(**values)
    with by_hand():
        house.rt.db.write(lambda s: s.execute(change))


def view(house: Reading, mail: DeliveryRow) -> str:
    answer = house.client.get(f"/d/{share_name(mail)}")
    assert answer.status_code == 200
    assert answer.headers["x-robots-tag"].startswith("noindex")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    return unescape(answer.text)


def test_only_the_mail_is_behind_its_page(house: Reading) -> None:
    mail = mailed(house)
    reader = house.reader(ADA)
    page = view(house, mail)
    secrets = (ADA, "ada@", mail.token, reader.unsubscribe_token, reader.feed_token, mail.bounce_id)
    for secret in (*secrets, "/manage", "/u/", "/tune/", "/history/", "You get this because"):
        assert secret not in page
    links = set(re.findall(r'href="http://127\.0\.0\.1:8000([^"]*)"', page))
    shared = share_name(mail)
    files = {f"/d/{shared}/papers.bib", f"/d/{shared}/papers.ris"}
    assert links == {*files, "/papers/2026-11-18", "/", "/privacy"}, "none to a reader's page"
    moved = house.client.get(f"/d/{mail.token}")
    assert (moved.status_code, moved.headers["location"]) == (302, f"/d/{shared}")
    assert house.path_to(ADA, "d") == f"/d/{shared}", "the mail links to what is shared"


def test_a_digest_of_the_first_version_is_shown_in_todays_look(house: Reading) -> None:
    mail = mailed(house)
    content = json.loads(OLD.read_text(encoding="utf-8"))
    hold(house.rt, mail.id, {"digest": content, "papers": [1, 2, 3]})
    page = view(house, mail)
    for words in (
        "446 new papers checked, 3 contain your words.",
        "adapters & <b>memory</b>",
        "41 votes",
        "Also in: Adapters",
        "Seminar at two.",
        "A line",
    ):
        assert words in page.replace("LoRA</b> ", "").replace("\xa0", " "), words
    assert 'id="arxiv-2511.00001"' in page
    assert "Example Library" not in page, "who added a reader is not for everybody"
    why = house.client.get(f"/tune/{mail.token}/arxiv/2511.00001")
    assert "LoRA in the title" in why.text
    assert house.client.get(f"/history/{mail.token}").status_code == 200
    cited = house.client.get(f"/d/{share_name(mail)}/papers.bib").text
    assert cited.count("@misc") == 3, "by number; in this house these are other papers"


def test_the_old_content_is_whole() -> None:
    digest = from_json(json.loads(OLD.read_text(encoding="utf-8")))
    assert digest.paper_ids() == (1, 2, 3)
    assert digest.interests == 0


@pytest.mark.slow
def test_a_page_stays_in_the_language_of_its_mail(house: Reading) -> None:
    mail = mailed(house)
    change(house, house.reader(ADA), locale="de")
    assert '<html lang="en"' in view(house, mail)
    house.clock.go(days=1)
    ingest_items(house.rt, house.folder, [paper_item(6001, "Adapters of today")])
    plan_daily(house.rt)
    house.send()
    page = view(house, mails_of(house)[-1])
    assert '<html lang="de"' in page
    assert "Literaturverwaltung" in page


@pytest.mark.slow
def test_an_alert_and_a_letter_have_their_pages(house: Reading) -> None:
    house.subscribe(ADA, "adapters")
    letter = manual.draft(
        house.rt, kind="newsletter", subject="News of the library", body="Open *late*.", key="n"
    )
    manual.start(house.rt, letter, expected=1, at_once=True)
    house.send()
    house.rt.db.write(lambda s: s.execute(sa.text("UPDATE profile SET cadence = 'instant'")))
    house.clock.go(hours=1)
    ingest_items(house.rt, house.folder, [paper_item(6001, "Adapters at once")])
    plan_alerts(house.rt)
    house.send()
    sent = house.mails(ADA)[1:]
    pages = {mail["Subject"]: house.client.get(path_in(mail, "d")).text for mail in sent}
    letter_page, alert_page = pages.values()
    assert "Open <em>late</em>." in letter_page
    assert "A mail of Paperpost." in letter_page
    assert "at once" in alert_page
    for page in pages.values():
        assert ADA not in page
        assert "/manage" not in page
        assert "/u/" not in page
    token = manage_token(house.rt, house.reader(ADA), house.clock())
    history = unescape(house.client.get(f"/history/{token}").text)
    assert "A letter from the people who run this service." in history
    for subject in pages:
        assert f">{subject}</a>" in history


@pytest.mark.slow
def test_what_is_no_mail_of_papers_has_no_page(house: Reading) -> None:
    house.subscribe(ADA, "adapters")
    (notice,) = [row for row in mails_of(house) if row.content and "notice" in row.content]
    for name in (notice.token, share_name(notice)):
        assert house.client.get(f"/d/{name}").status_code == 404
        assert house.client.get(f"/d/{name}/papers.bib").status_code == 404


@pytest.mark.slow
def test_a_mail_is_gone_after_its_days(house: Reading) -> None:
    mail = mailed(house)
    history = f"/history/{manage_token(house.rt, house.reader(ADA), house.clock())}"
    assert "Mails can be read here for 400 days." in house.client.get(history).text
    house.clock.at += timedelta(days=401)
    tidy(house.rt)
    for path in (f"/d/{share_name(mail)}", f"/d/{mail.token}"):
        answer = house.client.get(path)
        assert answer.status_code == 410
        assert "This mail is not kept any more." in answer.text
    token = manage_token(house.rt, house.reader(ADA), house.clock())
    shown = house.client.get(f"/history/{token}").text
    assert "Mailed. What was in it is not kept any more." in shown
    assert "0 papers mailed" not in shown
    assert f"/d/{share_name(mail)}" not in shown, "nothing leads to it"


def test_history_masks_the_address_in_a_servers_words(house: Reading) -> None:
    mail = mailed(house)
    change(house, mail, state="deferred", code=452, reason=f"<{ADA.upper()}> is over quota")
    page = unescape(house.client.get(f"/history/{mail.token}").text)
    assert "Your mail server asked us to wait: 452 <a…@u….example> is over quota." in page
    assert ADA not in page.lower()


@pytest.mark.slow
def test_history_goes_back_to_the_first_day(
    house: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mails, "PAGE_SIZE", 2)
    token = mailed(house).token
    for _ in range(2):
        house.clock.go(days=1)
        plan_daily(house.rt)
    newest = house.client.get(f"/history/{token}").text
    assert "1 to 2 of 3" in newest
    assert "Next: " in newest
    assert not re.search(r"\d papers? mailed", newest)
    older = re.search(r'rel="next" href="([^"]+)"', newest)
    assert older is not None
    first = house.client.get(unescape(older[1])).text
    assert re.search(r"\d+ papers mailed", first)
    assert "Next: " not in first, "it is told once, with the newest"


def test_history_names_each_mail_and_leads_to_it(house: Reading) -> None:
    mail = mailed(house)
    page = unescape(house.client.get(f"/history/{mail.token}").text)
    assert mail.content is not None
    first = mail.content["digest"]["sections"][0]["entries"][0]["title"]["text"]
    link = re.search(rf'<a href="/d/{share_name(mail)}">([^<]+)', page)
    assert link is not None
    assert link[1].startswith(first)


@pytest.mark.browser
def test_files_come_down_and_old_links_find_their_paper(chromium: str, tmp_path: Path) -> None:
    """The page is in a sandbox of its own policy: links out of it are files all the same."""
    with whole_site(tmp_path) as site, open_browser(chromium) as page:
        fill(site.rt, tmp_path, WEDNESDAY, 0)
        add(site.rt, ADA, "adapters")
        plan_daily(site.rt)
        site.sends(1)
        mail = site.rt.db.read(list_deliveries)[-1]
        page.goto(f"{site.address}/d/{mail.token}#arxiv-2611.00100")
        assert page.url == f"{site.address}/d/{share_name(mail)}#arxiv-2611.00100"
        for name, kind in (("BibTeX", "bib"), ("RIS", "ris")):
            with page.expect_download() as coming:
                page.get_by_role("link", name=name).click()
            assert coming.value.suggested_filename == f"papers-2026-11-18.{kind}"
            text = Path(coming.value.path()).read_text(encoding="utf-8")
            assert "Adapters that forget less" in text
        page.get_by_role("link", name="What was checked").click()
        page.wait_for_url("**/papers/2026-11-18")
