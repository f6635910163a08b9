"""After the sign-up form: the mail once more, and a request for a wrong address taken back."""

import asyncio
import re

import pytest
import sqlalchemy as sa
from support.house import add
from support.smtp_server import reply

from service.flows.again import page_token, send_again, withdraw
from service.flows.begin import confirm, read_confirm, read_over
from service.flows.interests import read_form
from service.flows.leave import unsubscribe
from service.flows.send import send_ready
from service.flows.subscribe import Wish, request
from service.store.consent import add_suppression, email_hash
from service.store.instance import set_setting
from service.store.subscribers import get_subscriber_row, list_profile_rows
from service.subscribers.address import read_address
from service.subscribers.tokens import TokenError

ADA = "ada@example.org"


def ask(rt, email=ADA, words="robots"):
    """Ask as the form does; what its page holds."""
    wish = Wish(
        address=read_address(email), wanted=(read_form(words),), hour=9, zone="UTC", locale="en"
    )
    return page_token(rt, request(rt, wish, network="203.0.113.0").number)


def send(rt):
    return asyncio.run(send_ready(rt)).accepted


def again(rt, token, email=ADA):
    return send_again(rt, token, email, network="203.0.113.0")


def row(rt, email=ADA):
    return rt.db.read(lambda s: get_subscriber_row(s, email_key=email))


def links(server, to=ADA, kind="confirm"):
    """The tokens in the mails to an address."""
    texts = [m.data.decode().replace("=\r\n", "").replace("=3D", "=")
             for m in server.accepted if m.recipient == to]  # fmt: skip
    return [re.search(rf"/{kind}/([\w.~=-]+)", text)[1] for text in texts]


def test_one_copy_with_the_same_link_after_a_minute(rt, server):
    token = ask(rt)
    send(rt)
    rt.clock.go(seconds=18)
    assert again(rt, token).wait_s == 42
    assert send(rt) == 0
    rt.clock.go(seconds=42)
    assert again(rt, token).wait_s == 0
    assert send(rt) == 1
    first, second = links(server)
    assert first == second
    assert server.accepted[0].message_id != server.accepted[1].message_id
    for _ in range(3):
        assert again(rt, token).wait_s == 0, "pressed again it says the same"
    assert send(rt) == 0
    assert confirm(rt, second, first_now=False) == "begun"


@pytest.mark.slow
def test_copies_count_for_the_month_and_not_for_the_day(rt):
    first = ask(rt)
    send(rt)
    rt.clock.go(hours=23)
    again(rt, first)
    assert send(rt) == 1
    rt.clock.go(hours=2)  # a day after the first, two hours after its copy
    second = ask(rt)
    assert send(rt) == 1, "the day counts sign-ups"
    rt.clock.go(minutes=2)
    again(rt, second)
    assert send(rt) == 0, "three in 30 days"


@pytest.mark.slow
def test_no_second_copy_by_asking_twice(rt):
    tokens = [ask(rt)]
    send(rt)
    tokens.append(ask(rt))  # dropped: the second of a day
    rt.clock.go(minutes=2)
    again(rt, tokens[1])
    assert send(rt) == 1, "the page of the dropped one sends the mail of the day once more"
    again(rt, tokens[0])
    assert send(rt) == 0


@pytest.mark.slow
@pytest.mark.parametrize("reason", ["never", "complaint", "hard", "admin"])
def test_nothing_goes_where_nothing_may(rt, reason):
    token = ask(rt)
    send(rt)
    hashed = email_hash(rt.instance.key, ADA)
    rt.db.write(lambda s: add_suppression(s, hashed, reason, rt.clock()))
    other = ask(rt, ADA)
    rt.clock.go(minutes=2)
    for one in (token, other):
        assert again(rt, one).wait_s == 0
    assert send(rt) == 0


def test_a_reader_gets_the_note_once_more_and_nothing_after_beginning(rt, server):
    add(rt, "ben@example.org", "adapters")
    token = ask(rt, "ben@example.org")
    mine = ask(rt)
    assert send(rt) == 2
    confirm(rt, links(server)[0], first_now=False)
    rt.clock.go(minutes=2)
    again(rt, token, "ben@example.org")
    again(rt, mine)
    assert send(rt) == 1
    assert [b"already" in m.data for m in server.accepted if m.recipient[:3] == "ben"] == [True] * 2


@pytest.mark.slow
def test_a_mail_that_waits_still_is_not_doubled(rt, server):
    server.on("MAIL", reply("451 4.3.0 later"), times=1)
    token = ask(rt)
    assert send(rt) == 0
    rt.clock.go(minutes=2)
    again(rt, token)
    rt.clock.go(minutes=20)
    assert send(rt) == 1
    assert len(links(server)) == 1


@pytest.mark.slow
def test_the_token_is_for_its_page_and_its_address_alone(rt, server):
    token = ask(rt)
    ask(rt, "ben@example.org")
    send(rt)
    rt.clock.go(minutes=2)
    again(rt, token, "ben@example.org")
    again(rt, token, "no address")
    assert send(rt) == 0
    for bad in ("", token[:-2], links(server)[0]):
        with pytest.raises(TokenError):
            again(rt, bad)
    rt.clock.go(days=1)
    with pytest.raises(TokenError):
        again(rt, token)


