"""Leaving: by the button, by RFC 8058, with undo, and what a stranger with the link can see."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.reading_house import Reading, reading_house

from service.flows.daily import plan_daily
from service.flows.letter import nobody
from service.flows.manage_link import manage_token
from service.flows.tidy import tidy


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path, reader=("ada@uni.example", "adapters")) as made:
        yield made


def link(house: Reading) -> str:
    return f"/u/{house.reader('ada@uni.example').unsubscribe_token}"


def test_the_first_button_stops_all_and_the_address_is_masked(house: Reading) -> None:
    page = house.client.get(link(house))
    assert page.text.count('class="primary"') == 1
    forms = re.findall(r'<form method="post" action="([^"]+)">', page.text)
    assert forms == [link(house), f"{link(house)}/pause"]  # one interest: nothing to choose from
    assert "ada@uni.example" not in page.text
    assert "a…@u….example" in page.text
    assert house.reader("ada@uni.example").state == "active"


@pytest.mark.parametrize("kind", ["urlencoded", "multipart", "bare"])
def test_one_click_needs_no_cookie_and_counts_as_often_as_it_comes(
    house: Reading, kind: str
) -> None:
    for _ in range(2):
        if kind == "urlencoded":
            answer = house.client.post(link(house), data={"List-Unsubscribe": "One-Click"})
        elif kind == "multipart":
            answer = house.client.post(link(house), files={"List-Unsubscribe": (None, "One-Click")})
        else:
            answer = house.client.post(link(house))
        assert answer.status_code == 200
        assert "location" not in answer.headers
        assert "set-cookie" not in answer.headers
    assert house.reader("ada@uni.example").state == "left"
    acts = [row for row in house.tables()["consent"] if "leave" in row]
    assert len(acts) == 1


def test_it_works_from_another_site_too(house: Reading) -> None:
    headers = {"Origin": "https://mail.example.com", "Sec-Fetch-Site": "cross-site"}
    answer = house.client.post(link(house), data={"List-Unsubscribe": "One-Click"}, headers=headers)
    assert answer.status_code == 200
    assert house.reader("ada@uni.example").state == "left"


@pytest.mark.slow
def test_silence_afterwards_and_undo_within_its_days(house: Reading) -> None:
    house.client.post(link(house))
    assert "possible until 25 November" in house.client.get(link(house)).text
    house.clock.go(days=1)
    plan_daily(house.rt)
    assert house.send() == 0
    assert "You are back." in house.client.post(f"{link(house)}/undo").text
    reader = house.reader("ada@uni.example")
    assert reader.state == "active"
    assert reader.next_digest_at == house.clock().replace(hour=8), "today had none"
    house.client.post(link(house))
    house.clock.go(days=8)
    assert "can no longer be undone" in house.client.post(f"{link(house)}/undo").text
    assert "Undo" not in house.client.get(link(house)).text


def test_a_reason_is_kept_when_somebody_likes_to_give_one(house: Reading) -> None:
    house.client.post(link(house))
    for _ in range(9):
        house.client.post(f"{link(house)}/reason", data={"reason": "Too many robots"})
    told = [row for row in house.tables()["consent"] if "other: Too many robots" in row]
    assert 1 <= len(told) <= 3


def test_an_unknown_link_is_told_calmly(house: Reading) -> None:
    for answer in (house.client.get("/u/nobody"), house.client.post("/u/nobody")):
        assert answer.status_code == 404
        assert "This link belongs to nobody here." in answer.text


def test_one_click_after_erasure_is_no_failure(house: Reading) -> None:
    here = link(house)
    house.client.post(here)
    house.clock.go(days=31)
    tidy(house.rt)
    assert house.client.post(here, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert house.client.get(here).status_code == 404


def test_the_link_outlives_every_other_one(house: Reading) -> None:
    here = link(house)
    house.clock.go(days=2000)
    assert house.client.post(here).status_code == 200
    assert house.reader("ada@uni.example").state == "left"


def test_the_link_of_a_test_mail_answers_kindly_and_changes_nothing(house: Reading) -> None:
    before = house.tables()
    own = manage_token(house.rt, nobody(house.reader("ada@uni.example")), house.clock.at)
    for address in ("/u/test", f"/manage/{own}", "/d/preview", "/tune/preview/arxiv/2611.00001"):
        page = house.client.get(address)
        assert page.status_code == 200, address
        assert "This was a test mail." in page.text
    answer = house.client.post("/u/test", data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert "location" not in answer.headers
    assert house.tables() == before
