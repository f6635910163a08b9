"""After the form and behind the link, without JavaScript: what is said, and what it does."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from support.house import Clock, open_house
from support.plain_forms import forms_of
from support.reader_site import make_site
from support.reading_house import Reading, path_in, reading_house, text_of
from support.smtp_server import SmtpServer

from service.flows.leave import erase
from service.flows.tidy import tidy

NOBODY = "Emmy Noether"
FORM = {"email": "ada@uni.example", "words": "adapters", "hour": "07", "zone": "Europe/Zurich"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path) as made:
        yield made


def words_of(html: str) -> str:
    """The text of a page."""
    html = re.sub(r"<(select|script|style).*?</\1>", " ", html, flags=re.DOTALL)
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", html).split()))


def hidden(html: str) -> dict[str, str]:
    """What the page after the form would send again."""
    return {
        n: unescape(v) for n, v in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', html)
    }


def link_of(house: Reading, to: str = "ada@uni.example") -> str:
    house.send()
    return house.path_to(to, "confirm")


def test_the_page_says_what_to_look_for_and_sends_once_more(house: Reading) -> None:
    page = house.client.post("/", data=FORM)
    words = words_of(page.text)
    for said in (
        "ada@uni.example",
        "papers@localhost",
        "Confirm your subscription to Paperpost",
        "With: adapters",
        "Weekdays at 07:00, Zurich",
        "Spam",
        "Wrong address? Change it",
    ):
        assert said in words
    house.send()
    house.clock.go(seconds=20)
    early = house.client.post("/asked/again", data=hidden(page.text))
    assert (early.status_code, early.headers["retry-after"]) == (429, "40")
    assert "Not yet: the mail can be sent once more in 40 seconds." in words_of(early.text)
    house.clock.go(seconds=40)
    done = house.client.post("/asked/again", data=hidden(early.text))
    assert "Sent once more." in words_of(done.text)
    assert "With: adapters" in words_of(done.text)
    assert "Send it once more" not in done.text
    assert house.send() == 1
    assert len(house.mails("ada@uni.example")) == 2


@pytest.mark.slow
def test_a_wrong_address_is_changed_with_everything_typed(house: Reading) -> None:
    typed = {**FORM, "people": "Ana Silva", "without": "survey", "email": "ada@uni.exampel"}
    page = house.client.post("/", data=typed)
    link = link_of(house, "ada@uni.exampel")
    form = house.client.post("/asked/change", data=hidden(page.text))
    assert form.status_code == 200
    for kept in ("adapters", "Ana Silva", "survey", 'value="07" selected', "ada@uni.exampel"):
        assert kept in form.text
    assert house.client.get(link).status_code == 200, "nothing ends before the form is sent"
    right = hidden(form.text) | {**typed, "email": "ada@uni.example"}
    right.pop("shown")
    done = house.client.post("/", data=right)
    assert "The request made before was taken back; its link has ended." in words_of(done.text)
    over = house.client.get(link)
    assert over.status_code == 410
    assert "This request was taken back." in words_of(over.text)
    assert house.client.post(link).status_code == 410
    assert "With: adapters, without: survey" in words_of(house.client.get(link_of(house)).text)
    assert [r.email for r in [house.reader("ada@uni.example")]] == ["ada@uni.example"]


@pytest.mark.slow
def test_nothing_is_taken_back_for_a_request_that_was_not_taken(
    house: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = house.client.post("/", data=FORM)
    link = link_of(house)
    monkeypatch.setattr("service.flows.caps._free_hour", lambda *_: None)
    again = {**FORM, "email": "bea@uni.example", "request": hidden(page.text)["request"]}
    full = house.client.post("/", data=again)
    assert (full.status_code, "Ask again tomorrow." in words_of(full.text)) == (429, True)
    assert house.client.get(link).status_code == 200


@pytest.mark.slow  # a second or more
def test_the_pages_are_alike_for_every_address(house: Reading) -> None:
    """Known, new, left, barred: the page after the form, the copy, and the changed address."""
    house.subscribe("known@uni.example", "robots")
    house.subscribe("gone@uni.example", "robots")
    house.client.post(f"/u/{house.reader('gone@uni.example').unsubscribe_token}")
    house.client.post("/", data={**FORM, "email": "never@uni.example"})
    house.send()
    house.client.post(path_in(house.mails("never@uni.example")[0], "never"))
    house.clock.go(days=2)
    shown: dict[str, set[str]] = {"asked": set(), "again": set(), "replaced": set()}
    for name in ("known", "gone", "never", "fresh"):
        email = f"{name}@uni.example"
        page = house.client.post("/", data={**FORM, "email": email})
        house.send()
        house.clock.go(minutes=2)
        again = house.client.post("/asked/again", data=hidden(page.text))
        other = {**FORM, "email": f"{name}@uni.test", "request": hidden(page.text)["request"]}
        replaced = house.client.post("/", data=other)
        for key, answer in (("asked", page), ("again", again), ("replaced", replaced)):
            same = re.sub(r'name="request" value="[^"]+"', "", answer.text).replace(name, "X")
            shown[key].add(f"{answer.status_code} {same}")
    assert {key: len(pages) for key, pages in shown.items()} == {
        "asked": 1,
        "again": 1,
        "replaced": 1,
    }
    assert house.reader("known@uni.example").state == "active"


@pytest.mark.slow
def test_a_page_of_yesterday_sends_nothing(house: Reading) -> None:
    page = house.client.post("/", data=FORM)
    house.send()
    house.clock.go(days=1)
    late = house.client.post("/asked/again", data=hidden(page.text))
    assert late.status_code == 410
    assert "This page is over." in words_of(late.text)
    assert house.send() == 0


@pytest.mark.slow  # a second or more
def test_hour_and_zone_are_changed_where_one_begins(house: Reading) -> None:
    house.client.post("/", data=FORM)
    link = link_of(house)
    page = house.client.get(link)
    words = words_of(page.text)
    assert re.search(
        r"had mail on 3 of the last 3 weekdays\. That is about 3 papers a day\.", words
    )
    assert "Weekdays at 07:00, Zurich (now 10:00 there)" in words
    assert "First regular mail: Thu 19 November at 07:00" in words
    (form,) = [f for f in forms_of(page.text) if f.method == "post"]
    assert len(re.findall(r"<button", page.text)) == 1
    assert form.fields["hour"] == "07"
    assert form.fields["zone"] == "Europe/Zurich"
    part = house.client.get(
        link, params={"hour": "22", "zone": "Asia/Tokyo"}, headers={"HX-Request": "true"}
    )
    assert "<form" not in part.text
    assert "Weekdays at 22:00, Tokyo (now 18:00 there). First regular mail: Wed 18" in words_of(
        part.text
    )
    for field, bad, said in (("hour", "25", "no full hour"), ("zone", "Mars/X", "no IANA")):
        wrong = house.client.post(link, data={**form.fields, field: bad})
        assert wrong.status_code == 422
        assert said in words_of(wrong.text)
        assert re.search(rf'id="{field}"[^>]*aria-describedby="{field}-fault"', wrong.text)
        assert house.reader("ada@uni.example").state == "pending"
    begun = house.client.post(link, data={**form.fields, "hour": "22", "zone": "Asia/Tokyo"})
    assert "Weekdays at 22:00, Tokyo: the next regular mail is due on" in words_of(begun.text)
    reader = house.reader("ada@uni.example")
    assert (reader.hour, reader.zone) == (22, "Asia/Tokyo")


@pytest.mark.slow
def test_what_happens_next_is_said(house: Reading) -> None:
    house.client.post("/", data={**FORM, "hour": "23", "people": "Ana Silva"})
    link = link_of(house)
    assert "By: Ana Silva" in words_of(house.client.get(link).text)
    begun = words_of(house.client.post(link, data={"asked": "1", "first": "1"}).text)
    assert "Your first papers are on their way: look for “Your first papers: …”" in begun
    assert "the next regular mail is due on Thu 19 November at 23:00" in begun, "it took the date"
    house.send()
    again = words_of(house.client.get(link).text)
    assert "You had begun already; nothing was changed." in again
    assert "Your first papers were handed to the mail server" in again


@pytest.mark.slow
def test_of_words_nothing_is_said_to_who_asked_for_none(house: Reading) -> None:
    house.client.post("/", data={**FORM, "words": ""})
    link = link_of(house)
    asked = words_of(house.client.get(link).text)
    assert "The day's most-voted papers" in asked
    assert "First regular mail: Thu 19 November at 07:00." in asked
    assert "your words" not in asked
    house.clock.go(days=6)  # nothing was listed in the last days
    begun = words_of(house.client.post(link, data={"asked": "1", "first": "1"}).text)
    assert "the next regular mail is due on Wed 25 November at 07:00." in begun
    assert "your words" not in begun
    house.client.post("/", data={**FORM, "email": "ben@uni.example", "words": "", "people": NOBODY})
    link = link_of(house, "ben@uni.example")
    asked = words_of(house.client.get(link).text)
    assert "By what you asked for you would have had mail on 0 of the last" in asked
    assert "when something new matches what you asked for." in asked
    begun = words_of(house.client.post(link, data={"asked": "1", "first": "1"}).text)
    assert "nothing of the last 7 days matches what you asked for." in begun
    assert "On days when nothing new matches what you asked for, none comes." in begun
    assert "words you would" not in begun


@pytest.mark.slow
def test_without_papers_no_first_mail_is_promised(house: Reading) -> None:
    house.client.post("/", data={**FORM, "words": "unicorns"})
    begun = words_of(house.client.post(link_of(house), data={"asked": "1", "first": "1"}).text)
    assert "No mail comes now: nothing of the last 7 days holds your words." in begun
    assert "mail on 0 of the last 3 weekdays" in begun


@pytest.mark.slow
def test_an_ended_link_is_renewed_by_one_press(house: Reading) -> None:
    house.client.post("/", data=FORM)
    link = link_of(house)
    assert "Begin" in house.client.post(f"{link}/again").text, "it works still: its own page"
    house.clock.go(days=8)
    ended = house.client.get(link)
    assert f'action="{link}/again"' in ended.text
    again = house.client.post(f"{link}/again")
    assert "Look in your mailbox" in again.text
    fresh = link_of(house)
    assert fresh != link
    assert "With: adapters" in words_of(house.client.get(fresh).text)
    house.client.post(fresh, data={"asked": "1"})
    assert house.reader("ada@uni.example").state == "active"
    late = house.client.get(link)
    assert (late.status_code, "You began on 26 November." in words_of(late.text)) == (200, True)
    assert "/manage/" not in late.text, "an ended link opens nothing"


@pytest.mark.slow
def test_an_ended_link_asks_for_nothing_where_sign_up_is_closed(house: Reading) -> None:
    house.client.post("/", data=FORM)
    link = link_of(house)
    house.clock.go(days=8)
    house.rt.signup = "closed"
    closed = house.client.post(f"{link}/again")
    assert (closed.status_code, "Sign-up is closed here." in closed.text) == (403, True)
    assert house.send() == 0


@pytest.mark.slow
def test_links_of_who_was_forgotten(house: Reading) -> None:
    house.client.post("/", data=FORM)
    link = link_of(house)
    house.clock.go(days=8)
    tidy(house.rt)
    gone = house.client.get(link)
    assert "This link ended on 25 November." in words_of(gone.text)
    assert "<form" not in gone.text
    assert "Sign up again" in gone.text
    assert house.client.post(f"{link}/again").status_code == 410
    house.client.post("/", data=FORM)
    link = link_of(house)
    erase(house.rt, "ada@uni.example")
    assert "This link is over." in words_of(house.client.post(link).text)
    assert house.client.post(link).status_code == 410


@pytest.mark.slow
def test_the_page_knows_at_once_that_the_relay_is_down(tmp_path: Path) -> None:
    with SmtpServer() as gone:
        port = gone.port
    with open_house(tmp_path, smtp_port=port, clock=Clock()) as opened:
        client = TestClient(make_site(opened.runtime), base_url="http://127.0.0.1:8000")
        pages = set()
        for who in ("ada", "ben"):
            page = client.post("/", data={**FORM, "email": f"{who}@uni.example"})
            words = words_of(page.text)
            said = "Saved. Our mail server does not answer; the mail follows when it does."
            assert said in words
            assert "until Thu 19 November at 10:00" in words, "in Zurich"
            assert "Send it once more" not in words
            pages.add(
                re.sub(r'name="request" value="[^"]+"', "", page.text).replace(f"{who}@", "X@")
            )
        assert len(pages) == 1


@pytest.mark.slow  # a second or more
def test_never_forgets_at_once_and_ends_a_subscription(house: Reading) -> None:
    house.client.post("/", data=FORM)
    house.send()
    mail = house.mails("ada@uni.example")[0]
    house.client.post(path_in(mail, "confirm"), data={"asked": "1"})
    house.client.post(path_in(mail, "never"))
    assert house.reader("ada@uni.example").state == "left"
    house.client.post("/", data={**FORM, "email": "ben@uni.example"})
    house.send()
    house.client.post(path_in(house.mails("ben@uni.example")[0], "never"))
    kept = repr({k: v for k, v in house.tables().items() if k != "suppression"})
    assert "ben@uni.example" not in kept
    assert "works until" in text_of(mail)
