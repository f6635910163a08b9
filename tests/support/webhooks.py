"""What providers post, signed as they sign: events of our mails, a certificate of a test's SNS."""

import base64
import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as make_curve_key
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as make_rsa_key
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from service.sources.outcome import Failed, Fetched

TOPIC = "arn:aws:sns:eu-central-1:123456789012:bounces"
HOST = "https://sns.eu-central-1.amazonaws.com"
PEM = f"{HOST}/SimpleNotificationService-{'0a' * 16}.pem"
SECRET = "a secret of twenty characters"

Post = tuple[bytes, dict[str, str]]
"""A body and its headers."""


def raw(mail: bytes, at: datetime, *, rcpt: str = "", secret: str = SECRET) -> Post:
    """A mail as another program of ours posts it."""
    moment = str(int(at.timestamp()))
    made = hmac.digest(secret.encode(), f"{moment}.{rcpt}.".encode() + mail, "sha256").hex()
    heads = {"Paperpost-Time": moment, "Paperpost-Signature": made}
    return mail, {**heads, "Paperpost-Rcpt": rcpt} if rcpt else heads


def basic(password: str = SECRET) -> dict[str, str]:
    """The header that a password in an address becomes."""
    return {"Authorization": "Basic " + base64.b64encode(f"x:{password}".encode()).decode()}


@cache
def _rsa_key() -> RSAPrivateKey:
    return make_rsa_key(public_exponent=65537, key_size=2048)  # 0.1 s of a processor


class Sns:
    """Amazon SNS with a key of its own; ``fetcher`` gives its certificate."""

    def __init__(self, now: datetime, *, days: int = 30) -> None:
        self.key = _rsa_key()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        self.pem = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=30))
            .not_valid_after(now + timedelta(days=days))
            .sign(self.key, SHA256())
            .public_bytes(Encoding.PEM)
        )
        self.pages: dict[str, bytes] = {PEM: self.pem}
        self.asked: list[str] = []

    def post(self, event: Any, at: datetime, **fields: str) -> Post:
        """A message with its signature. fields: others than usual, signed with the rest."""
        message = {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": TOPIC,
            "Message": event if isinstance(event, str) else json.dumps(event),
            "Timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "SignatureVersion": "2",
            "SigningCertURL": PEM,
            "UnsubscribeURL": f"{HOST}/?Action=Unsubscribe",
            **fields,
        }
        names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
        if message["Type"] != "Notification":
            names = [
                "Message",
                "MessageId",
                "SubscribeURL",
                "Timestamp",
                "Token",
                "TopicArn",
                "Type",
            ]
        signed = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
        kind = SHA256() if message["SignatureVersion"] == "2" else SHA1()
        made = self.key.sign(signed.encode(), PKCS1v15(), kind)
        message.setdefault("Signature", base64.b64encode(made).decode())
        return json.dumps(message).encode(), {"Content-Type": "text/plain; charset=UTF-8"}

    def fetcher(self) -> "_Fetcher":
        """Stands for ``Runtime.open_fetcher``."""
        return _Fetcher(self)


@dataclass
class _Fetcher:
    sns: Sns

    async def __aenter__(self) -> "_Fetcher":
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def fetch(self, url: str) -> Fetched | Failed:
        self.sns.asked.append(url)
        body = self.sns.pages.get(url)
        if body is None:
            return Failed(reason="the server answered 404", permanent=True, status=404)
        return Fetched(body=body, url=url)


@dataclass
class Grid:
    """SendGrid with a key of its own."""

    key: Any = field(default_factory=lambda: make_curve_key(SECP256R1()))

    @property
    def public(self) -> str:
        """As SendGrid's page shows it."""
        der = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(der).decode()

    def post(self, events: list[Any], at: datetime) -> Post:
        """A batch, signed."""
        body, moment = json.dumps(events).encode(), str(int(at.timestamp()))
        made = self.key.sign(moment.encode() + body, ECDSA(SHA256()))
        heads = "X-Twilio-Email-Event-Webhook-"
        return body, {
            f"{heads}Signature": base64.b64encode(made).decode(),
            f"{heads}Timestamp": moment,
        }


def mailgun(event: Any, at: datetime, *, token: str = "t" * 50, key: str = SECRET) -> Post:
    """An event with Mailgun's signature, which is of the time and the token."""
    moment = str(int(at.timestamp()))
    made = hmac.digest(key.encode(), f"{moment}{token}".encode(), "sha256").hex()
    signed = {"timestamp": moment, "token": token, "signature": made}
    return json.dumps({"signature": signed, "event-data": event}).encode(), {}
