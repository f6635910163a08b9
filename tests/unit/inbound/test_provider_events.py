"""What providers' events mean: shapes as their public documentation gives them, values of ours."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from service.inbound.events import Event, RefusedError
from service.inbound.mailgun import Mailgun
from service.inbound.postmark import Postmark
from service.inbound.sendgrid import MOST_EVENTS, SendGrid
from service.inbound.ses import Ses, read_topics

TOPIC = "arn:aws:sns:eu-central-1:123456789012:bounces"
MESSAGE_ID = "abcdefghijklmnopqrstuvwxyz234567@papers.example.org"
BOUNCE_ID = "0123456789abcdef0123"
ADA = "ada@uni.example"
NOBODY = "550 5.1.1 <ada@uni.example>: Recipient address rejected: User unknown"


async def _nothing(*_: object) -> None:
    return None


SES = Ses(read_topics(TOPIC, "X"), (), _nothing, _nothing)
POSTMARK = Postmark(["p" * 20])
MAILGUN = Mailgun(["k" * 20])


@pytest.fixture(scope="module")
def sendgrid() -> SendGrid:
    public = generate_private_key(SECP256R1()).public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = base64.b64encode(der).decode()
    return SendGrid(key, "X")


def told(events: list[Event | None]) -> list[tuple[str, str, str]]:
    """(kind, reason, recipient) of every report."""
    return [
        (str(one.kind), one.reason, one.recipient)
        for event in events
        if event is not None
        for one in event.read.reports
    ]


def ids(event: Event | None) -> tuple[str, ...]:
    assert event is not None
    return event.read.traces.message_ids


# -- Amazon SES --------------------------------------------------------------------------------


def ses(event: dict[str, Any], **mail: Any) -> list[Event | None]:
    inner = {
        "mail": {
            "timestamp": "2026-11-18T06:00:00.000Z",
            "messageId": "0102018b1234abcd-11111111-2222-3333-4444-555555555555-000000",
            "source": f"bounces+{BOUNCE_ID}@papers.example.org",
            "destination": [ADA],
            "headersTruncated": False,
            "headers": [
                {"name": "From", "value": "papers@papers.example.org"},
                {"name": "Message-ID", "value": f"<{MESSAGE_ID}>"},
            ],
            "commonHeaders": {"subject": "Papers of the day", "messageId": f"<{MESSAGE_ID}>"},
            **mail,
        },
        **event,
    }
    return SES.events(json.dumps({"Type": "Notification", "Message": json.dumps(inner)}).encode())


def ses_bounce(kind: str, sub: str, **recipient: str) -> list[Event | None]:
    bounce = {
        "bounceType": kind,
        "bounceSubType": sub,
        "bouncedRecipients": [{"emailAddress": ADA, **recipient}],
        "reportingMTA": "dns; a8-70.smtp-out.amazonses.com",
        "feedbackId": "0102018b-1",
    }
    return ses({"notificationType": "Bounce", "bounce": bounce})


@pytest.mark.parametrize(
    ("kind", "sub", "recipient", "means"),
    [
        (
            "Permanent",
            "General",
            {"status": "5.1.1", "action": "failed", "diagnosticCode": f"smtp; {NOBODY}"},
            ("hard", "no_such_user"),
        ),
        ("Permanent", "NoEmail", {}, ("hard", "no_such_user")),
        ("Permanent", "General", {}, ("hard", "no_such_user")),
        (
            "Permanent",
            "General",
            {"diagnosticCode": "smtp; 550 zxqy"},
            ("soft", "unknown"),
        ),
        (
            "Permanent",
            "General",
            {
                "status": "5.7.1",
                "diagnosticCode": "smtp; 554 5.7.1 Service unavailable; Client host "
                "[192.0.2.1] blocked using zen.spamhaus.org",
            },
            ("policy", "reputation"),
        ),
        ("Permanent", "Suppressed", {"status": "5.1.1"}, ("soft", "suppressed")),
        ("Permanent", "OnAccountSuppressionList", {"status": "5.1.1"}, ("soft", "suppressed")),
        ("Permanent", "UnsubscribedRecipient", {}, ("optout", "opt_out")),
        ("Transient", "General", {}, ("auto", "auto_reply")),
        (
            "Transient",
            "General",
            {"status": "4.4.7", "diagnosticCode": "smtp; 550 4.4.7 Message expired: unable to "
             "deliver in 840 minutes."},
            ("soft", "expired"),
        ),
        ("Transient", "MailboxFull", {}, ("soft", "mailbox_full")),
        ("Transient", "MessageTooLarge", {}, ("content", "too_large")),
        ("Transient", "ContentRejected", {}, ("content", "content")),
        ("Undetermined", "Undetermined", {}, ("soft", "unknown")),
        ("NewType", "NewSubType", {}, ("soft", "unknown")),
    ],
)  # fmt: skip
def test_bounces_of_ses(kind, sub, recipient, means) -> None:
    assert told(ses_bounce(kind, sub, **recipient)) == [(*means, ADA)]


def test_ses_says_whose_it_is_by_what_we_wrote() -> None:
    (event,) = ses_bounce("Permanent", "NoEmail")
    assert event is not None
    assert event.read.traces.bounce_ids == (BOUNCE_ID,)
    assert event.read.traces.message_ids == (MESSAGE_ID,)
    assert (event.read.form, event.read.subject) == ("provider:ses", "Papers of the day")
    bare = {"headers": None, "commonHeaders": None, "source": "papers@papers.example.org"}
    (event,) = ses({"notificationType": "Complaint", "complaint": {}}, **bare)
    assert event is not None
    assert event.read.traces.message_ids == event.read.traces.bounce_ids == ()


@pytest.mark.parametrize(
    ("feedback", "means"),
    [
        ("abuse", ("complaint", "abuse")),
        ("", ("complaint", "abuse")),
        ("fraud", ("complaint", "fraud")),
        ("not-spam", ("none", "not_spam")),
        ("auth-failure", ("none", "auth_failure")),
        ("other", ("complaint", "other_complaint")),
    ],
)
def test_complaints_of_ses(feedback, means) -> None:
    complaint = {"complainedRecipients": [{"emailAddress": ADA}]}
    if feedback:
        complaint["complaintFeedbackType"] = feedback
    assert told(ses({"eventType": "Complaint", "complaint": complaint})) == [(*means, ADA)]


@pytest.mark.parametrize("event", ["Delivery", "Send", "Open", "Click", "DeliveryDelay", "New"])
def test_what_ses_tells_of_no_failure_is_left(event) -> None:
    assert ses({"eventType": event, event.lower(): {}}) == [None]


def test_rejects_and_contacts_of_ses() -> None:
    assert told(ses({"eventType": "Reject", "reject": {"reason": "Bad content"}})) == [
        ("content", "virus", ADA)
    ]
    left = {"newTopicPreferences": {"unsubscribeAll": True}}
    assert told(ses({"eventType": "Subscription", "subscription": left})) == [
        ("optout", "opt_out", ADA)
    ]
    stays = {"newTopicPreferences": {"unsubscribeAll": False}}
    assert ses({"eventType": "Subscription", "subscription": stays}) == [None]


def test_words_for_people_in_a_notification_are_no_event() -> None:
    said = "Successfully validated SNS topic for Amazon SES event publishing."
    body = json.dumps({"Type": "Notification", "Message": said}).encode()
    assert SES.events(body) == [None]


def test_topics_are_read_strictly() -> None:
    china = "arn:aws-cn:sns:cn-north-1:123456789012:b"
    assert read_topics(f"{TOPIC}, {china}", "X") == {
        TOPIC: "sns.eu-central-1.amazonaws.com",
        china: "sns.cn-north-1.amazonaws.com.cn",
    }
    for wrong in ("x", "arn:aws:sns:s3:123456789012:b", "arn:aws:sqs:eu-central-1:123456789012:b"):
        with pytest.raises(Exception, match="no ARN"):
            read_topics(wrong, "X")


# -- Postmark ----------------------------------------------------------------------------------


def postmark(**event: Any) -> list[Event | None]:
    whole = {
        "RecordType": "Bounce",
        "MessageStream": "broadcast",
        "ID": 4323372036854775807,
        "Type": "HardBounce",
        "TypeCode": 1,
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Metadata": {"paperpost": MESSAGE_ID},
        "Description": "The server was unable to deliver your message (ex: unknown user).",
        "Details": f"smtp;{NOBODY}",
        "Email": ADA,
        "From": "papers@papers.example.org",
        "BouncedAt": "2026-11-18T16:33:54.9070259Z",
        "Subject": "Papers of the day",
        **event,
    }
    return POSTMARK.events(json.dumps(whole).encode())


@pytest.mark.parametrize(
    ("kind", "details", "means"),
    [
        ("HardBounce", NOBODY, ("hard", "no_such_user")),
        ("HardBounce", "zxqy", ("soft", "unknown")),
        ("HardBounce", "552 5.2.2 The mailbox is over its quota", ("soft", "mailbox_full")),
        ("SoftBounce", "452 4.2.2 mailbox full", ("soft", "mailbox_full")),
        ("SoftBounce", "zxqy", ("soft", "unknown")),
        ("DnsError", "zxqy", ("soft", "unreachable")),
        ("Blocked", "zxqy", ("policy", "reputation")),
        ("SpamNotification", "zxqy", ("content", "spam_content")),
        ("DMARCPolicy", "550 5.7.26 DMARC check failed", ("policy", "authentication")),
        ("BadEmailAddress", "", ("hard", "no_such_user")),
        ("AutoResponder", "I am away", ("auto", "auto_reply")),
        ("AddressChange", "I moved", ("auto", "auto_reply")),
        ("ChallengeVerification", "", ("auto", "challenge")),
        ("VirusNotification", "", ("content", "virus")),
        ("Unsubscribe", "", ("optout", "opt_out")),
    ],
)
def test_bounces_of_postmark(kind, details, means) -> None:
    assert told(postmark(Type=kind, Details=details)) == [(*means, ADA)]


@pytest.mark.parametrize("kind", ["Transient", "Subscribe", "OpenRelayTest", "SMTPApiError", "New"])
def test_what_postmark_tells_of_no_reader_is_left(kind) -> None:
    assert postmark(Type=kind) == [None]


def test_complaints_and_subscriptions_of_postmark() -> None:
    complaint = postmark(RecordType="SpamComplaint", Type="SpamComplaint", TypeCode=100001)
    assert told(complaint) == [("complaint", "abuse", ADA)]
    change = {
        "RecordType": "SubscriptionChange",
        "Recipient": ADA,
        "SuppressSending": True,
        "SuppressionReason": "ManualSuppression",
    }
    assert told(postmark(**change)) == [("optout", "opt_out", ADA)]
    assert told(postmark(**{**change, "SuppressionReason": "SpamComplaint"})) == [
        ("complaint", "abuse", ADA)
    ]
    assert postmark(**{**change, "SuppressSending": False, "SuppressionReason": None}) == [None]
    assert postmark(RecordType="Delivery") == [None]


def test_postmark_says_whose_it_is_by_metadata_or_by_the_returned_mail() -> None:
    assert ids(postmark()[0]) == (MESSAGE_ID,)
    returned = (
        "From: MAILER-DAEMON@mx.example.net\r\nContent-Type: multipart/report; boundary=b\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <{MESSAGE_ID}>\r\n"
        f"Return-Path: <bounces+{BOUNCE_ID}@papers.example.org>\r\n\r\nText\r\n--b--\r\n"
    )
    (event,) = postmark(Metadata={}, Content=returned)
    assert ids(event) == (MESSAGE_ID,)
    assert event is not None
    assert event.read.traces.bounce_ids == (BOUNCE_ID,)
    assert ids(postmark(Metadata={})[0]) == (), "Postmark's own MessageID is not ours"


# -- Mailgun -----------------------------------------------------------------------------------


def mailgun(**event: Any) -> list[Event | None]:
    data = {
        "event": "failed",
        "severity": "permanent",
        "reason": "bounce",
        "id": "G9Bn5sl1TC6nu79C8C0bwg",
        "timestamp": 1763445600.1,
        "recipient": ADA,
        "recipient-domain": "uni.example",
        "message": {"headers": {"to": ADA, "message-id": MESSAGE_ID, "subject": "Papers"}},
        "delivery-status": {
            "code": 550,
            "enhanced-code": "5.1.1",
            "bounce-type": "hard",
            "message": "The email account that you tried to reach does not exist",
            "mx-host": "mx.uni.example",
            "attempt-no": 1,
        },
        **event,
    }
    return MAILGUN.events(json.dumps({"signature": {}, "event-data": data}).encode())


@pytest.mark.parametrize(
    ("event", "means"),
    [
        ({}, ("hard", "no_such_user")),
        ({"delivery-status": {"bounce-type": "hard"}}, ("hard", "no_such_user")),
        ({"delivery-status": {"bounce-type": "hard", "message": "zxqy"}}, ("soft", "unknown")),
        ({"delivery-status": {"code": 552, "message": "5.2.2 Full"}}, ("soft", "mailbox_full")),
        (
            {"delivery-status": {"code": "550", "message": "5.7.1 Our system has detected that "
             "this message is likely unsolicited mail"}},
            ("content", "spam_content"),
        ),
        ({"reason": "suppress-bounce", "delivery-status": {"code": 605}}, ("soft", "suppressed")),
        ({"reason": "suppress-complaint"}, ("complaint", "abuse")),
        ({"reason": "suppress-unsubscribe"}, ("optout", "opt_out")),
        ({"reason": "old"}, ("soft", "expired")),
        ({"event": "complained"}, ("complaint", "abuse")),
        ({"event": "unsubscribed"}, ("optout", "opt_out")),
    ],
)  # fmt: skip
def test_events_of_mailgun(event, means) -> None:
    (made,) = mailgun(**event)
    assert told([made]) == [(*means, ADA)]
    assert ids(made) == (MESSAGE_ID,)


@pytest.mark.parametrize(
    "event",
    [{"severity": "temporary"}, {"event": "delivered"}, {"event": "opened"}, {"event": "new"}],
)
def test_what_mailgun_tries_again_is_left(event) -> None:
    assert mailgun(**event) == [None]


# -- SendGrid ----------------------------------------------------------------------------------


def grid(**event: Any) -> dict[str, Any]:
    return {
        "email": ADA,
        "timestamp": 1763445600,
        "smtp-id": f"<{MESSAGE_ID}>",
        "event": "bounce",
        "type": "bounce",
        "status": "5.1.1",
        "reason": NOBODY,
        "bounce_classification": "Invalid Address",
        "sg_event_id": "6g4ZI7SA-xmRDv57GoPIPw==",
        "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
        **event,
    }


@pytest.mark.parametrize(
    ("event", "means"),
    [
        ({}, ("hard", "no_such_user")),
        ({"reason": "", "status": ""}, ("hard", "no_such_user")),
        (
            {"reason": "zxqy", "status": "", "bounce_classification": "Reputation"},
            ("policy", "reputation"),
        ),
        (
            {"reason": "zxqy", "status": None, "type": "blocked", "bounce_classification": None},
            ("soft", "unknown"),
        ),
        (
            {"reason": "zxqy", "status": "",
             "bounce_classification": "Frequency or Volume Too High"},
            ("policy", "too_fast"),
        ),
        (
            {"reason": "452 4.2.2 mailbox full", "status": "4.2.2"},
            ("soft", "mailbox_full"),
        ),
        ({"event": "dropped", "reason": "Bounced Address"}, ("soft", "suppressed")),
        ({"event": "dropped", "reason": "Unsubscribed Address"}, ("optout", "opt_out")),
        ({"event": "dropped", "reason": "Spam Reporting Address"}, ("complaint", "abuse")),
        ({"event": "dropped", "reason": "Invalid"}, ("hard", "no_such_user")),
        (
            {"event": "dropped", "reason": "Spam Content (if Spam Checker app is enabled)"},
            ("content", "spam_content"),
        ),
        ({"event": "spamreport"}, ("complaint", "abuse")),
        ({"event": "unsubscribe"}, ("optout", "opt_out")),
        ({"event": "group_unsubscribe", "asm_group_id": 10}, ("optout", "opt_out")),
    ],
)  # fmt: skip
def test_events_of_sendgrid(sendgrid, event, means) -> None:
    (made,) = sendgrid.events(json.dumps([grid(**event)]).encode())
    assert told([made]) == [(*means, ADA)]
    assert ids(made) == (MESSAGE_ID,)


def test_a_batch_of_sendgrid_is_read_one_by_one(sendgrid) -> None:
    left = [grid(event=name) for name in ("processed", "deferred", "delivered", "open", "new")]
    left.append(grid(event="dropped", reason="Invalid SMTPAPI header"))
    batch = [grid(), *left, 7, None, "x", [], grid(event="spamreport", **{"smtp-id": None})]
    made = sendgrid.events(json.dumps(batch).encode())
    assert [one is not None for one in made] == [True, *[False] * 10, True]
    assert ids(made[-1]) == ()
    given = grid(event="spamreport", paperpost=MESSAGE_ID, **{"smtp-id": None})
    assert ids(sendgrid.events(json.dumps([given]).encode())[0]) == (MESSAGE_ID,)


def test_too_many_events_are_not_taken(sendgrid) -> None:
    with pytest.raises(RefusedError) as refused:
        sendgrid.events(b"[" + b"1," * MOST_EVENTS + b"1]")
    assert refused.value.status == 413


# -- hostile -----------------------------------------------------------------------------------

JUNK: list[Any] = [
    None, True, 7, -1.5, 10**400, "", "x" * 10_000, "\0\ud800\x1b[31m\u202e", [], {}, [[]],
    [{}], {"a": {}}, {"name": None, "value": 3}, "<>", "ada@uni.example\r\nBcc: x@y.example",
]  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else []
    if isinstance(value, list):
        items = list(enumerate(value))
    for key, one in items:
        found += _places(one, (*path, key))
    return found


def _with(value: Any, path: tuple[Any, ...], junk: Any) -> Any:
    made = json.loads(json.dumps(value))
    inner = made
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = junk
    return made


def _wholes(grid_event: dict[str, Any]) -> dict[str, Any]:
    """One good event of each, as it is posted; of SES the inner one."""

    def of(events: list[Event | None]) -> Any:
        assert events[0] is not None
        return json.loads(events[0].data)

    return {
        "ses": of(ses_bounce("Permanent", "General", diagnosticCode=NOBODY, status="5.1.1")),
        "postmark": of(postmark()),
        "mailgun": of(mailgun()),
        "sendgrid": grid_event,
    }


@pytest.mark.parametrize("name", ["ses", "postmark", "mailgun", "sendgrid"])
def test_junk_at_any_place_is_read_or_refused(name, sendgrid) -> None:
    whole = _wholes(grid())[name]
    read = 0
    for path in _places(whole):
        for junk in JUNK:
            event = _with(whole, path, junk)
            posted: Any = {
                "ses": {"Type": "Notification", "Message": json.dumps(event)},
                "postmark": event,
                "mailgun": {"event-data": event},
                "sendgrid": [event],
            }[name]
            room = {"ses": SES, "postmark": POSTMARK, "mailgun": MAILGUN, "sendgrid": sendgrid}[
                name
            ]
            try:
                made = room.events(json.dumps(posted).encode())
            except RefusedError:
                continue
            for one in made:
                if one is None:
                    continue
                read += 1
                for report in one.read.reports:
                    for said in (report.recipient, report.words, report.mta, report.status):
                        assert said.isprintable()
                        assert len(said) <= 1000
                        said.encode("utf-8")
                one.data.decode("ascii")
                assert one.read.subject.isprintable()
    assert read > 50


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b"null", b"7", b'"x"', b"[" * 200_000, b'{"a":' * 200_000,
     b"9" * 10_000, b'{"Type": 3}', b'{"event-data": []}', b'{"RecordType": []}'],
)  # fmt: skip
def test_what_is_no_event_is_refused(body, sendgrid) -> None:
    for room in (SES, POSTMARK, MAILGUN, sendgrid):
        with pytest.raises(RefusedError) as refused:
            room.events(body)
        assert refused.value.status == 422


def test_an_event_has_the_same_bytes_whenever_it_comes(sendgrid) -> None:
    one = grid()
    other = dict(reversed(one.items()))
    first, second = sendgrid.events(json.dumps([one, other]).encode())
    assert first is not None
    assert first.data == second.data
    assert first.data != sendgrid.events(json.dumps([grid(sg_event_id="2")]).encode())[0].data
