"""The SMTP side: a listener on loopback, in a thread of its own."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from aiosmtpd.smtp import SMTP, Envelope, Session

from service.errors import PaperpostError
from service.mailbox.folder import Mailbox

LOOPBACK = "127.0.0.1"
MOST_BYTES = 32 * 1024 * 1024
_START_S = 10.0


class MailboxListenError(PaperpostError):
    """The listener could not open its port."""


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  (the mailbox is a door)


class _Receiver:
    """What aiosmtpd calls: everything is accepted and kept, nothing is passed on."""

    def __init__(self, mailbox: Mailbox, clock: Callable[[], datetime]) -> None:
        self._mailbox = mailbox
        self._clock = clock

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        try:
            mail_id = self._mailbox.add(
                content,
                # aiosmtpd hands the empty return path on as it was written
                sender="" if envelope.mail_from in (None, "<>") else envelope.mail_from,
                recipients=envelope.rcpt_tos,
                received_at=self._clock(),
            )
        except OSError as error:
            return f"452 4.3.1 The mailbox folder cannot be written ({error.strerror})"
        return f"250 2.0.0 Kept as {mail_id}"


class MailboxServer:
    """Accepts 8BITMIME and SMTPUTF8 mail for any address and stores it.

    Binds 127.0.0.1 only; there is no parameter for another address. ``port`` 0 = any free one.
    """

    def __init__(
        self, mailbox: Mailbox, *, port: int = 0, clock: Callable[[], datetime] = _now
    ) -> None:
        self._receiver = _Receiver(mailbox, clock)
        self._wanted = port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._server: asyncio.Server | None = None
        self._ready = threading.Event()
        self._failure: OSError | None = None
        self._connections: set[asyncio.BaseTransport] = set()
        self.port = 0

    def start(self) -> int:
        """Listen, and return the port. Raises MailboxListenError."""
        if self._thread is not None:
            return self.port
        self._ready.clear()
        self._failure = None
        self._thread = threading.Thread(target=self._run, name="mailbox", daemon=True)
        self._thread.start()
        self._ready.wait(_START_S)
        if self._failure is not None or not self.port:
            self._thread.join(_START_S)
            self._thread = None
            raise MailboxListenError(
                f"The mailbox cannot listen on {LOOPBACK}:{self._wanted}",
                str(self._failure or "no answer"),
                "Let it choose a port, or free this one.",
            )
        return self.port

    def stop(self) -> None:
        """Stop listening, close open connections, end the thread. Again does nothing."""
        thread, loop = self._thread, self._loop
        if thread is None or loop is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        self._thread = self._loop = self._server = None
        self.port = 0

    def __enter__(self) -> "MailboxServer":
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def _protocol(self) -> SMTP:
        assert self._loop is not None
        return _Connection(self._receiver, self._connections, self._loop)

    def _run(self) -> None:
        loop = self._loop = asyncio.new_event_loop()
        try:
            self._server = loop.run_until_complete(
                loop.create_server(self._protocol, LOOPBACK, self._wanted)
            )
            self.port = self._server.sockets[0].getsockname()[1]
        except OSError as error:
            self._failure = error
            loop.close()
            return
        finally:
            self._ready.set()
        loop.run_forever()
        loop.run_until_complete(self._close())
        loop.close()

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        for transport in tuple(self._connections):
            transport.close()
        waiting = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await self._server.wait_closed()


class _Connection(SMTP):
    """Remembers its transport, so that stopping does not wait for a client to hang up."""

    def __init__(
        self,
        receiver: _Receiver,
        connections: set[asyncio.BaseTransport],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(
            receiver,
            loop=loop,
            # a fixed name: the default asks the resolver, which can hang without a network
            hostname="mailbox.localhost",
            ident="Paperpost development mailbox",
            data_size_limit=MOST_BYTES,
            enable_SMTPUTF8=True,
        )
        self._open = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._open.add(transport)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self.transport is not None:
            self._open.discard(self.transport)
        super().connection_lost(error)
