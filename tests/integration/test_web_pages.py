"""The public pages: the day, a paper, search, feeds, help."""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from support.house import ingest_items, paper_item
from support.reading_house import Reading, reading_house

from service.flows import manual
from service.flows.daily import plan_daily
from service.flows.letter import share_name
from service.flows.manage_link import manage_token
from service.flows.note import set_note
from service.store.deliveries import list_deliveries
from service.store.instance import set_setting


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path) as made:
        yield made


def titles(html: str) -> list[str]:
    return re.findall(r'class="paper-title"><a href="[^"]+">(.*?)</a>', html)


def test_the_daily_page_shows_the_newest_day(house: Reading) -> None:
    page = house.client.get("/papers")
    assert page.status_code == 200
    assert "Papers of Wed 18 November" in page.text
    assert titles(page.text)[0] == "Adapters that forget less"
    assert titles(page.text)[-1] == "Nobody voted for this robot"
    assert "Small adapters for &lt;b&gt;large&lt;/b&gt; models" in page.text
    for words in ("9 votes", "1 comment", "submitted by carla", "2 authors", "<details>"):
        assert words in page.text
    assert 'href="https://huggingface.co/papers/2611.00100"' in page.text
    assert 'rel="prev" href="/papers/2026-11-17"' in page.text
    assert 'rel="next"' not in page.text


def test_the_one_line_box_subscribes(house: Reading) -> None:
    page = house.client.get("/papers").text
    form = re.search(r'<form class="one-line" action="([^"]+)" method="post">', page)
    assert form is not None
    assert (
        "Look in your mailbox" in house.client.post(form[1], data={"email": "b@uni.example"}).text
    )


def test_who_curates_is_a_setting(house: Reading) -> None:
    assert "by the research community" in house.client.get("/papers").text
    house.rt.db.write(lambda s: set_setting(s, "curated_by", "AK"))
    assert "by AK and the research community" in house.client.get("/papers").text


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2026-11-14", "No list on Saturdays and Sundays. Newest: Wed 18 November."),
        ("2026-11-12", "No paper was listed on this day. Newest: Wed 18 November."),
        ("2026-12-01", "This day is still to come. Newest: Wed 18 November."),
    ],
)
def test_empty_days_say_why(house: Reading, day: str, said: str) -> None:
    assert said in house.client.get(f"/papers/{day}").text


def test_the_first_minute(tmp_path: Path) -> None:
    with reading_house(tmp_path, papers=False) as empty:
        assert "No source has been added yet." in empty.client.get("/papers").text
        assert "No source has been added yet." in empty.client.get("/sources").text
        assert empty.client.get("/").status_code == 200
        assert "No paper has come in yet." in empty.client.get("/search?q=robots").text
        assert empty.client.get("/feeds/papers.atom").status_code == 200


def test_a_hundred_a_page(house: Reading, tmp_path: Path) -> None:
    items = [paper_item(4000 + n, f"Paper number {n}", votes=n) for n in range(130)]
    ingest_items(house.rt, tmp_path, items, on=date(2026, 11, 19))
    first = house.client.get("/papers/2026-11-19").text
    second = house.client.get("/papers/2026-11-19?page=2").text
    assert (len(titles(first)), len(titles(second))) == (100, 30)
    assert not set(titles(first)) & set(titles(second))
    assert "1 to 100 of 130" in first
    beyond = house.client.get("/papers/2026-11-19?page=3")
    assert beyond.status_code == 404
    assert "The list of 19 November has 2 pages." in beyond.text
    assert 'href="/papers/2026-11-19"' in beyond.text


@pytest.mark.parametrize(("days", "is_said"), [(1, False), (2, True), (3, True), (4, False)])
def test_at_the_weekend_the_newest_day_says_so(
    house: Reading, tmp_path: Path, days: int, is_said: bool
) -> None:
    ingest_items(house.rt, tmp_path, [paper_item(4000, "Of Friday")], on=date(2026, 11, 20))
    house.clock.at = datetime(2026, 11, 19, 12, tzinfo=UTC) + timedelta(days=days)
    said = "No list on Saturdays and Sundays. Newest: Fri 20 November."
    page = house.client.get("/papers").text
    assert (said in page) is is_said
    assert "Of Friday" in page
    assert said not in house.client.get("/papers/2026-11-20").text


def test_a_paper_has_its_page_and_citation(house: Reading) -> None:
    page = house.client.get("/papers/arxiv/2611.00100").text
    for tag in (
        '<meta name="citation_title" content="Adapters that forget less">',
        '<meta name="citation_author" content="Ana Silva">',
        '<meta name="citation_publication_date" content="2026/11/16">',
        '<meta name="citation_arxiv_id" content="2611.00100">',
    ):
        assert tag in page
    lost = house.client.get("/papers/doi/10.1000/a//b")
    assert lost.status_code == 404
    assert "This paper is not in our lists." in lost.text


