"""What a refusal is about: a table from enhanced status and words to a reason. Pure.

The first row that fits decides; each names where it comes from. Nobody is called gone by one
witness alone: an enhanced status that names the mailbox or the domain and words that do not speak
of something else, or words that name the mailbox and either a permanent status or an answer to
RCPT. What does not reach that is for now.
Enhanced codes: RFC 3463, RFC 5248 and the IANA registry of SMTP Enhanced Status Codes.
"""

import re
from functools import lru_cache

from service.delivery.answer_words import (
    FULL,
    GREYLISTED,
    PACE_OF_ONE,
    RELAYING,
    SENDING_LIMIT,
    words,
)
from service.reports import reason_words as say
from service.reports.found import ADDRESS, Found, Where, code_in, one_line, status_in
from service.reports.model import WORDS, Kind, Report
from service.reports.rows import Row, Said
from service.reports.special import SPECIAL

REASONS: dict[str, tuple[Kind, str]] = {
    "no_such_user": (Kind.HARD, "nobody has this mailbox"),
    "moved": (Kind.HARD, "the mailbox is no longer there or belongs to somebody else"),
    "domain_gone": (Kind.HARD, "the domain does not exist"),
    "no_mail_here": (Kind.HARD, "the domain takes no mail"),
    "mailbox_full": (Kind.SOFT, "the mailbox is full"),
    "disabled": (Kind.SOFT, "the mailbox exists and is switched off"),
    "filtered": (Kind.SOFT, "the reader's own filter, or an answer that names no clear cause"),
    "busy": (Kind.SOFT, "the mailbox gets too much mail just now"),
    "greylisted": (Kind.SOFT, "asked to come again"),
    "expired": (Kind.SOFT, "tried until the time was over"),
    "unreachable": (Kind.SOFT, "the receiving server was not reached"),
    "system": (Kind.SOFT, "something is broken on the way or there"),
    "agent": (Kind.SOFT, "the reader's delivery program failed"),
    "unknown": (Kind.SOFT, "refused without a cause that could be understood"),
    "reputation": (Kind.POLICY, "our address or domain is on a list or has a bad name"),
    "authentication": (Kind.POLICY, "SPF, DKIM or DMARC did not pass"),
    "no_ptr": (Kind.POLICY, "the sending host's name is missing or does not fit"),
    "too_fast": (Kind.POLICY, "too much at a time from us"),
    "relaying": (Kind.POLICY, "our relay may not send this there"),
    "sender_refused": (Kind.POLICY, "our sender's address is refused"),
    "encryption": (Kind.POLICY, "TLS failed or is asked for"),
    "policy": (Kind.POLICY, "a rule of theirs, not about the reader"),
    "spam_content": (Kind.CONTENT, "this mail looks like spam to them"),
    "virus": (Kind.CONTENT, "this mail looks harmful to them"),
    "too_large": (Kind.CONTENT, "larger than they take"),
    "malformed": (Kind.CONTENT, "this mail breaks a rule of form"),
    "content": (Kind.CONTENT, "something in this mail is not taken"),
    "delivered": (Kind.NONE, "delivered or handed on"),
}
"""Reasons of failures: what follows and what it means. Those of complaints, wishes to leave and
automatic answers stand in ``arf`` and ``kinds``."""


_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"')\]]{1,400}", re.IGNORECASE)
_OURS = re.compile(
    "|".join(
        one.pattern
        for one in (
            say.AUTHENTICATION,
            say.NO_NAME,
            say.TOO_FAST,
            say.REPUTATION,
            say.SPAM,
            say.VIRUS,
            say.SENDER,
            say.FILTERED,
            say.DISABLED,
            FULL,
        )
    ),
    re.IGNORECASE,
)
_RCPT: frozenset[Where] = frozenset({"rcpt", "own"})
_EARLY: frozenset[Where] = frozenset({"connect", "mail"})

