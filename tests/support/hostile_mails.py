"""Mails made to break or to cost whoever reads them: nested, endless, broken, lying about
themselves; and what reading one costs. ``MADE`` names how each is made, the same at every call."""

import base64
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from bench.measured.process import forget_peak, memory_mb, peak_mb
from service.reports.model import WORDS, Read
from service.reports.read import read_report
from service.reports.traces import MOST

MOST_SECONDS = 2.0
MOST_MB = 100.0

HEAD = (
    b"Return-Path: <>\r\nFrom: MAILER-DAEMON@example.net\r\nTo: bounces+"
    + b"0123456789abcdef0123"
    + b"@example.org\r\nSubject: Undelivered Mail Returned to Sender\r\nMIME-Version: 1.0\r\n"
)
STATUS = (
    b"Reporting-MTA: dns; mx.example.net\r\n\r\nFinal-Recipient: rfc822; reader@example.net\r\n"
    b"Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 User unknown\r\n"
)
MEGABYTE = 1_000_000


def report(*parts: bytes, boundary: bytes = b"b") -> bytes:
    """A multipart/report of these parts, each with its own head."""
    whole = b"".join(b"--%s\r\n%s\r\n" % (boundary, part) for part in parts)
    return (
        HEAD
        + b'Content-Type: multipart/report; report-type=delivery-status; boundary="%s"\r\n\r\n'
        % boundary
        + whole
        + b"--%s--\r\n" % boundary
    )


def bounce() -> bytes:
    """An ordinary one, for comparison."""
    return report(
        b"\r\nThe mail could not be delivered.\r\n",
        b"Content-Type: message/delivery-status\r\n\r\n" + STATUS,
        b"Content-Type: message/rfc822\r\n\r\nMessage-ID: <made@example.org>\r\n\r\nText\r\n",
    )


def nested_multiparts(depth: int, *, same: bool = False) -> bytes:
    """Multiparts in multiparts. same: all of one boundary."""
    pieces = [HEAD]
    for number in range(depth):
        name = b"b" if same else b"b%d" % number
        pieces.append(
            b'Content-Type: multipart/mixed; boundary="%s"\r\n\r\n--%s\r\n' % (name, name)
        )
    return b"".join((*pieces, b"\r\nat the bottom\r\n"))


def nested_messages(depth: int) -> bytes:
    return (
        HEAD + b"Content-Type: message/rfc822\r\n\r\n" * depth + b"Subject: bottom\r\n\r\ntext\r\n"
    )


def nested_base64(depth: int) -> bytes:
    """Mails in mails, each in base64, which no standard allows."""
    inner = HEAD + b"\r\nat the bottom\r\n"
    for _ in range(depth):
        coded = base64.encodebytes(inner).replace(b"\n", b"\r\n")
        inner = (
            HEAD
            + b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            + coded
        )
    return inner


