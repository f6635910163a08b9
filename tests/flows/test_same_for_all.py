"""Asking for mail or for a link: nothing tells whether an address is a reader."""

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa
from support.house import add

from service.flows.interests import add_interest, read_form
from service.flows.leave import unsubscribe
from service.flows.own_link import ask_link
from service.flows.send import send_ready
from service.flows.subscribe import Wish, request
from service.store.consent import add_suppression, email_hash
from service.store.subscribers import get_subscriber_row, list_profile_rows
from service.store.tables import ConsentRow, DeliveryRow, ProfileRow, SubscriberRow
from service.subscribers.address import read_address

NETWORK = "203.0.113.0"
ADDRESSES = ("new@example.org", "ada@example.org", "never@example.org", "left@example.org")


@pytest.fixture
def rt(rt):
    add(rt, "ada@example.org", "adapters")
    add(rt, "left@example.org", "adapters")
    gone = rt.db.read(lambda s: get_subscriber_row(s, email_key="left@example.org"))
    unsubscribe(rt, gone.unsubscribe_token)
    hashed = email_hash(rt.instance.key, "never@example.org")
    rt.db.write(lambda s: add_suppression(s, hashed, "never", rt.clock()))
    return rt


def ask(rt, email, typed="robots"):
    wish = Wish(
        address=read_address(email), wanted=(read_form(typed),), hour=9, zone="UTC", locale="en"
    )
    return request(rt, wish, network=NETWORK)


@contextmanager
def written(rt):
    """Statements of the writer, by their verb and table."""
    seen: Counter[str] = Counter()

    def note(conn, cursor, statement, parameters, context, executemany):
        words = statement.split()
        if words[0] in ("INSERT", "SAVEPOINT"):
            seen[" ".join(words[:3]) if words[0] == "INSERT" else words[0]] += 1

    sa.event.listen(rt.db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(rt.db.engine, "before_cursor_execute", note)


def count(rt, model, *where):
    return rt.db.read(
        lambda s: s.execute(sa.select(sa.func.count()).select_from(model).where(*where)).scalar()
    )


@pytest.mark.parametrize("act", [ask, ask_link])
def test_every_address_makes_the_same_work(rt, act):
    seen = {}
    for email in (*ADDRESSES, "ada@example.org"):
        for _ in range(3):  # then the caps of an address are reached
            with written(rt) as one:
                act(rt, email)
            seen.setdefault(str(sorted(one.items())), []).append(email)
    assert len(seen) == 1, seen


@pytest.mark.slow
def test_every_address_asked_for_takes_a_place_of_its_network(rt):
    for email in (*ADDRESSES, *(f"r{n}@example.org" for n in range(26))):
        assert not ask(rt, email).delayed  # also for a reader, and for one who is barred
    late = ask(rt, "else@example.org")
    assert (late.delayed, late.hours) == (True, 1)
    assert ask(rt, "r0@example.org") == late  # what was asked for before is answered the same
    assert count(rt, ConsentRow, ConsentRow.act == "request") == 32


def test_every_asked_link_takes_a_place_of_its_network(rt):
    for n in range(30):
        assert not ask_link(rt, f"nobody{n}@example.org", network=NETWORK).delayed
    assert ask_link(rt, "ada@example.org", network=NETWORK).delayed
    assert count(rt, DeliveryRow) == 1


def test_what_is_not_kept_leaves_nothing(rt, server):
    before = count(rt, SubscriberRow)
    ask(rt, "never@example.org")
    ask_link(rt, "nobody@example.org", network=NETWORK)
    assert count(rt, SubscriberRow) == before
    assert count(rt, DeliveryRow) == 0
    ask(rt, "ada@example.org")
    assert count(rt, SubscriberRow) == before
    asyncio.run(send_ready(rt))
    assert [m.recipient for m in server.accepted] == ["ada@example.org"]


def test_a_dropped_request_changes_nothing_of_the_one_that_waits(rt):
    ask(rt, "new@example.org", "glaciers")
    row = rt.db.read(lambda s: get_subscriber_row(s, email_key="new@example.org"))
    rt.clock.go(hours=5)
    ask(rt, "new@example.org", "casinos")
    again = rt.db.read(lambda s: get_subscriber_row(s, email_key="new@example.org"))
    texts = [p.text for p in rt.db.read(lambda s: list_profile_rows(s, row.id))]
    assert again.confirm_until == row.confirm_until
    assert texts == ["glaciers"]
    rt.clock.go(days=1)
    ask(rt, "new@example.org", "robots")
    # each link begins what was asked for with it (test_asked_twice.py)
    assert [p.text for p in rt.db.read(lambda s: list_profile_rows(s, row.id))] == ["glaciers"]
    latest = rt.db.read(lambda s: get_subscriber_row(s, email_key="new@example.org"))
    assert latest.confirm_until == rt.clock() + timedelta(days=7)


@pytest.mark.parametrize("act", [ask, ask_link])
@pytest.mark.parametrize("email", ADDRESSES)
def test_numbers_tell_nothing_of_what_was_stored_between(rt, act, email):
    """Whoever signs up before and after somebody else sees how many numbers were used."""

    def own(name):
        asked = ask(rt, name).number
        row = rt.db.read(lambda s: get_subscriber_row(s, email_key=name))
        return asked, row.id, rt.db.read(lambda s: list_profile_rows(s, row.id))[0].id

    one, two = own("one@example.com"), own("two@example.com")
    act(rt, email)
    three = own("three@example.com")
    alone = tuple(b - a for a, b in zip(one, two, strict=True))
    extra = {ask: (2, 1, 1), ask_link: (2, 0, 0)}[act]
    between = tuple(b - a for a, b in zip(two, three, strict=True))
    assert between == tuple(a + e for a, e in zip(alone, extra, strict=True))


@pytest.mark.slow
def test_two_processes_mail_an_address_once(houses):
    """Both look before either has written."""
    with ThreadPoolExecutor(2) as threads:
        for n in range(12):
            list(threads.map(lambda rt, n=n: ask(rt, f"v{n}@example.org"), houses))
    assert count(houses[0], DeliveryRow) == 12


def test_a_reader_who_adds_an_interest_learns_no_number(rt):
    ids = []
    for email in ("new@example.org", "ada@example.org", "else@example.org"):
        ids.append(added(rt))
        ask(rt, email)
    ids.append(added(rt))
    assert [b - a for a, b in pairwise(ids)] == [2, 2, 2]


def added(rt):
    ada = rt.db.read(lambda s: get_subscriber_row(s, email_key="ada@example.org"))
    words = f"words{count(rt, ProfileRow)}"
    return rt.db.write(lambda s: add_interest(s, ada.id, read_form(words), rt.clock()).id)
