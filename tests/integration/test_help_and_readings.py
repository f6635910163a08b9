"""The help page of the query language, and what pages say about how words were read."""

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.reading_house import Reading, reading_house

from service.web.examples import ELSEWHERE, EXAMPLES, PARTS


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path) as made:
        yield made


def test_the_help_page_shows_every_example_with_what_it_finds(house: Reading) -> None:
    page = house.client.get("/help/queries").text
    assert page.count("<mark>") > 20
    for example in EXAMPLES:
        assert f"<code>{html.escape(example.text, quote=False)}</code>" in html_of(page)
    for part in PARTS:
        assert f'<h2 id="{part.name}">{part.title}</h2>' in page
    for _, theirs, ours in ELSEWHERE:
        assert theirs in html.unescape(page)
        assert ours in html.unescape(page)
    assert "1,024 bytes, 64 terms and 8 brackets" in page


def html_of(page: str) -> str:
    """With quotes as they are: templates escape them, too."""
    return page.replace("&#34;", '"').replace("&#39;", "'")


def test_a_query_offers_its_other_reading_and_a_fault_the_help_page(house: Reading) -> None:
    page = html_of(house.client.post("/estimate", data={"words": "graph OR adapters"}).text)
    assert "Read as a query." in page
    assert 'As plain keywords: "graph OR adapters"' in page
    page = house.client.post("/estimate", data={"words": '"graph OR adapters"'}).text
    assert "Read as a query." not in page
    for method, path in (("post", "/estimate"), ("get", "/search")):
        given = {"data" if method == "post" else "params": {"words": "a OR (b", "q": "a OR (b"}}
        answer = getattr(house.client, method)(path, **given)
        assert answer.status_code == 422
        assert '<a href="/help/queries">How words are written</a></p>' in answer.text


def test_forms_of_other_engines_are_offered_in_ours(house: Reading) -> None:
    page = html_of(house.client.get("/search", params={"q": "adapters[tiab] NEAR/3 x"}).text)
    assert "another engine's form" in page
    assert 'Search for "adapters x"~3' in page


def test_small_letters_are_words_and_capitals_are_offered(house: Reading) -> None:
    page = html_of(house.client.post("/estimate", data={"words": "adapters or graph"}).text)
    assert "Use: adapters OR graph" in page
    page = html_of(house.client.get("/search", params={"q": "adapters or graph"}).text)
    assert "Search for adapters OR graph" in page


@pytest.mark.slow  # many pages
def test_every_example_works_where_it_is_pressed(house: Reading) -> None:
    page = house.client.get("/help/queries").text
    links = re.findall(r'<p class="meta try">(.*?)</p>', page)
    assert len(links) == len(EXAMPLES)
    pressed = [
        html.unescape(one) for every in links for one in re.findall(r'href="([^"]+)"', every)
    ]
    follows = sum(example.kind == "follow" for example in EXAMPLES)
    assert len(pressed) == 2 * len(EXAMPLES) - follows
    for address in pressed:
        answer = house.client.get(address)
        assert answer.status_code == 200, address
        assert 'class="fault"' not in answer.text, address
    contents = page[page.index('class="on-page"') :]
    for place in re.findall(r'href="#(\w+)"', contents[: contents.index("</ul>")]):
        assert f'id="{place}"' in page
