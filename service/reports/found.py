"""What a form said of one recipient, before it is judged. Pure."""

import re
from dataclasses import dataclass
from typing import Literal

Where = Literal["", "connect", "mail", "rcpt", "named", "body", "agent", "own"]
"""When the refusal came: at connect or EHLO, at MAIL, at RCPT, beside the address it is about,
after the body, from a delivery program, or from a system that speaks of its own mailboxes; "" = not
said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """recipient: "" = not said · action: of RFC 3464 ("failed", "delayed", ...) or "" ·
    status: the form's own field, "5.1.1" or "" · words: the refusing server's, as far as the form
    tells them apart · around: all that was said beside them (where ``words`` does not decide) ·
    where: see ``Where`` · mta: who refused."""

    recipient: str = ""
    action: str = ""
    status: str = ""
    words: str = ""
    around: str = ""
    where: Where = ""
    mta: str = ""


_WIDE = r"\uff1a\uff1b\uff0c\uff08\uff09\uff1c\uff1e\u3010\u3011\u300c\u300d"
"""Colon, comma and brackets of Chinese and Japanese texts."""

ADDRESS = re.compile(rf"[^\s<>\"'(),;:\[\]{_WIDE}]{{1,200}}@[^\W_](?:[\w.\-]{{0,250}}[^\W_])?+")
STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
CODE = re.compile(
    r"(?<![\d./\-+#=])(?<!\d:)([45][0-5]\d)(?=[ \-:,;.\"']|$)(?!\.\d)(?! bytes)", re.MULTILINE
)
_BOTH = re.compile(r"(?<![\d.])([245]\d\d)[ \-]{1,3}['\"#(]{0,2}([245]\.\d{1,3}\.\d{1,3})(?![\d.])")

_PLACES: tuple[tuple[Where, re.Pattern[str]], ...] = (
    (
        "body",
        re.compile(
            r"(in reply to (the )?|after |response to )(end of )?(\"?\.\"?|data|body|message)"
            r"( command)?\b(?! transfer)|after i sent the message|refused .{0,40}\(data\)|"
            r"smtp command\s+data\b|\(state 1[578]\)|after end of data|\[body\]",
            re.IGNORECASE,
        ),
    ),
    (
        "rcpt",
        re.compile(
            r"(in reply to|after|response to|>>>|<<<|did not like our|in)[ :]{0,2}(the )?rcpt\b|"
            r"does not like recipient|rcpt to (generated|command)|rejected address|"
            r"\[rcpt_to\]|rcpt to: ?<?\S{0,200}\s+(received )?(<<<|>>>) ?[45]\d\d|\(state 1[34]\)|"
            r"smtp command\s+rcpt|(need|no valid) rcpt|rcpt (command )?first",
            re.IGNORECASE,
        ),
    ),
    (
        "mail",
        re.compile(
            r"(in reply to|after|response to|>>>|<<<|did not like our|in)[ :]{0,2}(the )?mail from|"
            r"does not like sender|but sender was rejected|\[mail_from\]|smtp command\s+mail",
            re.IGNORECASE,
        ),
    ),
    (
        "connect",
        re.compile(
            r"(in reply to|after|response to)[ :]{0,2}(the )?([he]hlo|lhlo|initial connection)|"
            r"\[connect\]|connected to \S{1,200} but (greeting|connection|my name was)",
            re.IGNORECASE,
        ),
    ),
)


_AFTER_DATA = re.compile(r">>> DATA\s+<<< ?[45]\d\d", re.IGNORECASE)
_WAS_RCPT = re.compile(
    r"need rcpt|no valid recipient|rcpt first|5\.1\.\d|\.\.\. user unknown", re.IGNORECASE
)
"""Where commands were sent together, a transcript shows DATA before the answer to RCPT; what
follows tells."""


def place_of(text: str) -> Where:
    """Where in the session a refusal came, as far as the words say it."""
    if _AFTER_DATA.search(text) and not _WAS_RCPT.search(text):
        return "body"
    return next((where for where, pattern in _PLACES if pattern.search(text)), "")


def status_in(words: str) -> str:
    """The enhanced status that a server's words give: beside a reply code first."""
    both = _BOTH.search(words)
    if both and both[1][0] == both[2][0]:
        return both[2]
    found = STATUS.search(words)
    return found[1] if found else ""


def code_in(words: str) -> int:
    """The reply code that a server's words give; 0 = none."""
    both = _BOTH.search(words)
    found = both or CODE.search(words)
    return int(found[1]) if found else 0


def address_in(text: str) -> str:
    """The first mail address of a text, without what stands around it; "" = none."""
    found = ADDRESS.search(text)
    return found[0].strip(".") if found else ""


def one_line(text: str) -> str:
    """Words without their line ends."""
    return " ".join(text.split())
