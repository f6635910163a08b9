"""The message on the wire: headers that survive, bytes that repeat, poison that stays outside."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from support.captures import shared_data

from service.delivery.frame import Rendered
from service.delivery.message import (
    MessageError,
    ascii_address,
    build,
    message_id,
    wire_size,
)

PLAIN = Rendered("LoRA and 4 more", "pre", "Text Ä — α\n.\n..\n", "<p>Text Ä — α</p>\n")
URL = "https://papers.example.org/u/" + "A" * 120
FIELDS: dict[str, Any] = {
    "sender": "papers@example.org",
    "sender_name": "Paperpost, Bücher & Co",
    "recipient": "ada@example.org",
    "message_id": "<" + "d" * 40 + "@papers.example.org>",
    "date": datetime(2026, 11, 20, 8, tzinfo=UTC),
    "reply_to": "desk@example.org",
    "list_id": "Paperpost <papers.example.org>",
    "unsubscribe_url": URL,
    "help_url": "https://papers.example.org/about",
    "feedback_id": "daily:20261120:paperpost:example",
}


def made(rendered: Rendered = PLAIN, **changes: Any) -> bytes:
    return build(rendered, **(FIELDS | changes))


def parsed(raw: bytes) -> EmailMessage:
    found = message_from_bytes(raw, policy=policy.default)
    assert isinstance(found, EmailMessage)
    assert not found.defects
    return found


def header_lines(raw: bytes) -> list[bytes]:
    return raw.partition(b"\r\n\r\n")[0].split(b"\r\n")


def test_list_unsubscribe_is_on_the_wire_as_it_is() -> None:
    lines = header_lines(made())
    assert f"List-Unsubscribe: <{URL}>".encode() in lines
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines
    assert b"List-Id: Paperpost <papers.example.org>" in lines
    assert b"List-Help: <https://papers.example.org/about>" in lines
    assert b"Feedback-ID: daily:20261120:paperpost:example" in lines
    assert f"Message-ID: {FIELDS['message_id']}".encode() in lines
    assert b"Date: Fri, 20 Nov 2026 08:00:00 +0000" in lines


def test_a_mailto_stands_second_on_the_same_line() -> None:
    mail = "mailto:leave@papers.example.org?subject=unsubscribe%20BBBBBBBBBBBBBBBBBBBBBB"
    lines = header_lines(made(unsubscribe_mail=mail))
    assert f"List-Unsubscribe: <{URL}>, <{mail}>".encode() in lines
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines
    for bad in (
        "https://example.org",
        "mailto:a@b.org, <mailto:c@d.org>",
        "mailto:a@b.org\r\nX: y",
    ):
        with pytest.raises(MessageError):
            made(unsubscribe_mail=bad)


def test_each_header_once_and_parts_both_ways() -> None:
    mail = parsed(made())
    names = [name.lower() for name in mail.keys()]  # noqa: SIM118
    assert sorted(names) == sorted(set(names))
    assert mail["Subject"] == "LoRA and 4 more"
    assert mail["From"].addresses[0].display_name == "Paperpost, Bücher & Co"
    assert mail["Precedence"] == "bulk"
    assert mail["Auto-Submitted"] is None
    assert mail.get_content_type() == "multipart/alternative"
    text, html = mail.iter_parts()
    assert text.get_content().replace("\r\n", "\n") == PLAIN.text
    assert html.get_content().replace("\r\n", "\n") == PLAIN.html
    assert html.get_content_type() == "text/html"


def test_notices_say_so() -> None:
    mail = parsed(made(is_notice=True, unsubscribe_url=None))
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Precedence"] is None
    assert mail["List-Unsubscribe"] is None
    assert mail["List-Unsubscribe-Post"] is None


def test_text_format_has_one_part() -> None:
    mail = parsed(made(format="text"))
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().replace("\r\n", "\n") == PLAIN.text


def test_same_arguments_same_bytes_also_in_another_zone() -> None:
    assert made() == made()
    zurich = FIELDS["date"].astimezone(timezone(timedelta(hours=1)))
    assert made(date=zurich) == made()
    other = made(message_id="<e@papers.example.org>")
    assert other.replace(b"<e@papers", b"<x@papers") != made()


def test_lines_end_in_crlf_and_stay_within_998() -> None:
    raw = made(replace(PLAIN, subject="ä " * 400, text="x" * 5000, html="<p>" + "y" * 9000))
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw)
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998


def test_chinese_goes_as_base64_and_german_does_not() -> None:
    chinese = replace(PLAIN, text="大模型推理" * 400, html="<p>" + "大模型推理" * 400)
    raw = made(chinese)
    assert raw.count(b"Content-Transfer-Encoding: base64") == 2
    text, _ = parsed(raw).iter_parts()
    assert text.get_content().strip() == chinese.text
    assert b"base64" not in made(replace(PLAIN, text="schöne Grüße " * 100))


@pytest.mark.parametrize("text", ["", "plain\n" * 50, "schöne Grüße " * 300, "大模型" * 900])
def test_wire_size_is_what_the_part_takes(text: str) -> None:
    raw = made(replace(PLAIN, text=text), format="text")
    body = raw.partition(b"\r\n\r\n")[2]
    assert abs(wire_size(text) - len(body)) <= 0.03 * len(body) + 4


def test_message_id_is_stable_unique_and_short() -> None:
    one = message_id(b"key", "digest:2026-11-20", "r1", "papers.example.org")
    assert one == message_id(b"key", "digest:2026-11-20", "r1", "papers.example.org")
    assert re.fullmatch(r"<[a-z2-7]{32}@papers\.example\.org>", one)
    others = {
        message_id(b"key", "digest:2026-11-20", "r2", "papers.example.org"),
        message_id(b"key", "digest:2026-11-21", "r1", "papers.example.org"),
        message_id(b"kez", "digest:2026-11-20", "r1", "papers.example.org"),
    }
    assert len(others | {one}) == 4


def test_addresses() -> None:
    assert ascii_address("ada@münchen.example") == "ada@xn--mnchen-3ya.example"
    assert ascii_address("ada@straße.example") == "ada@xn--strae-oqa.example"
    assert ascii_address("o'neil+x@b.co") == "o'neil+x@b.co"
    assert parsed(made(recipient="ada@münchen.example"))["To"] == "ada@xn--mnchen-3ya.example"
    with pytest.raises(MessageError, match="beyond ASCII"):
        ascii_address("jörg@example.org")
    for bad in ("", "no-at", "a@b@c", "a b@c.de", "a@b.co\r\nBcc: x@y.z", "<a@b.co>", "a@b,c@d"):
        with pytest.raises(MessageError):
            ascii_address(bad)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("recipient", "a@b.co\r\nBcc: evil@example.org"),
        ("unsubscribe_url", "https://x.example/\r\nBcc: evil@example.org"),
        ("unsubscribe_url", "javascript:alert(1)"),
        ("unsubscribe_url", "https://x.example/ü"),
        ("unsubscribe_url", "https://x.example/" + "a" * 1000),
        ("list_id", "Bücher <x>"),
        ("message_id", "<a@b>\r\nX: y"),
        ("feedback_id", "a\nb"),
        ("given_back", ("X-SMTPAPI", "a\nb")),
        ("date", datetime(2026, 11, 20)),
    ],
)
def test_what_cannot_stand_in_a_header_is_an_error(field: str, value: Any) -> None:
    with pytest.raises(MessageError) as caught:
        made(**{field: value})
    assert caught.value.where


@pytest.mark.slow  # a second or more
def test_poison_in_subject_name_and_body_changes_no_header(quick: bool) -> None:
    strings = json.loads((shared_data() / "strings" / "blns.json").read_text("utf-8"))
    clean = [line.split(b":")[0] for line in header_lines(made()) if not line.startswith(b" ")]
    extra = ["\r\nBcc: evil@example.org", "a\x00b", "\ud800", "x\u2028Bcc: e@x.y", "\x85\x0b\x0c"]
    extra += ["\u202egnp.exe", "=?utf-8?q?x?=", "word" * 500, ""]
    for text in [*strings[:: 3 if quick else 1], *extra]:
        raw = made(Rendered(text, text, text, f"<p>{text}</p>"), sender_name=text[:60])
        names = [line.split(b":")[0] for line in header_lines(raw) if not line.startswith(b" ")]
        assert names == clean
        mail = parsed(raw)
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", str(mail["Subject"]))
        assert mail["To"] == "ada@example.org"
        assert len(list(mail.iter_parts())) == 2
