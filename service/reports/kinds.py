"""Mails that are no failure: wishes to leave, receipts, answers of machines. Pure.

Two readings. ``kind_of`` is sure and is asked before any form of a bounce is looked for in a text;
``rest_of`` says of what nobody understood whether a machine wrote it. Sources: RFC 3834 (what marks
an automatic answer, and what must not be answered), RFC 8098 (receipts), RFC 2369 (leaving by
mail), and the fields and words that mail programs and ticket systems are seen to write.
"""

import re
from itertools import islice
from typing import Final

from service.reports import kind_words as words
from service.reports.mail import Mail, address_of, fields_of, first
from service.reports.model import WORDS, Kind, Report
from service.reports.traces import leave_token
from service.text.clean import html_to_text

_READ_CHARS: Final = 20_000
"""Characters of a text in which words are looked for."""

_BREAK = re.compile(r"<(?:br|/?p|/?div|/?li|/?tr|/?blockquote)\b[^<>]{0,500}>", re.IGNORECASE)
_QUOTE = re.compile(r"\s*[>|]|\s*-{2,}|.*[:：]\s*$")
"""A line that is not the writer's own: quoted, a rule, or what introduces a quotation."""


def kind_of(mail: Mail) -> tuple[Report, str] | None:
    """What a mail is that is surely no failure, and the form that told it ("optout:token",
    "optout:reply", "receipt", "auto:vacation", "auto:challenge", "auto:ticket"); None = it may be
    one, or a letter."""
    if leave_token(mail) and not _is_report(mail):
        return _said(mail, Kind.OPTOUT, "unsubscribe"), "optout:token"
    receipt = _receipt(mail)
    if receipt is not None and not words.FAILED.search(_own_text(mail)[:_READ_CHARS]):
        return receipt, "receipt"
    if _is_report(mail) or _is_daemon(mail):
        return None
    is_bare = _plain(first(mail.headers, "subject")) == "unsubscribe"  # mail programs write that
    if (is_bare or not is_automatic(mail)) and _asks_to_leave(mail):
        return _said(mail, Kind.OPTOUT, "unsubscribe"), "optout:reply"
    reason = _automatic_reason(mail)
    return (_said(mail, Kind.AUTO, reason), f"auto:{reason}") if reason else None


def rest_of(mail: Mail) -> tuple[Report, str] | None:
    """A receipt, or an automatic answer of no known sort; None = a person's letter, or a report of
    a mail server that nobody understood."""
    receipt = _receipt(mail)
    if receipt is not None:
        return receipt, "receipt"
    if _is_report(mail) or _is_daemon(mail) or not is_automatic(mail):
        return None
    return _said(mail, Kind.AUTO, "auto_reply"), "auto:auto_reply"


def is_automatic(mail: Mail) -> bool:
    """Did a machine write it? RFC 3834 section 2: such a mail must not be answered."""
    head = mail.headers
    submitted = first(head, "auto-submitted").partition(";")[0].strip().lower()
    return (
        submitted not in ("", "no")
        or first(head, "return-path").lower() in words.NOBODY
        or first(head, "precedence").lower() in words.BULK
        or any(first(head, name) for name in words.MACHINE_FIELDS)
        or _is_report(mail)
        or _is_daemon(mail)
        or any(words.MACHINE_SENDER.search(first(head, name)) for name in ("from", "sender"))
    )


def _is_report(mail: Mail) -> bool:
    """Is it of the type of reports (RFC 6522), or has a part of one?"""
    return first(mail.headers, "content-type").lower().startswith("multipart/report") or any(
        part.kind in ("message/delivery-status", "message/feedback-report")
        for part in mail.parts
        if not part.returned
    )


def _is_daemon(mail: Mail) -> bool:
    """From a mail server's own address?"""
    return bool(words.DAEMON.search(first(mail.headers, "from"))) or bool(
        first(mail.headers, "x-failed-recipients")
    )


def _said(mail: Mail, kind: Kind, reason: str) -> Report:
    return Report(kind=kind, reason=reason, recipient=address_of(first(mail.headers, "from")))


def _receipt(mail: Mail) -> Report | None:
    """A read receipt: RFC 8098 section 3.1."""
    for part in mail.parts:
        if part.kind == "message/disposition-notification" and not part.returned:
            fields = fields_of(part.text)
            _kind, _, reader = first(fields, "final-recipient").rpartition(";")
            said = first(fields, "disposition")[:WORDS]
            recipient = address_of(reader) or address_of(first(mail.headers, "from"))
            return Report(kind=Kind.AUTO, reason="receipt", recipient=recipient, words=said)
    return None


def _automatic_reason(mail: Mail) -> str:
    """The sort of an automatic answer: a word of ours, "" = not sure."""
    head, subject = mail.headers, first(mail.headers, "subject")
    text = _own_text(mail)[:_READ_CHARS]
    if any(first(head, name) for name in words.CHALLENGE_FIELDS) or (
        words.CHALLENGE_SUBJECT.search(subject) and words.CHALLENGE.search(text)
    ):
        return "challenge"
    if words.AWAY_SUBJECT.match(subject) and not words.FAILED.search(subject):
        return "vacation"
    if not is_automatic(mail) or words.FAILED.search(subject) or words.FAILED.search(text):
        return ""
    if any(first(head, name) for name in words.TICKET_FIELDS) or words.TICKET.search(subject):
        return "ticket"
    return "vacation" if words.AWAY.search(text) else ""


def _asks_to_leave(mail: Mail) -> bool:
    """Does a letter say nothing but that, in its first own line, or in its subject alone?"""
    mine = (line for line in _own_text(mail)[:_READ_CHARS].split("\n") if line.strip())
    own = next((line for line in mine if not _QUOTE.match(line)), "")
    return _plain(own or first(mail.headers, "subject")) in words.LEAVE or (
        _plain(first(mail.headers, "subject")) == "unsubscribe"
    )


def _plain(line: str) -> str:
    """A line without case, punctuation around it and second blanks."""
    return " ".join(line.casefold().split()).strip(" .!?,;:*_\"'")


def _own_text(mail: Mail) -> str:
    """What the writer wrote: the first text that is not returned, of HTML its words by lines."""
    for kind in ("text/plain", "text/html"):
        for part in mail.parts:
            if part.kind == kind and not part.returned and part.text.strip():
                return part.text if kind == "text/plain" else lines_of(part.text)
    return ""


def lines_of(markup: str) -> str:
    """The words of HTML, a block a line: of its first ``_READ_CHARS`` characters."""
    pieces = (html_to_text(piece) for piece in _BREAK.split(markup[:_READ_CHARS]))
    return "\n".join(islice(filter(None, pieces), 200))
