"""The SMTP pool: persistent connections, and the write-ahead mark before the body.

Order of one delivery: MAIL, RCPT, the mark (committed by the caller), DATA, body and dot, reply.
Whatever fails before the mark proves that nothing was sent; what fails after the body began
proves nothing at all, and is said so (``Broken.is_unknown``). Time-outs: RFC 5321 section 4.5.3.2.
"""

import asyncio
import contextlib
import ipaddress
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPHeloError,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)

from service.delivery.message import MessageError, ascii_address
from service.delivery.outcome import (
    Accepted,
    Broken,
    Envelope,
    Outcome,
    Phase,
    Refused,
    Reply,
    Stopped,
)
from service.delivery.relay import Probed, Relay, RelayError, Timeouts, explained, let_go

_ENHANCED = re.compile(r"^([245]\.\d{1,3}\.\d{1,3})(?=\s|$)")
_LINE = re.compile(rb"\r\n|\n|\r")
_GONE = (SMTPServerDisconnected, SMTPTimeoutError, ConnectionError, OSError)

__all__ = ["Mailer", "Probed", "Relay", "RelayError", "Timeouts"]


@dataclass(slots=True)
class _Line:
    """One open connection, and how many messages it has carried."""

    client: SMTP
    carried: int = 0


class Mailer:
    """At most ``connections`` conversations with one relay at once.

    connections: halved each time the relay says it has too many (421), never below 1.
    per_connection: messages after which a connection is closed and a new one opened.
    Raises RelayError when a password would travel in clear text to another machine.
    """

    def __init__(
        self,
        relay: Relay,
        *,
        connections: int = 10,
        per_connection: int = 100,
        timeouts: Timeouts | None = None,
    ) -> None:
        if relay.user and relay.tls == "none" and not _is_loopback(relay.host):
            raise RelayError(
                f"The password for {relay.host} would travel in clear text.",
                "PAPERPOST_SMTP_URL",
                "Write smtp+starttls:// or smtps://.",
            )
        self.relay = relay
        self.timeouts = timeouts or Timeouts()
        self._per_connection = per_connection
        self._wanted = self._limit = connections
        self._surplus = 0  # places to take away as soon as they are given back
        self._places = asyncio.Semaphore(connections)
        self._idle: list[_Line] = []
        self._is_closed = False

    @property
    def connections(self) -> int:
        """How many conversations are allowed at once by now."""
        return self._limit

    async def deliver(self, envelope: Envelope, mark: Callable[[], Awaitable[bool]]) -> Outcome:
        """Hand in one message; never raises for what a server or a network does.

        mark: called once, after RCPT was accepted and before DATA; False = do not send.
        An exception of ``mark`` is raised on, with nothing sent.
        """
        await self._places.acquire()
        while self._surplus:  # fewer are allowed than there were: this place is gone
            self._surplus -= 1
            await self._places.acquire()
        try:
            return await self._with_a_line(envelope, mark)
        finally:
            if self._surplus:
                self._surplus -= 1
            else:
                self._places.release()

    async def rest(self) -> None:
        """Close idle connections with QUIT and forget earlier 421s; for the end of a sweep."""
        for _ in range(self._wanted - self._limit - self._surplus):
            self._places.release()
        self._limit, self._surplus = self._wanted, 0
        idle, self._idle = self._idle, []
        await asyncio.gather(*(self._quit(line) for line in idle))

    async def aclose(self) -> None:
        """Close everything; deliveries that are under way end by themselves."""
        self._is_closed = True
        await self.rest()

    async def probe(self, sender: str = "") -> Probed:
        """Connect, sign in, offer ``sender`` if given, and return what the relay said.

        Raises RelayError with what is wrong and which setting mends it.
        """
        client = self._new_client()
        try:
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
            let_go(client)

    async def answers(self, seconds: float) -> bool:
        """Whether the relay greets within ``seconds``; nothing is offered and nobody signs in."""
        client = self._new_client(is_guest=True)
        try:
            async with asyncio.timeout(seconds):
                await client.connect()
                await client.quit()
        except (SMTPException, OSError, ValueError):  # a time-out is an OSError
            return False
        finally:
            let_go(client)
        return True

    async def _with_a_line(
        self, envelope: Envelope, mark: Callable[[], Awaitable[bool]]
    ) -> Outcome:
        line = self._idle_line()
        is_fresh = line is None
        while True:
            if line is None:
                opened = await self._open()
                if not isinstance(opened, _Line):
                    return opened
                line = opened
            is_clean = False
            try:
                refused = await self._address(line.client, envelope)
                if refused is not None and not is_fresh and _is_stale(refused):
                    let_go(line.client)
                    line, is_fresh = None, True  # died while idle: nothing was said yet
                    continue
                outcome = refused or await self._hand_over(line.client, envelope, mark)
                is_clean = await self._is_usable(line, outcome)
                return outcome
            finally:
                # also when this task is cancelled half way: such a connection is never used again
                if line is not None and not is_clean:
                    let_go(line.client)
                elif line is not None:
                    await self._give_back(line)

    async def _address(self, client: SMTP, envelope: Envelope) -> Refused | Broken | None:
        """MAIL and RCPT; None when both were accepted."""
        size = f"SIZE={len(envelope.message)}"
        options = [size] if client.supports_extension("size") else []
        phase: Phase = "mail"
        try:
            sender = ascii_address(envelope.sender, "envelope sender")
            await client.mail(sender, options=options, timeout=self.timeouts.command)
            phase = "rcpt"
            recipient = ascii_address(envelope.recipient, "envelope recipient")
            await client.rcpt(recipient, timeout=self.timeouts.command)
        except MessageError as error:  # said by us, not by the relay: it was never asked
            if phase == "mail":  # our own address: a setting is wrong, not this mail
                return Broken(phase, str(error))
            return Refused(phase, Reply(501, "5.1.3", error.what))
        except SMTPResponseException as error:
            return self._refused(phase, error.code, error.message)
        except _GONE as error:
            return Broken(phase, _words(error))
        return None

    async def _hand_over(
        self, client: SMTP, envelope: Envelope, mark: Callable[[], Awaitable[bool]]
    ) -> Outcome:
        if not await mark():
            return Stopped()
        try:
            start = await client.execute_command(b"DATA", timeout=self.timeouts.data)
        except SMTPResponseException as error:
            return self._refused("data", error.code, error.message)
        except _GONE as error:
            return Broken("data", _words(error))
        if start.code != 354:
            return self._refused("data", start.code, start.message)
        protocol = client.protocol
        if protocol is None:
            return Broken("data", "connection lost")
        try:
            protocol.write(dotted(envelope.message))
        except _GONE as error:
            return Broken("body", _words(error))
        try:
            reply = await protocol.read_response(timeout=self.timeouts.reply)
        except SMTPResponseException as error:
            return Broken("reply", error.message)  # an answer that is none
        except _GONE as error:
            return Broken("reply", _words(error))
        if reply.code == 250:
            return Accepted(_reply(reply.code, reply.message))
        return self._refused("reply", reply.code, reply.message)

    async def _is_usable(self, line: _Line, outcome: Outcome) -> bool:
        """Return whether the connection is in order for a next message."""
        client = line.client
        if isinstance(outcome, Broken) or not client.is_connected:
            return False
        if isinstance(outcome, Refused) and (outcome.reply.code == 421 or not outcome.reply.code):
            return False
        if isinstance(outcome, Accepted):
            line.carried += 1
            return True
        try:
            await client.rset(timeout=self.timeouts.command)
        except (SMTPException, OSError):
            return False
        return True

    def _idle_line(self) -> _Line | None:
        while self._idle:
            line = self._idle.pop()
            if line.client.is_connected:
                return line
            let_go(line.client)
        return None

    async def _open(self) -> _Line | Refused | Broken:
        client = self._new_client()
        try:
            await client.connect()
            await _greet(client)
        except SMTPResponseException as error:
            let_go(client)
            return self._refused("connect", error.code, error.message)
        except (SMTPException, OSError, ValueError) as error:
            let_go(client)
            return Broken("connect", _words(error))
        except asyncio.CancelledError:
            let_go(client)
            raise
        return _Line(client)

    async def _give_back(self, line: _Line) -> None:
        if self._is_closed or line.carried >= self._per_connection:
            await self._quit(line)
        else:
            self._idle.append(line)

    async def _quit(self, line: _Line) -> None:
        with contextlib.suppress(SMTPException, OSError):
            await line.client.quit(timeout=5)
        let_go(line.client)

    def _refused(self, phase: Phase, code: int, words: str) -> Refused | Broken:
        if not 400 <= code < 600:
            return Broken(phase, f"unexpected answer: {code} {words}"[:300])
        if code == 421 and phase in ("connect", "mail") and self._limit > 1:
            fewer = self._limit // 2
            self._surplus += self._limit - fewer
            self._limit = fewer
        return Refused(phase, _reply(code, words))

    def _new_client(self, *, is_guest: bool = False) -> SMTP:
        """is_guest: one that only listens to the greeting."""
        relay = self.relay
        user = "" if is_guest else relay.user
        return SMTP(
            hostname=relay.host,
            port=relay.port,
            username=user or None,
            password=relay.password if user else None,
            local_hostname=relay.local_hostname or None,
            timeout=self.timeouts.connect,
            use_tls=relay.tls == "tls",
            start_tls=relay.tls == "starttls" and not is_guest,
            cert_bundle=relay.ca_file or None,
        )


