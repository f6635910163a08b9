"""The relay: where it is, what it said, and what is wrong with it in words of an operator."""

import asyncio
import contextlib
import ssl
from dataclasses import dataclass
from typing import Literal

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPException,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)

from service.errors import PaperpostError

_TLS_CHECK_S = 3.0


class RelayError(PaperpostError):
    """The relay cannot be used as it is set up; ``where`` is the setting."""


class AuthorityError(RelayError):
    """Nobody we trust has signed the relay's certificate, or our own authority cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """Where mail is handed in. tls: none, starttls or tls (from the first byte) · setting: that
    names it."""

    host: str
    port: int
    tls: Literal["none", "starttls", "tls"] = "none"
    user: str = ""
    password: str = ""
    ca_file: str = ""
    local_hostname: str = ""
    setting: str = "PAPERPOST_SMTP_URL"

    def __repr__(self) -> str:
        return f"Relay({self.host}:{self.port}, {self.tls}, user={bool(self.user)})"

    @property
    def name(self) -> str:
        """Return "host:port"."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds (RFC 5321 section 4.5.3.2). data: until the 354 · block: for a body to leave this
    process · reply: after the final dot, where giving up sooner makes duplicates."""

    connect: float = 30.0
    command: float = 60.0
    data: float = 120.0
    block: float = 180.0
    reply: float = 600.0


@dataclass(frozen=True, slots=True)
class Probed:
    """What the relay said. tls: "TLSv1.3", or "" for clear text."""

    greeting: str
    features: tuple[str, ...]
    tls: str
    signed_in: bool


def let_go(client: SMTP) -> None:
    """Close the connection now; a TLS one does not wait for the other side's farewell."""
    transport = client.transport
    client.close()
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


async def explained(error: BaseException, relay: Relay, seconds: float) -> RelayError:
    """Return what a person can do about a failed conversation."""
    setting = relay.setting
    if relay.ca_file and (why := _unread(relay.ca_file)):
        step = "Set PAPERPOST_SMTP_CA_FILE to the PEM file of the relay's authority."
        return AuthorityError(f"{relay.ca_file} {why}.", "", step)
    certificate = _cause(error, ssl.SSLCertVerificationError)
    if isinstance(certificate, ssl.SSLCertVerificationError):
        return await _about_certificate(certificate, relay, seconds)
    if isinstance(error, SMTPAuthenticationError):
        return RelayError(
            f"{relay.name} refused the password ({_said(error)}).",
            "",
            f"Check {setting}; in the password write @ as %40, / as %2F, # as %23.",
        )
    if isinstance(error, SMTPResponseException) and error.code == 530:
        return _about_signing_in(error, relay)
    if isinstance(error, SMTPSenderRefused):
        return RelayError(
            f"{relay.name} refused the sender {error.sender} ({_said(error)}).",
            "",
            "Set PAPERPOST_MAIL_FROM (PAPERPOST_BOUNCE_ADDRESS where it is set) to an address that "
            "this account may send from.",
        )
    if isinstance(error, SMTPResponseException):
        return RelayError(f"{relay.name} answered {_said(error)}.", "", f"Check {setting}.")
    silent = isinstance(error, SMTPTimeoutError | TimeoutError | SMTPServerDisconnected)
    if silent and relay.tls != "tls" and await _speaks_tls(relay):
        return RelayError(
            f"{relay.name} speaks TLS from the first byte.",
            "",
            f"Write smtps:// in {setting}.",
        )
    if isinstance(error, SMTPTimeoutError | TimeoutError):
        return RelayError(
            f"{relay.name} did not answer within {seconds:g} seconds.",
            "",
            f"Check host and port in {setting}, and whether a firewall lets this machine out.",
        )
    if relay.tls == "tls" and isinstance(_cause(error, ssl.SSLError), ssl.SSLError):
        return RelayError(
            f"{relay.name} speaks no TLS from the first byte.",
            "",
            f"Write smtp+starttls:// (usually port 587) in {setting}; smtps:// is for port 465.",
        )
    words = str(_cause(error, OSError) or error) or type(error).__name__
    if "AUTH extension" in words:
        step = f"Take user and password out of {setting}, or use its port for it (587, 465)."
        return RelayError(f"{relay.name} offers no signing in.", "", step)
    if "STARTTLS extension" in words:
        step = f"Write smtps:// (usually port 465) in {setting}, or ask the relay's operator."
        return RelayError(f"{relay.name} offers no STARTTLS.", "", step)
    if isinstance(error, SMTPConnectError | OSError):
        return RelayError(
            f"{relay.name} cannot be reached ({words}).",
            "",
            f"Check host and port in {setting}.",
        )
    return RelayError(f"{relay.name}: {words}.", "", f"Check {setting}.")


