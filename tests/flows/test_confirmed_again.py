"""The staff sends a confirmation once more: to whom, what its link begins, and how often."""

import asyncio
import re

import pytest
from support.house import add

from service.flows.begin import confirm, read_confirm
from service.flows.interests import read_form
from service.flows.readers import ReaderError, add_reader, read_new
from service.flows.remind import confirm_again
from service.flows.send import send_ready
from service.flows.subscribe import Wish, request
from service.flows.suppress import suppress
from service.flows.tidy import forget_unconfirmed, tidy
from service.store.consent import list_consents
from service.store.subscribers import get_subscriber_row
from service.subscribers.address import read_address

ADA = "ada@example.org"


def send(rt):
    return asyncio.run(send_ready(rt)).accepted


def row(rt):
    return rt.db.read(lambda s: get_subscriber_row(s, email_key=ADA))


def ask(rt, words):
    wish = Wish(
        address=read_address(ADA), wanted=(read_form(words),), hour=9, zone="UTC", locale="en"
    )
    request(rt, wish, network="203.0.113.0")


def links(server):
    texts = [m.data.decode().replace("=\r\n", "").replace("=3D", "=") for m in server.accepted]
    return [re.search(r"/confirm/([\w.~=-]+)", text)[1] for text in texts]


def test_the_new_link_begins_what_was_asked_for_last_and_works_as_long_as_a_first(rt, server):
    ask(rt, "robots")
    send(rt)
    rt.clock.go(days=2)
    ask(rt, "adapters")
    send(rt)
    rt.clock.go(days=2)
    assert confirm_again(rt, ADA, by="Kim") == row(rt).id
    assert send(rt) == 1
    rt.clock.go(days=6)  # the first two have ended, and what they asked for is forgotten
    tidy(rt)
    forget_unconfirmed(rt)
    last = links(server)[-1]
    assert read_confirm(rt, last).interests == (("keywords", "adapters"),)
    assert confirm(rt, last, first_now=False) == "begun"
    acts = rt.db.read(lambda s: list_consents(s, row(rt).id))
    assert [a.detail for a in acts if a.act == "again"] == ['{"by": "Kim"}']


@pytest.mark.slow
def test_it_holds_to_the_caps_of_the_address(rt, server):
    add_reader(rt, read_new({"email": ADA, "keywords": "robots", "confirmed": "false"}), by="Kim")
    assert send(rt) == 1
    rt.clock.go(hours=23)
    with pytest.raises(ReaderError, match="1 a day and 3 in 30 days"):
        confirm_again(rt, ADA, by="Kim")
    for _ in range(2):
        rt.clock.go(hours=25)
        confirm_again(rt, ADA, by="Kim")
        assert send(rt) == 1
    rt.clock.go(days=2)
    with pytest.raises(ReaderError, match="3 in 30 days") as refused:
        confirm_again(rt, ADA, by="Kim")
    assert refused.value.next_step.startswith("Again from 2026-12-")
    ask(rt, "robots")
    assert send(rt) == 0, "the form counts what the staff had sent"


@pytest.mark.slow
def test_nobody_else_gets_one(rt, server):
    with pytest.raises(ReaderError, match="no such reader"):
        confirm_again(rt, ADA, by="Kim")
    add(rt, ADA, "robots")
    with pytest.raises(ReaderError, match="has confirmed"):
        confirm_again(rt, ADA, by="Kim")
    ben = "ben@example.org"
    add_reader(rt, read_new({"email": ben, "keywords": "robots", "confirmed": "false"}), by="Kim")
    send(rt)
    rt.clock.go(days=2)
    suppress(rt, read_address(ben), reason="complaint", by="Kim")
    with pytest.raises(ReaderError):
        confirm_again(rt, ben, by="Kim")
    assert send(rt) == 0
