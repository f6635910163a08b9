"""Received messages as files: ``<order>-<random>.eml``, byte for byte, and the envelope beside it.

Several processes may write into one folder at once (each command that sends has its own
listener), so names never meet and there is no index to lock.
"""

import json
import os
import secrets
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import compat32
from pathlib import Path

_STAMP = "%Y%m%dT%H%M%S%f"
_ID_CHARACTERS = frozenset("0123456789abcdefT-")
SEARCHED = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class MailHead:
    """The envelope and what a list shows. Addresses are those of MAIL FROM and RCPT TO."""

    id: str
    received_at: datetime
    sender: str
    recipients: tuple[str, ...]
    subject: str
    author: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedMail:
    """One message: the bytes of DATA, and its parts ("" = has none)."""

    head: MailHead
    source: bytes
    text: str
    html: str
    headers: tuple[tuple[str, str], ...]


class Mailbox:
    """The folder. Reads are bounded; a file that cannot be read is left out of lists."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._last = datetime.min.replace(tzinfo=UTC)

    def add(
        self, source: bytes, *, sender: str, recipients: Sequence[str], received_at: datetime
    ) -> str:
        """Store a message and return its id.

        The .eml appears whole or not at all, and only after its envelope: a kill in between
        leaves no half message in a list. Nothing is synced to the disk; this is no mail server.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._lock:
            # a clock that stands still or goes back must not change the order of arrival
            at = max(received_at.astimezone(UTC), self._last + timedelta(microseconds=1))
            self._last = at
        mail_id = f"{at.strftime(_STAMP)}-{secrets.token_hex(3)}"
        subject, author = _subject_and_author(source)
        envelope = {
            "received_at": received_at.astimezone(UTC).isoformat(),
            "sender": sender,
            "recipients": list(recipients),
            "subject": subject,
            "author": author,
            "size": len(source),
        }
        self._write(f"{mail_id}.json", json.dumps(envelope, ensure_ascii=True).encode())
        self._write(f"{mail_id}.eml", source)
        return mail_id

    def _write(self, name: str, content: bytes) -> None:
        partial = self.folder / f".{name}.part"
        partial.write_bytes(content)
        partial.replace(self.folder / name)

    def _ids(self) -> list[str]:
        if not self.folder.is_dir():
            return []
        with os.scandir(self.folder) as entries:
            found = [e.name[:-4] for e in entries if e.name.endswith(".eml") and e.name[0] != "."]
        return sorted(found, reverse=True)

    def count(self) -> int:
        """Return the number of messages."""
        return len(self._ids())

    def heads(self, *, limit: int = 50, offset: int = 0) -> list[MailHead]:
        """Return the newest messages, newest first."""
        heads = (self._head(mail_id) for mail_id in self._ids()[offset : offset + limit])
        return [head for head in heads if head is not None]

    def search(self, recipient: str, *, limit: int = 50) -> list[MailHead]:
        """Return the newest messages to an address that contains ``recipient``, in any case.

        Looks at the newest 5,000 messages at most.
        """
        return list(self._found(recipient.strip().lower(), limit))

    def _found(self, wanted: str, limit: int) -> Iterator[MailHead]:
        for mail_id in self._ids()[:SEARCHED]:
            head = self._head(mail_id)
            if head and any(wanted in address.lower() for address in head.recipients):
                yield head
                limit -= 1
                if limit <= 0:
                    return

    def read(self, mail_id: str) -> ReceivedMail | None:
        """Return one message, None when there is none of this id."""
        if not mail_id or not _ID_CHARACTERS.issuperset(mail_id):
            return None
        head = self._head(mail_id)
        try:
            source = (self.folder / f"{mail_id}.eml").read_bytes()
        except FileNotFoundError:
            return None
        if head is None:
            return None
        message = message_from_bytes(source, policy=policy.default)
        assert isinstance(message, EmailMessage)
        return ReceivedMail(
            head=head,
            source=source,
            text=_part(message, "plain"),
            html=_part(message, "html"),
            headers=_headers(source),
        )

    def _head(self, mail_id: str) -> MailHead | None:
        try:
            data = json.loads((self.folder / f"{mail_id}.json").read_bytes())
            return MailHead(
                id=mail_id,
                received_at=datetime.fromisoformat(data["received_at"]),
                sender=data["sender"],
                recipients=tuple(data["recipients"]),
                subject=data["subject"],
                author=data["author"],
                size=data["size"],
            )
        except (OSError, ValueError, KeyError, TypeError):
            # somebody put a file here by hand or took one away while we were reading
            return None


def _decoded(value: str) -> str:
    """Return a header readable (RFC 2047), as it stands when it is broken."""
    try:
        return " ".join(str(make_header(decode_header(value))).split())
    except (LookupError, UnicodeError, ValueError):
        return " ".join(value.split())


def _headers(source: bytes) -> tuple[tuple[str, str], ...]:
    # compat32 keeps what the sender wrote; the modern policy refuses some broken headers
    message = BytesHeaderParser(policy=compat32).parsebytes(source)
    return tuple((name, _decoded(_unescaped(str(value)))) for name, value in message.raw_items())


def _unescaped(value: str) -> str:
    """Return a header that was sent as bare UTF-8 (RFC 6532); the parser keeps its bytes apart."""
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _subject_and_author(source: bytes) -> tuple[str, str]:
    found = {name.lower(): value for name, value in reversed(_headers(source))}
    return found.get("subject", ""), found.get("from", "")


def _part(message: EmailMessage, kind: str) -> str:
    for part in message.walk():
        if part.get_content_type() == f"text/{kind}" and not part.is_attachment():
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            try:
                text = payload.decode(part.get_content_charset("utf-8"), errors="replace")
            except LookupError:
                text = payload.decode("utf-8", errors="replace")
            return text.replace("\r\n", "\n")
    return ""
