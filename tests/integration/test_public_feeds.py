"""Feeds of the day, of a search and of a topic: valid, bounded, asked again for nothing."""

import json
import re
from collections.abc import Iterator
from html import escape, unescape
from pathlib import Path
from xml.etree import ElementTree as ET

import feedparser
import pytest
from support.house import ingest_items, paper_item
from support.reading_house import WEDNESDAY, Reading, reading_house

from service.flows.topics import add_topic
from service.web.feeds import plain

ATOM = "{http://www.w3.org/2005/Atom}"
HOSTILE = '<b onclick="x()">robots</b> & ]]> "\' \u0001\ufffe\U0001f600'


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path) as made:
        add_topic(made.rt, {"name": "robots", "text": "robots", "about": HOSTILE}, by="ann")
        yield made


def addresses(kind: str) -> list[str]:
    return [
        f"/feeds/papers.{kind}",
        f"/feeds/papers.{kind}?order=newest",
        f"/feeds/search.{kind}?q=robots",
        f"/feeds/search.{kind}?q=nothing+has+this",
        f"/feeds/topics/robots.{kind}",
    ]


def test_atom_is_valid(house: Reading) -> None:
    for path in addresses("atom"):
        answer = house.client.get(path)
        assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
        read = feedparser.parse(answer.content)
        assert not read.bozo, (path, read.get("bozo_exception"))
        root = ET.fromstring(answer.content)
        # RFC 4287, 4.1.1 and 4.1.2: what a feed and an entry have once, and an author somewhere
        for name in ("id", "title", "updated", "author"):
            assert len(root.findall(ATOM + name)) == 1, (path, name)
        own = root.findtext(ATOM + "id")
        assert own is not None
        assert own.endswith(path)
        links = {one.get("rel"): one for one in root.findall(ATOM + "link")}
        assert links["self"].get("href") == own
        ids = []
        for entry in root.findall(ATOM + "entry"):
            for name in ("id", "title", "updated", "published", "summary"):
                assert len(entry.findall(ATOM + name)) == 1, (path, name)
            rels = [one.get("rel") for one in entry.findall(ATOM + "link")]
            assert rels.count("alternate") == 1
            ids.append(entry.findtext(ATOM + "id"))
            stamp = entry.findtext(ATOM + "updated") or ""
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stamp)
        assert len(ids) == len(set(ids))
        newest = max(
            (e.findtext(ATOM + "updated") or "" for e in root.findall(ATOM + "entry")), default=""
        )
        assert not ids or root.findtext(ATOM + "updated") == newest


@pytest.mark.slow
def test_rss_is_valid(house: Reading) -> None:
    for path in addresses("rss"):
        answer = house.client.get(path)
        read = feedparser.parse(answer.content)
        assert not read.bozo, path
        assert read.version == "rss20"
        channel = ET.fromstring(answer.content).find("channel")
        assert channel is not None
        for name in ("title", "link", "description", "lastBuildDate"):
            assert channel.findtext(name), (path, name)
        own = channel.find(ATOM + "link")
        assert own is not None
        assert (own.get("rel"), own.get("type")) == ("self", "application/rss+xml")
        guids = [item.findtext("guid") for item in channel.findall("item")]
        assert len(guids) == len(set(guids))
        for item in channel.findall("item"):
            assert item.findtext("guid") == item.findtext("link")
            date = item.findtext("pubDate") or ""
            assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", date)


def test_a_readers_program_takes_the_text_of_rss_for_html(house: Reading) -> None:
    text = "We show that x<y and y>z hold & <b>more</b>."
    ingest_items(house.rt, house.folder, [paper_item(998, "Robots less", text)], on=WEDNESDAY)
    answer = house.client.get("/feeds/search.rss?q=robots+less")
    items = [item.findtext("description") for item in ET.fromstring(answer.content).iter("item")]
    assert items == [escape(text)]


