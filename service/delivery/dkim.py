"""DKIM signatures of our own (RFC 6376, RFC 8463), where no relay signs: the extra ``dkim``.

A signature is made from the message, the key and the date of the row, so that the same row has the
same bytes at every try: ``t=`` is the mail's own Date, RSA (PKCS #1 v1.5) and Ed25519 draw nothing
at random, and which key signs hangs on that date too. Call it in a thread: an RSA signature takes
some 7 ms of Python.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

from service.errors import SettingError

SETTING = "PAPERPOST_DKIM_KEYS"
_STEP = "Write SELECTOR=FILE, further keys after a comma; SELECTOR@2027-01-15=FILE signs from then."

OVERSIGNED = (
    b"from", b"to", b"subject", b"date", b"message-id", b"reply-to", b"mime-version",
    b"content-type", b"list-unsubscribe", b"list-unsubscribe-post",
)  # fmt: skip
"""Named once more than they occur: nobody on the way can add another that a reader would see, or
that a mail program would unsubscribe by (RFC 6376, 5.4.2 and 8.15; RFC 8058, 4)."""

SIGNED = (
    b"list-id", b"list-help", b"feedback-id", b"auto-submitted", b"precedence",
    b"content-transfer-encoding",
)  # fmt: skip
"""Signed as often as they occur."""

_SELECTOR = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)
_PEM = re.compile(rb"-----BEGIN ([A-Z ]+)-----\s*(.*?)\s*-----END", re.DOTALL)
_ED25519 = bytes.fromhex("302e020100300506032b657004220420")  # RFC 8410, 7: then the seed
_RSA_OID = bytes.fromhex("2a864886f70d010101")  # rsaEncryption, RFC 8017, A.1
_FIRST = date.min

Algorithm = Literal["rsa-sha256", "ed25519-sha256"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One private key. since: signs mails of this date and later · public: base64, what ``p=`` of
    its record says · bits: of an RSA key, else 256 · private: as dkimpy takes it."""

    selector: str
    file: str
    algorithm: Algorithm
    since: date
    public: str
    bits: int
    private: bytes = field(repr=False)

    @property
    def record(self) -> str:
        """What the text record of ``SELECTOR._domainkey.DOMAIN`` must hold."""
        kind = "rsa" if self.algorithm == "rsa-sha256" else "ed25519"
        return f"v=DKIM1; k={kind}; p={self.public}"


class DkimKeys:
    """All keys of a domain. Every method may be called from any thread."""

    def __init__(self, domain: str, keys: Sequence[Key]) -> None:
        self.domain = domain
        self.keys = tuple(keys)

    def in_force(self, on: date) -> list[Key]:
        """Who signs a mail of a date: for each algorithm the key that began last; where none had
        begun, the first to begin. Of two that begin on one date the one named first."""
        found = []
        for algorithm in ("rsa-sha256", "ed25519-sha256"):
            mine = [key for key in self.keys if key.algorithm == algorithm]
            begun = [key for key in mine if key.since <= on]
            if begun:
                found.append(max(begun, key=lambda key: key.since))
            elif mine:
                found.append(min(mine, key=lambda key: key.since))
        return found

    def signed(self, message: bytes, at: datetime) -> bytes:
        """Return the message with a signature of each key in force before it. at: its Date."""
        on = at.astimezone(UTC)
        heads = [_signature(message, key, self.domain, on) for key in self.in_force(on.date())]
        return b"".join((*heads, message))


