"""What a refusal is about: a table from codes, enhanced codes and words to a meaning. Pure.

The first row that fits decides; each names where it comes from. A person is blamed only where the
server named the mailbox: who is suppressed by mistake never hears of it.
Enhanced codes: RFC 3463, RFC 5248 and the IANA registry of SMTP Enhanced Status Codes.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from service.delivery.answer_words import (
    BAD_CONTENT,
    FULL,
    GREYLISTED,
    NOBODY,
    OURS,
    PACE_OF_ONE,
    RELAYING,
    SENDER,
    SENDING_LIMIT,
    SHUT,
    SIZE,
    SLOWER,
    words,
)
from service.delivery.meaning import ABOUT, About, Meaning
from service.delivery.outcome import Phase, Reply

__all__ = [
    "ABOUT",
    "ROWS",
    "SIGN_IN",
    "About",
    "Meaning",
    "Row",
    "enhanced",
    "meaning_of",
    "row_of",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the table; what is empty fits everything.

    source: where it comes from · kind: "4" or "5" · codes: of the reply · status: a pattern for
    subject and detail of the enhanced code ("1.[1236]"), "-" = only where there is none · words: a
    pattern looked for in the server's words, addresses taken out · phases: what was answered.
    """

    meaning: Meaning
    source: str
    kind: str = ""
    codes: frozenset[int] = frozenset()
    status: str = ""
    words: re.Pattern[str] | None = None
    phases: frozenset[Phase] = frozenset()

    def fits(self, phase: Phase, code: int, status: str, words: str) -> bool:
        """Whether this row speaks of the answer. status: "5.1.1" or ""."""
        detail = status.partition(".")[2]
        return (
            (not self.kind or self.kind == str(code)[:1])
            and (not self.codes or code in self.codes)
            and (not self.phases or phase in self.phases)
            and (not self.status or _is_status(self.status, detail))
            and (self.words is None or self.words.search(words) is not None)
        )


def _is_status(pattern: str, detail: str) -> bool:
    return not detail if pattern == "-" else re.fullmatch(pattern, detail) is not None


_ADDRESS = re.compile(r"<?[^\s<>,;:()]+@[^\s<>,;:()]+>?")
_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")

SIGN_IN = frozenset({454, 530, 534, 535, 538})
"""Codes about signing in, or TLS before it (RFC 4954, RFC 3207)."""

_BEFORE: frozenset[Phase] = frozenset({"connect", "mail"})
_RCPT: frozenset[Phase] = frozenset({"rcpt"})
_TAKING: frozenset[Phase] = frozenset({"data", "body", "reply"})

