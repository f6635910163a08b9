"""Mailgun's webhooks: permanent failures, spam complaints and unsubscribes. Pure.

The signature is an HMAC of a time and a token, not of the body; a token that comes again with
another body is refused. Mailgun keeps our Message-ID and gives it back. Shapes and signature:
documentation.mailgun.com/docs/mailgun/user-manual/events/webhooks; fields of events:
documentation.mailgun.com/docs/mailgun/user-manual/events/event-structure.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Any

from service.delivery.given_back import NAME
from service.inbound.events import (
    SUPPRESSED,
    Event,
    Post,
    RefusedError,
    at,
    canonical,
    event_of,
    hard_by_class,
    parsed,
    refused,
    said_by,
    text,
    traces_of,
)
from service.inbound.signatures import check_time, is_hmac
from service.reports.model import Report

TRIES_S = 9 * 3600
"""A post is tried again for 8 hours."""

_REASONS: dict[str, str] = {
    "suppress-bounce": SUPPRESSED,
    "suppress-complaint": "abuse",
    "suppress-unsubscribe": "opt_out",
    "old": "expired",
}
"""``reason`` of a permanent failure that was Mailgun's own decision (605, 607 and 606 of
``delivery-status.code``; "old": tried for too long). Of others the server's words decide, and then
``delivery-status.bounce-type``."""


class Mailgun:
    """keys: the signing key of the account, older ones behind it."""

    most_bytes = 1024 * 1024

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = [key.encode() for key in keys]
        self._tokens = _Tokens(100_000)

    async def prove(self, post: Post) -> None:
        """As told by ``Provider``."""
        posted = parsed(post.body)
        signed = at(posted, "signature")
        moment, token, made = (at(signed, name) for name in ("timestamp", "token", "signature"))
        moment = str(moment) if type(moment) is int else moment
        if not all(isinstance(one, str) for one in (moment, token, made)) or len(token) > 100:
            raise RefusedError(401, "The signature is missing.")
        if not is_hmac(self._keys, made, f"{moment}{token}".encode("utf-8", "replace")):
            raise RefusedError(403, "The signature is another one.")
        check_time(moment, post.now, TRIES_S)
        if not self._tokens.is_first(token, canonical(at(posted, "event-data"))):
            raise RefusedError(403, "The signature was used for another event.")

    def events(self, body: bytes) -> list[Event | None]:
        """As told by ``Provider``."""
        event = at(parsed(body), "event-data")
        if not isinstance(event, dict):
            raise RefusedError(422, "This is no event of Mailgun.")
        headers = at(event, "message", "headers")
        traces = traces_of((), (at(headers, "message-id"), at(event, "user-variables", NAME)))
        report = _report(event)
        subject = text(at(headers, "subject"))
        return [event_of(event, "mailgun", [report] if report else [], traces, subject)]


def _report(event: Any) -> Report | None:
    kind, recipient = at(event, "event"), at(event, "recipient")
    if kind == "complained":
        return said_by("abuse", recipient)
    if kind == "unsubscribed":
        return said_by("opt_out", recipient)
    if kind != "failed" or at(event, "severity") == "temporary":
        return None  # it is tried again
    status = at(event, "delivery-status")
    words = at(status, "message") or at(status, "description")
    own = _REASONS.get(text(at(event, "reason")))
    if own is not None:
        return said_by(own, recipient, words)
    return refused(
        hard_by_class(words) if at(status, "bounce-type") == "hard" else "unknown",
        recipient,
        status=at(status, "enhanced-code"),
        code=at(status, "code"),
        words=words,
        mta=at(status, "mx-host"),
    )


class _Tokens:
    """The newest tokens that this process has seen, each with what it came with."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: OrderedDict[str, bytes] = OrderedDict()
        self._lock = Lock()

    def is_first(self, token: str, event: bytes) -> bool:
        """Whether the token is new, or came with the same event."""
        made = hashlib.sha256(event).digest()
        with self._lock:
            known = self._seen.setdefault(token, made)
            if len(self._seen) > self._most:
                self._seen.popitem(last=False)
        return known == made
