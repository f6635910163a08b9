"""Addresses, and that a paper's name arrives as it was sent."""

from datetime import date
from urllib.parse import unquote, urljoin

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.delivery.links import Links, holds, is_relative

NAMES = [
    ("arxiv", "2611.00000"),
    ("arxiv", "hep-th/9901001"),
    ("doi", "10.1000/182"),
    ("doi", "10.1002/(SICI)1097-4571(199806)49:8<693::AID-ASI4>3.0.CO;2-O"),
    ("doi", "10.1000/a//b?c=d#e"),
    ("guid", "https://example.org/x?y=1&z=2#frag"),
    ("link", "/begins/and/ends/"),
    ("link", "a/../b/./c"),
    ("guid", "tag:example.org,2026:é ü 漢字 +plus"),
]


@pytest.mark.parametrize(("scheme", "value"), NAMES)
def test_a_papers_name_survives_the_address(scheme: str, value: str) -> None:
    app = FastAPI()

    @app.get("/papers/{scheme}/{value:path}")
    def one(scheme: str, value: str) -> list[str]:
        return [scheme, value]

    @app.get("/tune/{token}/{scheme}/{value:path}")
    def tune(token: str, scheme: str, value: str) -> list[str]:
        return [token, scheme, value]

    client = TestClient(app)
    here = Links("https://papers.example.org").here
    assert client.get(here.paper(scheme, value)).json() == [scheme, value]
    assert client.get(here.tune("t-k_3", scheme, value)).json() == ["t-k_3", scheme, value]


@pytest.mark.parametrize("value", [*(value for _, value in NAMES), "10.1000/50%2F50%", "%2e%2e/x"])
def test_decoding_once_gives_the_name_and_nothing_is_folded(value: str) -> None:
    address = Links("").paper("doi", value)
    assert unquote(address) == f"/papers/doi/{value}"
    assert (
        urljoin("https://papers.example.org/a", address) == f"https://papers.example.org{address}"
    )
    assert "//" not in address


def test_a_plain_doi_stays_readable() -> None:
    assert (
        Links("https://x.org").paper("doi", "10.1000/182") == "https://x.org/papers/doi/10.1000/182"
    )


def test_every_address_of_the_interface() -> None:
    links = Links("https://example.org/papers-app/")
    base = "https://example.org/papers-app"
    assert links.home() == f"{base}/"
    assert links.papers() == f"{base}/papers"
    assert links.papers(date(2026, 11, 20), page=2) == f"{base}/papers/2026-11-20?page=2"
    assert links.search('"a b"~3 & c') == f"{base}/search?q=%22a+b%22~3+%26+c"
    assert links.confirm("T") == f"{base}/confirm/T"
    assert links.manage() == f"{base}/manage"
    assert links.manage("T") == f"{base}/manage/T"
    assert links.unsubscribe("T") == f"{base}/u/T"
    assert links.never("T") == f"{base}/never/T"
    assert links.digest("T") == f"{base}/d/T"
    assert links.history("T") == f"{base}/history/T"
    assert links.own_feed("T") == f"{base}/feeds/mine/T.atom"
    assert links.feed("rss") == f"{base}/feeds/papers.rss"
    assert links.search_feed("x y", "json") == f"{base}/feeds/search.json?q=x+y"
    assert links.topic("machine learning") == f"{base}/topics/machine%20learning"
    assert links.mailbox("20261121T-ab", "html") == f"{base}/mailbox/20261121T-ab/html"
    assert links.mailbox(to="a+b@c.d") == f"{base}/mailbox?to=a%2Bb%40c.d"
    assert links.admin("sources/3") == f"{base}/admin/sources/3"
    assert links.here.help() == "/papers-app/help/queries"


def test_a_token_cannot_leave_its_segment() -> None:
    assert Links("").unsubscribe("../admin?x#y") == "/u/..%2Fadmin%3Fx%23y"


@pytest.mark.parametrize("target", ["/", "/papers?page=2", "/papers/doi/10.1/a//b"])
def test_redirects_stay_here(target: str) -> None:
    assert is_relative(target)


@pytest.mark.parametrize(
    "target", ["//evil.org", "/\\evil.org", "https://evil.org", "", "evil", "/\t/evil.org", "/a\\b"]
)
def test_redirects_elsewhere_are_refused(target: str) -> None:
    assert not is_relative(target)


def test_prefixes_end_at_a_slash() -> None:
    assert holds("/manage", "/manage")
    assert holds("/manage", "/manage/T")
    assert not holds("/manage", "/managers")
    assert holds("/u/", "/u/T")
    assert not holds("/u/", "/u")