ROWS: tuple[Row, ...] = (
    Row(
        reason="mailbox_full",
        source="what delivery programs say of a quota",
        words=FULL,
        where=frozenset({"agent"}),
    ),
    Row(
        reason="agent",
        source="RFC 3464 2.3.6, x-unix: the words of a program, not of a server",
        where=frozenset({"agent"}),
    ),
    # for good, by status and words together
    Row(
        reason="no_such_user",
        source="RFC 3463 X.1.1, X.1.3, X.1.10 (Exchange Online) and words that name the mailbox",
        kind="5",
        status=r"1\.(0|1|3|6|10)|4\.1",
        words=say.NOBODY,
        unless=_OURS,
        where=frozenset({"", "rcpt", "own", "body"}),
    ),
    # what speaks of the sending side
    Row(
        reason="sender_refused",
        source="RFC 7505 X.7.27, RFC 3463 X.1.7 and X.1.8: the sender's address",
        status=r"1\.[78]",
    ),
    Row(
        reason="no_mail_here",
        source="RFC 7505 X.1.10 and words of a null MX",
        words=say.NO_MAIL_HERE,
        unless=say.SENDER,
    ),
    Row(
        reason="too_fast",
        source="Gmail 5.4.5, Exchange Online 5.1.90: what we may send is used up",
        words=SENDING_LIMIT,
    ),
    Row(
        reason="busy",
        source="Gmail 4.2.1 and 5.2.1, Exchange Online 5.2.121: one mailbox gets too much",
        status=r"[1-4]\.\d+",
        words=PACE_OF_ONE,
    ),
    Row(
        reason="greylisted",
        source="RFC 6647: greylisting",
        kind="4",
        words=GREYLISTED,
        unless=say.REPUTATION,
    ),
    Row(
        reason="mailbox_full",
        source="words of a full mailbox",
        words=FULL,
        unless=say.TOO_FAST,
    ),
    Row(reason="mailbox_full", source="RFC 3463 X.2.2: mailbox full", status=r"2\.2"),
    Row(reason="too_large", source="RFC 3463 X.2.3, X.3.4", status=r"2\.3|3\.4"),
    Row(
        reason="disabled",
        source="RFC 3463 X.2.1 and words of a mailbox that is switched off",
        status=r"[0-5]\.\d+|-",
        words=say.DISABLED,
    ),
    Row(reason="filtered", source="words of a reader's own filter", words=say.FILTERED),
    Row(
        reason="authentication",
        source="RFC 7372, RFC 7489, IANA X.7.20 to X.7.32",
        status=r"7\.(2[0-9]|3[0-2]|50[0-9]|515)",
        unless=say.NO_NAME,
    ),
    Row(reason="authentication", source="words of SPF, DKIM, DMARC", words=say.AUTHENTICATION),
    Row(reason="no_ptr", source="words of a host without a name", words=say.NO_NAME),
    Row(reason="relaying", source="Postfix, Exchange: no relaying", words=RELAYING),
    Row(reason="relaying", source="words of relaying", words=words(r"relay")),
    Row(reason="virus", source="words of harm", words=say.VIRUS),
    Row(
        reason="malformed",
        source="RFC 5322 and the words of servers that ask for it",
        words=say.MALFORMED,
        unless=say.NOBODY,
    ),
    Row(reason="too_fast", source="words of a rate", words=say.TOO_FAST),
    Row(reason="reputation", source="words of lists and of a bad name", words=say.REPUTATION),
    Row(
        reason="reputation",
        source="links to lists",
        links=words(
            r"spamhaus|spamcop|sorbs|barracuda|[/.=](rbl|dnsbl|block|black)|senderbase|abuseat"
        ),
    ),
    Row(reason="spam_content", source="words of spam", words=say.SPAM),
    Row(
        reason="sender_refused",
        source="words of the sender, whenever they come",
        words=say.SENDER,
    ),
    Row(reason="too_large", source="RFC 1870 and words of size", words=say.TOO_LARGE),
    Row(reason="encryption", source="RFC 3207, IANA X.7.10", words=say.ENCRYPTION),
    Row(reason="content", source="words of the content", words=say.SECURITY_OF_CONTENT),
    # for good
    Row(
        reason="moved",
        source="RFC 3463 X.1.6, RFC 7293 X.7.17, RFC 5321 551",
        kind="5",
        status=r"1\.6|7\.17",
    ),
    Row(
        reason="domain_gone",
        source="words of a domain that does not exist",
        kind="5",
        status=r"[0-5]\.\d+|-",
        words=say.DOMAIN_GONE,
        where=frozenset({"", "rcpt", "own"}),
    ),
    Row(
        reason="domain_gone",
        source="DNS: NXDOMAIN, whatever class the status has",
        words=words(r"\bnxdomain\b"),
    ),
    Row(
        reason="no_such_user",
        source="systems that speak of their own mailboxes",
        kind="5",
        status=r"[01345]\.\d+|-",
        words=say.NOBODY_HERE,
        where=frozenset({"", "rcpt", "own", "body"}),
    ),
    Row(
        reason="no_such_user",
        source="RFC 5321 4.2.3: words that name the mailbox, where RCPT was answered",
        kind="5",
        status=r"[0-57]\.\d+|-",
        words=say.NOBODY,
        where=_RCPT,
    ),
    Row(
        reason="no_such_user",
        source="words that name the mailbox, and a permanent status",
        kind="5",
        status=r"[0135]\.\d+",
        words=say.NOBODY,
        where=frozenset({""}),
    ),
    Row(
        reason="no_such_user",
        source="Outlook.com 550 5.5.0, RFC 5321 550: mailbox unavailable, at RCPT",
        kind="5",
        status=r"[05]\.0|1\.1",
        words=words(r"mailbox (is )?(unavailable|not available)"),
        where=_RCPT,
    ),
    Row(
        reason="filtered",
        source="a mailbox named otherwise than in an answer to RCPT: it had been taken before",
        words=say.NOBODY,
        unless=say.EXPIRED,
    ),
    Row(
        reason="sender_refused",
        source="RFC 3463 X.1.Y at MAIL: nobody was named yet",
        status=r"1\.\d+",
        where=_EARLY,
    ),
    Row(
        reason="policy",
        source="RFC 5321 3.1, 3.3: refused before anybody was named",
        kind="5",
        where=_EARLY,
    ),
    Row(reason="policy", source="RFC 3463 X.7.Y: security and policy", status=r"7\.\d+"),
    Row(
        reason="policy",
        source="words of a rule, beside a status that says otherwise",
        words=say.POLICY,
        unless=say.SYSTEM,
    ),
    Row(
        reason="no_such_user",
        source="RFC 3463 X.1.1, X.1.3 (RFC 5248 X.1.10 with other words): the address",
        kind="5",
        status=r"1\.(1|3)",
    ),
    Row(reason="domain_gone", source="RFC 3463 X.1.2: the domain", kind="5", status=r"1\.2"),
    Row(reason="no_mail_here", source="RFC 7505 X.1.10", kind="5", status=r"1\.10"),
    # for now
    Row(reason="disabled", source="RFC 3463 X.2.1: the mailbox is disabled", status=r"2\.1"),
    Row(reason="expired", source="RFC 3463 X.4.7: delivery time expired", status=r"4\.7"),
    Row(reason="unreachable", source="RFC 3463 X.4.Y: network and routing", status=r"4\.\d+"),
    Row(reason="system", source="RFC 3463 X.3.Y and X.5.Y", status=r"[35]\.\d+"),
    Row(reason="malformed", source="RFC 3463 X.6.Y: form of the message", status=r"6\.\d+"),
    Row(reason="expired", source="words of a queue's end", words=say.EXPIRED),
    Row(reason="unreachable", source="words of the network", words=say.NETWORK),
    Row(reason="agent", source="words of a delivery program", words=say.AGENT),
    Row(reason="system", source="words of something broken", words=say.SYSTEM),
    Row(reason="unknown", source="nothing that could be understood"),
)