@pytest.mark.slow
def test_json_is_valid(house: Reading) -> None:
    for path in addresses("json"):
        answer = house.client.get(path)
        assert answer.headers["content-type"].startswith("application/feed+json")
        made = json.loads(answer.content)
        assert made["version"] == "https://jsonfeed.org/version/1.1"
        assert made["feed_url"].endswith(path)
        for item in made["items"]:
            assert item["id"]
            assert item["content_text"]
            assert "author" not in item, "1.1 says authors"


def test_a_search_gives_the_newest_with_the_words(house: Reading) -> None:
    made = json.loads(house.client.get("/feeds/search.json?q=robots").content)
    days = [one["date_published"] for one in made["items"]]
    assert len(days) == 12
    assert days == sorted(days, reverse=True)
    assert all("robot" in one["title"].lower() for one in made["items"])
    wrong = house.client.get("/feeds/search.json?q=(robots")
    assert wrong.status_code == 422
    assert "never closed" in wrong.text
    assert house.client.get("/feeds/search.atom").status_code == 422
    assert house.client.get("/feeds/search.xml?q=a").status_code == 404
    assert house.client.get("/feeds/topics/none.atom").status_code == 404


@pytest.mark.parametrize("kind", ["atom", "rss", "json"])
def test_who_has_it_is_sent_nothing(house: Reading, kind: str) -> None:
    path = f"/feeds/search.{kind}?q=robots"
    first = house.client.get(path)
    tag, seen = first.headers["etag"], first.headers["last-modified"]
    assert first.headers["content-encoding"] == "gzip"
    whole = house.client.get(path, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in whole.headers
    assert whole.headers["etag"] == tag
    assert tag.startswith('W/"'), "one tag for other bytes is a weak one (RFC 9110, 8.8.3)"
    for headers in (
        {"If-None-Match": tag},
        {"If-None-Match": f'"x", {tag}'},
        {"If-None-Match": tag.removeprefix("W/")},
        {"If-None-Match": "*"},
        {"If-Modified-Since": seen},
    ):
        again = house.client.get(path, headers=headers)
        assert (again.status_code, again.content) == (304, b""), headers
        assert again.headers["etag"] == tag
    stale = {"If-None-Match": '"x"', "If-Modified-Since": seen}
    assert house.client.get(path, headers=stale).status_code == 200, "the tag decides"
    item = paper_item(999, "Robots that are new", votes=1)
    house.clock.go(minutes=30)
    ingest_items(house.rt, house.folder, [item], on=WEDNESDAY)
    for headers in ({"If-None-Match": tag}, {"If-Modified-Since": seen}):
        later = house.client.get(path, headers=headers)
        assert later.status_code == 200, headers
        assert later.headers["etag"] != tag


@pytest.mark.slow
def test_words_of_strangers_stay_words(house: Reading) -> None:
    for kind in ("atom", "rss", "json"):
        answer = house.client.get(f"/feeds/search.{kind}", params={"q": HOSTILE})
        assert answer.status_code in (200, 422)
        topic = house.client.get(f"/feeds/topics/robots.{kind}")
        assert "<b onclick" not in topic.text or kind == "json"
        if kind != "json":
            assert not feedparser.parse(topic.content).bozo
    assert plain("a\u0000\u000b\ufffe\ud800b\tc\n\U0001f600") == "ab\tc\n\U0001f600"


@pytest.mark.slow
def test_pages_name_their_feeds(house: Reading) -> None:
    for page, feed in (
        ("/papers", "/feeds/papers."),
        ("/search?q=robots", "/feeds/search."),
        ("/topics/robots", "/feeds/topics/robots."),
    ):
        head = unescape(house.client.get(page).text).partition("</head>")[0]
        found = re.findall(r'rel="alternate" type="([^"]+)" href="([^"]+)"', head)
        assert [kind for kind, _ in found] == [
            "application/atom+xml",
            "application/rss+xml",
            "application/feed+json",
        ]
        for kind, where in found:
            assert feed in where
            answer = house.client.get(where)
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith(kind)
