"""A reader whose mail comes back: told on their own page, in their language, with the way back."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.came_back import WORDS, lay
from support.reading_house import Reading, reading_house

from service.flows.bounce_words import says
from service.flows.manage_link import manage_token
from service.reports.model import Kind
from service.reports.vocabulary import REASONS
from service.store import consent as consent_store
from service.store.db import Session
from service.store.subscribers import get_subscriber_row

pytestmark = pytest.mark.slow
ADA = "ada@uni.example"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Reading]:
    with reading_house(tmp_path, reader=(ADA, "adapters")) as made:
        yield made


def stop(house: Reading, *, bar: str = "", **report: object) -> str:
    """Ada's address bounces: barred for a reason, or resting for five days. Returns her page."""
    reader, rt = house.reader(ADA), house.rt
    said = "suppressed" if bar else "rests"
    lay(rt, {"subscriber_id": reader.id, "said": said, **report})

    def act(session: Session) -> None:
        row = get_subscriber_row(session, id=reader.id or 0)
        assert row is not None
        if bar:
            row.state = "bounced"
            hashed = consent_store.email_hash(rt.instance.key, row.email_key)
            consent_store.add_suppression(session, hashed, bar, rt.clock(), "tests")
        else:
            row.rests_until, row.rests = rt.clock() + timedelta(days=5), 1
        session.add(row)

    rt.db.write(act)
    return house.own_page(ADA)[0]


def press(house: Reading, path: str) -> Any:
    """As a browser sends a form without fields."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return house.client.post(f"{path}/bounces", headers=kind)


def test_who_gets_mail_is_told_nothing(house):
    page = house.client.get(house.own_page(ADA)[0]).text
    assert "bounces" not in page
    assert "Next mail" in page


def test_who_rests_is_told_why_and_until_when_and_comes_back_by_a_press(house):
    path = stop(
        house, kind="soft", reason="mailbox_full", words="452 4.2.2 <b>over quota</b>", status=""
    )
    page = house.client.get(path).text
    assert "Your address bounces" in page
    assert "Our mails to a" in page
    assert ", since 1" in page
    assert "The mailbox is full." in page
    assert "No mail is made for you until 2" in page
    assert "452 4.2.2 &lt;b&gt;over quota&lt;/b&gt;" in page
    assert "Next mail" not in page
    before = house.reader(ADA)
    assert house.client.get(f"{path}/bounces").headers["location"] == path  # a GET changes nothing
    assert house.reader(ADA).rests_until == before.rests_until
    answer = press(house, path)
    assert answer.status_code == 303
    assert house.reader(ADA).rests_until is None
    page = house.client.get(answer.headers["location"].partition("#")[0]).text
    assert "Your papers come again. Next mail" in page
    assert "Your address bounces" not in page


def test_who_rested_too_often_comes_back_by_a_press(house):
    path = stop(house, bar="soft", kind="soft", reason="disabled", words="")
    page = house.client.get(path).text
    assert "Nothing is sent there now." in page
    assert "The mailbox is switched off." in page
    assert "said:" not in page
    assert press(house, path).status_code == 303
    assert house.reader(ADA).state == "active"


def test_who_is_not_there_is_shown_to_the_staff_or_another_address(house):
    path = stop(house, bar="hard")
    page = house.client.get(path).text
    assert "There is no mailbox with this address." in page
    assert "550 5.1.1 &lt;a…@u….example&gt; User unknown" in page  # it may have been forwarded
    fresh = manage_token(house.rt, house.reader(ADA), house.clock(), fresh=True)
    own = house.client.get(f"/manage/{fresh}").text
    assert WORDS.replace("<", "&lt;").replace(">", "&gt;") in own
    assert "Change to another address" in own
    assert "Subscribe with another address" in page
    assert 'href="mailto:papers@example.org"' in page
    assert f'action="{path}/bounces"' not in page
    press(house, path)
    assert house.reader(ADA).state == "bounced"


def test_the_page_says_it_in_the_readers_language(house):
    path = stop(house, kind="soft", reason="mailbox_full")
    page = house.client.get(f"{path}?lang=de").text
    for words in (
        "Ihre Adresse nimmt keine Mails an",
        "Das Postfach ist voll.",
        "Ihr Mailserver sagte:",
        "Wieder an diese Adresse schicken",
    ):
        assert words in page


def test_every_reason_that_stops_mail_is_said_to_the_reader():
    stops = {name for name, (kind, _) in REASONS.items() if kind in (Kind.HARD, Kind.SOFT)}
    unsaid = {name for name in stops if says(name) is None}
    assert unsaid == {"unknown", "delayed"}  # nothing is known; nothing came back
