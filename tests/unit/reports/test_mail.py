"""Any bytes are opened as a mail, within bounds; oddities of real mails are read as meant."""

import base64

import pytest
from support.hostile_mails import bounce, nested_messages, nested_multiparts, report

from service.reports.mail import (
    DEPTH,
    FIELD,
    HEADS,
    LINES,
    PARTS,
    SIZE,
    TEXTS,
    Mail,
    address_of,
    decoded,
    every,
    fields_of,
    first,
    open_mail,
)


def told(mail: Mail) -> str:
    return "; ".join(mail.problems)


def test_a_report_is_head_and_parts() -> None:
    mail = open_mail(bounce())
    assert first(mail.headers, "subject") == "Undelivered Mail Returned to Sender"
    assert [(part.kind, part.returned) for part in mail.parts] == [
        ("text/plain", False),
        ("message/delivery-status", False),
        ("message/rfc822", True),
        ("text/plain", True),
    ]
    assert mail.parts[0].text == "The mail could not be delivered.\n"
    assert "Status: 5.1.1\n" in mail.parts[1].text
    assert "\n\nFinal-Recipient: rfc822; reader@example.net\n" in mail.parts[1].text
    assert first(mail.parts[2].headers, "message-id") == "<made@example.org>"
    assert mail.problems == ()


def test_fields_keep_their_order_and_are_found_by_name() -> None:
    mail = open_mail(b"Received: one\nX-A: a\n b\nRECEIVED: two\n\ntext")
    assert mail.headers == (("received", "one"), ("x-a", "a b"), ("received", "two"))
    assert every(mail.headers, "received") == ("one", "two")
    assert first(mail.headers, "x-b") == ""


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r", "\r\r\n"])
def test_line_ends_of_every_system(ends: str) -> None:
    mail = open_mail(bounce().replace(b"\r\n", ends.encode()))
    assert [part.kind for part in mail.parts][1] == "message/delivery-status"
    assert mail.parts[0].text.strip() == "The mail could not be delivered."
    assert first(fields_of(mail.parts[1].text.split("\n\n")[1]), "status") == "5.1.1"


def test_a_bare_carriage_return_begins_no_field() -> None:
    mail = open_mail(b"Subject: a\rBcc: x@example.org\r\n\r\ntext\r\n")
    assert mail.headers == (("subject", "a Bcc: x@example.org"),)


def test_what_a_database_refuses_is_gone() -> None:
    data = b"Subject: a\0b\n\nx\0y" + b"\nContent" * 2
    mail = open_mail(data)
    assert first(mail.headers, "subject") == "ab"
    assert mail.parts[0].text.startswith("xy")
    lone = open_mail(b"Content-Type: text/plain; charset=utf-7\n\na+2AA-b+AAA-c")
    assert lone.parts[0].text == "a?bc"


@pytest.mark.parametrize(
    ("charset", "data", "text"),
    [
        ("utf-8", "Abwesenheit für".encode(), "Abwesenheit für"),
        ("us-ascii", "Abwesenheit für".encode(), "Abwesenheit für"),
        ("us-ascii", "für".encode("latin-1"), "für"),
        ("iso-8859-1", "“für”".encode("cp1252"), "“für”"),
        ("gb2312", "自动回复镕".encode("gbk"), "自动回复镕"),
        ("iso-2022-jp", "不在通知".encode("iso-2022-jp"), "不在通知"),
        ("ks_c_5601-1987", "부재중".encode("euc-kr"), "부재중"),
        ("koi8-r", "автоответ".encode("koi8-r"), "автоответ"),
        ("no-such-charset", "für".encode(), "für"),
        ("punycode", b"aaaa-99999999", "aaaa-99999999"),
        ("idna", b"xn--a", "xn--a"),
        ("hex", b"6162", "6162"),
        ("utf-8", b"caf\xe9", "caf�"),
        ("", b"caf\xe9", "café"),
        ("'utf-8'", "für".encode(), "für"),
        ("x\0y", b"a", "a"),
    ],
)
def test_charsets_right_wrong_and_unknown(charset: str, data: bytes, text: str) -> None:
    assert decoded(data, charset) == text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("=?utf-8?q?R=C3=A9ponse_automatique?=", "Réponse automatique"),
        ("=?utf-8?b?4pyT?= =?utf-8?b?4pyT?= and", "✓✓ and"),
        ("=?gb2312?b?19S2r7vYuLQ=?=: x", "自动回复: x"),
        ("=?no-such?q?a=FC?=", "aü"),
        ("=?utf-8?b?4?=", "=?utf-8?b?4?="),
        ("=?punycode?q?aaaa-99999999?=", "aaaa-99999999"),
        ("für", "für"),
        ("für =?utf-8?q?dich?=", "für dich"),
    ],
)
def test_encoded_words(field: str, value: str) -> None:
    assert first(open_mail(f"Subject: {field}\n\n".encode()).headers, "subject") == value


