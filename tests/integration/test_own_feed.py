"""A reader's own feed: closed until it is opened, what their mails hold, and over when they say."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

import feedparser
import pytest
from support.house import ingest_items, paper_item
from support.reading_house import Reading, reading_house

from service.flows.daily import plan_due
from service.flows.manage_link import manage_token
from service.flows.match import match_new
from service.log import scrub

ADA = "ada@uni.example"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path) as made:
        made.subscribe(ADA, "adapters", first="1")
        yield made


def link(house: Reading, *, fresh: bool = True) -> str:
    return f"/manage/{manage_token(house.rt, house.reader(ADA), house.clock(), fresh=fresh)}"


def press(house: Reading, act: str) -> str:
    """The address of the feed afterwards, "" where none is shown."""
    assert house.client.post(f"{link(house)}/feed", data={"act": act}).status_code == 303
    found = re.search(r'href="http://[^/"]+(/feeds/mine/[^"]+\.atom)"', page(house))
    return found[1] if found else ""


def page(house: Reading, *, fresh: bool = True) -> str:
    return house.client.get(link(house, fresh=fresh)).text


def titles(house: Reading, address: str) -> list[str]:
    answer = house.client.get(address)
    assert answer.status_code == 200, answer.text
    return [entry.title for entry in feedparser.parse(answer.content).entries]


def mail_of_the_next_day(house: Reading, folder: Path, number: int, title: str) -> None:
    house.clock.go(days=1)
    ingest_items(house.rt, folder, [paper_item(number, title)])
    plan_due(house.rt)
    house.clock.go(minutes=10)
    house.send()


@pytest.mark.slow
def test_it_is_closed_until_a_fresh_link_opens_it(house: Reading) -> None:
    closed = f"/feeds/mine/{house.reader(ADA).feed_token}.atom"
    assert house.client.get(closed).status_code == 404
    before = house.tables()
    stale = house.client.post(f"{link(house, fresh=False)}/feed", data={"act": "open"})
    assert stale.status_code == 422
    assert house.tables() == before
    address = press(house, "open")
    assert address
    assert address != closed
    assert house.client.get(address).status_code == 200
    assert press(house, "open") == address, "a second press changes nothing"
    assert address not in page(house, fresh=False), "a mail may be forwarded"
    assert "It is open." in page(house, fresh=False)


@pytest.mark.slow
def test_it_holds_the_papers_of_the_mails_and_says_why(house: Reading, tmp_path: Path) -> None:
    address = press(house, "open")
    mail_of_the_next_day(house, tmp_path, 900, "Adapters of Thursday")
    assert titles(house, address)[0] == "Adapters of Thursday"
    assert len(titles(house, address)) > 3, "the first mail's papers, too"
    before = house.tables()
    atom = house.client.get(address)
    assert atom.headers["content-type"].startswith("application/atom+xml")
    assert "noindex" in atom.headers["x-robots-tag"]
    assert atom.headers["cache-control"] == "private, no-cache"
    first = feedparser.parse(atom.content).entries[0]
    assert first.summary.startswith("Why: adapters in the title")
    assert first.link.endswith("/papers/arxiv/2611.00900")
    assert ADA not in atom.text
    for kind in ("rss", "json"):
        other = house.client.get(address.replace(".atom", f".{kind}"))
        assert "Adapters of Thursday" in other.text
        assert "<mark" not in other.text
    ElementTree.fromstring(house.client.get(address.replace(".atom", ".rss")).content)
    same = house.client.get(address, headers={"If-None-Match": atom.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    assert house.client.head(address).status_code == 200
    assert house.client.get(address.replace(".atom", ".pdf")).status_code == 404
    assert house.tables() == before


@pytest.mark.slow
def test_it_goes_on_in_a_pause(house: Reading, tmp_path: Path) -> None:
    address = press(house, "open")
    until = (house.clock().date() + timedelta(days=30)).isoformat()
    house.client.post(f"{link(house)}/pause", data={"act": "set", "until": until})
    house.clock.go(days=1)
    ingest_items(house.rt, tmp_path, [paper_item(901, "Adapters in a pause")])
    match_new(house.rt)
    assert titles(house, address)[0] == "Adapters in a pause"
    assert house.send() == 0


@pytest.mark.slow
def test_a_new_address_ends_the_old_one_and_no_link(house: Reading) -> None:
    kept = link(house)
    address = press(house, "open")
    other = press(house, "renew")
    assert other not in ("", address)
    assert house.client.get(address).status_code == 404
    assert house.client.get(other).status_code == 200
    assert house.client.get(kept).status_code == 200, "links of mails go on"
    closing = house.client.post(f"{link(house, fresh=False)}/feed", data={"act": "close"})
    assert closing.status_code == 303, "to close needs no fresh link"
    assert house.client.get(other).status_code == 404
    assert press(house, "open") not in ("", address, other)


@pytest.mark.slow
def test_it_ends_with_its_reader(house: Reading) -> None:
    address = press(house, "open")
    house.client.post(f"/u/{house.reader(ADA).unsubscribe_token}")
    over = house.client.get(address)
    assert (over.status_code, "its reader has left" in over.text) == (410, True)


def test_no_log_holds_its_address() -> None:
    for kind in ("atom", "rss", "json"):
        line = scrub(f"GET /feeds/mine/LEny1M42LlwGZX4fKujdHB6f-SW4D9.{kind} 200")
        assert line == "GET /feeds/mine/… 200"
