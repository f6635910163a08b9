"""What stands in a mail that only we could have written: whose mail it is about. Pure.

All of it is random (80 to 160 bits), so it is searched for in every field and text, however servers
on the way rewrote what was around it, and whether it is ours says the database.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from service.reports.mail import Headers, Mail, every, first
from service.reports.model import Traces

MOST: Final = 20
"""Traces of one sort that are kept of a mail."""

_BOUNCE_ID = re.compile(r"[+=-]([0-9a-f]{20})(?=[=@])", re.IGNORECASE)
"""In bounces+ID@example.org, and as SRS and BATV wrap it: SRS0=x=y=example.org=bounces+ID@..."""

_MESSAGE_ID = re.compile(r"<([^<>\s]{3,300})>")
_QUOTED_ID = re.compile(
    r"^[ \t>|]*(?:original-)?message-id:[ \t]*<([^<>\s]{3,300})>", re.IGNORECASE | re.MULTILINE
)
_TOKEN = r"[A-Za-z0-9_-]{22}(?![A-Za-z0-9_-])"  # nosec B105: its shape
_LEAVE_SUBJECT = re.compile(rf"\s*unsubscribe\s+({_TOKEN})\s*", re.IGNORECASE)
_LEAVE_LINK = re.compile(rf"(?:/u/|subject=unsubscribe(?:%20|\+|\s))({_TOKEN})", re.IGNORECASE)

_ANSWERED = ("in-reply-to", "references", "original-message-id", "x-original-message-id")


def find_traces(mail: Mail, rcpts: Sequence[str] = ()) -> Traces:
    """Return them, of each sort at most ``MOST``, most telling first: the address it was sent to,
    what it answers, the returned mail, its texts. rcpts: of the envelope it came in."""
    returned = [part.headers for part in mail.parts if part.returned]
    texts = [part.text for part in mail.parts if part.text]
    own = [*rcpts, *_values([mail.headers])]
    back = _values(returned)
    heads = [mail.headers, *(part.headers for part in mail.parts)]
    named = [first(head, "message-id") for head in returned]
    named += [value for name in _ANSWERED for head in heads for value in every(head, name)]
    return Traces(
        bounce_ids=_most(
            found.lower() for text in (*own, *back, *texts) for found in _BOUNCE_ID.findall(text)
        ),
        message_ids=_most(
            [found for value in named for found in _MESSAGE_ID.findall(value)]
            + [found for text in texts for found in _QUOTED_ID.findall(text)]
        ),
        leave_tokens=_most(
            [leave_token(mail)]
            + [found for text in (*own, *back, *texts) for found in _LEAVE_LINK.findall(text)]
        ),
    )


def leave_token(mail: Mail) -> str:
    """The token in a subject "unsubscribe TOKEN", as our mailto writes it; "" = none."""
    found = _LEAVE_SUBJECT.fullmatch(first(mail.headers, "subject"))
    return found[1] if found else ""


def _values(heads: Iterable[Headers]) -> list[str]:
    return [value for head in heads for _name, value in head]


def _most(found: Iterable[str]) -> tuple[str, ...]:
    """The first ``MOST`` different ones that say something."""
    return tuple(islice(dict.fromkeys(filter(None, found)), MOST))