def test_a_returned_mail_in_base64_is_opened_though_no_standard_allows_it() -> None:
    inner = base64.encodebytes(b"Message-ID: <made@example.org>\n\nText")
    mail = open_mail(
        report(
            b"\r\nx\r\n",
            b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + inner,
        )
    )
    assert [part.kind for part in mail.parts] == ["text/plain", "message/rfc822", "text/plain"]
    assert first(mail.parts[1].headers, "message-id") == "<made@example.org>"
    assert mail.parts[2].text == "Text"


def test_a_status_in_base64_is_decoded() -> None:
    status = b"Reporting-MTA: dns; a\n\nStatus: 5.1.1\n"
    head = b"Content-Type: message/global-delivery-status\nContent-Transfer-Encoding: base64\n\n"
    mail = open_mail(report(head + base64.encodebytes(status)))
    assert [(part.kind, part.text) for part in mail.parts] == [
        ("message/delivery-status", status.decode())
    ]


def test_returned_fields_alone_stand_in_place_of_the_mail() -> None:
    mail = open_mail(report(b"Content-Type: text/rfc822-headers\n\nMessage-ID: <a@b>\nX: y\n"))
    assert mail.parts[0].returned
    assert mail.parts[0].headers == (("message-id", "<a@b>"), ("x", "y"))


def test_a_report_without_its_boundary_is_one_text() -> None:
    mail = open_mail(bounce().replace(b'; boundary="b"', b""))
    assert [part.kind for part in mail.parts] == ["text/plain"]
    assert "Status: 5.1.1" in mail.parts[0].text
    assert told(mail) == "multipart/report without its boundary"


@pytest.mark.parametrize(
    "parameter", ["boundary*=undefined''b%00", "boundary*=a%00''b", "boundary*9=b; boundary*=c"]
)
def test_parameters_that_the_standard_library_stumbles_over(parameter: str) -> None:
    mail = open_mail(bounce().replace(b'boundary="b"', parameter.encode()))
    assert "Status: 5.1.1" in "".join(part.text for part in mail.parts)


def test_an_unfinished_part_of_too_many_is_empty() -> None:
    part = b"Content-Transfer-Encoding: base64\n\nYQ==\n"
    mail = open_mail(report(*[part] * (PARTS + 50)))
    assert PARTS - 2 <= len(mail.parts) <= PARTS
    assert told(mail) == f"only the first {PARTS} parts were opened"
    assert {one.text for one in mail.parts} <= {"a", ""}


@pytest.mark.parametrize("made", [nested_multiparts(200), nested_messages(200)])
def test_nothing_is_opened_deeper_than_the_bound(made: bytes) -> None:
    mail = open_mail(made)
    assert 1 <= len(mail.parts) <= DEPTH + 1
    assert told(mail) == f"parts deeper than {DEPTH} were not opened"


def test_what_lies_within_the_bound_of_depth_is_read() -> None:
    assert "at the bottom" in open_mail(nested_multiparts(DEPTH)).parts[-1].text
    assert open_mail(nested_messages(DEPTH)).problems == ()


def test_bounds_of_bytes_lines_fields_and_texts() -> None:
    long = open_mail(b"Subject: " + b"a" * (FIELD + 9) + b"\n\n" + b"x" * SIZE)
    assert len(first(long.headers, "subject")) == FIELD
    assert len(long.parts[0].text) == TEXTS
    assert f"only the first {SIZE} of" in told(long)
    many = open_mail(b"X-A: " + b"b" * 95 + b"\n" + b"X-B: c d e\n" * 50_000)
    assert sum(len(name) + len(value) for name, value in many.headers) <= HEADS
    assert f"only the first {LINES} lines" in told(many)
    assert "of header fields" in told(many)


@pytest.mark.parametrize(
    ("field", "address"),
    [
        ("reader@example.net", "reader@example.net"),
        ('"A, B" <reader@example.net>', "reader@example.net"),
        ("rfc822; reader@example.net", "reader@example.net"),
        ("<bounces+1@example.org> (x@y)", "bounces+1@example.org"),
        ("mailer-daemon", ""),
        ("<>", ""),
        ("(" * FIELD, ""),
    ],
)
def test_the_address_in_a_field(field: str, address: str) -> None:
    assert address_of(field) == address
