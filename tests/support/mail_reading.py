"""A mail as other programs read it, each in one form, so that their readings can be compared."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

LONGEST_LINE = 998
"""Without its CRLF: RFC 5322 section 2.1.1."""

ONCE = ("from", "to", "subject", "date", "message-id", "mime-version", "content-type")
OF_LISTS = ("list-unsubscribe", "list-unsubscribe-post", "list-id", "list-help", "feedback-id")
_PLAIN_LINK = re.compile(rb"list-unsubscribe: <https?://[\x21-\x3b\x3d\x3f-\x7e]+>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reading:
    """names: of all headers, small · people: (name, address) · date: seconds since 1970 · parts:
    their kinds in order, the whole first · unsubscribe: the line as it stands in the mail.
    Texts have "\\n" line breaks and none at the end."""

    names: tuple[str, ...]
    subject: str
    sender: tuple[tuple[str, str], ...]
    to: tuple[tuple[str, str], ...]
    reply_to: tuple[tuple[str, str], ...]
    date: int
    message_id: str
    unsubscribe: str
    parts: tuple[str, ...]
    text: str
    html: str


def by_python(message: bytes) -> Reading:
    """As the standard library reads it."""
    mail = cast(EmailMessage, message_from_bytes(message, policy=default))
    assert not mail.defects, mail.defects
    when = mail["Date"]
    return Reading(
        names=tuple(name.lower() for name in mail),
        subject=str(mail["Subject"]),
        sender=_people(mail, "From"),
        to=_people(mail, "To"),
        reply_to=_people(mail, "Reply-To"),
        date=int(when.datetime.timestamp()) if when is not None else 0,
        message_id=str(mail["Message-ID"]).strip(),
        unsubscribe=_line(message, "list-unsubscribe"),
        parts=tuple(part.get_content_type() for part in mail.walk()),
        text=_content(mail, "plain"),
        html=_content(mail, "html"),
    )


def _people(mail: EmailMessage, name: str) -> tuple[tuple[str, str], ...]:
    found = mail[name]
    return tuple((one.display_name, one.addr_spec) for one in found.addresses) if found else ()


def _content(mail: EmailMessage, kind: str) -> str:
    part = next((p for p in mail.walk() if p.get_content_type() == f"text/{kind}"), None)
    if part is None:
        return ""
    assert not part.defects, part.defects
    return tidy(cast(str, cast(EmailMessage, part).get_content()))


def by_mail_parser(message: bytes) -> Reading:
    """As mail-parser (PyPI) reads it."""
    import mailparser

    mail = mailparser.parse_from_bytes(message)
    assert not mail.has_defects, mail.defects
    return Reading(
        names=tuple(name.lower() for name, _ in mail.message.items()),
        subject=mail.subject,
        sender=tuple(map(_pair, mail.from_)),
        to=tuple(map(_pair, mail.to)),
        reply_to=tuple(map(_pair, mail.reply_to)),
        date=int(mail.date.replace(tzinfo=UTC).timestamp()),
        message_id=mail.message_id,
        unsubscribe=_line(message, "list-unsubscribe"),
        parts=tuple(part.get_content_type() for part in mail.message.walk()),
        text=tidy("".join(mail.text_plain)),
        html=tidy("".join(mail.text_html)),
    )


def by_node(row: dict[str, Any]) -> Reading:
    """As npm's mailparser reads it; row: a line of bench/campaigns/read_mails.mjs."""
    assert not row["attachments"], row["name"]
    return Reading(
        names=tuple(row["names"]),
        subject=row["subject"],
        sender=tuple(map(_pair, row["from"])),
        to=tuple(map(_pair, row["to"])),
        reply_to=tuple(map(_pair, row["reply_to"])),
        date=row["date"],
        message_id=row["message_id"],
        unsubscribe=row["unsubscribe"],
        parts=tuple(row["parts"]),
        text=tidy(row["text"]),
        html=tidy(row["html"]),
    )


def _pair(person: Any) -> tuple[str, str]:
    name, address = person
    return str(name), str(address)


def tidy(text: str) -> str:
    """A text with one kind of line break, and none at the end."""
    return text.replace("\r\n", "\n").rstrip("\n")


def _line(message: bytes, name: str) -> str:
    """A header as it stands in the mail, with the lines that go on with it."""
    head = message.partition(b"\r\n\r\n")[0].decode("ascii", "replace")
    found = re.search(rf"^{name}:.*(?:\r\n[ \t].*)*", head, re.IGNORECASE | re.MULTILINE)
    return found[0].rstrip("\r") if found else ""


def bad_bytes(message: bytes, *, of_list: bool) -> Iterator[str]:
    """What is wrong with a mail before anybody reads it. of_list: it goes to readers of a list, who
    leave by one click (RFC 8058)."""
    if b"\n" in message.replace(b"\r\n", b"") or b"\r" in message.replace(b"\r\n", b""):
        yield "a line break that is not CRLF"
    if not message.isascii():
        yield "a byte beyond ASCII"
    if b"\x00" in message:
        yield "a zero byte"
    lines = message.split(b"\r\n")
    if max(map(len, lines)) > LONGEST_LINE:
        yield f"a line of {max(map(len, lines))} bytes"
    head = message.partition(b"\r\n\r\n")[0].split(b"\r\n")
    names = Counter(line.partition(b":")[0].decode().lower() for line in head if line[:1] > b" ")
    for name, count in names.items():
        if count > 1:
            yield f"{name} {count} times"
    for name in (*ONCE, *(OF_LISTS if of_list else ())):
        if not names[name]:
            yield f"no {name}"
    links = [line for line in head if line.lower().startswith(b"list-unsubscribe:")]
    if of_list and not (len(links) == 1 and _PLAIN_LINK.fullmatch(links[0])):
        yield f"List-Unsubscribe is no plain link: {links!r}"
    if of_list and b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" not in head:
        yield "no one-click"
    if not of_list and links:
        yield "a notice with List-Unsubscribe"


def differing(one: Reading, other: Reading) -> list[str]:
    """The fields in which two readings differ."""
    return [
        name for name in Reading.__dataclass_fields__ if getattr(one, name) != getattr(other, name)
    ]


def in_order(reading: Reading) -> bool:
    """Text alone, or both, the plain one first (RFC 2046 section 5.1.4)."""
    return reading.parts in (
        ("text/plain",),
        ("multipart/alternative", "text/plain", "text/html"),
    )


def same_words(reading: Reading, subject: str, text: str, html: str) -> list[str]:
    """What of a mail's words did not arrive as they were rendered."""
    wanted = {"subject": subject, "text": tidy(text)}
    if reading.html:
        wanted["html"] = tidy(html)
    return [name for name, value in wanted.items() if getattr(reading, name) != value]


NOW = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
