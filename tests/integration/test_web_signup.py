"""Sign-up without JavaScript: the form, the estimate, errors by field, confirmation, caps."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.reading_house import (
    WEDNESDAY,
    Reading,
    fill,
    path_in,
    reading_house,
    text_of,
)

FORM = {"email": "ada@uni.example", "words": "adapters", "hour": "07", "zone": "Europe/Zurich"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path) as made:
        yield made


def words_of(html: str) -> str:
    """The text of a page."""
    html = re.sub(r"<(select|script|style).*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_the_form_has_the_fields_that_others_script_against(house: Reading) -> None:
    html = house.client.get("/").text
    assert re.search(r'<input id="email" name="email" type="email"', html)
    assert re.search(r'<textarea id="words" name="words"', html)
    assert '<select id="hour" name="hour"' in html
    assert '<select id="zone" name="zone"' in html
    assert all("value=" in option for option in re.findall(r"<option[^>]*>", html))
    assert re.search(r'formaction="/estimate"', html)
    trap = re.search(r'class="trap".*?name="(\w+)"', html, re.DOTALL)
    assert trap is not None
    assert "email" not in trap[1]
    assert "word" not in trap[1]
    first = re.search(r"<button[^>]*>", html)
    assert first is not None
    assert "formaction" not in first[0], "Enter in a field would not subscribe"


def test_phones_leave_the_words_alone(house: Reading) -> None:
    field = re.search(r'<textarea id="words"[^>]*>', house.client.get("/").text)
    assert field is not None
    for attribute in ('autocapitalize="none"', 'autocorrect="off"', 'spellcheck="false"'):
        assert attribute in field[0]


def test_the_estimate_works_by_a_button_alone_and_stores_nothing(house: Reading) -> None:
    before = house.tables()
    page = house.client.post("/estimate", data={**FORM, "words": "adapters, robots, unicorns"})
    words = words_of(page.text)
    assert "Any of: adapters · robots · unicorns" in words
    assert "“unicorns” never occurred in 3 days." in words
    assert "What you would have had" in words
    assert "adapters 9" in words
    assert "<mark>Adapters</mark>" in page.text
    assert 'value="ada@uni.example"' in page.text, "the address typed is kept"
    assert house.tables() == before


def test_an_estimate_of_nothing_says_how_much_was_looked_at(house: Reading) -> None:
    words = words_of(house.client.post("/estimate", data={"words": "unicorns"}).text)
    assert "nothing in 3 days (18 papers)" in words


def test_nothing_names_the_term_that_is_to_blame(house: Reading) -> None:
    words = words_of(house.client.post("/estimate", data={"words": "robots AND unicorns"}).text)
    assert "nothing in 3 days (18 papers)" in words
    assert "“unicorns” never occurred in 3 days." in words
    words = words_of(house.client.post("/estimate", data={"words": "unicorns, emus"}).text)
    assert "never occurred" not in words, "that is what nothing says"


def test_another_reading_is_one_press_away(house: Reading) -> None:
    page = house.client.post("/estimate", data={"words": "small unicorn adapters"}).text
    offer = re.search(r'name="use" value="([^"]+)"', page)
    assert offer is not None
    again = house.client.post(
        "/estimate", data={"words": "small unicorn adapters", "use": offer[1]}
    )
    assert "a week" in words_of(again.text) or "a day" in words_of(again.text)


def test_the_live_reading_is_a_fragment(house: Reading) -> None:
    part = house.client.post("/estimate", data={"words": "robots"}, headers={"HX-Request": "true"})
    assert part.text.lstrip().startswith('<p class="reading"')
    assert 'id="told" data-hx-swap-oob="innerHTML">With: robots: about' in part.text
    assert "<html" not in part.text
    wrong = house.client.post("/estimate", data={"words": "(ro"}, headers={"HX-Request": "true"})
    assert "never closed" in wrong.text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("email", "ada.example", "This address has no @. Like name@university.edu."),
        ("email", "", "The address is missing."),
        ("words", "a AND (diffusion", "The bracket at character 7, before 'diffusion', is never"),
        ("words", "NOT survey", "This only says what to leave out. Add a word you want."),
        ("hour", "25", "no full hour"),
        ("zone", "Mars/Olympus", "no IANA time zone"),
    ],
)
def test_faults_stand_at_their_field_and_nothing_typed_is_lost(
    house: Reading, field: str, value: str, said: str
) -> None:
    answer = house.client.post("/", data={**FORM, field: value})
    assert answer.status_code == 422
    assert said in words_of(answer.text).replace("&#39;", "'")
    assert f'id="{field}-fault"' in answer.text
    assert value in answer.text.replace("&#39;", "'") or field in ("hour", "zone")
    kept = "adapters" if field != "words" else "ada@uni.example"
    assert kept in answer.text
    assert house.tables()["subscriber"] == []


def test_from_form_to_first_digest(house: Reading) -> None:
    answer = house.client.post("/", data=FORM)
    words = words_of(answer.text)
    assert "Look in your mailbox" in words
    assert "papers@localhost" in words
    assert "Confirm your subscription to Paperpost" in words
    assert house.send() == 1
    mail = house.mails("ada@uni.example")[0]
    assert mail["Subject"] == "Confirm your subscription to Paperpost"
    link = path_in(mail, "confirm")
    page = words_of(house.client.get(link).text)
    assert "With: adapters" in page
    assert "Weekdays at 07:00, Zurich" in page
    assert "now 10:00 there" in page
    assert house.reader("ada@uni.example").state == "pending"
    begun = house.client.post(link, data={"asked": "1", "first": "1"})
    assert re.search(r"had mail on \d+ of the last 3 weekdays", words_of(begun.text))
    assert house.reader("ada@uni.example").state == "active"
    assert house.send() == 1
    first = house.mails("ada@uni.example")[1]
    assert str(first["Subject"]).startswith("Your first papers:")
    assert "You had begun already" in words_of(house.client.post(link, data={"asked": "1"}).text)
    assert house.send() == 0


def test_without_the_tick_there_is_no_first_digest(house: Reading) -> None:
    house.client.post("/", data=FORM)
    house.send()
    link = path_in(house.mails("ada@uni.example")[0], "confirm")
    house.client.post(link, data={"asked": "1"})
    assert house.send() == 0


def test_every_address_gets_the_same_answer(house: Reading) -> None:
    house.subscribe("known@uni.example", "robots")
    pages = []
    for address in ("known@uni.example", "new@uni.example", "known@uni.example"):
        answer = house.client.post("/", data={**FORM, "email": address})
        same = re.sub(r'name="request" value="[^"]+"', "", answer.text).replace(address, "ADDRESS")
        pages.append((answer.status_code, same))
    assert pages[0] == pages[1] == pages[2]
    house.send()
    told = house.mails("known@uni.example")
    assert "You already get papers" not in str([m["Subject"] for m in told]), "one mail a day"
    house.clock.go(days=2)
    house.client.post("/", data={**FORM, "email": "known@uni.example"})
    house.send()
    assert str(house.mails("known@uni.example")[-1]["Subject"]).startswith("You already get papers")
    assert house.reader("known@uni.example").hour == 8, "a stranger changes nothing"


def test_a_slip_in_the_domain_is_asked_about_never_blocked(house: Reading) -> None:
    answer = house.client.post("/", data={**FORM, "email": "ada@gmial.com"})
    words = words_of(answer.text)
    assert "You wrote ada@gmial.com. Did you mean ada@gmail.com?" in words
    assert house.send() == 1
    assert len(house.mails("ada@gmial.com")) == 1


def test_programs_that_fill_everything_get_no_mail(house: Reading) -> None:
    answer = house.client.post("/", data={**FORM, "homepage": "http://example.org"})
    assert "Look in your mailbox" in answer.text
    assert house.send() == 0
    assert house.tables()["subscriber"] == []


@pytest.mark.slow
def test_a_form_sent_at_once_asks_for_one_more_press(house: Reading) -> None:
    shown = re.search(r'name="shown" value="([^"]+)"', house.client.get("/").text)
    assert shown is not None
    answer = house.client.post("/", data={**FORM, "shown": shown[1]})
    assert answer.status_code == 422
    assert "Press Subscribe once more." in answer.text
    assert f'value="{shown[1]}"' in answer.text, "the clock goes on from the first showing"


@pytest.mark.slow  # a second or more
def test_many_from_one_network_are_delayed_and_told_so(house: Reading) -> None:
    for number in range(30):
        first = house.client.post("/", data={**FORM, "email": f"r{number}@uni.example"})
        assert "within the hour" not in first.text
    late = house.client.post("/", data={**FORM, "email": "late@uni.example"})
    assert "Many requests from your network. Your mail follows within the hour." in late.text
    assert house.send() == 30
    house.clock.go(minutes=60)
    assert house.send() == 1


@pytest.mark.slow
def test_an_ended_link_says_when_and_offers_a_way_on(house: Reading) -> None:
    house.client.post("/", data=FORM)
    house.send()
    link = path_in(house.mails("ada@uni.example")[0], "confirm")
    house.clock.go(days=8)
    for answer in (house.client.get(link), house.client.post(link)):
        assert answer.status_code == 410
        assert "This link ended on 25 November." in words_of(answer.text)
        assert "Sign up again" in answer.text


def test_never_again_needs_no_subscription_and_holds(house: Reading) -> None:
    house.client.post("/", data=FORM)
    house.send()
    link = path_in(house.mails("ada@uni.example")[0], "never")
    assert len(re.findall(r"<form", house.client.get(link).text)) == 1
    assert house.client.post(link).status_code == 200
    house.clock.go(days=2)
    assert "Look in your mailbox" in house.client.post("/", data=FORM).text
    assert house.send() == 0


@pytest.mark.slow
def test_an_address_alone_subscribes_to_trending(house: Reading) -> None:
    house.subscribe("ben@uni.example")
    row = house.tables()["profile"]
    assert "trending" in row[0]


@pytest.mark.slow
def test_while_the_relay_is_down_the_row_waits_and_one_mail_arrives(tmp_path: Path) -> None:
    from support.house import Clock, open_house
    from support.reader_site import make_site
    from support.smtp_server import SmtpServer

    with SmtpServer() as gone:
        port = gone.port
    clock = Clock()
    with open_house(tmp_path, smtp_port=port, clock=clock) as house:
        from fastapi.testclient import TestClient

        client = TestClient(make_site(house.runtime), base_url="http://127.0.0.1:8000")
        client.post("/", data=FORM)
        here = Reading(house.runtime, clock, gone, client, tmp_path)
        assert here.send() == 0
        with SmtpServer(port=port) as back:
            clock.go(minutes=15)
            there = Reading(house.runtime, clock, back, client, tmp_path)
            assert there.send() == 1
            clock.go(hours=2)
            assert there.send() == 0
            assert len(there.mails("ada@uni.example")) == 1
            assert "open this page" in text_of(there.mails("ada@uni.example")[0])


def test_one_day_is_no_days(tmp_path: Path) -> None:
    with reading_house(tmp_path, papers=False) as house:
        fill(house.rt, house.folder, WEDNESDAY, 0)
        words = words_of(house.client.post("/estimate", data={"words": "adapters, emus"}).text)
        assert "“emus” never occurred in 1 day." in words
        assert "3 of 6 papers of 1 day. The best" in words
        nothing = words_of(house.client.post("/estimate", data={"words": "emus"}).text)
        assert "nothing in 1 day (6 papers)" in nothing
        people = words_of(house.client.post("/estimate", data={"people": "No Body"}).text)
        assert "No Body: on no paper in 1 day" in people


def test_words_that_stand_in_the_abstract_alone_are_shown_there(house: Reading) -> None:
    page = house.client.post("/estimate", data={"words": "use adapters"}).text
    assert '<p class="meta passage">They <mark>use adapters</mark> too.</p>' in page
    title = house.client.post("/estimate", data={"words": "fold towels"}).text
    assert "<mark>fold towels</mark>" in title
    assert "passage" not in title, "the title shows it"


def test_several_terms_that_never_occur_are_told_in_one_sentence(house: Reading) -> None:
    words = words_of(house.client.post("/estimate", data={"words": "adapters, emus, owls"}).text)
    assert "“emus” and “owls” never occurred in 3 days." in words


def test_a_minus_inside_a_keyword_is_told_and_what_was_meant_is_offered(house: Reading) -> None:
    page = house.client.post("/estimate", data={"words": "robots -towels"}).text
    assert "A minus inside a keyword is a hyphen; after a comma it leaves a word out." in page
    assert 'name="use" value="robots, -towels"' in page
    used = words_of(house.client.post("/estimate", data={"use": "robots, -towels"}).text)
    assert "With: robots, without: towels" in used
    for words in ("low-rank, -robots", "robots NOT towels", "state-of-the-art - a survey"):
        assert "A minus inside" not in house.client.post("/estimate", data={"words": words}).text


def test_a_word_offered_alone_brings_no_minus_along(house: Reading) -> None:
    page = house.client.post("/estimate", data={"words": "emus -towels"}).text
    assert ">Use towels, " in page
    assert 'value="towels"' in page


def test_of_a_pasted_text_only_the_beginning_is_read_back(house: Reading) -> None:
    pasted = "We study robots that fold. " * 10
    words = words_of(house.client.post("/estimate", data={"words": pasted}).text)
    read_back = words[words.index("With: We study") :]
    assert read_back.index("…") < 110
    assert "Find words in it" in words


def test_names_alone_have_the_focus_when_they_were_asked_for(house: Reading) -> None:
    page = house.client.post("/estimate", data={"people": "Ana Silva"}).text
    (focused,) = re.findall(r"<[^>]+autofocus[^>]*>", page)
    assert 'id="names"' in focused


@pytest.mark.parametrize("path", ["/estimate", "/asked/change", "/asked/again"])
def test_addresses_of_forms_opened_as_pages_lead_to_the_form(house: Reading, path: str) -> None:
    opened = house.client.get(path)
    assert (opened.status_code, opened.headers["location"]) == (303, "/")