def keys_of(text: str, sender: str) -> DkimKeys | None:
    """Read the keys that a setting names, None where it names none. sender: the address in From.

    Raises SettingError: it cannot be read, a file holds no key, the extra is not installed.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        return None
    domain = sender.rpartition("@")[2].lower()
    if "." not in domain:
        raise SettingError(
            f"Mails from {sender} cannot be signed: {domain} is no domain with a DNS record",
            "PAPERPOST_MAIL_FROM",
            "Write an address of your domain there, or take PAPERPOST_DKIM_KEYS out.",
        )
    _library()
    made = DkimKeys(domain, [_key(part) for part in parts])
    names = [key.selector for key in made.keys]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise _refused(f"the selector {twice} is named twice; each key has its own")
    for key in made.keys:
        _signature(
            b"From: a@example.org\r\n\r\nx\r\n", key, domain, datetime(2000, 1, 1, tzinfo=UTC)
        )
    return made


def _key(part: str) -> Key:
    head, sign, file = (piece.strip() for piece in part.partition("="))
    selector, at, since = head.partition("@")
    labels = selector.split(".")
    if not sign or not file or not all(_SELECTOR.fullmatch(label) for label in labels):
        raise _refused(f"{part[:80]!r} names no selector and file")
    try:
        begins = date.fromisoformat(since) if at else _FIRST
    except ValueError:
        raise _refused(f"{since[:20]!r} is no date") from None
    try:
        pem = Path(file).read_bytes()
    except OSError as error:
        raise _refused(f"{file} cannot be read: {error.strerror}") from None
    return _read(pem, selector.lower(), file, begins)


def _read(pem: bytes, selector: str, file: str, since: date) -> Key:
    """A key of a PEM file: RSA (PKCS #1 or #8), or Ed25519 (PKCS #8); of dknewkey's Ed25519 file,
    which holds the seed alone in base64, too."""
    found = _PEM.search(pem.replace(b"\r\n", b"\n"))
    try:
        der = base64.b64decode(found[2] if found else pem.strip(), validate=False)
    except ValueError:
        raise _refused(f"{file} holds no private key") from None
    seed = der[len(_ED25519) :] if der.startswith(_ED25519) else der if not found else b""
    if len(seed) == 32:
        public = base64.b64encode(_ed25519_public(seed)).decode("ascii")
        return Key(
            selector=selector, file=file, algorithm="ed25519-sha256", since=since, public=public,
            bits=256, private=base64.b64encode(seed),
        )  # fmt: skip
    if found is None or b"PRIVATE KEY" not in found[1] or b"ENCRYPTED" in found[1] + found[2]:
        raise _refused(f"{file} holds no private key without a password")
    lines = b"-----BEGIN RSA PRIVATE KEY-----\n%b\n-----END RSA PRIVATE KEY-----\n"
    private = lines % base64.b64encode(der)
    public, bits = _rsa_public(private, file)
    if bits < 1024:
        raise _refused(f"the key in {file} has {bits} bits; 2,048 are usual, below 1,024 none is")
    return Key(
        selector=selector, file=file, algorithm="rsa-sha256", since=since, public=public,
        bits=bits, private=private,
    )  # fmt: skip


def _rsa_public(private: bytes, file: str) -> tuple[str, int]:
    """What p= says of an RSA key (a SubjectPublicKeyInfo, RFC 6376, 3.6.1), and its length."""
    from dkim import asn1, crypto

    try:
        key = crypto.parse_pem_private_key(private)
    except (crypto.UnparsableKeyError, IndexError, AssertionError, ValueError):
        raise _refused(f"{file} holds neither an RSA nor an Ed25519 key") from None
    numbers = [key["modulus"], key["publicExponent"]]
    inner = _sequence(b"".join(_tagged(asn1.INTEGER, _integer(number)) for number in numbers))
    name = _sequence(_tagged(asn1.OBJECT_IDENTIFIER, _RSA_OID) + _tagged(asn1.NULL, b""))
    info = _sequence(name + _tagged(asn1.BIT_STRING, b"\0" + inner))
    return base64.b64encode(info).decode("ascii"), int(key["modulus"]).bit_length()


def _integer(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _sequence(content: bytes) -> bytes:
    return _tagged(0x30, content)


def _tagged(tag: int, content: bytes) -> bytes:
    """DER (X.690, 8.1.3): dkimpy's own writer does not write lengths above 255 that others read."""
    size = len(content)
    if size < 128:
        return bytes((tag, size)) + content
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(digits))) + digits + content


def _ed25519_public(seed: bytes) -> bytes:
    from nacl.signing import SigningKey

    return bytes(SigningKey(seed).verify_key)


def _signature(message: bytes, key: Key, domain: str, at: datetime) -> bytes:
    """One header, its line end included."""
    signer = _dated(message, at)
    signer.signature_algorithm = key.algorithm.encode("ascii")
    names = [name.lower() for name, _ in signer.headers]
    signed = [name for name in OVERSIGNED for _ in range(names.count(name) + 1)]
    signed += [name for name in SIGNED for _ in range(names.count(name))]
    made = signer.sign(
        key.selector.encode("ascii"),
        domain.encode("ascii"),
        key.private,
        canonicalize=(b"relaxed", b"relaxed"),
        include_headers=signed,
    )
    return bytes(made)


def _dated(message: bytes, at: datetime) -> Any:
    """dkimpy's signer, whose t= is an instant of ours in place of the machine's clock."""
    dkim = _library()
    stamp = str(int(at.timestamp())).encode("ascii")

    class Dated(dkim.DKIM):  # type: ignore[misc, name-defined]
        def gen_header(self, fields: Any, *rest: Any, **more: Any) -> bytes:
            told = [(name, stamp if name == b"t" else value) for name, value in fields]
            return bytes(super().gen_header(told, *rest, **more))

    return Dated(message, linesep=b"\r\n")


def _library() -> Any:
    try:
        import dkim
        import nacl.signing  # noqa: F401
    except ImportError:
        raise _refused(
            "this installation cannot sign: dkimpy and PyNaCl are not there",
            "Install both beside Paperpost (docs/dkim.md), or let the relay sign.",
        ) from None
    return dkim


def _refused(why: str, step: str = _STEP) -> SettingError:
    return SettingError(f"{SETTING}: {why}.", SETTING, step)
