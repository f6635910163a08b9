"""Take mails from a mail server by LMTP (RFC 2033), on a port of this machine or a socket file.

One mail is taken once, however many recipients it was handed over for; each of them gets an answer
of its own, as LMTP wants. What the database cannot take is refused for now (4xx): the mail server
keeps the mail and comes again.
"""

import asyncio
import socket
from pathlib import Path

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from service.errors import PaperpostError
from service.flows.inbound import take
from service.flows.runtime import Runtime, Stats

MOST_BYTES = 32 * 1024 * 1024
"""Bytes of a mail; a larger one is refused (552). Our mails, which reports return, are small."""

LINE = 1024 * 1024
"""Bytes of one line: mail servers hand in what SMTP would not allow."""

MOST_RCPTS = 100

SECONDS = 300.0
"""How long a client may say nothing."""

NAME = "lmtp"


class LmtpError(PaperpostError):
    """It cannot be listened there."""


class _Taker:
    """What aiosmtpd calls."""

    def __init__(self, rt: Runtime, stats: Stats) -> None:
        self._rt, self._stats = rt, stats

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: object
    ) -> str:
        if len(envelope.rcpt_tos) >= MOST_RCPTS:
            return "452 4.5.3 Too many recipients at once"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        rt, stats = self._rt, self._stats
        data = bytes(envelope.original_content or b"")
        stats.runs += 1
        stats.last_at = rt.clock()
        try:
            rcpts = list(envelope.rcpt_tos)
            taken = await asyncio.to_thread(take, rt, data, way="lmtp", rcpts=rcpts)
        except Exception as error:  # whatever the database raises: the mail server keeps the mail
            stats.failures += 1
            stats.last_error = (str(error) or type(error).__name__)[:500]
            rt.log("lmtp_not_taken", error=stats.last_error)
            return "451 4.3.0 It cannot be kept now; come again"
        stats.last_error = ""
        rt.log("lmtp", state=taken.state, inbound=taken.id, again=not taken.is_new)
        return f"250 2.0.0 Taken as {taken.id}"


class _Line(LMTP):
    """One connection: remembered, so that stopping does not wait for who hangs on."""

    line_length_limit = LINE

    def __init__(self, taker: _Taker, lines: set["_Line"], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            taker,
            loop=loop,
            hostname="paperpost.localhost",  # the default asks the resolver
            ident="Paperpost",
            data_size_limit=MOST_BYTES,
            enable_SMTPUTF8=True,
            timeout=SECONDS,
        )
        self._lines = lines
        self._wanted = 1
        self.is_at_data = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._lines.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._lines.discard(self)
        super().connection_lost(error)

    async def smtp_DATA(self, arg: str) -> None:
        """The same, with as many answers as recipients."""
        self._wanted = max(1, len(self.envelope.rcpt_tos)) if self.envelope else 1
        self.is_at_data = True
        try:
            await super().smtp_DATA(arg)
        finally:
            self.is_at_data = False

    async def push(self, status: str | bytes) -> None:
        """Say a reply; what follows the dot once for each recipient (RFC 2033 section 4.2)."""
        text = status.decode("utf-8", "replace") if isinstance(status, bytes) else status
        if self.is_at_data and text[:3] not in ("354", "501", "503"):
            text = "\r\n".join([text] * self._wanted)
        await super().push(text)

    def hang_up(self) -> None:
        """End it; a mail whose dot was not answered comes again."""
        if self.transport is not None:
            self.transport.close()


def bind(place: str | tuple[str, int]) -> socket.socket:
    """A socket that is bound: to the path of a socket file, or to host and port (0 = any free one).
    A file that a dead process left is taken over. Raises LmtpError."""
    try:
        if isinstance(place, str):
            _clear(Path(place))
            made, address = socket.socket(socket.AF_UNIX), place
        else:
            found = socket.getaddrinfo(*place, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            family, kind, protocol, _, address = found[0]  # type: ignore[assignment]
            made = socket.socket(family, kind, protocol)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind(address)
            if isinstance(place, str):
                Path(place).chmod(0o666)  # who gets into its folder may hand in mail
        except OSError:
            made.close()
            raise
    except OSError as error:
        shown = place if isinstance(place, str) else f"{place[0]}:{place[1]}"
        raise LmtpError(
            f"LMTP cannot listen on {shown}: {error.strerror or error}",
            "PAPERPOST_LMTP_LISTEN",
            "Make its folder, writable for this user, or write another socket there."
            if isinstance(place, str)
            else "Free the port, or write another one there.",
        ) from None
    return made


class LmtpServer:
    """Listens from ``start`` to ``stop``, in the running loop."""

    def __init__(self, rt: Runtime, place: socket.socket, stats: Stats | None = None) -> None:
        """place: as ``bind`` made it; ``stop`` closes it, and removes its file."""
        self._place = place
        self._taker = _Taker(rt, stats if stats is not None else Stats())
        self._lines: set[_Line] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()

        def line() -> _Line:
            return _Line(self._taker, self._lines, loop)

        if self._place.family == socket.AF_UNIX:
            self._server = await loop.create_unix_server(line, sock=self._place)
        else:
            self._server = await loop.create_server(line, sock=self._place)

    async def stop(self, drain: float = 10.0) -> None:
        """Listen no more; mails that are being handed over have ``drain`` seconds."""
        server, self._server = self._server, None
        if server is None:
            return
        if self._place.family == socket.AF_UNIX:
            await asyncio.to_thread(Path(self._place.getsockname()).unlink, missing_ok=True)
        server.close()
        end = asyncio.get_running_loop().time() + drain
        while any(line.is_at_data for line in self._lines):
            if asyncio.get_running_loop().time() >= end:
                break
            await asyncio.sleep(0.05)
        for line in tuple(self._lines):
            line.hang_up()
        await asyncio.sleep(0)


def _clear(path: Path) -> None:
    """A socket file that a dead process left is removed. Raises OSError: somebody listens there."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink()
            return
    raise OSError(None, "another process listens there")