def test_a_doi_keeps_its_slashes(house: Reading, tmp_path: Path) -> None:
    from service.delivery.links import Links
    from service.store.tables import PaperAliasRow

    for number, value in enumerate(("10.1000/a/b", "10.1000/a//b;c?d#e", "10.1000/../x")):
        row = PaperAliasRow(scheme="doi", value=value, paper_id=number + 1)
        house.rt.db.write(lambda s, row=row: s.add(row))  # type: ignore[misc]
        answer = house.client.get(Links("").paper("doi", value))
        assert answer.status_code == 200, value


def test_search_finds_marks_and_explains(house: Reading) -> None:
    found = house.client.get("/search?q=robots+towels").text
    assert "3 papers of 18" in found
    assert "<mark>Robots</mark>" in found
    assert "Without 'unicorns':" in house.client.get("/search?q=robots+unicorns").text
    wrong = house.client.get("/search?q=(robots")
    assert wrong.status_code == 422
    assert 'id="q-fault"' in wrong.text
    assert 'href="/search?q=%28robots%29"' in wrong.text


def test_feeds_hold_the_day_in_its_order(house: Reading) -> None:
    atom = ET.fromstring(house.client.get("/feeds/papers.atom").content)
    space = {"a": "http://www.w3.org/2005/Atom"}
    names = [one.text for one in atom.findall("a:entry/a:title", space)]
    assert names[1] == "Robots fold towels"
    assert "Small adapters for <b>large</b> models" in names
    rss = ET.fromstring(house.client.get("/feeds/papers.rss").content)
    assert [one.text for one in rss.findall("channel/item/title")] == names
    made = json.loads(house.client.get("/feeds/papers.json").content)
    assert [one["title"] for one in made["items"]] == names
    assert made["items"][0]["url"] == "http://127.0.0.1:8000/papers/arxiv/2611.00100"


@pytest.mark.slow
def test_a_mail_in_the_browser_tells_nothing_of_its_reader(house: Reading) -> None:
    house.subscribe("ada@uni.example", "adapters")
    plan_daily(house.rt)
    house.send()
    ada = house.reader("ada@uni.example")
    rows = house.rt.db.read(lambda s: list_deliveries(s, subscriber_id=ada.id))
    mail = next(row for row in rows if row.content and "digest" in row.content)
    page = house.client.get(house.path_to("ada@uni.example", "d"))
    assert "Adapters" in page.text
    assert "ada@uni.example" not in page.text
    for secret in ("/manage/", "/u/", ada.unsubscribe_token):
        assert secret not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert mail.content is not None
    entry = mail.content["digest"]["sections"][0]["entries"][0]
    path = f"/tune/{mail.token}/{entry['scheme']}/{entry['value']}"
    assert "adapters in the" in house.client.get(path).text
    assert "Noted: less like this." in house.client.post(path, data={"sign": "less"}).text
    assert len(house.tables()["feedback"]) == 1
    history = house.client.get(f"/history/{mail.token}").text
    assert "papers mailed." in history
    assert f"/d/{share_name(mail)}" in history


@pytest.mark.slow
def test_why_no_mail_in_the_words_of_the_house(house: Reading, tmp_path: Path) -> None:
    house.subscribe("ada@uni.example", "unicorns")
    token = manage_token(house.rt, house.reader("ada@uni.example"), house.clock())
    assert "Your first mail comes tomorrow at 08:00." in house.client.get(f"/history/{token}").text
    house.clock.go(days=1)
    ingest_items(house.rt, tmp_path, [paper_item(5001, "Robots"), paper_item(5002, "Zeppelins")])
    plan_daily(house.rt)
    said = house.client.get(f"/history/{token}").text
    assert re.search(
        r"Thu 19 November.*\d+ papers checked, none contained your words\.", said, re.S
    )
    house.subscribe("ben@uni.example", "zeppelins")
    plan = manual.draft(house.rt, papers=["arxiv/2611.05002"], key="k")
    manual.start(house.rt, plan, expected=2, at_once=True)
    plan_daily(house.rt)
    token = manage_token(house.rt, house.reader("ben@uni.example"), house.clock())
    said = house.client.get(f"/history/{token}").text
    assert re.search(r"papers checked\. You already had what contained your words\.", said)


def test_the_privacy_page_names_what_is_kept_and_how_long(house: Reading) -> None:
    page = house.client.get("/privacy").text
    assert "What this service logs of its work</dt><dd>14 days, without addresses" in page
    assert "What your mail server answered</dt><dd>Each answer 90 days." in page


def test_an_editors_note_stands_on_top_of_its_days_page(house: Reading) -> None:
    set_note(
        house.rt, date(2026, 11, 18), "Seminar at <two>.\n\nBring a question.\nOr two.", by="ak"
    )
    page = house.client.get("/papers/2026-11-18").text
    said = (
        '<p dir="auto">Seminar at &lt;two&gt;.</p>\n<p dir="auto">Bring a question.<br>Or two.</p>'
    )
    assert said in page
    assert page.index(said) < page.index('class="paper-title"')
    assert "Seminar" not in house.client.get("/papers/2026-11-17").text
