"""Amazon SES by way of Amazon SNS: bounces, complaints, rejects and contacts that left.

SNS signs each post with a certificate that lies at an address in the post. That address must be the
one of SNS in a region of our own topics; it is asked no more than a few times a minute. Where this
machine cannot reach it, the address of the subscription holds a password instead. A request to
confirm a subscription is told to the staff, who open its address: no post makes us ask anything.
Shapes: docs.aws.amazon.com/ses/latest/dg/notification-contents.html and event-publishing-
retrieving-sns-contents.html; signatures: docs.aws.amazon.com/sns/latest/dg/
sns-verify-signature-of-message.html.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from service.errors import SettingError
from service.inbound.events import (
    SUPPRESSED,
    Event,
    Post,
    RefusedError,
    at,
    event_of,
    hard_by_class,
    listed,
    parsed,
    refused,
    said_by,
    text,
    traces_of,
)
from service.inbound.signatures import Certificate, check_password
from service.reports.arf import COMPLAINTS
from service.reports.model import Report

TRIES = timedelta(hours=25)
"""So old may a post be: SNS tries for an hour unless its policy says otherwise."""

MOST_RECIPIENTS = 100
"""Of one event; ours have one, and SES itself takes 50."""

MOST_ASKED = 6
"""Certificates that are asked for in a minute; a region has one for months."""

_TOPIC = re.compile(
    r"arn:(aws|aws-cn|aws-us-gov):sns:([a-z]{2}(?:-[a-z]+)+-\d):\d{12}:[\w.-]{1,256}"
)
_PEM = re.compile(r"/SimpleNotificationService-[0-9a-f]{16,64}\.pem")

_BOUNCES: Mapping[tuple[str, str], str] = {
    ("Permanent", "NoEmail"): "no_such_user",
    ("Transient", "MailboxFull"): "mailbox_full",
    ("Transient", "MessageTooLarge"): "too_large",
    ("Transient", "CustomTimeoutExceeded"): "expired",
    ("Transient", "ContentRejected"): "content",
    ("Transient", "AttachmentRejected"): "content",
}
"""``bounceType`` and ``bounceSubType`` (notification-contents, "Bounce types"); the words of the
server decide where they say anything, and what is not here is for now."""

_OWN: Mapping[tuple[str, str], str] = {
    ("Permanent", "Suppressed"): SUPPRESSED,
    ("Permanent", "OnAccountSuppressionList"): SUPPRESSED,
    ("Permanent", "UnsubscribedRecipient"): "opt_out",
}
"""The same where SES handed nothing over to any server."""

Fetch = Callable[[str], Awaitable[bytes | None]]
Tell = Callable[[str, str], Awaitable[None]]


def read_topics(said: str, variable: str) -> dict[str, str]:
    """Topics, separated by commas, each with the host of its region. Raises SettingError."""
    found = {}
    for topic in filter(None, (one.strip() for one in said.split(","))):
        match = _TOPIC.fullmatch(topic)
        if match is None:
            raise SettingError(
                f"{variable}: {topic} is no ARN of an SNS topic.",
                variable,
                "Write it like arn:aws:sns:eu-central-1:123456789012:bounces.",
            )
        end = ".cn" if match[1] == "aws-cn" else ""
        found[topic] = f"sns.{match[2]}.amazonaws.com{end}"
    return found


class Ses:
    """topics: as ``read_topics`` gives them · passwords: of the address; none = signatures are
    checked · fetch: the bytes at an address, None where it gives none · tell: a topic asks to be
    confirmed at an address."""

    most_bytes = 1024 * 1024

    def __init__(
        self, topics: Mapping[str, str], passwords: Sequence[str], fetch: Fetch, tell: Tell
    ) -> None:
        self._topics = topics
        self._passwords = passwords
        self._tell = tell
        self._certificates = Certificates(fetch)

    async def prove(self, post: Post) -> None:
        """As told by ``Provider``; what asks to be confirmed is told to the staff here."""
        if self._passwords:
            check_password(self._passwords, post.headers.get("authorization", ""))
        message = _envelope(post.body)
        host = self._topics.get(message.get("TopicArn", ""))
        if host is None:
            raise RefusedError(403, "This topic is not one of PAPERPOST_INBOUND_SES.")
        _check_age(message.get("Timestamp", ""), post.now)
        if not self._passwords:
            url = message.get("SigningCertURL", "")
            if not (url.startswith(f"https://{host}/") and _PEM.fullmatch(url[8 + len(host) :])):
                raise RefusedError(403, "The certificate lies elsewhere than at Amazon SNS.")
            certificate = await self._certificates.get(url, post.now)
            if not certificate.signed(message, post.now):
                raise RefusedError(403, "The signature is another one.")
        if message["Type"] == "SubscriptionConfirmation":
            url = message.get("SubscribeURL", "")
            if url.startswith(f"https://{host}/?") and url.isascii() and url.isprintable():
                await self._tell(message["TopicArn"], url)

    def events(self, body: bytes) -> list[Event | None]:
        """As told by ``Provider``."""
        message = _envelope(body)
        if message["Type"] != "Notification":
            return [None]
        if not message.get("Message", "").lstrip().startswith("{"):
            return [None]  # "Successfully validated SNS topic for Amazon SES event publishing."
        return [_event(parsed(message["Message"]))]


class Certificates:
    """Certificates by address, kept while the process lives."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._known: dict[str, Certificate] = {}
        self._asked: list[datetime] = []
        self._one = asyncio.Lock()

    async def get(self, url: str, now: datetime) -> Certificate:
        """The certificate at an address that was checked. Raises RefusedError (503, so that SNS
        comes again)."""
        if (known := self._known.get(url)) is not None:  # and wait for no other
            return known
        async with self._one:
            if (known := self._known.get(url)) is not None:
                return known  # of who asked meanwhile
            minute = now - timedelta(minutes=1)
            self._asked = [one for one in self._asked if one > minute]
            if len(self._asked) >= MOST_ASKED:
                raise RefusedError(503, "Certificates were asked for too often just now.")
            self._asked.append(now)
            pem = await self._fetch(url)
            try:
                found = Certificate(pem or b"")
            except ValueError:
                raise RefusedError(503, "The certificate cannot be fetched.") from None
            if len(self._known) >= MOST_ASKED:
                self._known.clear()
            self._known[url] = found
            return found


