"""A mail server that comes back: notices go when it answers, not when their next try is due."""

import asyncio
from pathlib import Path

import pytest
from support.house import Clock, open_house
from support.smtp_server import SmtpServer, reply

from service.flows.interests import read_form
from service.flows.relay import RelayWatch
from service.flows.send import send_ready
from service.flows.subscribe import Wish, request
from service.subscribers.address import read_address


def ask(rt):
    wish = Wish(
        address=read_address("ada@example.org"), wanted=(read_form("robots"),), hour=9,
        zone="UTC", locale="en",
    )  # fmt: skip
    request(rt, wish, network="203.0.113.0")


@pytest.mark.slow
def test_a_confirmation_goes_when_the_relay_answers_again(tmp_path: Path) -> None:
    with SmtpServer() as gone:
        port = gone.port
    clock = Clock()
    with open_house(tmp_path, smtp_port=port, clock=clock) as house:
        rt = house.runtime
        watch = RelayWatch(rt)
        assert watch.try_unheard() == 0, "nothing waits: nobody is greeted"
        ask(rt)
        for minutes in (0, 15, 40):
            clock.go(minutes=minutes)
            assert asyncio.run(send_ready(rt)).accepted == 0
        assert watch.try_unheard() == 0
        assert not watch.answers()
        with SmtpServer(port=port) as back:
            clock.go(minutes=1)
            assert asyncio.run(send_ready(rt)).accepted == 0, "its next try is an hour away"
            assert watch.try_unheard() == 1
            assert asyncio.run(send_ready(rt)).accepted == 1
            assert [mail.recipient for mail in back.accepted] == ["ada@example.org"]
            assert watch.try_unheard() == 0


def test_who_was_answered_waits_for_their_time(rt, server) -> None:
    server.on("RCPT", reply("451 4.2.1 greylisted"), times=1)
    ask(rt)
    asyncio.run(send_ready(rt))
    assert RelayWatch(rt).try_unheard() == 0
