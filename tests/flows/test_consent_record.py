"""What is kept of a reader's consent: who, when, how, which wording, from where, and to what."""

import sqlalchemy as sa
from support.house import Clock

from service.flows.agreed import WORDING, told
from service.flows.begin import confirm
from service.flows.interests import read_form, read_people
from service.flows.leave import erase
from service.flows.readers import add_reader, read_new
from service.flows.subscribe import Wish, request
from service.store.consent import list_consents
from service.store.subscribers import get_subscriber_row
from service.subscribers.address import read_address

ADA = "ada@example.org"


def record(rt, email=ADA):
    row = rt.db.read(lambda s: get_subscriber_row(s, email_key=email))
    return [told(one) for one in rt.db.read(lambda s: list_consents(s, row.id))]


def begin(rt, server, clock: Clock):
    """Ask on one day from one network, begin on the next from another, at another hour."""
    import asyncio
    import re

    from service.flows.send import send_ready

    wish = Wish(
        address=read_address(ADA),
        wanted=(read_form("robots, -towels"), read_people("Ana Silva")),
        hour=9, zone="Asia/Tokyo", locale="de",
    )  # fmt: skip
    request(rt, wish, network="203.0.113.9", agent="Browser 1")
    asyncio.run(send_ready(rt))
    text = server.accepted[-1].data.decode().replace("=\r\n", "").replace("=3D", "=")
    clock.go(days=1)
    token = re.search(r"/confirm/([\w.~=-]+)", text)[1]
    confirm(rt, token, first_now=False, hour=7, network="198.51.100.7", agent="Browser 2")


def test_request_and_confirmation_are_told_with_what_was_agreed(rt, server):
    begin(rt, server, rt.clock)
    asked, mailed, began = record(rt)
    assert (asked["act"], asked["address"], asked["program"]) == (
        "request", "203.0.113.9", "Browser 1",
    )  # fmt: skip
    assert mailed["how"] == "a mail about the request"
    assert (began["act"], began["address"], began["program"], began["wording"]) == (
        "confirm", "198.51.100.7", "Browser 2", WORDING,
    )  # fmt: skip
    assert began["at"] > asked["at"]
    assert began["how"] == "confirmed with the button behind the mailed link"
    assert began["agreed"] == {
        "interests": [
            {"kind": "keywords", "text": "robots, -towels"},
            {"kind": "follow", "text": "Ana Silva"},
        ],
        "hour": 7, "zone": "Asia/Tokyo", "weekdays": "mon,tue,wed,thu,fri", "locale": "de",
    }  # fmt: skip
    assert began["line"] == ("robots, -towels; Ana Silva · mon,tue,wed,thu,fri 07:00 Asia/Tokyo")


def test_who_was_entered_by_the_staff_is_told_by_whom(rt):
    for confirmed, how in (("true", "entered by the staff"),
                           ("false", "entered by the staff, to be confirmed")):  # fmt: skip
        email = f"{confirmed}@example.org"
        cells = {"email": email, "keywords": "robots", "confirmed": confirmed, "hour": "6"}
        add_reader(rt, read_new(cells), by="carla")
        first = record(rt, email)[0]
        assert (first["how"], first["by"]) == (how, "carla")
        assert first["line"].startswith("robots · mon")


def test_words_go_with_the_reader_and_the_record_stays(rt, server):
    begin(rt, server, rt.clock)
    erase(rt, ADA)
    with rt.db.engine.connect() as connection:
        kept = connection.execute(sa.text("SELECT act, detail FROM consent")).all()
    assert {"request", "mailed", "confirm", "erase"} <= {row[0] for row in kept}
    assert not any("robots" in row[1] or "Tokyo" in row[1] for row in kept)