def written(rt, act):
    """Statements of the writer, by verb and table, with their number."""
    seen = []

    def note(conn, cursor, statement, parameters, context, executemany):
        words = statement.split()
        if words[0] in ("INSERT", "SAVEPOINT"):
            seen.append(" ".join(words[:3]) if words[0] == "INSERT" else words[0])

    sa.event.listen(rt.db.engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        sa.event.remove(rt.db.engine, "before_cursor_execute", note)
    return sorted(seen)


@pytest.mark.slow
def test_the_same_is_done_for_every_address(rt):
    add(rt, "known@example.org", "adapters")
    add(rt, "left@example.org", "adapters")
    unsubscribe(rt, row(rt, "left@example.org").unsubscribe_token)
    hashed = email_hash(rt.instance.key, "never@example.org")
    rt.db.write(lambda s: add_suppression(s, hashed, "never", rt.clock()))
    emails = [f"{who}@example.org" for who in ("new", "known", "left", "never")]
    tokens = {email: ask(rt, email) for email in emails}
    send(rt)
    rt.clock.go(minutes=2)
    copies = {str(written(rt, lambda e=e: again(rt, tokens[e], e))) for e in emails}
    assert len(copies) == 1, copies
    assert "INSERT INTO delivery" in copies.pop()
    ends = {str(written(rt, lambda e=e: withdraw(rt, tokens[e], instead_of=ADA))) for e in emails}
    assert len(ends) == 1, ends


def test_a_request_for_a_wrong_address_is_taken_back(rt, server):
    token = ask(rt)
    send(rt)
    link = links(server)[0]
    withdraw(rt, token, instead_of="ada@example.net")
    assert row(rt) is None
    with pytest.raises(TokenError):
        read_confirm(rt, link)
    with pytest.raises(TokenError):
        confirm(rt, link, first_now=False)
    assert read_over(rt, link).why == "withdrawn"
    rt.clock.go(minutes=2)
    again(rt, token)
    assert send(rt) == 0
    with rt.db.engine.connect() as connection:
        for table in ("consent", "delivery", "subscriber", "profile"):
            kept = repr(connection.execute(sa.text(f"SELECT * FROM {table}")).all())
            assert ADA not in kept
            assert "robots" not in kept


@pytest.mark.slow
def test_its_mail_does_not_go_when_it_has_not_gone(rt):
    withdraw(rt, ask(rt), instead_of="ada@example.net")
    assert send(rt) == 0


def test_the_same_address_again_takes_nothing_back(rt, server):
    withdraw(rt, ask(rt), instead_of=" ADA@example.org ")
    assert send(rt) == 1
    assert confirm(rt, links(server)[0], first_now=False) == "begun"


@pytest.mark.slow
def test_who_else_had_asked_for_the_address_keeps_theirs(rt, server):
    mine = ask(rt, words="robots")
    send(rt)
    rt.clock.go(days=2)
    theirs = ask(rt, words="towels")
    send(rt)
    first, second = links(server)
    withdraw(rt, theirs, instead_of="ben@example.org")
    with pytest.raises(TokenError):
        read_confirm(rt, second)
    assert read_confirm(rt, first).interests == (("keywords", "robots"),)
    assert mine


@pytest.mark.slow
def test_the_first_request_taken_back_leaves_the_second(rt, server):
    rt.db.write(lambda s: set_setting(s, "confirmations_a_day", "2"))
    mine = ask(rt, words="robots")
    send(rt)
    rt.clock.go(hours=1)
    ask(rt, words="towels")
    send(rt)
    withdraw(rt, mine, instead_of="ben@example.org")
    first, second = links(server)
    with pytest.raises(TokenError):
        read_confirm(rt, first)
    assert read_confirm(rt, second).interests == (("keywords", "towels"),)
    words = [p.text for p in rt.db.read(lambda s: list_profile_rows(s, row(rt).id))]
    assert words == ["towels"], "the row says what can still be begun"


@pytest.mark.slow
@pytest.mark.parametrize("state", ["active", "left"])
def test_who_was_there_before_loses_nothing(rt, server, state):
    add(rt, ADA, "adapters")
    if state == "left":
        unsubscribe(rt, row(rt).unsubscribe_token)
    before = row(rt).model_dump()
    withdraw(rt, ask(rt), instead_of="ben@example.org")
    assert row(rt).model_dump() == before
    words = [p.text for p in rt.db.read(lambda s: list_profile_rows(s, row(rt).id))]
    assert words == ["adapters"]
    assert send(rt) == 0


@pytest.mark.slow
def test_after_beginning_nothing_is_taken_back(rt, server):
    token = ask(rt)
    send(rt)
    confirm(rt, links(server)[0], first_now=False)
    withdraw(rt, token, instead_of="ben@example.org")
    assert row(rt).state == "active"
    with rt.db.engine.connect() as connection:
        assert "withdrawn" not in repr(connection.execute(sa.text("SELECT * FROM consent")).all())
