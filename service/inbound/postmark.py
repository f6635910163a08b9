"""Postmark's webhooks: bounces, spam complaints and changes of a subscription. Pure.

Postmark signs nothing: the address holds a password (https://NAME:PASSWORD@host/inbound/postmark).
Whose a report is stands in the returned mail, which comes along where "Include bounce content in
webhook payload" is ticked, and in the metadata. Shapes: postmarkapp.com/developer/webhooks/
bounce-webhook, .../spam-complaint-webhook, .../subscription-change-webhook.
"""

from collections.abc import Sequence
from typing import Any

from service.delivery.given_back import NAME
from service.inbound.events import (
    SUPPRESSED,
    Event,
    Post,
    RefusedError,
    at,
    event_of,
    hard_by_class,
    parsed,
    refused,
    said_by,
    text,
    traces_of,
)
from service.inbound.signatures import check_password
from service.reports.mail import open_mail
from service.reports.model import Report, Traces
from service.reports.traces import find_traces

_SAID: dict[str, str] = {
    "DnsError": "unreachable",
    "SpamNotification": "spam_content",
    "Unknown": "unknown",
    "SoftBounce": "unknown",
    "Blocked": "reputation",
    "DMARCPolicy": "authentication",
}
"""Types of postmarkapp.com/developer/api/bounce-api ("Bounce types") that a server's answer led to;
its words decide where they say anything."""

_OWN: dict[str, str] = {
    "Unsubscribe": "opt_out",
    "AutoResponder": "auto_reply",
    "AddressChange": "auto_reply",
    "VirusNotification": "virus",
    "ChallengeVerification": "challenge",
    "BadEmailAddress": "no_such_user",
    "SpamComplaint": "abuse",
}
"""Types that say it by themselves. Of no reader of ours are Subscribe, OpenRelayTest,
ManuallyDeactivated, Unconfirmed, SMTPApiError, InboundError and TemplateRenderingFailed; a
Transient is tried again."""

_SUPPRESSED: dict[str, str] = {
    "HardBounce": SUPPRESSED,
    "SpamComplaint": "abuse",
    "ManualSuppression": "opt_out",
}
"""``SuppressionReason`` of a subscription that ended; a bounce has its own post, too."""


class Postmark:
    """passwords: the one that the address holds, older ones behind it."""

    most_bytes = 5 * 1024 * 1024

    def __init__(self, passwords: Sequence[str]) -> None:
        self._passwords = passwords

    async def prove(self, post: Post) -> None:
        """As told by ``Provider``."""
        check_password(self._passwords, post.headers.get("authorization", ""))

    def events(self, body: bytes) -> list[Event | None]:
        """As told by ``Provider``."""
        event = parsed(body)
        if not isinstance(event, dict) or not isinstance(event.get("RecordType"), str):
            raise RefusedError(422, "This is no event of Postmark.")
        report = _report(event)
        if report is None:
            return [None]
        return [event_of(event, "postmark", [report], _traces(event), text(event.get("Subject")))]


def _report(event: Any) -> Report | None:
    if event["RecordType"] == "SubscriptionChange":
        meaning = _SUPPRESSED.get(text(event.get("SuppressionReason")))
        if meaning is None or event.get("SuppressSending") is not True:
            return None
        return said_by(meaning, event.get("Recipient"))
    kind, recipient = text(event.get("Type")), event.get("Email")
    words = event.get("Details") or event.get("Description")
    if event["RecordType"] not in ("Bounce", "SpamComplaint"):
        return None
    if own := _OWN.get(kind):
        return said_by(own, recipient, words)
    if kind == "HardBounce":
        return refused(hard_by_class(words), recipient, words=words)
    return refused(_SAID[kind], recipient, words=words) if kind in _SAID else None


def _traces(event: Any) -> Traces:
    content, named = event.get("Content"), at(event, "Metadata", NAME)
    if not isinstance(content, str):
        return traces_of((), (named,))
    mail = open_mail(content.encode("utf-8", "replace"))
    found = find_traces(mail)
    own = traces_of((), (named,))
    return Traces(
        bounce_ids=found.bounce_ids,
        message_ids=own.message_ids + found.message_ids,
        leave_tokens=found.leave_tokens,
    )
