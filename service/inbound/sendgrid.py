"""SendGrid's event webhook: bounces, drops, spam reports and unsubscribes, many in one post. Pure.

Signed with ECDSA over the time and the bytes of the body ("Signed Event Webhook Requests"); the
public key stands on SendGrid's page. Our Message-ID comes back as ``smtp-id`` with what became of
the delivery, and in ``unique_args`` with everything. Shapes:
www.twilio.com/docs/sendgrid/for-developers/tracking-events/event; signature: .../tracking-events/
getting-started-event-webhook-security-features.
"""

from typing import Any

from service.delivery.given_back import NAME
from service.inbound.events import (
    SUPPRESSED,
    Event,
    Post,
    RefusedError,
    at,
    event_of,
    parsed,
    refused,
    said_by,
    text,
    traces_of,
)
from service.inbound.signatures import PublicKey, check_time
from service.reports.model import Report

TRIES_S = 25 * 3600
"""A post is tried again for 24 hours."""

MOST_EVENTS = 10_000

_SIGNATURE = "x-twilio-email-event-webhook-signature"
_TIME = "x-twilio-email-event-webhook-timestamp"

_CLASSES: dict[str, str] = {
    "invalid address": "no_such_user",
    "mailbox unavailable": "disabled",
    "reputation": "reputation",
    "content": "spam_content",
    "frequency or volume too high": "too_fast",
    "technical failure": "unknown",
    "technical": "unknown",
}
"""``bounce_classification`` (twilio.com/docs/sendgrid: Bounce and block classifications)."""

_DROPS: dict[str, str] = {
    "bounced address": SUPPRESSED,
    "unsubscribed address": "opt_out",
    "spam reporting address": "abuse",
    "invalid": "no_such_user",
    "spam content": "spam_content",
}
"""``reason`` of what SendGrid itself dropped (.../tracking-events/event: dropped). Of no reader are
"Invalid SMTPAPI header" and "Recipient List over Package Quota"."""


class SendGrid:
    """key: the public one. Raises SettingError."""

    most_bytes = 5 * 1024 * 1024

    def __init__(self, key: str, variable: str) -> None:
        self._key = PublicKey(key, variable)

    async def prove(self, post: Post) -> None:
        """As told by ``Provider``."""
        moment, signature = post.headers.get(_TIME, ""), post.headers.get(_SIGNATURE, "")
        if not moment or not signature:
            raise RefusedError(401, "The signature is missing.")
        if not self._key.signed(moment.encode() + post.body, signature):
            raise RefusedError(403, "The signature is another one.")
        check_time(moment, post.now, TRIES_S)

    def events(self, body: bytes) -> list[Event | None]:
        """As told by ``Provider``."""
        found = parsed(body)
        if not isinstance(found, list):
            raise RefusedError(422, "This is no list of events.")
        if len(found) > MOST_EVENTS:
            raise RefusedError(413, "These are too many events at once.")
        return [_event(one) for one in found]


def _event(event: Any) -> Event | None:
    report = _report(event)
    if report is None:
        return None
    named = (at(event, name) for name in ("smtp-id", NAME))
    return event_of(event, "sendgrid", [report], traces_of((), named))


def _report(event: Any) -> Report | None:
    kind, recipient, words = at(event, "event"), at(event, "email"), at(event, "reason")
    if kind == "spamreport":
        return said_by("abuse", recipient)
    if kind in ("unsubscribe", "group_unsubscribe"):
        return said_by("opt_out", recipient)
    if kind == "dropped":
        own = _DROPS.get(text(words).lower().partition(" (")[0])
        return said_by(own, recipient, words) if own else None
    if kind != "bounce":
        return None
    otherwise = _CLASSES.get(text(at(event, "bounce_classification")).lower(), "unknown")
    if at(event, "type") == "expired" and otherwise == "unknown":
        otherwise = "expired"
    return refused(otherwise, recipient, status=at(event, "status"), words=words)
