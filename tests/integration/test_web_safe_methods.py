"""GET and HEAD change nothing, on any route, with real tokens of every kind."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.reader_site import make_site
from support.reading_house import Reading, path_in, reading_house
from support.routes import flat_routes

from service.flows.daily import plan_daily
from service.flows.letter import share_name
from service.flows.manage_link import manage_token, stamp_of
from service.flows.topics import add_topic, list_topics
from service.store.deliveries import list_deliveries


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path) as made:
        yield made


def addresses(house: Reading) -> dict[str, list[str]]:
    """For every GET route the addresses to walk, real tokens first."""
    house.subscribe("ada@uni.example", "adapters")
    house.client.post("/", data={"email": "new@uni.example", "words": "robots"})
    plan_daily(house.rt)
    house.send()
    ada, now = house.reader("ada@uni.example"), house.clock()
    asked = house.mails("new@uni.example")[0]
    sent = house.rt.db.read(lambda s: list_deliveries(s, subscriber_id=ada.id))
    mail = next(row for row in sent if row.content and "digest" in row.content)
    assert mail.content is not None
    entry = mail.content["digest"]["sections"][0]["entries"][0]
    paper = f"{entry['scheme']}/{entry['value']}"
    assert ada.id is not None
    moving = house.rt.signer.sign(
        "address", ada.id, now.replace(day=28), f"{stamp_of(ada, fresh=True)} b@uni.example"
    )
    if not list_topics(house.rt):
        towels = {"name": "towels", "text": "towels", "likes": [paper]}
        add_topic(house.rt, towels, by="ann")
    manage = [manage_token(house.rt, ada, now, fresh=fresh) for fresh in (True, False)]
    return {
        "/": ["/", "/?words=adapters", "/?lang=de"],
        "/confirm/{token}": [path_in(asked, "confirm"), "/confirm/x"],
        "/never/{token}": [path_in(asked, "never"), "/never/x"],
        "/u/{token}": [f"/u/{ada.unsubscribe_token}", "/u/x"],
        "/manage": ["/manage"],
        "/manage/{token}": [f"/manage/{token}" for token in (*manage, "x")],
        "/manage/{token}/export": [f"/manage/{token}/export" for token in (*manage, "x")],
        "/manage/address/{token}": [f"/manage/address/{moving}", "/manage/address/x"],
        "/d/{token}": [f"/d/{share_name(mail)}", "/d/x", f"/d/{mail.token}"],
        "/d/{token}/papers.{kind}": [
            f"/d/{share_name(mail)}/papers.{kind}" for kind in ("bib", "ris", "x")
        ],
        "/tune/{token}/{scheme}/{value:path}": [
            *(f"/tune/{name}/{paper}" for name in (mail.token, share_name(mail))),
            "/tune/x/arxiv/1",
        ],
        "/history/{token}": [f"/history/{mail.token}", f"/history/{manage[0]}", "/history/x"],
        "/papers": ["/papers", "/papers?order=newest&page=2", "/papers?source=1&category=x&day=y"],
        "/papers/{day}": ["/papers/2026-11-18", "/papers/2026-11-15", "/papers/x"],
        "/papers/{scheme}/{value:path}": [f"/papers/{paper}", "/papers/doi/10.1/a/b"],
        "/search": ["/search", "/search?q=robots", "/search?q=(", "/search?q=a,b&page=9"],
        "/words": ["/words", "/words?liked=Robots+fold+towels", "/words?liked=http://x.example/"],
        "/manage/{token}/words": [f"/manage/{token}/words" for token in (*manage, "x")],
        "/help/queries": ["/help/queries"],
        "/sources": ["/sources"],
        "/about": ["/about"],
        "/privacy": ["/privacy"],
        "/healthz": ["/healthz"],
        "/readyz": ["/readyz"],
        "/feeds/papers.{kind}": [f"/feeds/papers.{kind}" for kind in ("atom", "rss", "json", "x")],
        "/feeds/search.{kind}": [
            "/feeds/search.atom?q=robots",
            "/feeds/search.json?q=(",
            "/feeds/x",
        ],
        "/feeds/topics/{name}.{kind}": ["/feeds/topics/towels.rss", "/feeds/topics/x.rss"],
        "/topics": ["/topics"],
        "/topics/{name}": ["/topics/towels", "/topics/x"],
        "/robots.txt": ["/robots.txt"],
        "/static/{name}": ["/static/paperpost.css", "/static/signup.js"],
    }


@pytest.mark.slow
def test_no_get_and_no_head_changes_the_database(house: Reading) -> None:
    walked = addresses(house)
    routes = {r.path for r in flat_routes(make_site(house.rt)) if r.method in ("GET", "HEAD")}
    assert routes == walked.keys(), "a route that nobody walks, or one that is gone"
    before = house.tables()
    for known in walked.values():
        for path in known:
            for method in ("GET", "HEAD", "OPTIONS"):
                answer = house.client.request(method, path)
                assert answer.status_code < 500, (method, path, answer.text[-300:])
                if method == "HEAD":
                    assert answer.content == b""
            assert house.tables() == before, path
        assert house.client.get(known[0]).status_code == 200, known[0]


def test_pages_with_a_token_are_neither_kept_nor_indexed_nor_passed_on(house: Reading) -> None:
    for pattern, known in addresses(house).items():
        if "{token}" not in pattern:
            continue
        headers = house.client.get(known[0]).headers
        assert headers["cache-control"] == "no-store", pattern
        assert "noindex" in headers["x-robots-tag"], pattern
        assert headers["referrer-policy"] == "no-referrer", pattern


@pytest.mark.slow  # asks every page
def test_every_link_of_every_page_leads_somewhere(house: Reading) -> None:
    import re
    from html import unescape

    seen: set[str] = set()
    for known in addresses(house).values():
        for path in known[:2]:
            answer = house.client.get(path)
            if "html" in answer.headers["content-type"]:
                found = re.findall(r'(?:href|src)="([^"]+)"', answer.text)
                seen.update(unescape(one).removeprefix("http://127.0.0.1:8000") for one in found)
    ours = {
        one.partition("#")[0] for one in seen if one.startswith("/") and not one.startswith("//")
    }
    lost = {path for path in ours if house.client.get(path).status_code not in (200, 422)}
    assert len(ours) > 20
    assert lost == set()
