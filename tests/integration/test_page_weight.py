"""What the sign-up page costs a phone: its bytes, its requests, and that all of them are ours."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.reading_house import Reading, reading_house

MOST = 60_000
"""Bytes of the page with everything it asks for, headers included."""
OUR_PART = re.compile(r'<(?:link rel="(?:icon|stylesheet)" href|script src|img src)="([^"]+)"')


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path) as made:
        yield made


def weight(house: Reading, path: str) -> int:
    """Bytes of an answer as a browser gets it: head and compressed body."""
    with house.client.stream("GET", path, headers={"Accept-Encoding": "gzip, br"}) as answer:
        assert answer.status_code == 200, path
        body = sum(map(len, answer.iter_raw()))
        head = sum(len(name) + len(value) + 4 for name, value in answer.headers.raw)
        assert int(answer.headers["content-length"]) == body
        return head + body


def test_the_sign_up_page_weighs_little_and_asks_nobody_else(house: Reading) -> None:
    page = house.client.get("/?words=adapters,robots").text
    parts = OUR_PART.findall(page)
    assert len(parts) == 4, parts
    assert all(part.startswith("/static/") for part in parts)
    every = re.findall(r'(?:src|data-hx-\w+)="([^"]+)"', page)
    assert not [address for address in every if address.startswith(("http:", "https:", "//"))]
    assert sum(weight(house, path) for path in ("/?words=adapters,robots", *parts)) <= MOST


def test_open_pages_are_compressed_and_those_behind_a_link_are_not(house: Reading) -> None:
    for path, packed in (("/", True), ("/about", True), ("/manage/a-token", False)):
        answer = house.client.get(path, headers={"Accept-Encoding": "gzip"})
        assert (answer.headers.get("content-encoding") == "gzip") is packed, path
    plain = house.client.get("/", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert "Accept-Encoding" in plain.headers["vary"]


def test_the_style_sheet_is_packed_once_and_known_again(house: Reading) -> None:
    path = OUR_PART.findall(house.client.get("/").text)[1]
    packed = house.client.get(path, headers={"Accept-Encoding": "gzip"})
    plain = house.client.get(path, headers={"Accept-Encoding": "identity"})
    assert packed.content == plain.content
    assert len(gzip.compress(plain.content, 1)) > int(packed.headers["content-length"])
    assert packed.headers["etag"] != plain.headers["etag"], "two representations, two names"
    known = {"Accept-Encoding": "gzip", "If-None-Match": packed.headers["etag"]}
    assert house.client.get(path, headers=known).status_code == 304
