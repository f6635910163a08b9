"""The table of answers: every row has a source and is reached; whom nobody named is not blamed."""

import json
import re
from email import message_from_bytes
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.captures import shared_data

from service.delivery.answers import ABOUT, ROWS, Meaning, meaning_of, row_of
from service.delivery.outcome import Phase, Reply

SAID: list[tuple[Phase, str, str]] = [
    # our own set-up
    ("mail", "530 5.7.0 sign in first", "relay"),
    ("rcpt", "530 5.7.57 Client was not authenticated to send mail", "relay"),
    ("mail", "454 4.7.0 TLS not available", "relay"),
    ("mail", "550 5.4.5 Daily user sending limit exceeded", "relay"),
    ("reply", "454 Throttling failure: Daily message quota exceeded.", "relay"),
    ("connect", "554 5.7.1 nothing is taken from here", "relay"),
    ("mail", "550 5.7.8 credentials invalid", "relay"),
    ("rcpt", "554 5.7.1 <ada@example.org>: Relay access denied", "relay"),
    ("rcpt", "550 5.7.54 Unable to relay recipient in non-accepted domain", "relay"),
    ("reply", "554 5.2.252 SendAsDenied; not allowed to send as", "relay"),
    # not now
    ("mail", "421 4.3.2 Service shutting down", "temporary"),
    ("rcpt", "421 4.4.5 Server busy, try again later", "temporary"),
    ("rcpt", "421 mx.example.org shutting down", "temporary"),
    ("rcpt", "450 4.2.1 this user is receiving mail too quickly", "temporary"),
    ("rcpt", "451 4.7.1 Greylisting in action, come back", "temporary"),
    ("rcpt", "452 4.3.1 Insufficient system storage", "temporary"),
    ("reply", "451 4.3.0 later", "temporary"),
    # slower
    ("rcpt", "421 4.7.0 [TSS04] deferred after complaints", "rate"),
    ("reply", "421 4.7.28 unusual rate", "rate"),
    ("reply", "450 4.7.28 unusual rate", "rate"),
    ("reply", "451 4.7.650 limited for the reputation of this address", "rate"),
    ("rcpt", "450 too many connections from your host", "rate"),
    # full
    ("rcpt", "452 4.2.2 over quota", "full"),
    ("rcpt", "450 mailbox full", "full"),
    ("reply", "552 5.2.2 mailbox full", "full"),
    ("rcpt", "552 5.1.1 <ada@example.org> mailbox is full", "full"),
    ("rcpt", "550 5.0.0 quota exceeded for this mailbox", "full"),
    ("rcpt", "550 user is over quota", "full"),
    # because of us
    ("rcpt", "450 4.7.1 Client host rejected: cannot find your hostname", "policy"),
    ("reply", "421 4.7.26 unauthenticated", "rate"),
    ("reply", "451 4.7.26 unauthenticated", "policy"),
    ("reply", "550 5.7.26 Authentication required: SPF and DKIM did not pass", "policy"),
    ("rcpt", "550 5.7.1 not authorized to send email directly to our servers", "policy"),
    ("rcpt", "553 5.1.8 <a@b.org>: Sender address rejected: Domain not found", "policy"),
    ("mail", "550 5.1.0 rejected", "policy"),
    ("rcpt", "550 5.1.0 <a@b.org> sender rejected", "policy"),
    ("rcpt", "550 5.1.1 recipient refused: blocked, see spamhaus.org", "policy"),
    ("rcpt", "550 5.5.0 blocked by our list", "policy"),
    ("rcpt", "550 5.3.2 policy of this site", "policy"),
    ("rcpt", "550 blocked by DNSBL, user unknown", "policy"),
    ("rcpt", "550 bad return path", "policy"),
    ("mail", "550 not today", "policy"),
    # the mailbox
    ("rcpt", "550 5.1.1 <spam@example.org>: Recipient address rejected: User unknown", "person"),
    ("rcpt", "550 5.2.1 disabled", "person"),
    ("rcpt", "550 5.7.17 mailbox owner has changed", "person"),
    ("rcpt", "550 5.4.1 Recipient address rejected: Access denied. [x]", "person"),
    ("rcpt", "550 5.5.0 Requested action not taken: mailbox unavailable", "person"),
    ("rcpt", "550 5.0.0 user unknown", "person"),
    ("rcpt", "551 not our user", "person"),
    # the mail
    ("mail", "552 5.3.4 too big", "content"),
    ("reply", "554 5.6.0 bad MIME", "content"),
    ("reply", "552 too much", "content"),
    ("reply", "554 message too large for us", "content"),
    ("reply", "554 virus found", "content"),
    ("rcpt", "503 bad sequence of commands", "content"),
    # nobody knows
    ("rcpt", "550 5.2.1 is receiving mail at a rate that prevents more", "other"),
    ("rcpt", "550 5.1.1 Refused due to recipient preferences", "other"),
    ("rcpt", "550 5.4.6 routing loop", "other"),
    ("rcpt", "550 no", "other"),
    ("reply", "550 user unknown", "other"),
]


