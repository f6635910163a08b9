"""Signed links: purpose, subject and end in one token; constant-time check by itsdangerous. Pure.

Confirm and manage links are signed with the deployment's secret and expire. Unsubscribe and
digest tokens are random ids in rows, so neither rotation nor a restore breaks an old link.
"""

import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from itsdangerous import BadData, Serializer, URLSafeSerializer
from itsdangerous.encoding import base64_encode
from itsdangerous.signer import Signer as KeySigner
from itsdangerous.signer import SigningAlgorithm

from service.errors import Sentence, SpokenError

_PLAIN = re.compile(r"[A-Za-z0-9_.-]+[AEIMQUYcgkosw048]")
"""One spelling for each token: base64 ignores foreign characters, and of a signature's last one the
last two bits (20 bytes are 160, 27 characters 162)."""


class TokenError(SpokenError):
    """A link that is not ours, was altered, is for something else, or has ended.

    ended_at: when it ended, None when it never was valid. subject, stamp: whose it is when it
    ended, and what it was tied to.
    """

    def __init__(
        self,
        what: Sentence,
        ended_at: datetime | None = None,
        subject: int | None = None,
        stamp: str = "",
    ) -> None:
        super().__init__(what)
        self.ended_at = ended_at
        self.subject = subject
        self.stamp = stamp


@dataclass(frozen=True, slots=True)
class Signer:
    """keys: the first signs, all verify."""

    keys: tuple[str, ...]

    def sign(self, purpose: str, subject: int, until: datetime, stamp: str = "") -> str:
        """Return a token; ``stamp`` ties it to one state of the subject."""
        made = self._serializer(purpose).dumps([subject, int(until.timestamp()), stamp])
        return made if isinstance(made, str) else made.decode("ascii")

    def read(self, purpose: str, token: str, now: datetime) -> tuple[int, str]:
        """Return (subject, stamp). Raises TokenError."""
        try:
            if not _PLAIN.fullmatch(token):
                raise BadData("characters that the decoder would pass over")
            subject, until, stamp = self._serializer(purpose).loads(token)
        except (BadData, ValueError, TypeError, OverflowError):
            raise TokenError(Sentence("This link is not complete or was altered.")) from None
        ends = datetime.fromtimestamp(until, UTC)
        if now >= ends:
            raise TokenError(Sentence("This link has ended."), ends, int(subject), str(stamp))
        return int(subject), str(stamp)

    def _serializer(self, purpose: str) -> URLSafeSerializer:
        return _serializer(self.keys, purpose)


class _Hmac(SigningAlgorithm):
    """HMAC-SHA1 in one call of OpenSSL."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return hmac.digest(key, value, "sha1")


class _Plain(URLSafeSerializer):
    """Tokens without compression: ours are too short for it to make one shorter, and to try costs
    more than all the rest of a token."""

    def dump_payload(self, obj: Any) -> bytes:
        return base64_encode(Serializer.dump_payload(self, obj))


@lru_cache(maxsize=32)
def _serializer(keys: tuple[str, ...], purpose: str) -> URLSafeSerializer:
    """Its keys are derived once: every mail has a signed link."""
    salt = f"paperpost.{purpose}"
    # itsdangerous signs with the last key of the list and tries them all
    derived = [KeySigner(key, salt=salt).derive_key() for key in reversed(keys)]
    how = {"key_derivation": "none", "algorithm": _Hmac()}
    return _Plain(derived, salt=salt, signer_kwargs=how)
