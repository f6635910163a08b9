"""A mail as other programs read it, and the rules for its lines."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

from support.digests import BASE

from service.delivery.heads import Heads

HEADS = Heads(
    sender="papers@example.org",
    sender_name="Paperpost, Bücher & Co",
    recipient="ada@example.org",
    message_id="<" + "d" * 40 + "@papers.example.org>",
    date=datetime(2026, 11, 20, 8, tzinfo=UTC),
    reply_to="desk@example.org",
    list_id="<papers.example.org>",
    unsubscribe_url=f"{BASE}/u/{'A' * 120}",
    help_url=f"{BASE}/about",
    feedback_id="12:digest:paperpost",
)

UNFOLDED = (b"List-Unsubscribe: ", b"X-SMTPAPI: ", b"X-PM-Metadata-")
"""Header lines that may be long: servers that read them take no folding for granted."""


def read(raw: bytes) -> tuple[list[tuple[str, str]], list[tuple[str, str, str]]]:
    """All headers in order, and the parts: kind, charset, text."""
    mail = message_from_bytes(raw, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    parts = list(mail.iter_parts()) or [mail]
    for one in (mail, *parts):
        assert not one.defects
        assert not any(value.defects for value in one.values())
    headers = [(name, str(v)) for name, v in mail.items() if "Transfer-Enc" not in name]
    return headers, [
        (part.get_content_type(), str(part.get_content_charset()), part.get_content())
        for part in parts
    ]


def fits_the_wire(raw: bytes) -> None:
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw)
    assert raw.isascii()
    lines = raw.split(b"\r\n")
    assert all(len(line) <= 76 or line.startswith(UNFOLDED) for line in lines)
    body = lines[lines.index(b"") :]
    assert not any(line.endswith((b" ", b"\t")) for line in body)
