"""A stranger types somebody's address: one mail at most, nothing typed in it, and an end to it."""

from pathlib import Path

import pytest
from support.plain_forms import forms_of
from support.reading_house import Reading, path_in, reading_house, text_of

from service.flows.tidy import tidy

VICTIM = "victim@uni.example"
FORM = {"email": VICTIM, "words": "buy at evil.example", "hour": "03", "people": "Mallory Evil"}


@pytest.mark.slow
def test_the_victim_gets_one_mail_and_can_end_it_for_ever(tmp_path: Path) -> None:
    with reading_house(tmp_path) as house:
        answers = {_shape(house.client.post("/", data=FORM).text) for _ in range(6)}
        assert len(answers) == 1
        assert house.send() == 1
        mail = house.mails(VICTIM)[0]
        assert "evil" not in mail.as_string().lower()
        assert "We will not write again" in text_of(mail)
        confirm, never = path_in(mail, "confirm"), path_in(mail, "never")
        for _ in range(5):  # scanners open both links
            house.client.get(confirm)
            house.client.get(never)
        assert house.reader(VICTIM).state == "pending"
        page = house.client.get(confirm).text
        assert "buy at evil.example" in page, "what was typed stands on the page alone"
        assert "Close this page: nothing begins without the button" in page
        house.client.post(never)
        house.clock.go(days=3)
        house.client.post("/", data=FORM)
        assert house.send() == 0
        assert not _trace(house)


@pytest.mark.slow
def test_whoever_does_nothing_is_forgotten_when_the_link_ends(tmp_path: Path) -> None:
    with reading_house(tmp_path) as house:
        house.client.post("/", data=FORM)
        house.send()
        confirm = path_in(house.mails(VICTIM)[0], "confirm")
        assert _trace(house)
        house.clock.go(days=8)
        tidy(house.rt)
        assert not _trace(house), "the address is erased"
        assert house.client.get(confirm).status_code == 410
        assert house.send() == 0, "and nobody writes again"


@pytest.mark.slow
def test_the_stranger_learns_nothing_and_the_reader_keeps_what_they_have(tmp_path: Path) -> None:
    with reading_house(tmp_path) as house:
        house.subscribe(VICTIM, "adapters")
        before = house.own_page(VICTIM)[1].text
        house.clock.go(days=2)
        of_a_reader = house.client.post("/", data=FORM)
        of_nobody = house.client.post("/", data={**FORM, "email": "nobody@uni.example"})
        assert of_a_reader.status_code == of_nobody.status_code
        assert _shape(of_a_reader.text) == _shape(of_nobody.text)
        house.clock.go(minutes=5)
        house.send()
        told = house.mails(VICTIM)[-1]
        assert told["Subject"] == "You already get papers from Paperpost"
        assert "evil" not in told.as_string().lower()
        assert house.own_page(VICTIM)[1].text == before
        assert path_in(told, "manage"), "the reader sees by it what is asked in their name"
        house.clock.go(minutes=5)
        house.client.post("/", data=FORM)
        assert house.send() == 0, "one a day"


def _shape(page: str) -> str:
    """A page without the address it names and without the tokens of its forms."""
    for form in forms_of(page):
        for value in (form.fields.get("request"), form.fields.get("shown")):
            page = page.replace(value, "token") if value else page
    return page.replace(VICTIM, "somebody").replace("nobody@uni.example", "somebody")


def _trace(house: Reading) -> bool:
    """Whether any row of any table holds the address or what was typed."""
    everything = repr(house.tables())
    return VICTIM in everything or "evil.example" in everything
