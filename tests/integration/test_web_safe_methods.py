"""Pages behind a link, and links of pages: kept by nobody, leading somewhere.

That looking changes nothing is in test_every_route.py.
"""

import re
from collections.abc import Iterator
from html import unescape

import pytest
from support.every_address import World, world


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("world")) as one:
        yield one


@pytest.mark.slow
def test_pages_with_a_token_are_neither_kept_nor_indexed_nor_passed_on(made: World) -> None:
    for route, address in made.pages():
        if "{token}" not in route or route.startswith("/feeds/"):
            continue
        headers = made.desk.get(address).headers
        assert headers["cache-control"] == "no-store", address
        assert "noindex" in headers["x-robots-tag"], address
        assert headers["referrer-policy"] == "no-referrer", address


@pytest.mark.slow  # asks every page
def test_every_link_of_every_page_leads_somewhere(made: World) -> None:
    seen: set[str] = set()
    for route, address in made.pages():
        if route.startswith(("/admin", "/mailbox")):
            continue
        answer = made.house.client.get(address)
        if "html" in answer.headers.get("content-type", ""):
            found = re.findall(r'(?:href|src)="([^"]+)"', answer.text)
            seen.update(unescape(one).removeprefix("http://127.0.0.1:8000") for one in found)
    ours = {
        one.partition("#")[0] for one in seen if one.startswith("/") and not one.startswith("//")
    }
    answers = {path: made.house.client.get(path).status_code for path in ours}
    assert len(ours) > 20
    assert {path: code for path, code in answers.items() if code not in (200, 302, 303, 422)} == {}
