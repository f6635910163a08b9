"""Wishes to leave, receipts and automatic answers are told from failures and from letters."""

from itertools import count
from pathlib import Path

import pytest
from support.captures import shared_data
from support.hostile_mails import bounce

from service.reports.kinds import is_automatic, kind_of, rest_of
from service.reports.mail import open_mail
from service.reports.model import Kind

TOKEN = "AbCdEfGhIjKlMnOpQrSt-_"
OWN = Path(__file__).resolve().parents[2] / "data" / "bounces"


def form_of(text: str) -> str:
    found = kind_of(open_mail(f"From: Reader <reader@example.net>\n{text}".encode()))
    if found is None:
        return ""
    assert found[0].recipient == "reader@example.net"
    assert found[0].kind is (Kind.OPTOUT if found[1].startswith("optout") else Kind.AUTO)
    return found[1]


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: Papers of today",
        "Auto: Papers of today",
        "Auto-Reply: Papers",
        "Out of Office: Papers",
        "Out of the office until Monday",
        "Re: Autoreply",
        "Automatische Antwort: Papers",
        "Abwesenheitsnotiz: Papers",
        "Réponse automatique : Papers",
        "Respuesta automática: Papers",
        "Resposta automática: Papers",
        "Risposta automatica: Papers",
        "Automatisch antwoord: Papers",
        "Autosvar: Papers",
        "Automaattinen vastaus: Papers",
        "Odpowiedź automatyczna: Papers",
        "Automatická odpověď: Papers",
        "Automatikus válasz: Papers",
        "Otomatik yanıt: Papers",
        "Автоматический ответ: Papers",
        "自動返信: Papers",
        "不在通知",
        "自动回复: Papers",
        "부재 중 응답",
        "자동 회신: Papers",
    ],
    ids=count(),
)
def test_subjects_of_people_who_are_away(subject: str) -> None:
    assert form_of(f"Subject: {subject}\n\nBack on Monday.") == "auto:vacation"


def test_an_automatic_answer_that_speaks_of_being_away() -> None:
    text = "Subject: Re: Papers\n\nIch bin im Urlaub."
    assert form_of(f"Auto-Submitted: auto-replied\n{text}") == "auto:vacation"
    assert form_of(text) == ""


@pytest.mark.parametrize(
    "subject",
    ["Papers of away teams", "Re: On absence of evidence", "Leave of absence", "Autocorrect"],
)
def test_a_letter_is_no_automatic_answer(subject: str) -> None:
    assert form_of(f"Subject: {subject}\n\nA question about a paper.") == ""


def test_an_automatic_answer_that_speaks_of_a_failure_is_left_to_the_forms_of_bounces() -> None:
    text = "Auto-Submitted: auto-replied\nSubject: Papers\n\nOut of office: mailbox full, 5.2.2"
    assert form_of(text) == ""


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("X-Boxbe-Verify: 1\nSubject: x\n\ny", "auto:challenge"),
        (
            "Subject: Please confirm your message\n\nPlease confirm that you sent it by a click.",
            "auto:challenge",
        ),
        ("Precedence: bulk\nSubject: [Ticket#2026112200001] Papers\n\nReceived.", "auto:ticket"),
        ("X-OTRS-TicketID: 7\nAuto-Submitted: auto-generated\nSubject: x\n\ny", "auto:ticket"),
        ("Auto-Submitted: auto-replied\nSubject: [HELP-42] Papers\n\nThanks.", "auto:ticket"),
        ("Subject: [Ticket#2026112200001] Papers\n\nI ask again.", ""),
    ],
)
def test_filters_that_ask_and_ticket_systems(text: str, form: str) -> None:
    assert form_of(text) == form


RECEIPT = (
    "From: Reader <reader@example.net>\nSubject: Read: Papers\nContent-Type: multipart/report; "
    "report-type=disposition-notification; boundary=b\n\n--b\n\nYour message was {word}.\n--b\n"
    "Content-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;r@example.net\n"
    "Disposition: manual-action/MDN-sent-manually; displayed\n--b--\n"
)


def test_a_receipt_is_no_failure_unless_its_words_say_so() -> None:
    found = kind_of(open_mail(RECEIPT.format(word="read").encode()))
    assert found is not None
    assert (found[0].kind, found[0].reason, found[1]) == (Kind.AUTO, "receipt", "receipt")
    assert found[0].recipient == "r@example.net"
    assert found[0].words == "manual-action/MDN-sent-manually; displayed"
    refused = open_mail(RECEIPT.format(word="rejected").encode())
    assert kind_of(refused) is None
    assert rest_of(refused) == found


