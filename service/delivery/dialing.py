"""Opening a connection to the relay: reach it, TLS, log-in, greeting; all of it by aiosmtplib.

Certificates are always verified, against the system's authorities and the operator's own. STARTTLS
that is asked for and not offered ends the call before a user's name was said.
"""

import asyncio
import contextlib
import ssl
from typing import cast

from aiosmtplib import SMTP, SMTPException, SMTPHeloError, SMTPResponseException

from service.delivery.hot_path import HotPath, Offers, Said
from service.delivery.outcome import Broken, Refused
from service.delivery.relay import Probed, Relay, RelayError, Timeouts, explained, let_go


class Dialer:
    """Opens connections to one relay. The authorities are read once, and anew after a failure
    (their file may have been renewed): reading them takes longer than sending many mails."""

    def __init__(self, relay: Relay, timeouts: Timeouts) -> None:
        self.relay = relay
        self.timeouts = timeouts
        self._context: ssl.SSLContext | None = None

    async def dial(self) -> HotPath | Refused | Broken:
        """Return an open connection, ready for MAIL; never raises for what a network does."""
        client = None
        try:
            client = await self._client()
            await client.connect()
            await _greet(client)
            transport = client.transport
            if transport is None:
                raise ConnectionResetError("connection lost")
            offers = Offers.of(client.esmtp_extensions)
            line = HotPath(cast(asyncio.Transport, transport), offers, self.timeouts)
        except SMTPResponseException as error:
            _drop(client)
            if not 400 <= error.code < 600:
                return Broken("connect", f"unexpected answer: {error.code} {error.message}"[:300])
            return Refused(
                "connect", Said(error.code, error.message.encode("utf-8", "replace")).reply
            )
        except (SMTPException, OSError, ValueError) as error:
            _drop(client)
            self._context = None
            return Broken("connect", (str(error) or type(error).__name__)[:300])
        except BaseException:
            _drop(client)
            raise
        return line

    async def probe(self, sender: str = "") -> Probed:
        """Connect, sign in, offer ``sender`` if given, and return what the relay said.

        Raises RelayError with what is wrong and which setting mends it.
        """
        client = None
        try:
            client = await self._client()
            greeting = await client.connect()
            await _greet(client)
            found = Probed(
                greeting=f"{greeting.code} {greeting.message}",
                features=tuple(sorted(client.esmtp_extensions)),
                tls=_tls_version(client),
                signed_in=bool(self.relay.user),
            )
            if sender:
                await client.mail(sender)
                await client.rset()
            await client.quit()
            return found
        except (SMTPException, OSError, ValueError) as error:
            raise await explained(error, self.relay, self.timeouts.connect) from error
        finally:
            _drop(client)

    async def answers(self, seconds: float) -> bool:
        """Whether the relay greets within ``seconds``; nothing is offered and nobody signs in."""
        client = None
        try:
            async with asyncio.timeout(seconds):
                client = await self._client(is_guest=True)
                await client.connect()
                await client.quit()
        except (SMTPException, OSError, ValueError):  # a time-out is an OSError
            return False
        finally:
            _drop(client)
        return True

    async def _client(self, *, is_guest: bool = False) -> SMTP:
        """is_guest: one that only listens to the greeting. Raises OSError: the authority's file."""
        relay = self.relay
        user = "" if is_guest else relay.user
        if relay.tls != "none" and self._context is None:
            self._context = await asyncio.to_thread(_trusting, relay.ca_file)
        return SMTP(
            hostname=relay.host,
            port=relay.port,
            username=user or None,
            password=relay.password if user else None,
            local_hostname=relay.local_hostname or None,
            timeout=self.timeouts.connect,
            use_tls=relay.tls == "tls",
            start_tls=relay.tls == "starttls" and not is_guest,
            tls_context=self._context,
        )


def check_clear(relay: Relay, is_near: bool) -> None:
    """Raises RelayError when a password would travel in clear text to another machine."""
    if relay.user and relay.tls == "none" and not is_near:
        raise RelayError(
            f"The password for {relay.host} would travel in clear text.",
            relay.setting,
            "Write smtp+starttls:// or smtps://.",
        )


def _trusting(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
    if ca_file:
        context.load_verify_locations(cafile=ca_file)
    return context


async def _greet(client: SMTP) -> None:
    if client.is_ehlo_or_helo_needed:
        try:
            await client.ehlo()
        except SMTPHeloError:
            await client.helo()


def _drop(client: SMTP | None) -> None:
    if client is not None:
        with contextlib.suppress(OSError):
            let_go(client)


def _tls_version(client: SMTP) -> str:
    transport = client.get_transport_info("ssl_object")
    return str(transport.version()) if transport is not None else ""