@lru_cache(maxsize=512)
def row_of(said: Said) -> Row:
    """The row that speaks of what was said."""
    return next(row for row in (*SPECIAL, *ROWS) if row.fits(said))


def judge(found: Found) -> Report:
    """What follows from what a form said of one recipient."""
    said = one_line(found.words)
    status, code = _status(found.status, status_in(said)), code_in(said)
    if _is_done(found, status):
        kind, reason = Kind.NONE, "delivered"
    else:
        row = _row(found, said, status, code)
        kind, reason = REASONS[row.reason][0], row.reason
    if found.action == "delayed" and kind is Kind.HARD:
        kind, reason = Kind.SOFT, "unreachable" if reason != "no_such_user" else "filtered"
    return Report(
        kind=kind,
        reason=reason,
        recipient=found.recipient,
        status=status,
        code=code,
        words=(said or one_line(found.around))[:WORDS],
        action=found.action,
        mta=found.mta,
    )


def _row(found: Found, words: str, status: str, code: int) -> Row:
    said = [_said(found, words, status, code)] if words else []
    around = one_line(found.around)
    if around and around != words:
        status = status or status_in(around)
        said.append(_said(found, around, status, code or code_in(around)))
    rows = [row_of(one) for one in said or [_said(found, "", status, code)]]
    return next((row for row in rows if row.reason != "unknown"), rows[0])


def _said(found: Found, words: str, status: str, code: int) -> Said:
    kind = status[:1] or (str(code)[:1] if code else "")
    if not kind and found.action == "delayed":
        kind = "4"
    if not kind and found.action == "failed":
        kind = "5"
    links = " ".join(_LINK.findall(words))
    plain = ADDRESS.sub(" ", _LINK.sub(" ", words))
    return Said(kind, status, one_line(plain)[:4000], links, found.where)


def _status(field: str, said: str) -> str:
    """The status that tells more: a server's own beside one that a relay made of it."""
    if not said:
        return field
    if not field or field.endswith(".0.0") or field[2:] in ("5.0", "3.0", "4.7"):
        return said
    return said if said[0] == field[0] and not said.endswith(".0.0") else field


def _is_done(found: Found, status: str) -> bool:
    return found.action in ("delivered", "relayed", "expanded", "deliverable") or (
        status.startswith("2.") and found.action not in ("failed", "delayed")
    )