def _envelope(body: bytes) -> dict[str, str]:
    """The fields of a message of SNS. Raises RefusedError."""
    message = parsed(body)
    if not isinstance(message, dict) or not isinstance(message.get("Type"), str):
        raise RefusedError(422, "This is no message of Amazon SNS; raw delivery must be off.")
    return {name: value for name, value in message.items() if isinstance(value, str)}


def _check_age(said: str, now: datetime) -> None:
    try:
        age = now - datetime.fromisoformat(said)
    except (ValueError, TypeError):  # TypeError: a time without a zone
        raise RefusedError(401, "The time of the message cannot be read.") from None
    if not -timedelta(minutes=15) <= age <= TRIES:
        raise RefusedError(401, "This was signed long ago, or ahead of time.")


def _event(event: Any) -> Event | None:
    mail = at(event, "mail")
    heads = [
        (at(one, "name"), at(one, "value")) for one in listed(at(mail, "headers"), MOST_RECIPIENTS)
    ]
    # what became the return path: with BOUNCE_ADDRESS it is of this one mail
    traces = traces_of(
        [("return-path", at(mail, "source")), *heads],
        [value for name, value in heads if text(name).lower() == "message-id"]
        or [at(mail, "commonHeaders", "messageId")],
    )
    subject = text(at(mail, "commonHeaders", "subject"))
    return event_of(event, "ses", _reports(event), traces, subject)


def _reports(event: Any) -> list[Report]:
    kind = at(event, "eventType") or at(event, "notificationType")
    if kind == "Bounce":
        return _bounced(at(event, "bounce"))
    to = listed(at(event, "mail", "destination"), MOST_RECIPIENTS)
    if kind == "Complaint":
        said = text(at(event, "complaint", "complaintFeedbackType")) or "abuse"
        meaning = COMPLAINTS.get(said.lower(), COMPLAINTS["other"])
        named = listed(at(event, "complaint", "complainedRecipients"), MOST_RECIPIENTS)
        whom = [at(one, "emailAddress") for one in named] or to or [""]
        return [said_by(meaning, one, said) for one in whom]
    if kind == "Reject":  # SES found a virus in it
        return [said_by("virus", one) for one in to or [""]]
    if kind == "Subscription":
        new = at(event, "subscription", "newTopicPreferences", "unsubscribeAll")
        return [said_by("opt_out", one) for one in to or [""]] if new is True else []
    return []


def _bounced(bounce: Any) -> list[Report]:
    key = (text(at(bounce, "bounceType")), text(at(bounce, "bounceSubType")))
    found = []
    for one in listed(at(bounce, "bouncedRecipients"), MOST_RECIPIENTS):
        whom, words = at(one, "emailAddress"), text(at(one, "diagnosticCode"))
        status, action = at(one, "status"), at(one, "action")
        if own := _OWN.get(key):
            found.append(said_by(own, whom, words))
        elif key == ("Transient", "General") and not (words or status or action):
            # no report of a server: the answer of a vacation program comes as this
            found.append(said_by("auto_reply", whom))
        else:
            words = re.sub(r"\A[a-z0-9-]{1,20}; ?", "", words, flags=re.IGNORECASE)
            mta = at(bounce, "reportingMTA")
            is_hard = key == ("Permanent", "General")
            otherwise = hard_by_class(words) if is_hard else _BOUNCES.get(key, "unknown")
            found.append(refused(otherwise, whom, status=status, words=words, mta=mta))
    return found