def dotted(message: bytes) -> bytes:
    """Return the message as it goes after DATA: CRLF, dots doubled, final dot (RFC 5321 4.5.2)."""
    lines = _LINE.sub(b"\r\n", message)
    if not lines.endswith(b"\r\n"):
        lines += b"\r\n"
    if lines.startswith(b"."):
        lines = b"." + lines
    return lines.replace(b"\r\n.", b"\r\n..") + b".\r\n"


async def _greet(client: SMTP) -> None:
    if client.is_ehlo_or_helo_needed:
        try:
            await client.ehlo()
        except SMTPHeloError:
            await client.helo()


def _is_stale(outcome: Refused | Broken) -> bool:
    """True when a connection that had been idle is found closed, or closes, at MAIL."""
    if outcome.phase != "mail":
        return False
    return isinstance(outcome, Broken) or outcome.reply.code == 421


def _reply(code: int, words: str) -> Reply:
    text = " ".join(words.encode("utf-8", "replace").decode("utf-8", "replace").split())[:500]
    found = _ENHANCED.match(text)
    return Reply(code, found[1] if found else "", text)


def _words(error: BaseException) -> str:
    return (str(error) or type(error).__name__)[:300]


def _tls_version(client: SMTP) -> str:
    transport = client.get_transport_info("ssl_object")
    return str(transport.version()) if transport is not None else ""


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
