"""An address that an imported list bars: nothing is mailed, also after another import, until its
owner asks by the form and presses Begin."""

import asyncio
import re

import pytest
from support.house import add

from service.flows.again import page_token, send_again
from service.flows.agreed import told
from service.flows.begin import confirm, never
from service.flows.interests import read_form
from service.flows.own_link import ask_link
from service.flows.readers import add_reader, import_readers, read_new
from service.flows.remind import confirm_again
from service.flows.send import send_ready
from service.flows.spreadsheet import ReaderError
from service.flows.subscribe import Wish, request
from service.flows.suppress import brought_by, import_suppressions
from service.store.consent import add_suppression, email_hash, get_suppression, list_consents
from service.store.subscribers import get_subscriber_row
from service.store.tables import SuppressionRow
from service.subscribers.address import read_address
from service.subscribers.tokens import TokenError

ADA = "ada@example.org"
LIST = f"{ADA}\n".encode()
READERS = f"email,keywords\n{ADA},robots\n".encode()


@pytest.fixture
def rt(rt):
    """Ada read, and a list ended it."""
    add(rt, ADA, "adapters")
    assert import_suppressions(rt, LIST).added == 1
    return rt


def bar(rt):
    hashed = email_hash(rt.instance.key, ADA)
    row = rt.db.read(lambda s: get_suppression(s, hashed))
    return row.reason if row is not None else ""


def ada(rt):
    return rt.db.read(lambda s: get_subscriber_row(s, email_key=ADA))


def ask(rt):
    wish = Wish(
        address=read_address(ADA), wanted=(read_form("robots"),), hour=9, zone="UTC", locale="en"
    )
    return request(rt, wish, network="203.0.113.0")


def send(rt):
    return asyncio.run(send_ready(rt)).accepted


def link(server, kind="confirm"):
    text = server.accepted[-1].data.decode().replace("=\r\n", "").replace("=3D", "=")
    return re.search(rf"/{kind}/([\w.~=-]+)", text)[1]


def test_its_owner_asks_and_begins(rt, server):
    ask(rt)
    assert (send(rt), bar(rt), ada(rt).state) == (1, "import", "left")
    assert confirm(rt, link(server), first_now=False) == "begun"
    assert (bar(rt), ada(rt).state) == ("", "active")
    acts = rt.db.read(lambda s: list_consents(s, ada(rt).id))
    begun = told(next(one for one in acts if one.act == "confirm"))
    assert begun["how"].endswith("which ended the suppression (import)")
    assert begun["line"].startswith("robots")
    assert "lifted" not in begun["agreed"]


def test_nobody_else_mails_it(rt):
    new = "neu@example.org"
    import_suppressions(rt, f"{new}\n".encode())
    assert import_suppressions(rt, LIST).unchanged == 1
    report = import_readers(rt, READERS + f"{new},robots\n".encode())
    assert (report.added, len(report.problems)) == (0, 2)
    assert all("themselves at http" in problem for _, _, problem in report.problems)
    with pytest.raises(ReaderError, match="suppressed by an imported list"):
        add_reader(rt, read_new({"email": new, "keywords": "robots"}))
    ask_link(rt, ADA, network="203.0.113.0")
    assert (send(rt), bar(rt)) == (0, "import")


@pytest.mark.slow
def test_only_the_confirmation_passes_until_begin(rt, server):
    page = page_token(rt, ask(rt).number)
    ask_link(rt, ADA, network="203.0.113.0")
    assert send(rt) == 1
    assert b"Confirm your subscription" in server.accepted[-1].data
    rt.clock.go(minutes=2)
    send_again(rt, page, ADA, network="203.0.113.0")
    assert send(rt) == 1, "the same mail once more, for its owner asks"
    for _ in range(4):
        ask(rt)
    assert send(rt) == 0, "one request a day"
    assert (bar(rt), ada(rt).state) == ("import", "left")


def test_a_new_address_too_and_a_list_that_comes_again_bars_again(rt, server):
    new = "neu@example.org"
    import_suppressions(rt, f"{new}\n".encode())
    wish = Wish(
        address=read_address(new), wanted=(read_form("robots"),), hour=9, zone="UTC", locale="en"
    )
    request(rt, wish, network="203.0.113.0")
    with pytest.raises(ReaderError, match="import"):
        confirm_again(rt, new, by="olga")
    assert send(rt) == 1
    confirm(rt, link(server), first_now=False)
    assert import_suppressions(rt, f"{new}\n".encode()).added == 1
    row = rt.db.read(lambda s: get_subscriber_row(s, email_key=new))
    assert row.state == "left"


@pytest.mark.parametrize("graver", ["never", "complaint", "hard", "admin"])
def test_a_graver_bar_takes_its_place_and_stops_everything(rt, server, graver):
    ask(rt)
    send(rt)
    token = link(server)
    if graver == "never":
        never(rt, link(server, "never"))
    else:
        hashed = email_hash(rt.instance.key, ADA)
        rt.db.write(lambda s: add_suppression(s, hashed, graver, rt.clock()))
    assert bar(rt) == graver
    with pytest.raises(TokenError):
        confirm(rt, token, first_now=False)
    ask(rt)
    assert send(rt) == 0
    import_suppressions(rt, LIST)
    assert bar(rt) == graver, "a list takes no graver one away"


@pytest.mark.parametrize(
    ("reason", "detail", "told"),
    [
        ("left", "", ("leaving, or being erased", "")),
        ("left", "mia", ("mia", "")),  # as it was kept before there were words
        ("left", "mia\nasked by phone", ("mia", "asked by phone")),
        ("hard", "550 5.1.1 nobody", ("a mail that came back", "550 5.1.1 nobody")),
    ],
)
def test_a_bar_says_who_brought_it(reason, detail, told):
    assert brought_by(SuppressionRow(email_hash="x", reason=reason, detail=detail)) == told