ROWS: tuple[Row, ...] = (
    # our own set-up: whoever the mail is for would get the same answer
    Row(
        meaning=Meaning.RELAY,
        source="RFC 4954 section 6: signing in is required or has failed (454: for now)",
        codes=SIGN_IN - {454},
    ),
    Row(
        meaning=Meaning.RELAY,
        source="RFC 3207 section 4, RFC 4954 section 4.7: TLS or signing in does not work just now",
        codes=frozenset({454}),
        phases=_BEFORE,
    ),
    Row(
        meaning=Meaning.RELAY,
        source="Gmail 550 5.4.5 and 450 4.2.1, Amazon SES 454: what we may send is used up",
        words=SENDING_LIMIT,
    ),
    # asked to go slower
    Row(
        meaning=Meaning.TEMPORARY,
        source="RFC 3463 X.3.0 and X.3.2, Gmail 4.4.5: the server itself, shutting down or busy",
        kind="4",
        status="3.[02]|4.5|4.2",
    ),
    Row(
        meaning=Meaning.TEMPORARY,
        source="RFC 5321 section 3.8: a server that shuts down answers 421 to any command",
        codes=frozenset({421}),
        status="-",
        words=SHUT,
    ),
    Row(
        meaning=Meaning.TEMPORARY,
        source="Gmail 450 4.2.1, Exchange 432 4.3.2: one mailbox gets too much, not the domain",
        kind="4",
        words=PACE_OF_ONE,
    ),
    Row(
        meaning=Meaning.RATE,
        source="RFC 5321 section 4.2.2: 421 closes the channel",
        codes=frozenset({421}),
    ),
    Row(
        meaning=Meaning.RATE,
        source="Gmail 4.7.28, Microsoft 4.7.500 and 4.7.650: an unusual rate, limited for now",
        kind="4",
        status=r"7\.(28|5\d\d|6\d\d)",
    ),
    Row(
        meaning=Meaning.TEMPORARY,
        source="RFC 6647: greylisting, the same mail is taken later",
        kind="4",
        words=GREYLISTED,
    ),
    Row(
        meaning=Meaning.RATE,
        source="words of Yahoo, Comcast, Orange and others: too many, too fast",
        kind="4",
        words=SLOWER,
    ),
    # for now
    Row(
        meaning=Meaning.FULL,
        source="RFC 3463 X.2.2: mailbox full",
        kind="4",
        status=r"2\.2",
    ),
    Row(
        meaning=Meaning.FULL,
        source="words of a full mailbox, where RCPT was answered",
        kind="4",
        words=FULL,
        phases=_RCPT,
    ),
    Row(
        meaning=Meaning.POLICY,
        source="Gmail 4.7.23 to 4.7.32, RFC 7372, RFC 7489: not authenticated, no PTR",
        kind="4",
        status=r"7\.(2[0-79]|3[0-2])",
    ),
    Row(
        meaning=Meaning.POLICY,
        source="Postfix 450 4.7.1 (client host, HELO), lists of the blocked: because of us",
        kind="4",
        status=r"7\.\d+|-",
        words=OURS,
    ),
    Row(meaning=Meaning.TEMPORARY, source="RFC 5321 section 4.2.1: 4yz, try again", kind="4"),
    # for good: what is ours to mend comes before what a person could be blamed for
    Row(
        meaning=Meaning.RELAY,
        source="RFC 5321 section 3.1: 554 at the greeting, nothing is taken from here",
        phases=frozenset({"connect"}),
    ),
    Row(
        meaning=Meaning.RELAY,
        source="RFC 4954 X.7.8 and X.7.9, RFC 5248 X.7.10, X.7.11, X.7.13, X.7.14: before RCPT",
        status=r"7\.(8|9|1[0134])",
        phases=_BEFORE,
    ),
    Row(
        meaning=Meaning.POLICY,
        source="IANA X.7.20 to X.7.39, Microsoft 5.7.5xx and 5.7.6xx: authentication, reputation",
        status=r"7\.([23]\d|[56]\d\d)",
    ),
    Row(
        meaning=Meaning.RELAY,
        source="Postfix 554 5.7.1, Exchange 5.7.54, 5.7.57 and 5.7.60: no relaying, no such sender",
        words=RELAYING,
    ),
    Row(
        meaning=Meaning.FULL,
        source="RFC 3463 X.2.2: mailbox full",
        status=r"2\.2",
    ),
    Row(
        meaning=Meaning.PERSON,
        source="RFC 5248 and RFC 7293 5.7.17: the mailbox has another owner now",
        status=r"7\.17",
    ),
    Row(
        meaning=Meaning.POLICY,
        source="RFC 3463 X.7.Y: security and policy",
        status=r"7\.\d+",
    ),
    Row(
        meaning=Meaning.PERSON,
        source="Microsoft 550 5.4.1: the directory of the domain has no such recipient",
        status=r"4\.1",
        words=words(r"recipient address rejected: access denied"),
        phases=_RCPT,
    ),
    Row(
        meaning=Meaning.POLICY,
        source="RFC 3463 X.1.7 and X.1.8: the sender's address; X.1.9, RFC 3886",
        status=r"1\.[789]",
    ),
    Row(
        meaning=Meaning.POLICY,
        source="RFC 3463 X.1.Y at MAIL: nobody was named yet",
        status=r"1\.\d+",
        phases=frozenset({"mail"}),
    ),
    Row(
        meaning=Meaning.POLICY,
        source="words of the sender, which Postfix's smtpd_delay_reject says at RCPT",
        status=r"1\.\d+",
        words=SENDER,
    ),
    Row(
        meaning=Meaning.OTHER,
        source="Gmail 550 5.2.1: one mailbox gets too much",
        status=r"[12]\.\d+",
        words=PACE_OF_ONE,
    ),
    Row(
        meaning=Meaning.OTHER,
        source="words of Facebook and others: the reader's own filter, not the mailbox",
        status=r"[12]\.\d+",
        words=words(r"recipient preferences", r"(refused|rejected|blocked) by (the )?recipient"),
    ),
    Row(
        meaning=Meaning.FULL,
        source="552 5.1.1 of servers that file a full mailbox under its address",
        status=r"1\.1|2\.[014]",
        words=FULL,
    ),
    Row(
        meaning=Meaning.POLICY,
        source="X.1.Y and X.2.Y given for what is blocked",
        status=r"[12]\.\d+",
        words=OURS,
    ),
    Row(
        meaning=Meaning.PERSON,
        source="RFC 3463 X.1.0 to X.1.4 and X.1.6, RFC 7505 X.1.10: the address, its domain",
        status=r"1\.([0-46]|10)",
    ),
    Row(
        meaning=Meaning.PERSON,
        source="RFC 3463 X.2.1: the mailbox is disabled",
        status=r"2\.1",
    ),
    Row(
        meaning=Meaning.CONTENT,
        source="RFC 3463 X.2.3 and X.3.4: longer than they take",
        status=r"2\.3|3\.4",
    ),
    Row(
        meaning=Meaning.PERSON,
        source="Outlook.com 550 5.5.0: mailbox unavailable, where RCPT was answered",
        codes=frozenset({550}),
        status=r"5\.0",
        words=words(r"mailbox unavailable", r"no such (user|mailbox|recipient)"),
        phases=_RCPT,
    ),
    Row(
        meaning=Meaning.POLICY,
        source="X.5.0 and X.6.0 given for what is blocked",
        status=r"[56]\.0",
        words=OURS,
    ),
    Row(
        meaning=Meaning.CONTENT,
        source="RFC 3463 X.5.Y and X.6.Y: protocol, form of the message",
        status=r"[56]\.\d+",
    ),
    Row(
        meaning=Meaning.PERSON,
        source="X.0.0 beside words that name the mailbox, where RCPT was answered",
        codes=frozenset({550, 551, 553, 554}),
        status=r"0\.\d+",
        words=words(r"(user|recipient|address|mailbox) (is )?(unknown|not found)", r"no such user"),
        phases=_RCPT,
    ),
    Row(
        meaning=Meaning.POLICY,
        source="X.0.Y, X.2.Y, X.3.Y, X.4.Y given for what is blocked",
        status=r"[0234]\.\d+",
        words=OURS,
    ),
    Row(
        meaning=Meaning.FULL,
        source="X.0.Y, X.2.Y and X.3.Y given for a full mailbox",
        status=r"[023]\.\d+",
        words=FULL,
    ),
    Row(
        meaning=Meaning.OTHER,
        source="RFC 3463 X.0.Y, X.2.Y, X.3.Y, X.4.Y: mailbox, system and network without more",
        status=r"[0234]\.\d+",
    ),
    # no enhanced code: words
    Row(meaning=Meaning.FULL, source="words of a full mailbox", status="-", words=FULL),
    Row(meaning=Meaning.POLICY, source="words that speak of us", status="-", words=OURS),
    Row(meaning=Meaning.POLICY, source="words that speak of the sender", status="-", words=SENDER),
    Row(
        meaning=Meaning.CONTENT,
        source="RFC 1870 section 6: 552, more than they take",
        codes=frozenset({552}),
        status="-",
    ),
    Row(
        meaning=Meaning.CONTENT,
        source="words about the body that was just sent",
        status="-",
        words=words(SIZE.pattern, BAD_CONTENT.pattern),
        phases=_TAKING,
    ),
    Row(
        meaning=Meaning.PERSON,
        source="RFC 5321 section 4.2.3: 550, 551, 553 at RCPT, and words that name the mailbox",
        codes=frozenset({550, 551, 553, 554}),
        status="-",
        words=NOBODY,
        phases=_RCPT,
    ),
    Row(
        meaning=Meaning.CONTENT,
        source="RFC 5321 section 4.2.4: our command was not understood",
        codes=frozenset({500, 501, 502, 503, 504, 555}),
        status="-",
    ),
    Row(
        meaning=Meaning.POLICY,
        source="RFC 5321 section 3.3: MAIL refused before anybody was named",
        phases=frozenset({"mail"}),
    ),
    Row(meaning=Meaning.OTHER, source="RFC 5321 section 4.2.1: 5yz without more"),
)


@lru_cache(maxsize=2048)
def row_of(phase: Phase, reply: Reply) -> Row:
    """The row of the table that speaks of a 4yz or 5yz answer."""
    status = enhanced(reply)
    said = _ADDRESS.sub(" ", reply.text)
    return next(row for row in ROWS if row.fits(phase, reply.code, status, said))


def meaning_of(phase: Phase, reply: Reply) -> Meaning:
    """What an answer is about; code 0 = none came."""
    return row_of(phase, reply).meaning if reply.code else Meaning.SILENT


def enhanced(reply: Reply) -> str:
    """Return the enhanced status ("5.1.1") given or found in the words, of the code's class."""
    if reply.enhanced:
        return reply.enhanced
    for found in _ENHANCED.finditer(reply.text):
        if found[1] == str(reply.code)[0]:
            return found[0]
    return ""
