"""The table of reasons: which status and which words stand for which. Pure.

The first row that fits decides; each names where it comes from. Nobody is called gone by one
witness alone: an enhanced status that names the mailbox or the domain and words that do not speak
of something else, or words that name the mailbox in an answer to RCPT. What does not reach that is
for now.
Enhanced codes: RFC 3463, RFC 5248 and the IANA registry of SMTP Enhanced Status Codes.
"""

import re

from service.delivery.answer_words import (
    FULL,
    GREYLISTED,
    PACE_OF_ONE,
    RELAYING,
    SENDING_LIMIT,
    words,
)
from service.reports import reason_words as say
from service.reports.found import Where
from service.reports.rows import Row

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
_UNSPOILT: frozenset[Where] = frozenset({"", "named", "rcpt", "own"})
_ANY: frozenset[Where] = _UNSPOILT | {"body"}
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
        status=r"1\.(0|1|3|10)|4\.1",
        words=say.NOBODY,
        unless=_OURS,
        where=_ANY,
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
        kind="5",
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
    Row(reason="mailbox_full", source="other words of a full mailbox", words=say.FULL_TOO),
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
    Row(
        reason="malformed",
        source="RFC 5322 and the words of servers that ask for it",
        words=say.MALFORMED,
        unless=say.NOBODY,
    ),
    Row(reason="authentication", source="words of SPF, DKIM, DMARC", words=say.AUTHENTICATION),
    Row(reason="no_ptr", source="words of a host without a name", words=say.NO_NAME),
    Row(reason="relaying", source="Postfix, Exchange: no relaying", words=RELAYING),
    Row(
        reason="relaying",
        source="words of relaying",
        words=words(r"relaying|relay access|mail relay|open relay|relay host"),
    ),
    Row(reason="virus", source="words of harm", words=say.VIRUS),
    Row(reason="too_fast", source="words of a rate", words=say.TOO_FAST),
    Row(reason="content", source="Gmail 552 5.7.0 and others", words=say.CONTENT_ITSELF),
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
        reason="moved",
        source="RFC 5321 551: words of one that has moved, where RCPT was answered",
        kind="5",
        status=r"[01]\.\d+|-",
        words=say.MOVED,
        where=_RCPT,
    ),
    Row(
        reason="domain_gone",
        source="words of a domain that does not exist",
        kind="5",
        status=r"[0-5]\.\d+|-",
        words=say.DOMAIN_GONE,
        unless=say.MAYBE_GONE,
        where=_UNSPOILT,
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
        where=_ANY,
    ),
    Row(
        reason="no_such_user",
        source="RFC 5321 4.2.3: words that name the mailbox, where RCPT was answered",
        kind="5",
        status=r"[0-57]\.\d+|-",
        words=say.NOBODY,
        unless=say.MAYBE_NOBODY,
        where=_RCPT,
    ),
    Row(
        reason="no_such_user",
        source="words that name the mailbox, in an answer beside its address",
        kind="5",
        status=r"0\.0|-",
        words=say.NOBODY,
        where=frozenset({"named"}),
    ),
    Row(
        reason="no_such_user",
        source="RFC 5321 4.2.3, 550: mailbox unavailable, where RCPT was answered",
        kind="5",
        status=r"[05]\.0|1\.1|-",
        words=words(r"(mailbox|recipient) (is )?(unavailable|not available)"),
        unless=say.POLICY,
        where=_RCPT,
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
    Row(
        reason="filtered",
        source="a mailbox named otherwise than in an answer to RCPT: it had been taken before",
        status=r"[0-6]\.\d+|-",
        words=say.NOBODY,
        unless=say.EXPIRED,
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
    Row(reason="system", source="RFC 3463 X.3.1: no room on the server itself", words=say.DISK),
    Row(reason="expired", source="words of a queue's end", words=say.EXPIRED),
    Row(reason="expired", source="RFC 3463 X.4.7: delivery time expired", status=r"4\.7"),
    Row(reason="unreachable", source="RFC 3463 X.4.Y: network and routing", status=r"4\.\d+"),
    Row(reason="system", source="RFC 3463 X.3.Y and X.5.Y", status=r"[35]\.\d+"),
    Row(reason="malformed", source="RFC 3463 X.6.Y: form of the message", status=r"6\.\d+"),
    Row(reason="unreachable", source="words of the network", words=say.NETWORK),
    Row(reason="agent", source="words of a delivery program", words=say.AGENT),
    Row(reason="system", source="words of something broken", words=say.SYSTEM),
    Row(reason="unknown", source="nothing that could be understood"),
)
