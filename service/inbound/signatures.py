"""Who posted it: shared secrets, times, ECDSA and the certificates of Amazon SNS."""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from service.errors import SettingError
from service.inbound.events import RefusedError

_HEX = re.compile(r"[0-9a-f]{64}")


def is_hmac(keys: Sequence[bytes], signature: str, *signed: bytes) -> bool:
    """Whether one of the keys made this SHA-256 HMAC (hex) of all parts together; compared in
    constant time."""
    given = signature.strip().lower()
    if not _HEX.fullmatch(given):
        return False
    for key in keys:
        made = hmac.new(key, digestmod="sha256")
        for part in signed:
            made.update(part)
        if hmac.compare_digest(made.hexdigest(), given):
            return True
    return False


def check_password(passwords: Sequence[str], authorization: str) -> None:
    """Refuse what has no Basic authorization (RFC 7617) with one of the passwords; under which name
    is all the same. Raises RefusedError."""
    scheme, _, coded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise RefusedError(401, "The password is missing.")
    try:
        plain = base64.b64decode(coded.strip(), validate=True)
    except binascii.Error:
        plain = b""
    given = plain.partition(b":")[2]
    if not any(hmac.compare_digest(given, one.encode()) for one in passwords):
        raise RefusedError(403, "The password is another one.")


def check_time(said: str, now: datetime, most_s: int) -> None:
    """Refuse what was signed long ago, or will be. said: seconds since 1970. Raises
    RefusedError."""
    if not (said.isascii() and said.isdigit() and len(said) <= 12):
        raise RefusedError(401, "The time of the signature cannot be read.")
    if abs(now.timestamp() - int(said)) > most_s:
        raise RefusedError(401, f"This was signed more than {most_s} seconds ago, or ahead.")


class PublicKey:
    """The key of SendGrid's signed events: ECDSA over SHA-256, from base64 of its DER or PEM."""

    def __init__(self, key: str, variable: str) -> None:
        """Raises SettingError."""
        try:
            if "-----BEGIN" in key:
                found = load_pem_public_key(key.replace("\\n", "\n").encode())
            else:
                found = load_der_public_key(base64.b64decode(key, validate=True))
        except ValueError:  # binascii.Error is one
            found = None
        if not isinstance(found, EllipticCurvePublicKey):
            raise SettingError(
                f"{variable} is no public key that can be read.",
                variable,
                "Copy the verification key of the provider's page for signed events, all of it.",
            )
        self._key = found

    def signed(self, data: bytes, signature: str) -> bool:
        """Whether its owner signed these bytes. signature: base64 of DER."""
        try:
            self._key.verify(base64.b64decode(signature, validate=True), data, ECDSA(SHA256()))
        except (ValueError, InvalidSignature):
            return False
        return True


SIGNED_FIELDS: Mapping[str, tuple[str, ...]] = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
    ),
    "UnsubscribeConfirmation": (
        ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
    ),
}
"""What Amazon SNS signs of a message, by its Type, in this order (SNS developer guide, "Verifying
the signatures of Amazon SNS messages"). A Subject that is not there is left out."""

_HASHES = {"1": SHA1, "2": SHA256}


def sns_text(message: Mapping[str, str]) -> bytes:
    """The bytes that SNS signed. Raises RefusedError where a field is missing."""
    fields = SIGNED_FIELDS.get(message.get("Type", ""))
    if fields is None:
        raise RefusedError(422, "This is no message of Amazon SNS.")
    said = ""
    for name in fields:
        if name in message:
            said += f"{name}\n{message[name]}\n"
        elif name != "Subject":
            raise RefusedError(422, "This is no message of Amazon SNS: a field is missing.")
    return said.encode("utf-8", "surrogatepass")


class Certificate:
    """A certificate of Amazon SNS, fetched from its own address over TLS."""

    def __init__(self, pem: bytes) -> None:
        """Raises ValueError: it is none, or not for RSA."""
        found = load_pem_x509_certificate(pem)
        key = found.public_key()
        if not isinstance(key, RSAPublicKey):
            raise ValueError("no RSA key")
        self._key = key
        self._from, self._until = found.not_valid_before_utc, found.not_valid_after_utc

    def signed(self, message: Mapping[str, str], now: datetime) -> bool:
        """Whether SNS signed this message and the certificate holds now."""
        kind = _HASHES.get(message.get("SignatureVersion", ""))
        if kind is None or not self._from <= now <= self._until:
            return False
        try:
            signature = base64.b64decode(message.get("Signature", ""), validate=True)
            self._key.verify(signature, sns_text(message), PKCS1v15(), kind())
        except (ValueError, InvalidSignature):
            return False
        return True
