"""Two sign-up requests for one address that was never confirmed: each link begins what was asked
for with it, and what its page shows."""

import asyncio
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa
from support.house import START

from service.flows.begin import confirm, read_confirm
from service.flows.interests import read_form
from service.flows.send import send_ready
from service.flows.subscribe import Wish, request
from service.flows.tidy import tidy
from service.store.subscribers import get_subscriber_row, list_profile_rows
from service.subscribers.address import read_address

ADA = "ada@example.org"
MINE = Wish(
    address=read_address(ADA), wanted=(read_form("robots"),), hour=9, zone="Asia/Tokyo", locale="de"
)
THEIRS = replace(MINE, wanted=(read_form("towels"),), hour=5, zone="UTC", locale="en")


def ada(rt):
    return rt.db.read(lambda s: get_subscriber_row(s, email_key=ADA))


def words(rt):
    return [p.text for p in rt.db.read(lambda s: list_profile_rows(s, ada(rt).id))]


def ask(rt, server, wish):
    """The token of the confirmation that follows; None when none does."""
    before = len(server.accepted)
    request(rt, wish, network="203.0.113.0")
    asyncio.run(send_ready(rt))
    if len(server.accepted) == before:
        return None
    text = server.accepted[-1].data.decode().replace("=\r\n", "").replace("=3D", "=")
    return re.search(r"/confirm/([\w.~=-]+)", text)[1]


def shown(rt, token):
    asked = read_confirm(rt, token)
    return asked.interests, asked.reader.hour, asked.reader.zone


@pytest.fixture
def links(rt, server):
    """The links of two requests, days apart: whoever sent the second."""
    first = ask(rt, server, MINE)
    rt.clock.go(days=2)
    return first, ask(rt, server, THEIRS)


def test_each_link_shows_and_begins_what_was_asked_with_it(rt, links):
    assert shown(rt, links[0]) == ((("keywords", "robots"),), 9, "Asia/Tokyo")
    assert shown(rt, links[1]) == ((("keywords", "towels"),), 5, "UTC")
    assert confirm(rt, links[0], first_now=False) == "begun"
    assert (words(rt), ada(rt).hour, ada(rt).locale) == (["robots"], 9, "de")
    assert ada(rt).next_digest_at > rt.clock()
    assert confirm(rt, links[1], first_now=False) == "already"
    assert words(rt) == ["robots"]


def test_the_second_begins_what_was_corrected(rt, links):
    assert confirm(rt, links[1], first_now=False) == "begun"
    assert (words(rt), ada(rt).hour, ada(rt).zone) == (["towels"], 5, "UTC")
    assert confirm(rt, links[0], first_now=False) == "already"


def test_a_request_that_is_dropped_changes_nothing(rt, server):
    token = ask(rt, server, MINE)
    assert ask(rt, server, THEIRS) is None  # the second of a day
    assert shown(rt, token)[0] == (("keywords", "robots"),)
    confirm(rt, token, first_now=False)
    assert words(rt) == ["robots"]


def test_what_was_typed_and_not_begun_is_forgotten(rt, links):
    confirm(rt, links[0], first_now=False)
    assert "towels" not in typed(rt)


def test_what_was_never_begun_is_forgotten(rt, links):
    rt.clock.go(days=8)
    tidy(rt)
    assert ada(rt) is None
    assert not {"robots", "towels"} & set(re.findall(r"\w+", typed(rt)))


def typed(rt):
    """Every record of consent, as text."""
    with rt.db.engine.connect() as connection:
        return repr(connection.execute(sa.text("SELECT * FROM consent")).all())


def test_a_link_from_before_this_rule_begins_what_the_row_says(rt, server, monkeypatch):
    monkeypatch.setattr("service.flows.rejoin.stamp_for", lambda row, _: f"f{row.feed_token[:6]}")
    token = ask(rt, server, MINE)
    assert shown(rt, token)[0] == (("keywords", "robots"),)
    assert confirm(rt, token, first_now=False) == "begun"
    assert (words(rt), ada(rt).created_at) == (["robots"], START)


def test_two_devices_at_once_begin_one_subscription(rt, server):
    token = ask(rt, server, MINE)
    together = threading.Barrier(4)

    def press(_: int) -> str:
        together.wait()
        return confirm(rt, token, first_now=False)

    with ThreadPoolExecutor(4) as devices:
        done = sorted(devices.map(press, range(4)))
    assert done == ["already", "already", "already", "begun"]
    with rt.db.engine.connect() as connection:
        acts = connection.execute(sa.text("SELECT act FROM consent")).scalars().all()
    assert acts.count("confirm") == 1
    assert words(rt) == ["robots"]
