"""The headers of a digest, written as ``message.build`` writes them, and the mail around its parts.
Pure."""

import re
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any, NamedTuple

from service.delivery import message
from service.delivery.given_back import NONE
from service.delivery.printed import Printed
from service.delivery.quoted import header_text
from service.errors import Sentence

_MIME = b"MIME-Version: 1.0\r\n"
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_SIMPLE = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@[A-Za-z0-9.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """What ``message.build`` takes beside the texts. recipient_name: of a test alone, which is no
    printed mail (``written`` writes none)."""

    sender: str
    sender_name: str
    recipient: str
    recipient_name: str = ""
    message_id: str
    date: datetime
    reply_to: str = ""
    list_id: str = ""
    unsubscribe_url: str | None = None
    unsubscribe_mail: str = ""
    help_url: str = ""
    feedback_id: str = ""
    given_back: tuple[str, str] = NONE
    is_notice: bool = False
    format: str = "html"

    def fields(self) -> dict[str, Any]:
        """Return them as the arguments of ``message.build``."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


class Written(NamedTuple):
    """A whole message. lines: as it goes before the final dot, None = that is to be looked for."""

    message: bytes
    lines: bytes | None = None


def written(heads: Heads, printed: Printed) -> Written:
    """Return the whole message. Raises MessageError: an address, a link or a name that cannot stand
    in its header."""
    lines = [
        _mailbox("From", heads.sender, heads.sender_name),
        _to(heads.recipient),
        _mailbox("Reply-To", heads.reply_to, "") if heads.reply_to else b"",
        header_text("Subject", printed.subject),
        _dated(heads.date),
        _as_is("Message-ID", heads.message_id),
    ]
    if heads.list_id:
        lines.append(_as_is("List-Id", heads.list_id))
    if heads.unsubscribe_url:
        by = message.leaving(heads.unsubscribe_url, heads.unsubscribe_mail)
        lines.append(_as_is("List-Unsubscribe", by))
        lines.append(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n")
    if heads.help_url:
        lines.append(_link("List-Help", heads.help_url))
    if heads.feedback_id:
        lines.append(_as_is("Feedback-ID", heads.feedback_id))
    if heads.given_back != NONE:
        lines.append(_as_is(*heads.given_back))
    kind = b"Auto-Submitted: auto-generated\r\n" if heads.is_notice else b"Precedence: bulk\r\n"
    lines.append(kind + b"X-Auto-Response-Suppress: OOF, AutoReply\r\n")
    text = printed.text
    if heads.format != "html":
        lines += (_described("plain", text.encoding), _MIME, b"\r\n")
        return Written(b"".join((*lines, *text.pieces)), b"".join((*lines, *text.lines)))
    boundary = message.boundary(heads.message_id)
    first = f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n\r\n--{boundary}'
    between = f"\r\n--{boundary}".encode("ascii")
    html = printed.html
    lines += (_MIME, first.encode("ascii"), b"\r\n", _described("plain", text.encoding), b"\r\n")
    then = (between, b"\r\n", _described("html", html.encoding), b"\r\n")
    last = (between, b"--\r\n")
    return Written(
        b"".join((*lines, *text.pieces, *then, *html.pieces, *last)),
        b"".join((*lines, *text.lines, *then, *html.lines, *last)),
    )


@lru_cache(maxsize=64)
def _described(kind: str, encoding: str) -> bytes:
    head = f'Content-Type: text/{kind}; charset="utf-8"\r\n'
    return f"{head}Content-Transfer-Encoding: {encoding}\r\n".encode("ascii")


@lru_cache(maxsize=64)
def _mailbox(name: str, address: str, shown: str) -> bytes:
    return message.mailbox_header(name, address, shown)


def _to(address: str) -> bytes:
    if len(address) <= 70 and _SIMPLE.fullmatch(address):
        return f"To: {address}\r\n".encode("ascii")
    return message.mailbox_header("To", address, "")


@lru_cache(maxsize=64)
def _dated(on: datetime) -> bytes:
    if on.tzinfo is None:
        raise message.MessageError(Sentence("The date has no time zone."), "Date")
    return f"Date: {format_datetime(on.astimezone(UTC))}\r\n".encode("ascii")


def _as_is(name: str, value: str) -> bytes:
    return f"{name}: {message.as_is(value, name)}\r\n".encode("ascii")


@lru_cache(maxsize=64)
def _link(name: str, url: str) -> bytes:
    return f"{name}: {message.link(url, name)}\r\n".encode("ascii")