@pytest.mark.parametrize(
    "text",
    [
        "Subject: Re: Papers of today\n\nunsubscribe",
        "Subject: Re: Papers of today\n\n  Unsubscribe!\n\n-- \nA Reader\n",
        "Subject: Re: Papers\n\nPlease remove me from your list.\n\nOn Monday, Papers wrote:\n> x",
        "Subject: Re: Papers\n\n> The papers of today\n> and more\n\nunsubscribe\n",
        "Subject: AW: Papers\n\nBitte abmelden.\n",
        "Subject: Re: Papers\nContent-Type: text/plain; charset=utf-8\n\nDésabonnez-moi\n",
        "Subject: unsubscribe\n\n",
        "Subject: unsubscribe\n\nSent from my telephone\n",
        "Subject: Re: x\nContent-Type: text/html\n\n<html><body><div>Unsubscribe</div><br>"
        "<blockquote>Papers</blockquote></body></html>",
    ],
)
def test_people_who_write_that_they_want_to_leave(text: str) -> None:
    assert form_of(text) == "optout:reply"


@pytest.mark.parametrize(
    "text",
    [
        "Subject: Re: Papers\n\nHow do I unsubscribe from one interest only?",
        "Subject: Re: Papers\n\nI will never unsubscribe\n",
        "Subject: Re: Papers\n\nThanks!\n\n> unsubscribe\n",
        "Subject: Fwd: unsubscribe link\n\nSee below.",
        "Precedence: bulk\nSubject: x\n\nunsubscribe",
        "Auto-Submitted: auto-replied\nSubject: x\n\nunsubscribe",
        "List-Id: <x.example.net>\nSubject: x\n\nunsubscribe",
    ],
)
def test_who_speaks_of_leaving_does_not_leave(text: str) -> None:
    assert not form_of(text).startswith("optout")


@pytest.mark.parametrize("marks", ["", "Auto-Submitted: auto-generated\n", "Precedence: bulk\n"])
def test_the_address_for_leaving_works_for_people_and_for_their_providers(marks: str) -> None:
    assert form_of(f"{marks}Subject: unsubscribe {TOKEN}\n\n") == "optout:token"


def test_a_report_about_a_wish_to_leave_is_none() -> None:
    data = bounce().replace(b"Undelivered Mail Returned to Sender", f"unsubscribe {TOKEN}".encode())
    assert kind_of(open_mail(data)) is None


@pytest.mark.parametrize(
    ("head", "automatic"),
    [
        ("Auto-Submitted: auto-replied", True),
        ("Auto-Submitted: auto-generated; owner-email=x", True),
        ("Auto-Submitted: no", False),
        ("Return-Path: <>", True),
        ("Return-Path: <reader@example.net>", False),
        ("Precedence: auto_reply", True),
        ("Precedence: first-class", False),
        ("List-Id: <a.example.net>", True),
        ("X-Auto-Response-Suppress: All", True),
        ("From: MAILER-DAEMON <>", True),
        ("From: Mail Delivery System <x@example.net>", True),
        ("From: noreply@example.net", True),
        ("From: no-reply+x@example.net", True),
        ("From: list-request@example.net", True),
        ("From: Norep Lyon <norep.lyon@example.net>", False),
        ("Content-Type: multipart/report; boundary=b", True),
    ],
)
def test_marks_of_machines(head: str, automatic: bool) -> None:
    assert is_automatic(open_mail(f"{head}\nSubject: x\n\ny".encode())) is automatic


def test_what_nobody_understood_is_an_automatic_answer_a_report_or_a_letter() -> None:
    found = rest_of(open_mail(b"Auto-Submitted: auto-replied\nFrom: a@b.org\n\nThank you."))
    assert found is not None
    assert (found[0].kind, found[0].reason, found[1]) == (
        Kind.AUTO,
        "auto_reply",
        "auto:auto_reply",
    )
    assert rest_of(open_mail(b"From: MAILER-DAEMON@b.org\n\nSomething happened.")) is None
    assert rest_of(open_mail(b"From: a@b.org\n\nA question.")) is None


UNMARKED = {"simple_20.txt", "groupwise_03.txt"}
"""A refusal in a form of its own, from a person's address; a letter with a mail attached."""


SURE = {
    "arf-26.eml": "optout:reply",
    "qmail_08.txt": "auto:vacation",
    "rfc3834-02.eml": "auto:vacation",
}
"""Captured mails that are surely no failure."""


def test_the_captured_corpora_are_automatic_and_no_bounce_is_taken_for_something_else() -> None:
    folder = shared_data() / "bounces"
    for file in [*folder.glob("flufl/*"), *folder.glob("sisimai/*")]:
        mail = open_mail(file.read_bytes())
        assert is_automatic(mail) is (file.name not in UNMARKED), file.name
        found = kind_of(mail)
        assert (found[1] if found else "") == SURE.get(file.name, ""), file.name


def test_no_mail_of_ours_that_is_a_bounce_is_taken_for_something_else() -> None:
    sure = {
        file.name: found[1]
        for file in sorted(OWN.glob("*.eml"))
        if (found := kind_of(open_mail(file.read_bytes())))
    }
    assert all(form.partition(":")[0] in ("auto", "receipt", "optout") for form in sure.values())
    assert not [name for name in sure if name.startswith(("postfix", "exim", "gmail", "qmail"))]
