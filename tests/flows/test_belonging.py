"""Which mail is the same mail, and whose address a report names: no database, no relay."""

import hashlib
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.flows import inbound
from service.flows.belonging import is_by_reader, is_for, row_of
from service.flows.inbound import clean, fingerprint
from service.reports.model import Kind, Report
from service.store.tables import DeliveryRow

PLAIN = b"Subject: a\n\nb\n"


def mail(rcpt: str | None) -> DeliveryRow:
    return DeliveryRow(rcpt=rcpt, domain=(rcpt or "").rpartition("@")[2])


@pytest.mark.parametrize(
    "carried",
    [
        PLAIN.replace(b"\n", b"\r\n"),
        PLAIN.replace(b"\n", b"\r"),
        b"Return-Path: <>\nDelivered-To: x\nReceived: by a\n (b)\n\tfor c\nX-Original-To: y\n"
        + PLAIN,
        b"RECEIVED : a\r\n\tb\r\n" + PLAIN,
        b"From MAILER-DAEMON Sun Nov 22 11:00:00 2026\n" + PLAIN + b"\n\n",
    ],
)
def test_how_a_mail_was_carried_makes_no_other_one(carried):
    assert fingerprint(carried) == fingerprint(PLAIN)


@pytest.mark.parametrize("other", [b"Subject: b\n\nb\n", b"Subject: a\n\nReceived: x\nb\n", b""])
def test_another_mail_is_another_one(other):
    assert fingerprint(other) != fingerprint(PLAIN)


@given(st.lists(st.sampled_from([b"\r", b"\n", b"a", b"From x", b"Received: y", b" "]), max_size=9))
def test_in_parts_it_is_the_hash_of_the_whole(pieces):
    data = b"".join(pieces)
    plain = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    carried = inbound._CARRIED.match(plain)
    whole = hashlib.sha256(plain[carried.end() :].rstrip(b"\n")).hexdigest()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inbound, "_PART", 3)
        assert fingerprint(data) == whole


@pytest.mark.slow
@pytest.mark.parametrize("piece", [b"a\r\n", b"\n", b"Received: a\n", b"\n\t", b"a"])
def test_a_large_mail_takes_little_memory(piece):
    data = piece * (20_000_000 // len(piece)) + b"end"
    tracemalloc.start()
    try:
        fingerprint(data)
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("named", "ours"),
    [
        ("", True), ("ADA@Lab.Example", True), ("<ada@lab.example>", True),
        ("a.lovelace@lab.example", True), ("ada@store.lab.example", True),
        ("ada@home.example", False), ("ada@notlab.example", False), ("ada", False),
    ],
)  # fmt: skip
def test_an_address_of_another_domain_is_not_the_readers(named, ours):
    assert is_for(mail("ada@lab.example"), named) is ours


def test_one_mail_of_several_is_found_by_its_address():
    mails = [mail(None), mail("ada@lab.example"), mail("bo@lab.example")]
    told = Report(kind=Kind.HARD, reason="x", recipient="BO@lab.example")
    assert row_of(told, mails) is mails[2]
    assert row_of(Report(kind=Kind.HARD, reason="x", recipient="eva@lab.example"), mails) is None
    assert row_of(Report(kind=Kind.HARD, reason="x"), mails) is None
    assert row_of(Report(kind=Kind.HARD, reason="x", recipient="z@z.example"), mails[1:2])
    assert row_of(told, []) is None


@pytest.mark.parametrize(
    ("sender", "is_reader"),
    [("Ada <ADA@lab.example>", True), ("bo@lab.example", False), ("", False), ("ada", False)],
)
def test_who_writes_is_the_reader_or_somebody_else(sender, is_reader):
    assert is_by_reader(sender, [mail("ada@lab.example")]) is is_reader
    assert not is_by_reader(sender, [mail(None)])


@given(st.text(st.characters(), max_size=50))
def test_any_text_is_made_storable(text):
    made = clean(text + "\0\ud800", 20)
    assert "\0" not in made
    assert len(made.encode()) <= 80
