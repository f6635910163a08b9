"""What we say of an address that no mail can be written to, and of a test, in the reader's
language: the mail server said neither."""

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa
from support.arrows import by_hand
from support.house import plan_one, rows
from support.pseudo import pseudo_texts, untranslated

from service.delivery.i18n import Texts
from service.delivery.message import MessageError, ascii_address
from service.errors import Sentence
from service.flows.became import what_became
from service.flows.mail_days import read_history
from service.flows.send import send_ready

ENGLISH = Texts("en")


def page(rt):
    """The newest day of the reader's page."""
    return read_history(rt, rows(rt)[0].subscriber_id).days[0]


def rewrite(rt, column, value):
    change = sa.text(f"UPDATE delivery SET {column} = :v")
    with by_hand():
        rt.db.write(lambda s: s.execute(change, {"v": value}))


def test_an_address_that_no_mail_can_be_written_to(rt, tmp_path):
    plan_one(rt, tmp_path)
    rewrite(rt, "rcpt", "jörg@example.org")
    assert asyncio.run(send_ready(rt)).failed == 1
    day = page(rt)
    assert what_became(day, ENGLISH) == (
        "The part before the @ of jörg@example.org has letters beyond ASCII. "
        "No mail can be sent to it: change your address."
    )
    assert untranslated([what_became(day, pseudo_texts())]) == []
    rewrite(rt, "code", 501)  # found by the conversation: said by us as well
    rewrite(rt, "reason", f"person: {day.fault}")
    assert what_became(page(rt), ENGLISH) == what_became(day, ENGLISH)
    assert "Your mail server" not in what_became(page(rt), ENGLISH)


def test_what_a_server_said_stays_its_own(rt, tmp_path):
    plan_one(rt, tmp_path)
    rewrite(rt, "state", "failed")
    rewrite(rt, "code", 501)
    rewrite(rt, "reason", "person: 5.1.3 bad syntax")
    assert "Your mail server did not take it: 501 5.1.3 bad syntax." in what_became(
        page(rt), ENGLISH
    )


@pytest.mark.parametrize("address", ["a b@example.org", "jörg@example.org", "ada@ü"])
def test_every_fault_of_an_address_can_be_translated(address):
    with pytest.raises(MessageError) as caught:
        ascii_address(address)
    said = [caught.value.what, caught.value.next_step]
    assert all(isinstance(one, Sentence) for one in said)
    assert untranslated([pseudo_texts().said(one) for one in said]) == []


@pytest.mark.slow
def test_a_test_is_no_mail_to_its_reader(rt, tmp_path):
    rt.test_recipient = "operator@example.net"
    plan_one(rt, tmp_path)
    assert asyncio.run(send_ready(rt)).accepted == 1
    said = what_became(page(rt), ENGLISH)
    assert said == "It went to the people who run this service, as a test."
    assert untranslated([what_became(page(rt), pseudo_texts())]) == []
    assert what_became(replace(page(rt), reason=""), ENGLISH) == "1 paper mailed."


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("en", "English"),
        ("de", "Deutsch"),
        ("fr", "Français"),
        ("ja", "日本語"),
        ("zh", "简体中文"),
    ],
)
def test_a_language_is_named_in_itself(language, name):
    assert Texts(language).own_name == name
