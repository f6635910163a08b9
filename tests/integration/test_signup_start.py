"""Sign-up before the address: words of a field, words to leave out, names and words in a link."""

import html as markup
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from support.reading_house import Reading, reading_house

from service.flows.interests import read_form
from service.matching.parse import parse_keywords
from service.web.starts import MOST, STARTS
from service.web.typed import Typed, whole_words

FORM = {"email": "ada@uni.example", "words": "adapters", "hour": "07", "zone": "Europe/Zurich"}
LIVE = {"HX-Request": "true"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path) as made:
        yield made


def value_of(page: str, name: str) -> str:
    """What stands in a text field of the page."""
    found = re.search(rf'<textarea id="{name}"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    assert found is not None
    return markup.unescape(found[1]).strip()


def test_fields_that_bring_something_here_are_offered_beside_what_was_typed(house: Reading) -> None:
    page = house.client.get("/").text
    offered = re.findall(r'form="sign-up"[^>]* name="add" value="([^"]+)"[^>]*>([^<]+)<', page)
    assert offered == [("robot, manipulation, vision-language-action, humanoid", "Robots")]
    form = {**FORM, "words": "adapters, Robot", "add": offered[0][0]}
    after = house.client.post("/estimate", data=form).text
    assert value_of(after, "words") == (
        "adapters, Robot, manipulation, vision-language-action, humanoid"
    )
    assert 'value="ada@uni.example"' in after
    assert "What you would have had" in after
    assert house.tables()["subscriber"] == []


def test_every_field_of_research_can_be_read_and_no_two_are_the_same() -> None:
    for start in STARTS:
        assert len(parse_keywords(start.words).terms) >= 3, start.name
        assert read_form(start.words).kind == "keywords", start.name
    assert len({str(start.name) for start in STARTS}) == len(STARTS) > MOST


@pytest.mark.parametrize(
    ("words", "without", "whole"),
    [
        ("LoRA, PEFT,", "survey", "LoRA, PEFT, -survey"),
        ("LoRA", "-survey\nchain of thought, survey", "LoRA, -survey, -chain of thought"),
        ("robot OR towel", "survey", "(robot OR towel) NOT (survey)"),
        ("ti:robot", 'survey; "folded linen"', '(ti:robot) NOT (survey OR "folded linen")'),
        ("LoRA", " , ;", "LoRA"),
    ],
)
def test_what_is_left_out_is_written_into_the_words(words: str, without: str, whole: str) -> None:
    made, faults = whole_words(Typed(words=words, without=without))
    assert faults == {}
    assert made.words == whole
    read_form(made.words)


@pytest.mark.slow  # many pages
def test_leaving_out_alone_and_what_cannot_be_read_is_said_at_its_field(house: Reading) -> None:
    for form, field, said in (
        ({"words": "", "without": "survey"}, "without", "This only says what to leave out."),
        ({"words": "(ro", "without": "survey"}, "words", "is never closed"),
        ({"words": "robots", "without": "a" * 1100}, "without", "1,024"),
    ):
        for path in ("/", "/estimate"):
            answer = house.client.post(path, data={**FORM, **form})
            assert answer.status_code == 422
            fault = re.search(rf'id="{field}-fault"[^>]*>([^<]*)', answer.text)
            assert fault is not None, (field, path)
            assert said in markup.unescape(fault[1])
            assert value_of(answer.text, "words") == form["words"], "nothing typed is lost"
            assert value_of(answer.text, "without") == form["without"]
            assert re.search(rf'id="{field}"[^>]* aria-invalid="true"', answer.text)
        live = house.client.post("/estimate", data=form, headers=LIVE).text
        assert live.count(f'id="{field}-fault"') == 1
        assert f'data-hx-swap-oob="innerHTML">{fault[1].strip()[:20]}' in live, "it is read out"


def test_what_was_left_out_is_what_is_subscribed_to(house: Reading) -> None:
    house.subscribe("ada@uni.example", "adapters, robots", without="towels")
    text = house.own_page("ada@uni.example")[1].text
    assert text == "adapters, robots, -towels"
    live = house.client.post(
        "/estimate", data={"words": "robots", "without": "towels"}, headers=LIVE
    ).text
    assert "without: towels" in live


def test_a_link_fills_words_and_names_and_tells_what_they_bring(house: Reading) -> None:
    page = house.client.get("/", params={"words": "ti:robots", "people": "Wei Zhang"}).text
    assert (value_of(page, "words"), value_of(page, "people")) == ("ti:robots", "Wei Zhang")
    assert '<p class="reading">' in page
    assert '<details class="more" open>' in page
    assert "Wei Zhang: " in page


def test_a_misspelt_address_is_asked_about_while_one_types_and_never_refused(
    house: Reading,
) -> None:
    to = {**LIVE, "HX-Target": "meant"}
    part = house.client.post("/estimate", data={"email": "ada@gmial.com"}, headers=to).text
    assert "Did you mean ada@gmail.com?" in part
    assert 'name="use_email" value="ada@gmail.com"' in part
    used = house.client.post("/estimate", data={**FORM, "use_email": "ada@gmail.com"}).text
    assert 'value="ada@gmail.com"' in used
    part = house.client.post("/estimate", data={"email": "ada.uni"}, headers=to).text
    assert 'id="email-fault"' in part
    assert "Like name@university.edu." in part
    assert house.client.post("/estimate", data={"email": ""}, headers=to).text.strip() == ""
    assert house.client.post("/", data={**FORM, "email": "ada@gmial.com"}).status_code == 200


@pytest.mark.parametrize("field", ["hour", "zone"])
def test_a_fault_of_the_schedule_is_tied_to_its_choice(house: Reading, field: str) -> None:
    page = house.client.post("/", data={**FORM, field: "Mars/Olympus"}).text
    assert re.search(rf'<select id="{field}"[^>]* aria-describedby="{field}-fault"', page)
    assert re.search(rf'<select id="{field}"[^>]* aria-invalid="true"', page)


def test_many_sources_are_named_by_three(house: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"arXiv cs.{letter}" for letter in "ABCDE"]
    monkeypatch.setattr("service.web.signup.browse.read_names", lambda _rt: names)
    page = house.client.get("/").text
    assert "arXiv cs.A, arXiv cs.B, arXiv cs.C and 2 more sources, and mail you" in page


@pytest.mark.slow  # many pages
def test_a_house_for_some_says_so_before_one_types(tmp_path: Path) -> None:
    with reading_house(tmp_path, signup="domains:uni.example,lab.example") as house:
        page = house.client.get("/").text
        assert "Here for addresses at uni.example, lab.example." in page
        to = {**LIVE, "HX-Target": "meant"}
        said = house.client.post("/estimate", data={"email": "ada@else.example"}, headers=to).text
        assert "Sign-up here is for addresses at uni.example, lab.example." in said


@pytest.mark.slow  # many pages
def test_a_closed_house_asks_for_no_address_and_still_shows_what_words_bring(
    tmp_path: Path,
) -> None:
    with reading_house(tmp_path, signup="closed") as house:
        page = house.client.post("/estimate", data={"words": "robots"}).text
        assert "Sign-up is closed here." in page
        assert 'name="email"' not in page
        assert "Subscribe" not in page
        assert "What you would have had" in page
        first = re.search(r"<button[^>]*>", page)
        assert first is not None
        assert 'formaction="/estimate"' in first[0], "what Enter presses"


@pytest.mark.slow  # many pages
def test_more_than_can_be_read_is_refused_in_words(house: Reading) -> None:
    for words, status, said in (
        ("é" * 40_000, 413, "The form is larger than 64 kB. Send less at once."),
        (", ".join(f"word{n}" for n in range(200)), 422, "1,024 are the most"),
        ("(" * 500, 422, "bracket"),
    ):
        answer = house.client.post("/estimate", data={"words": words})
        assert answer.status_code == status
        assert said in " ".join(re.sub("<[^>]+>", " ", answer.text).split())


def test_a_failure_of_ours_keeps_what_was_typed(
    house: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: object, **_named: object) -> None:
        raise RuntimeError("the disk is full")

    client = TestClient(house.client.app, house.rt.site.base_url, raise_server_exceptions=False)
    form = {**FORM, "words": 'LoRA, "low rank"\nPEFT', "homepage": ""}
    with monkeypatch.context() as broken:
        broken.setattr("service.web.signup.asked_page", fail)
        page = client.post("/", data=form)
    assert page.status_code == 500
    assert '<form action="/" method="post">' in page.text
    kept = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text)
    again = {name: markup.unescape(value) for name, value in kept}
    assert again == form
    assert client.post("/", data=again).status_code == 200
    assert house.reader("ada@uni.example").state == "pending"
    assert "Send it again" not in client.get("/nowhere").text