def said(phase: Phase, text: str) -> tuple[Phase, Reply]:
    code, _, words = text.partition(" ")
    return phase, Reply(int(code), "", words)


@pytest.mark.parametrize(("phase", "text", "meaning"), SAID)
def test_what_servers_say(phase: Phase, text: str, meaning: str) -> None:
    assert row_of(*said(phase, text)).meaning == meaning


def test_every_row_has_a_source_and_is_reached() -> None:
    reached = {id(row_of(*said(phase, text))) for phase, text, _ in SAID}
    assert [row.source for row in ROWS if id(row) not in reached] == []
    assert all(len(row.source) > 10 for row in ROWS)


def test_every_meaning_has_its_words() -> None:
    assert set(ABOUT) == set(Meaning)
    assert len({about.says for about in ABOUT.values()}) == len(ABOUT)


def test_no_answer_is_silence() -> None:
    assert meaning_of("connect", Reply(0, "", "connection refused")) is Meaning.SILENT


PHASES = st.sampled_from(["connect", "mail", "rcpt", "data", "body", "reply"])
SAYING = (
    "user unknown mailbox full spam blocked quota sender rejected size 5.1.1 4.2.2 5.7.1 relay "
    "denied recipient does not exist <a@b.org> too many"
)
WORDS = st.lists(st.sampled_from(SAYING.split()), max_size=8).map(" ".join)


@given(PHASES, st.integers(400, 599), WORDS)
def test_laws(phase: Phase, code: int, words: str) -> None:
    meaning = meaning_of(phase, Reply(code, "", words))
    if meaning is Meaning.PERSON:  # only for good, and never before somebody was named
        assert code >= 500
        assert phase not in ("connect", "mail") or "5.1" not in words
        assert "spam" not in words
        assert "blocked" not in words
    if code < 500:
        assert meaning in ("temporary", "rate", "full", "policy", "relay")
    assert meaning not in (Meaning.SILENT, Meaning.REST, Meaning.LATE)


MAY_BE_BLAMED = {"userunknown", "hostunknown", "hasmoved", "suspend", "notaccept", "filtered"}
"""Reasons of the labelled corpus in which the mailbox or its domain is what is wrong."""


def test_the_labelled_bounces_blame_nobody_for_what_is_ours() -> None:
    """Diagnostic-Code fields of real bounces (Sisimai's reasons). One label is of another opinion:
    "Unknown user" there counts as rejected, since the sender of that mail was forged."""
    folder = shared_data() / "bounces"
    blamed, heard, hard = [], 0, 0
    for line in (folder / "expected.jsonl").read_text().splitlines():
        for label, text in _diagnostics(folder, json.loads(line)):
            heard += 1
            phase: Phase = "reply" if "end of DATA" in text else "rcpt"
            person = meaning_of(*said(phase, text)) is Meaning.PERSON
            hard += person and label["hard_bounce"]
            if person and label["reason"] not in MAY_BE_BLAMED:
                blamed.append((label["reason"], text[:40]))
    assert heard >= 40
    assert hard >= 9
    assert [reason for reason, text in blamed if "Unknown user" not in text] == []


def _diagnostics(folder: Path, one: dict[str, object]) -> list[tuple[dict[str, object], str]]:
    labels = one.get("expected", [])
    assert isinstance(labels, list)
    mail = message_from_bytes((folder / str(one["file"])).read_bytes())
    found = []
    for part in mail.walk():
        if part.get_content_type() == "message/delivery-status" and part.is_multipart():
            fields = [block.get("Diagnostic-Code") for block in part.get_payload()]
            found += [" ".join(str(field).split()) for field in fields if field]
    if len(found) != len(labels):
        return []
    texts = [re.search(r"(?<!\d)[45]\d\d[ -].*", text) for text in found]
    return [
        (label, text[0].replace("-", " ", 1) if text[0][3] == "-" else text[0])
        for label, text in zip(labels, texts, strict=True)
        if text
    ]
