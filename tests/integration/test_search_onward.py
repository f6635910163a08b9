"""Where a search leads: to a mail of the same papers, and to more words when nothing was found."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from support.reading_house import Reading, path_in, reading_house

from service.flows.topics import add_topic


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path) as made:
        yield made


def search(house: Reading, q: str) -> str:
    return unescape(house.client.get("/search", params={"q": q}).text)


@pytest.mark.parametrize("q", ["towels robots", "towels, walking", '"fold towels" -walking'])
def test_what_is_mailed_is_what_was_found(house: Reading, q: str) -> None:
    page = search(house, q)
    found = re.search(r"(\d+) papers of 18", page)
    onward = re.search(r'<a href="([^"]+)">Have these mailed to you', page)
    assert found is not None
    assert onward is not None
    read_back = unescape(house.client.get(onward[1]).text)
    assert f"{found[1]} of 18 papers of 3 days" in read_back


def test_where_no_word_alone_is_to_blame_any_of_them_are_offered(house: Reading) -> None:
    page = search(house, "walking towels emus -survey")
    offer = re.search(r'With any of the words: <a href="([^"]+)">6</a>', page)
    assert offer is not None
    again = unescape(house.client.get(offer[1]).text)
    assert "6 papers of 18" in again
    assert "any of the words" not in search(house, "walking emus"), "without emus: 3"
    assert "any of the words" not in search(house, "emus owls")


@pytest.mark.slow
def test_who_has_a_link_takes_the_words_into_an_interest(house: Reading) -> None:
    house.subscribe("ada@uni.example", "towels")
    own, _ = house.own_page("ada@uni.example")
    onward = re.search(
        r'<a href="(/manage[^"]+)">You get our mails', search(house, "fold AND towels")
    )
    assert onward is not None
    page = house.client.get(onward[1]).text
    assert "<code>fold AND towels</code>" in page
    asked = {"words": "fold AND towels", "link": f" {house.rt.site.base_url}{own} "}
    answer = house.client.post("/manage", data=asked)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{own}?words=fold")
    settings = house.client.get(answer.headers["location"]).text
    typed = re.search(r'<textarea id="words-new"[^>]*>\s*([^<]*)<', settings)
    assert typed is not None
    assert typed[1].strip() == "fold AND towels"
    for link in ("", "https://elsewhere.example/u/token"):
        wrong = house.client.post("/manage", data=asked | {"link": link})
        assert wrong.status_code == 422
        assert re.search(r'id="link"[^>]*aria-invalid="true"', wrong.text)


@pytest.mark.parametrize("page", ["/search?q=robots&order=newest", "/topics/robots?x=1"])
def test_a_page_beyond_the_last_says_so(house: Reading, page: str) -> None:
    add_topic(house.rt, {"name": "robots", "text": "robots"}, by="ann")
    assert house.client.get(f"{page}&page=1").status_code == 200
    beyond = house.client.get(f"{page}&page=2")
    assert beyond.status_code == 404
    assert "This list has 1 page." in beyond.text
    onward = re.search(r'class="onward"><a href="([^"]+)">Go there', beyond.text)
    assert onward is not None
    assert unescape(onward[1]) == page.removesuffix("?x=1")
    assert house.client.get("/search?q=unicorns&page=2").status_code == 200, "nothing is said"


@pytest.mark.slow
def test_the_words_wait_while_the_link_is_mailed(house: Reading) -> None:
    house.subscribe("ada@uni.example", "towels")
    asked = {"words": "fold AND towels", "email": "ada@uni.example"}
    ask = house.client.get("/manage", params={"words": "fold AND towels"}).text
    assert ask.count('name="words" value="fold AND towels"') == 2
    wrong = house.client.post("/manage", data=asked | {"email": "ada"})
    assert wrong.status_code == 422
    assert "<code>fold AND towels</code>" in wrong.text
    before = len(house.mails("ada@uni.example"))
    page = house.client.post("/manage", data=asked)
    assert page.status_code == 200
    assert "Look in your mailbox" in page.text
    assert 'name="words" value="fold AND towels"' in page.text
    assert 'name="email"' not in page.text
    nobody = house.client.post("/manage", data=asked | {"email": "nobody@uni.example"})
    assert nobody.text == page.text, "the same for every address"
    house.send()
    mails = house.mails("ada@uni.example")[before:]
    assert len(mails) == 1
    assert "fold" not in mails[0].as_string(), "what a stranger types stands in no mail"
    link = path_in(mails[0], "manage")
    answer = house.client.post("/manage", data={"words": "fold AND towels", "link": link})
    assert answer.headers["location"] == f"{link}?words=fold+AND+towels&interest=new#interests"
