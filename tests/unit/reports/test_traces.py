"""Traces of ours are found wherever servers leave them, and in our own mails as we write them."""

import pytest
from support.hostile_mails import report

from service.delivery.links import Links
from service.delivery.site import Site
from service.reports.mail import Mail, Part, open_mail
from service.reports.model import Traces
from service.reports.traces import MOST, find_traces

ID = "0123456789abcdef0123"
TOKEN = "AbCdEfGhIjKlMnOpQrSt-_"
MESSAGE = "abcdefghijklmnopqrstuvwxyz234567@papers.example.org"


@pytest.mark.parametrize(
    "field",
    [
        f"To: bounces+{ID}@example.org",
        f"Delivered-To: bounces+{ID.upper()}@EXAMPLE.org",
        f"X-Original-To: <bounces+{ID}@example.org>",
        f"Envelope-To: other+{ID}@former.example.org",
        f"Received: from a by b for <bounces+{ID}@example.org>; now",
        f"To: SRS0=xy12=Q3=example.org=bounces+{ID}@forward.example.net",
        f"To: prvs=1234567890=bounces+{ID}@example.org",
        f"To: x@example.org\nContent-Type: text/plain\n\nReturn-Path: <bounces+{ID}@example.org>",
    ],
)
def test_bounce_ids(field: str) -> None:
    assert find_traces(open_mail(f"{field}\n\n".encode())).bounce_ids == (ID,)


def test_whom_it_was_handed_over_for_comes_first() -> None:
    mail = open_mail(f"To: bounces+{ID}@example.org\n\n".encode())
    other = ID[::-1]
    found = find_traces(mail, [f"bounces+{other}@example.org"])
    assert found.bounce_ids == (other, ID)


def test_the_returned_mail_tells_all_three() -> None:
    by_mail = Site(base_url="https://a.example.org", sender="a@b.org", inbox="i@b.org")
    links = Links("https://a.example.org")
    returned = (
        f"Return-Path: <bounces+{ID}@example.org>\nMessage-ID: <{MESSAGE}>\nList-Unsubscribe: "
        f"<{links.unsubscribe(TOKEN)}>, <{by_mail.leave_mail(TOKEN[::-1])}>\n"
    )
    mail = open_mail(report(f"Content-Type: text/rfc822-headers\n\n{returned}".encode()))
    assert find_traces(mail) == Traces(
        bounce_ids=("0123456789abcdef0123",),
        message_ids=(MESSAGE,),
        leave_tokens=(TOKEN, TOKEN[::-1]),
    )


@pytest.mark.parametrize(
    "text",
    [
        f"In-Reply-To: <{MESSAGE}>",
        f"References: <other@example.net> <{MESSAGE}>",
        f"Content-Type: text/plain\n\n> Message-ID: <{MESSAGE}>",
        "Content-Type: multipart/report; boundary=b\n\n--b\n"
        f"Content-Type: message/disposition-notification\n\nOriginal-Message-ID: <{MESSAGE}>\n",
    ],
)
def test_message_ids_of_what_is_answered(text: str) -> None:
    assert MESSAGE in find_traces(open_mail(f"{text}\n\n".encode())).message_ids


def test_the_mails_own_message_id_is_none_of_ours() -> None:
    assert find_traces(open_mail(f"Message-ID: <{MESSAGE}>\n\n".encode())) == Traces()


@pytest.mark.parametrize("subject", [f"unsubscribe {TOKEN}", f"Unsubscribe  {TOKEN} "])
def test_the_token_that_our_mailto_writes(subject: str) -> None:
    mail = open_mail(f"Subject: {subject}\n\nhttps://a.org/u/{TOKEN[::-1]}".encode())
    assert find_traces(mail).leave_tokens == (TOKEN, TOKEN[::-1])


def test_no_more_than_some_of_each() -> None:
    texts = "\n".join(f"x+{n:020x}@e.org /u/{n:022d} \nMessage-ID: <{n}@e.org>" for n in range(99))
    found = find_traces(open_mail(f"Subject: x\n\n{texts}".encode()))
    assert {len(found.bounce_ids), len(found.message_ids), len(found.leave_tokens)} == {MOST}


def test_fields_that_a_provider_hands_over_need_no_mail_around_them() -> None:
    returned = Part("message/rfc822", (("message-id", f"<{MESSAGE}>"),), returned=True)
    assert find_traces(Mail((), (returned,))).message_ids == (MESSAGE,)