def of_lines(line: bytes, size: int, kind: bytes = b"text/plain") -> bytes:
    """One part of this line again and again."""
    body = (line + b"\r\n") * (size // (len(line) + 2))
    return HEAD + b"Content-Type: " + kind + b"\r\n\r\n" + body


def of_runs(run: bytes) -> bytes:
    """A report with lines that are one run of this and end unlike it, before and after words."""
    line = run * (1_900 // len(run))
    text = b"Your mail could not be delivered.\r\n" + (line + b"x\r\nfrom " + line + b"\r\n") * 30
    return HEAD + b"\r\n" + text


def of_parts(part: bytes, size: int) -> bytes:
    """A report of this part again and again."""
    return report(*[part] * (size // (len(part) + 5)))


def of_field(value: bytes, name: bytes = b"Subject", size: int = MEGABYTE) -> bytes:
    """One field of this value again and again, in one line, in a report."""
    return name + b": " + value * (size // len(value)) + b"\r\n" + bounce()


def of_fields(field: bytes, size: int = MEGABYTE) -> bytes:
    return (field + b"\r\n") * (size // (len(field) + 2)) + bounce()


def charset(name: bytes, body: bytes = b"caf\xc3\xa9 \xff\xfe\x00 +2AA- =\r\n") -> bytes:
    return (
        HEAD
        + b"Content-Type: text/plain; charset="
        + name
        + b"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + body * (200_000 // len(body))
    )


MADE: dict[str, Callable[[], bytes]] = {
    "ordinary": bounce,
    "empty": bytes,
    "one NUL": lambda: b"\0",
    "only line ends": lambda: b"\r\n" * MEGABYTE,
    "only carriage returns": lambda: b"\r" * MEGABYTE,
    "only blanks": lambda: b" " * MEGABYTE,
    "only colons": lambda: b":\n" * MEGABYTE,
    "only dashes": lambda: b"--\n" * MEGABYTE,
    "10,000 multiparts deep": partial(nested_multiparts, 10_000),
    "10,000 multiparts deep, one boundary": partial(nested_multiparts, 10_000, same=True),
    "10,000 messages deep": partial(nested_messages, 10_000),
    "100,000 messages deep": partial(nested_messages, 100_000),
    "30 mails deep in base64": partial(nested_base64, 30),
    "50 MB of text": partial(of_lines, b"x" * 70, 50 * MEGABYTE),
    "50 MB on one line": lambda: HEAD + b"\r\n" + b"x" * 50 * MEGABYTE,
    "50 MB of empty lines": lambda: HEAD + b"\r\n" + b"\r\n" * 25 * MEGABYTE,
    "50 MB of one field": partial(of_field, b"a b ", b"Subject", 50 * MEGABYTE),
    "50 MB of fields": partial(of_fields, b"X-A: b", 50 * MEGABYTE),
    "50 MB of parts": partial(of_parts, b"\r\nx\r\n", 50 * MEGABYTE),
    "50 MB of status blocks": lambda: report(
        b"Content-Type: message/delivery-status\r\n\r\n"
        + (STATUS + b"\r\n") * (50 * MEGABYTE // len(STATUS))
    ),
    "50 MB of base64": lambda: (
        HEAD
        + b"Content-Transfer-Encoding: base64\r\n\r\n"
        + base64.encodebytes(b"5.1.1 <reader@example.net> unknown\n" * 1_000_000)
    ),
    "status blocks within 2 MB": lambda: report(
        b"Content-Type: message/delivery-status\r\n\r\n" + b"Status: 5.1.1\n\n" * 100_000
    ),
    "a status of one field, 1 MB": lambda: report(
        b"Content-Type: message/delivery-status\r\n\r\n" + b"Diagnostic-Code: smtp; 550 " * 40_000
    ),
    "a boundary of 1 MB": lambda: nested_multiparts(1).replace(b"b0", b"b" * MEGABYTE),
    "no boundary": lambda: bounce().replace(b'; boundary="b"', b""),
    "an empty boundary": lambda: bounce().replace(b'"b"', b'""'),
    "a boundary in an unknown charset": lambda: bounce().replace(
        b'boundary="b"', b"boundary*=undefined''b%00"
    ),
    "a boundary in a charset with NUL": lambda: bounce().replace(
        b'boundary="b"', b"boundary*=a%00\x01''b"
    ),
    "the boundary never ends": lambda: bounce().replace(b"--b--", b""),
    "the boundary ends at once": lambda: bounce().replace(b"--b\r\n", b"--b--\r\n", 1),
    "boundaries only": lambda: HEAD
    + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    + b"--b\r\n" * 300_000,
    "20 boundaries open over short lines": lambda: nested_multiparts(19) + b"--\n" * 600_000,
    "quotes in parameters": partial(of_field, b';"', b"Content-Type"),
    "quotes in parameters of 900 parts": partial(
        of_parts,
        b'Content-Type: multipart/mixed; a="' + b';\\"' * 650 + b"\r\n\r\nx\r\n",
        2 * MEGABYTE,
    ),
    "parameters with numbers": partial(of_field, b"a*9999999999999=b;", b"Content-Type"),
    "encoded words that never end": partial(of_field, b"=?utf-8?q?a"),
    "encoded words that never end, many fields": partial(
        of_fields, b"Subject: ?=" + b"=?a?q?" * 320, 2 * MEGABYTE
    ),
    "encoded words": partial(of_field, b"=?utf-8?b?4pyT?= "),
    "encoded words, unknown charset": partial(of_field, b"=?x-none?b?4pyT?= ", size=1_000),
    "encoded words, punycode": partial(of_field, b"=?punycode?q?aaaa-99999999?= ", size=1_900),
    "encoded words, broken base64": partial(of_field, b"=?utf-8?b?4?= =?utf-8?b?=?= ", size=1_900),
    "parentheses in From": partial(of_field, b"(", b"From"),
    "angle brackets in From": partial(of_field, b"<a@", b"From"),
    "references": partial(of_field, b"<a@b> ", b"References"),
    "open brackets in text": partial(of_lines, b"<" * 70, MEGABYTE),
    "at signs in text": partial(of_lines, b"a@" * 35, MEGABYTE),
    "addresses in text": partial(of_lines, b"<reader@example.net>: 550 5.1.1 unknown", MEGABYTE),
    "digits in text": partial(of_lines, b"550 5.1.1 " * 7, MEGABYTE),
    **{
        f"runs of {run!r} in a report": partial(of_runs, run.encode())
        for run in (" ", "-", "=", "_", "*", "#", ">", ".", "\t", "<", "(", "a", "1", "-> ")
    },
    **{
        f"blanks before {words!r} in a report": partial(of_runs, b" " * 1_880 + words)
        for words in (b"x@", b"user: x@", b"- user x@y.z", b"x@y.z:", b"original", b"5.1.1 <x@y.z>")
    },
    "one word of 1 MB": partial(of_lines, b"a" * MEGABYTE, MEGABYTE),
    "one word of digits, 1 MB": partial(of_lines, b"5.1." * (MEGABYTE // 4), MEGABYTE),
    "blanks in text": partial(of_lines, b" " * (MEGABYTE - 2), MEGABYTE),
    "tabs and blanks in lines": partial(of_lines, b"\t " * 30, MEGABYTE),
    "quoted to the depth of 70": partial(of_lines, b"> " * 35, MEGABYTE),
    "tags in HTML": partial(of_lines, b"<br><p", MEGABYTE, b"text/html"),
    "comments in HTML": partial(of_lines, b"<!--", MEGABYTE, b"text/html"),
    "entities in HTML": partial(of_lines, b"&amp;lt;", MEGABYTE, b"text/html"),
    "divs in HTML": partial(of_lines, b"<div>" * 14, MEGABYTE, b"text/html"),
    "unsubscribe, 1 MB": partial(of_field, b"unsubscribe "),
    "failed delivery, 1 MB": partial(of_lines, b"delivery failed to confirm verify", MEGABYTE),
    "uuencode": lambda: HEAD
    + b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 a\r\n"
    + b"M" + b" " * 60
    + (b"\r\nM" + b"\xff" * 60) * 20_000,
    "broken quoted-printable": lambda: HEAD
    + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    + b"=\xff=G=" * 200_000,
    "broken base64": lambda: HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"A=\n" * 30_000,
    "a message/partial": lambda: HEAD + b"Content-Type: message/partial; number=1\r\n\r\nx\r\n",
    "a head without end": lambda: HEAD.rstrip() + b"\r\n folded" * 100_000,
    "bare CR in the head": lambda: bounce().replace(b"Subject: ", b"Subject: a\rBcc: x@b.org\r"),
    "CR CR LF": lambda: bounce().replace(b"\r\n", b"\r\r\n"),
    "NULs between": lambda: bytes(one for pair in bounce() for one in (pair, 0)),
    "UTF-16": lambda: bounce().decode().encode("utf-16"),
    **{
        f"charset {name.decode('ascii', 'replace')[:20]!r}": partial(charset, name)
        for name in (
            b"punycode", b"idna", b"undefined", b"unicode_escape", b"raw-unicode-escape", b"utf-7",
            b"hex", b"zlib", b"rot13", b"mbcs", b"../../etc/passwd", b'"a\0b"', b"x" * 5_000,
            b"\xff\xfe", b"utf-32", b"hz", b"iso2022_jp_2004", b"unknown-8bit", b"*", b"utf-8''x",
        )
    },
}  # fmt: skip


class Cost(NamedTuple):
    """cpu_s: processor seconds of reading · peak_mb: the most that was held meanwhile beyond what
    was held before, the mail itself included."""

    read: Read
    cpu_s: float
    peak_mb: float


def cost_of(make: Callable[[], bytes]) -> Cost:
    """Make a mail and read it."""
    data = make()
    forget_peak()
    before = memory_mb() - len(data) / 2**20
    begun = time.process_time()
    read = read_report(data)
    return Cost(read, time.process_time() - begun, peak_mb() - before)


def faults_of(read: Read) -> list[str]:
    """What must not be so in any mail that was read."""
    texts = [read.form, read.sender, read.subject, read.message_id, *read.problems]
    texts += [*read.traces.bounce_ids, *read.traces.message_ids, *read.traces.leave_tokens]
    for one in read.reports:
        texts += [one.reason, one.recipient, one.status, one.words, one.action, one.mta]
    longest = max((len(text) for text in texts), default=0)
    found = {
        "no report": not read.reports,
        "no reason": any(not one.reason for one in read.reports),
        "words too long": any(len(one.words) > WORDS for one in read.reports),
        f"a text of {longest} characters": longest > 4_000,
        "too many traces": max(map(len, _traces(read))) > MOST,
        "a database would refuse it": any(
            "\0" in text or (not text.isascii() and not _is_sound(text)) for text in texts
        ),
    }
    return [fault for fault, is_so in found.items() if is_so]


def _traces(read: Read) -> tuple[tuple[str, ...], ...]:
    return read.traces.bounce_ids, read.traces.message_ids, read.traces.leave_tokens


def _is_sound(text: str) -> bool:
    """Without lone surrogates?"""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)