def _unread(ca_file: str) -> str:
    """Why the authority cannot be used, "" when it can."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(ca_file)
    except ssl.SSLError:
        return "holds no certificate"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return ""


def _about_signing_in(error: SMTPResponseException, relay: Relay) -> RelayError:
    """530 (RFC 4954 section 6, RFC 3207 section 4): sign in first, or use TLS first."""
    if "starttls" in error.message.lower():
        return RelayError(
            f"{relay.name} takes mail only over TLS ({_said(error)}).",
            "",
            f"Write smtp+starttls:// in {relay.setting}.",
        )
    return RelayError(
        f"{relay.name} takes mail only after signing in ({_said(error)}).",
        "",
        f"Write user:password@ before the host in {relay.setting}.",
    )


async def _speaks_tls(relay: Relay) -> bool:
    """Whether the relay answers a TLS handshake at once; nothing else is said to it."""
    shown = ssl.create_default_context()
    shown.check_hostname = False
    shown.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(_TLS_CHECK_S):
            _, writer = await asyncio.open_connection(relay.host, relay.port, ssl=shown)
    except OSError:
        return False
    writer.transport.abort()
    return True


def _said(error: SMTPResponseException) -> str:
    first = error.message.split()[:1]
    status = first[0] if first and first[0].count(".") == 2 else ""
    return f"{error.code} {status}".strip() if status else f"{error.code} {error.message}"[:200]


def _cause(error: BaseException | None, kind: type[BaseException]) -> BaseException | None:
    while error is not None:
        if isinstance(error, kind):
            return error
        error = error.__cause__ or error.__context__
    return None


async def _about_certificate(
    error: ssl.SSLCertVerificationError, relay: Relay, seconds: float
) -> RelayError:
    # OpenSSL's X509_V_ERR_*: 10 has expired, 62 hostname mismatch
    if error.verify_code == 10:
        return RelayError(f"The certificate of {relay.host} has ended.", "", "Ask its operator.")
    if error.verify_code in (62, 64):
        return RelayError(
            f"{relay.host} shows a certificate for another name.",
            "",
            f"Write the name that is in its certificate into {relay.setting}.",
        )
    issuer = ""
    with contextlib.suppress(SMTPException, OSError, ValueError):
        issuer = await asyncio.wait_for(_issuer(relay, seconds), seconds)
    named = f" ({issuer})" if issuer else ""
    return AuthorityError(
        f"{relay.host} shows a certificate of an unknown authority{named}.",
        "",
        "Set PAPERPOST_SMTP_CA_FILE.",
    )


async def _issuer(relay: Relay, seconds: float) -> str:
    """Return who signed the relay's certificate: asked without trust, nothing is sent."""
    shown = ssl.create_default_context()
    shown.check_hostname = False
    shown.verify_mode = ssl.CERT_NONE
    der = await _certificate(relay, shown, seconds)
    # The stdlib decodes only a certificate that it has verified; so it is trusted by itself.
    alone = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    alone.check_hostname = False
    alone.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    alone.load_verify_locations(cadata=der)
    client = _client(relay, alone, seconds)
    try:
        await client.connect()
        found = client.get_transport_info("ssl_object").getpeercert()
    finally:
        let_go(client)
    names = {key: value for part in found.get("issuer", ()) for key, value in part}
    return str(names.get("commonName") or names.get("organizationName") or "")


async def _certificate(relay: Relay, context: ssl.SSLContext, seconds: float) -> bytes:
    client = _client(relay, context, seconds)
    try:
        await client.connect()
        return bytes(client.get_transport_info("ssl_object").getpeercert(True))
    finally:
        let_go(client)


def _client(relay: Relay, context: ssl.SSLContext, seconds: float) -> SMTP:
    return SMTP(
        hostname=relay.host,
        port=relay.port,
        local_hostname=relay.local_hostname or None,
        timeout=seconds,
        use_tls=relay.tls == "tls",
        start_tls=relay.tls == "starttls",
        tls_context=context,
    )
