"""POST /inbound/...: who may tell us of our mails by HTTP, and that it counts once."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError
from support.house import Clock, add, ingest_items, open_house, paper_item, rows
from support.smtp_server import SmtpServer
from support.web_site import WebSite
from support.webhooks import HOST, PEM, SECRET, TOPIC, Grid, Post, Sns, basic, mailgun, raw

from service.app import make_app
from service.errors import PaperpostError, SettingError
from service.flows.daily import plan_daily
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.inbound import webhook
from service.inbound.ses import Certificates
from service.settings import load_settings
from service.store import alarms as alarms_store
from service.store.db import Priority
from service.store.instance import raise_epoch, set_setting
from service.store.subscribers import get_subscriber_row
from service.store.tables import DeliveryRow

ADA = "ada@uni.example"
BOUNCES = "bounces@papers.example.org"
NOBODY = "550 5.1.1 <ada@uni.example>: no such user here"
MAIL = b"From: x@y.example\r\nSubject: hello\r\n\r\nhello\r\n"


@dataclass
class Door:
    """A house whose ways in are all open. heads: of a post by default."""

    rt: Runtime
    clock: Clock
    server: SmtpServer
    sns: Sns
    grid: Grid = field(default_factory=Grid)
    client: TestClient = field(init=False)

    def open(self, folder: Path, **values: Any) -> None:
        """values: settings, beside those that open every way."""
        ways = {
            "inbound_secret": f"{SECRET}, an older one of twenty",
            "inbound_ses": TOPIC,
            "inbound_postmark": SECRET,
            "inbound_mailgun": SECRET,
            "inbound_sendgrid": self.grid.public,
        }
        settings = load_settings(None, data_dir=folder, **{**ways, **values})
        self.client = TestClient(make_app(self.rt, settings), base_url="http://127.0.0.1:8000")

    def post(self, way: str, post: Post, **heads: str) -> tuple[int, Any]:
        """Status and JSON of the answer."""
        body, own = post
        given = {name: value.encode("latin-1") for name, value in {**own, **heads}.items()}
        answer = self.client.post(f"/inbound/{way}", content=body, headers=given)
        return answer.status_code, answer.json()

    def state(self) -> str:
        """What became of ada."""
        row = self.rt.db.read(lambda s: get_subscriber_row(s, email_key=ADA))
        assert row is not None
        return row.state


def opened(folder: Path, **values: Any) -> Iterator[Door]:
    clock = Clock()
    with SmtpServer() as server, open_house(
        folder, smtp_port=server.port, clock=clock, bounce_address=BOUNCES, **values
    ) as house:  # fmt: skip
        door = Door(house.runtime, clock, server, Sns(clock()))
        house.runtime.open_fetcher = door.sns.fetcher  # type: ignore[assignment]
        door.open(folder)
        yield door


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    yield from opened(tmp_path)


@pytest.fixture
def both(tmp_path: Path, database_url: str) -> Iterator[Door]:
    """The same on both databases."""
    yield from opened(tmp_path, database_url=database_url)


def mailed(door: Door, folder: Path) -> DeliveryRow:
    """A mail that went to ada."""
    rt = door.rt
    rt.db.write(lambda s: set_setting(s, "spread_minutes", "0"))
    add(rt, ADA)
    ingest_items(rt, folder, [paper_item(1, "Sparse attention")], rt.clock().date())
    plan_daily(rt)
    asyncio.run(send_ready(rt))
    (row,) = rows(rt, "digest")
    assert row.state == "accepted"
    return row


def ours(row: DeliveryRow) -> str:
    """Its Message-ID without brackets."""
    return row.message_id.strip("<>")


def ses_event(row: DeliveryRow | None, kind: str = "Bounce") -> dict[str, Any]:
    source = f"bounces+{row.bounce_id}@papers.example.org" if row else BOUNCES
    return {
        "notificationType": kind,
        "bounce": {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": [{"emailAddress": ADA, "diagnosticCode": f"smtp; {NOBODY}"}],
        },
        "complaint": {"complainedRecipients": [{"emailAddress": ADA}]},
        "mail": {"source": source, "destination": [ADA]},
    }


def postmark_event(row: DeliveryRow | None, kind: str = "HardBounce") -> Post:
    event = {
        "RecordType": "SpamComplaint" if kind == "SpamComplaint" else "Bounce",
        "Type": kind,
        "Email": ADA,
        "Details": NOBODY,
        "Metadata": {"paperpost": ours(row)} if row else {},
    }
    return json.dumps(event).encode(), basic()


def mailgun_event(row: DeliveryRow | None, kind: str = "failed") -> dict[str, Any]:
    return {
        "event": kind,
        "severity": "permanent",
        "recipient": ADA,
        "message": {"headers": {"message-id": ours(row) if row else "x@y.example"}},
        "delivery-status": {"code": 550, "message": NOBODY},
    }


def grid_event(row: DeliveryRow | None, kind: str = "bounce") -> dict[str, Any]:
    named = row.message_id if row else "<x@y.example>"
    return {"event": kind, "email": ADA, "smtp-id": named, "reason": NOBODY, "status": "5.1.1"}


def bounced(door: Door, way: str, row: DeliveryRow | None) -> Post:
    now = door.clock()
    if way == "ses":
        return door.sns.post(ses_event(row), now)
    if way == "postmark":
        return postmark_event(row)
    if way == "mailgun":
        return mailgun(mailgun_event(row), now)
    if way == "sendgrid":
        return door.grid.post([grid_event(row)], now)
    rcpt = f"bounces+{row.bounce_id}@papers.example.org" if row else BOUNCES
    status = f"Final-Recipient: rfc822; {ADA}\nAction: failed\nStatus: 5.1.1\n"
    return raw(
        b"From: MAILER-DAEMON@y.example\nContent-Type: multipart/report; boundary=b\n\n--b\n"
        b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; y.example\n\n"
        + f"{status}Diagnostic-Code: smtp; {NOBODY}\n\n--b--\n".encode(),
        now,
        rcpt=rcpt,
    )


def complained(door: Door, way: str, row: DeliveryRow) -> Post:
    now = door.clock()
    if way == "ses":
        return door.sns.post(ses_event(row, "Complaint"), now)
    if way == "postmark":
        return postmark_event(row, "SpamComplaint")
    if way == "mailgun":
        return mailgun(mailgun_event(row, "complained"), now)
    return door.grid.post([grid_event(row, "spamreport")], now)


WAYS = ["raw", "ses", "postmark", "mailgun", "sendgrid"]
NEW, KNOWN = (
    {"taken": 1, "known": 0, "ignored": 0},
    {"taken": 0, "known": 1, "ignored": 0},
)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_a_bounce_of_ours_counts_once(both: Door, tmp_path: Path, way: str) -> None:
    row = mailed(both, tmp_path)
    assert both.post(way, bounced(both, way, row)) == (200, NEW)
    assert both.state() == "bounced"
    before = both.rt.db.read(lambda s: get_subscriber_row(s, email_key=ADA))
    both.clock.go(seconds=30)
    for _ in range(2):
        assert both.post(way, bounced(both, way, row)) == (200, KNOWN)
    assert both.rt.db.read(lambda s: get_subscriber_row(s, email_key=ADA)) == before


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_a_bounce_of_nobodys_mail_bars_nobody(door: Door, tmp_path: Path, way: str) -> None:
    mailed(door, tmp_path)
    assert door.post(way, bounced(door, way, None)) == (200, NEW)
    assert door.state() == "active", "an address in a report proves nothing"


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS[1:])
def test_who_complains_has_left(door: Door, tmp_path: Path, way: str) -> None:
    row = mailed(door, tmp_path)
    assert door.post(way, complained(door, way, row)) == (200, NEW)
    assert door.state() == "left"


@pytest.mark.slow
def test_a_complaint_to_sendgrid_is_known_by_what_our_mail_said(door: Door, tmp_path: Path) -> None:
    door.rt.relay_host = "smtp.sendgrid.net"
    mailed(door, tmp_path)
    mail = message_from_bytes(door.server.accepted[-1].data)
    given = json.loads(mail["X-SMTPAPI"])["unique_args"]
    complaint = {"event": "spamreport", "email": ADA, "sg_event_id": "1", **given}
    assert door.post("sendgrid", door.grid.post([complaint], door.clock())) == (200, NEW)
    assert door.state() == "left"


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_nothing_of_a_post_that_is_refused_is_kept(door: Door, tmp_path: Path, way: str) -> None:
    row = mailed(door, tmp_path)
    body, heads = bounced(door, way, row)
    spoilt = {
        "raw": (body + b" ", heads),
        "ses": (body.replace(b"5.1.1", b"5.1.2"), heads),
        "postmark": (body, basic("another password of mine")),
        "mailgun": (body.replace(b'"token": "t', b'"token": "u'), heads),
        "sendgrid": (body.replace(b"5.1.1", b"5.1.2"), heads),
    }[way]
    status, said = door.post(way, spoilt)
    assert status == 403
    assert SECRET not in json.dumps(said)
    bare = {name: value for name, value in heads.items() if name == "Content-Type"}
    if way != "mailgun":
        assert door.post(way, (body if way != "ses" else b"{}", bare))[0] in (401, 422)
    assert door.state() == "active"
    assert door.post(way, (body, heads)) == (200, NEW)


@pytest.mark.parametrize(
    "error",
    [
        PaperpostError("This database is a copy.", "", "paperpost adopt"),
        OperationalError("INSERT INTO inbound", {}, OSError(f"disk full at {ADA}")),
    ],
)
def test_what_cannot_be_kept_comes_again(
    door: Door, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def held(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(webhook, "take_read", held)
    assert door.post("postmark", postmark_event(None))[0] == 503
    assert door.post("postmark", postmark_event(None, "Transient"))[0] == 200


def test_an_address_that_is_not_set_takes_nothing(door: Door, tmp_path: Path) -> None:
    door.open(tmp_path, inbound_ses="", inbound_secret=None)
    assert door.post("ses", (b"{}", {}))[0] == 404
    assert door.post("raw", raw(MAIL, door.clock()))[0] == 404
    assert door.post("nosuch", (b"{}", {}))[0] == 404
    assert door.client.get("/inbound/postmark").status_code == 405


def test_no_browser_is_asked_where_it_comes_from(door: Door) -> None:
    heads = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    assert door.post("raw", raw(MAIL, door.clock()), **heads) == (200, NEW)


def test_a_raw_mail_is_signed_not_long_ago_with_one_of_the_secrets(door: Door) -> None:
    now = door.clock()
    assert door.post("raw", raw(MAIL, now, secret="an older one of twenty")) == (200, NEW)
    assert door.post("raw", raw(MAIL, now, secret="another secret of twenty"))[0] == 403
    for late in (-400, 400):
        assert door.post("raw", raw(MAIL, now + timedelta(seconds=late)))[0] == 401
    body, heads = raw(MAIL, now, rcpt="bounces+0@papers.example.org")
    assert door.post("raw", (body, {**heads, "Paperpost-Rcpt": BOUNCES}))[0] == 403
    assert door.post("raw", (body, {**heads, "Paperpost-Signature": "\xe9" * 64}))[0] == 403
    for moment in ("", "x", "9" * 30, "٣"):
        made = {**heads, "Paperpost-Time": moment.encode("utf-8").decode("latin-1")}
        assert door.post("raw", (body, made))[0] == 401
    assert door.post("raw", raw(b" \r\n", now))[0] == 422


def test_what_is_too_large_is_not_read_to_its_end(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "RAW_BYTES", 1000)
    assert door.post("raw", raw(b"x" * 1001, door.clock()))[0] == 413
    big = b'{"x": "' + b"x" * 6_000_000 + b'"}'
    for way in ("ses", "mailgun", "sendgrid", "postmark"):
        assert door.post(way, (big, basic()))[0] == 413


@pytest.mark.parametrize("version", ["1", "2"])
def test_messages_of_sns_are_proved_by_its_certificate(door: Door, version: str) -> None:
    now = door.clock()
    for subject in ({}, {"Subject": "Amazon SES Email Event Notification"}):
        event = ses_event(None) | {"n": len(subject)}
        post = door.sns.post(event, now, SignatureVersion=version, **subject)
        assert door.post("ses", post) == (200, NEW)
    assert door.sns.asked == [PEM], "asked once"
    said = "Successfully validated SNS topic for Amazon SES event publishing."
    assert door.post("ses", door.sns.post(said, now))[1]["ignored"] == 1


ELSEWHERE = [
    "http://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a0a0a0a0a0a0a0a.pem",
    "https://sns.eu-central-1.amazonaws.com.evil.example/SimpleNotificationService-0a0a0a0a0a0a0a0a.pem",
    "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a0a0a0a0a0a0a0a.pem",
    "https://sns.s3.amazonaws.com/SimpleNotificationService-0a0a0a0a0a0a0a0a.pem",
    f"{HOST}:444/SimpleNotificationService-0a0a0a0a0a0a0a0a.pem",
    f"{HOST}/SimpleNotificationService-0a0a0a0a0a0a0a0a.pem?x=1",
    f"{HOST}/../SimpleNotificationService-0a0a0a0a0a0a0a0a.pem",
    f"{HOST}/SimpleNotificationService-0A0A0A0A0A0A0A0A.pem",
    f"{HOST}@evil.example/SimpleNotificationService-0a0a0a0a0a0a0a0a.pem",
    "",
]


def test_a_certificate_is_asked_for_at_sns_alone(door: Door) -> None:
    for url in ELSEWHERE:
        post = door.sns.post(ses_event(None), door.clock(), SigningCertURL=url)
        assert door.post("ses", post)[0] == 403, url
    assert door.sns.asked == []


def test_a_topic_of_others_and_an_old_message_are_refused(door: Door) -> None:
    now, event = door.clock(), ses_event(None)
    other = door.sns.post(event, now, TopicArn=TOPIC + "2")
    assert door.post("ses", other)[0] == 403
    assert door.post("ses", door.sns.post(event, now - timedelta(hours=26)))[0] == 401
    assert door.post("ses", door.sns.post(event, now + timedelta(hours=1)))[0] == 401
    for time in ("", "yesterday", "2026-11-18T09:00:00"):
        assert door.post("ses", door.sns.post(event, now, Timestamp=time))[0] == 401
    assert door.sns.asked == []
    assert door.post("ses", door.sns.post(event, now, SignatureVersion="3"))[0] == 403
    assert door.post("ses", door.sns.post(event, now, Signature="x"))[0] == 403


def test_a_certificate_that_has_ended_proves_nothing(door: Door) -> None:
    door.sns.pages[PEM] = Sns(door.clock() - timedelta(days=40), days=1).pem
    assert door.post("ses", door.sns.post(ses_event(None), door.clock()))[0] == 403


def test_certificates_are_asked_for_a_few_times_a_minute(door: Door) -> None:
    now = door.clock()
    for n in range(10):
        url = f"{HOST}/SimpleNotificationService-{n:032x}.pem"
        status, _ = door.post("ses", door.sns.post(ses_event(None), now, SigningCertURL=url))
        assert status == 503, "SNS comes again"
    assert len(door.sns.asked) == 6
    door.clock.go(minutes=2)
    assert door.post("ses", door.sns.post(ses_event(None), door.clock())) == (200, NEW)


def test_posts_with_a_known_certificate_wait_for_no_other() -> None:
    """A stranger may name one that is fetched for seconds; SNS itself waits no longer than 15."""
    now = datetime(2026, 11, 18, 9, tzinfo=UTC)
    sns = Sns(now)

    async def fetch(url: str) -> bytes | None:
        if url != PEM:
            await asyncio.Event().wait()
        return sns.pem

    async def asked() -> None:
        certificates = Certificates(fetch)
        first = await certificates.get(PEM, now)
        other = asyncio.create_task(certificates.get(f"{PEM}2", now))
        await asyncio.sleep(0)
        try:
            assert await asyncio.wait_for(certificates.get(PEM, now), 0.2) is first
        finally:
            other.cancel()

    asyncio.run(asked())


def test_a_certificate_is_taken_from_the_address_itself(tmp_path: Path) -> None:
    with open_house(tmp_path) as house, WebSite() as site:
        site.at["/a.pem"] = (200, {}, b"pem")
        site.at["/moved.pem"] = (302, {"Location": "/a.pem"}, b"")
        fetch = webhook.fetching(house.runtime)
        asked = [f"{site.base}/{name}.pem" for name in ("a", "moved", "nothing")]
        assert [asyncio.run(fetch(url)) for url in asked] == [b"pem", None, None]


def test_where_no_certificate_can_be_fetched_the_address_holds_a_password(
    door: Door, tmp_path: Path
) -> None:
    door.open(tmp_path, inbound_ses_password=SECRET)
    door.sns.pages.clear()
    body, heads = door.sns.post(ses_event(None), door.clock(), Signature="x")
    answer = door.client.post("/inbound/ses", content=body, headers=heads)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic "), "then SNS sends the password"
    assert door.post("ses", (body, {**heads, **basic("another password of mine")}))[0] == 403
    assert door.post("ses", (body, {**heads, **basic()})) == (200, NEW)
    assert door.sns.asked == []


def test_a_subscription_is_confirmed_by_the_staff(door: Door) -> None:
    def alarms() -> list[str]:
        found = door.rt.db.read(alarms_store.list_open)
        return [row.next_step for row in found if row.kind == "subscription"]

    for url in (f"https://evil.example/?{HOST}", f"{HOST}/?x\r\nBcc: a@b.example"):
        fields = {"Type": "SubscriptionConfirmation", "Token": "t", "SubscribeURL": url}
        assert door.post("ses", door.sns.post("Confirm", door.clock(), **fields))[0] == 200
    assert alarms() == []
    url = f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37"
    fields = {"Type": "SubscriptionConfirmation", "Token": "t", "SubscribeURL": url}
    said = door.post("ses", door.sns.post("Confirm", door.clock(), **fields))
    assert said == (200, {"taken": 0, "known": 0, "ignored": 1})
    (step,) = alarms()
    assert step.endswith(f"open {url}")
    assert door.sns.asked == [PEM], "nobody but the staff opens it"


def test_a_token_of_mailgun_is_good_for_one_event(door: Door) -> None:
    now = door.clock()
    assert door.post("mailgun", mailgun(mailgun_event(None), now)) == (200, NEW)
    assert door.post("mailgun", mailgun(mailgun_event(None), now)) == (200, KNOWN)
    assert door.post("mailgun", mailgun(mailgun_event(None, "complained"), now))[0] == 403
    other = mailgun(mailgun_event(None, "complained"), now, token="u" * 50)
    assert door.post("mailgun", other) == (200, NEW)
    assert door.post("mailgun", mailgun({}, now, key="another key of twenty"))[0] == 403
    assert door.post("mailgun", mailgun({}, now - timedelta(hours=10)))[0] == 401
    for signature in (None, [], {}, {"timestamp": 1, "token": [], "signature": "x"}):
        body = json.dumps({"signature": signature, "event-data": {}}).encode()
        assert door.post("mailgun", (body, {}))[0] == 401


def test_a_batch_is_counted(door: Door) -> None:
    now = door.clock()
    batch = [grid_event(None), grid_event(None, "delivered"), grid_event(None), "junk"]
    said = {"taken": 1, "known": 1, "ignored": 2}
    assert door.post("sendgrid", door.grid.post(batch, now)) == (200, said)
    assert door.post("sendgrid", door.grid.post([], now)) == (200, dict.fromkeys(said, 0))
    assert door.post("sendgrid", door.grid.post([], now - timedelta(hours=26)))[0] == 401
    assert door.post("sendgrid", Grid().post([], now))[0] == 403


def test_junk_is_refused_by_every_way(door: Door) -> None:
    _, heads = door.grid.post([], door.clock())
    for junk in (b"", b"null", b"[" * 100_000, b"\xff", b'{"Type": "x"}'):
        for way in ("ses", "postmark", "mailgun"):
            assert door.post(way, (junk, basic()))[0] in (401, 403, 422)
        assert door.post("sendgrid", (junk, heads))[0] == 403


def test_keys_that_cannot_be_right_are_refused_at_the_start(door: Door, tmp_path: Path) -> None:
    for name, value in (
        ("inbound_secret", "short"),
        ("inbound_secret", f"{SECRET},"),
        ("inbound_postmark", "short"),
        ("inbound_ses", "bounces"),
        ("inbound_sendgrid", "no key"),
        ("inbound_sendgrid", "aGVsbG8="),
    ):
        with pytest.raises(SettingError) as refused:
            door.open(tmp_path, **{name: value})
        assert refused.value.where == f"PAPERPOST_{name.upper()}"
        assert value not in refused.value.what or name == "inbound_ses"


def test_a_copy_of_the_database_leaves_it_to_the_original(door: Door) -> None:
    door.rt.db.write(raise_epoch, Priority.WEB)
    (door.rt.data_dir / "epoch").unlink(missing_ok=True)  # it has sent, from another folder
    status, said = door.post("raw", raw(MAIL, door.clock()))
    assert status == 503
    assert "database" in said["error"]
