"""The hot path: many messages over one connection that aiosmtplib has opened.

aiosmtplib connects, begins TLS, signs in and greets; then its transport speaks with this protocol,
which sends a whole envelope in one write where PIPELINING is offered (RFC 2920), reads several
answers out of one packet, and looks at a body twice without copying it. What it may say, and when,
is the business of ``smtp``: the mark stands between the 354 and the body.

Nothing here raises for what a relay or a network does. Answers that never came are missing from the
list, and ``ended`` says why.
"""

import asyncio
import re
from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from service.delivery.message import MessageError, ascii_address
from service.delivery.outcome import BY_US, Broken, Envelope, Refused, Reply
from service.delivery.relay import Timeouts

PATIENCE = 5.0
"""Seconds that an envelope waits behind the dot of another message; then it goes elsewhere."""

SILENT = "no answer in time"

_LINE_END = re.compile(rb"\r\n|\n|\r")
_ENHANCED = re.compile(r"^([245]\.\d{1,3}\.\d{1,3})(?=\s|$)")
_LONGEST_ANSWER = 32768


class Said(NamedTuple):
    """An answer as it came: its code, its lines without the code."""

    code: int
    words: bytes

    @property
    def reply(self) -> Reply:
        """The answer as a value: words in one line, cut at 500 characters."""
        text = " ".join(self.words.decode("utf-8", "replace").split())[:500]
        found = _ENHANCED.match(text)
        return Reply(self.code, found[1] if found else "", text)


class Offers(NamedTuple):
    """What the relay offers (RFC 2920, 1870, 6152, 6531). most: octets of a message, 0 = unsaid."""

    pipelining: bool = False
    size: bool = False
    most: int = 0
    eight_bit: bool = False
    utf8: bool = False

    @classmethod
    def of(cls, extensions: Mapping[str, str]) -> "Offers":
        """Read EHLO's keywords (lower case) and their words."""
        most = extensions.get("size", "").split()[:1]
        return cls(
            "pipelining" in extensions,
            "size" in extensions,
            int(most[0]) if most and most[0].isdecimal() else 0,
            "8bitmime" in extensions,
            "smtputf8" in extensions,
        )


def stuffed(message: bytes) -> bytes:
    """Return the message as it goes before the final dot: lines end with CRLF, also the last, and
    a dot that begins one is doubled (RFC 5321 section 4.5.2). What is so already is not copied."""
    ends = message.count(b"\n")  # counting runs at memory's speed, no pattern does
    if (
        message.endswith(b"\r\n")
        and message.count(b"\r") == ends
        and message.count(b"\r\n") == ends
    ):
        lines = message
    else:
        lines = _LINE_END.sub(b"\r\n", message)
        if not lines.endswith(b"\r\n"):
            lines += b"\r\n"
    if lines.startswith(b"."):
        lines = b"." + lines
    parts = lines.split(b"\n.")  # one look, where ``replace`` takes two
    return b"\n..".join(parts) if len(parts) > 1 else lines


def envelope_lines(envelope: Envelope, offers: Offers) -> tuple[bytes, bytes] | Refused | Broken:
    """Return MAIL and RCPT, each with its CRLF; or why this relay cannot be given the message.

    Refused: said by us, about this mail alone. Broken: our own address is wrong, not this mail.
    """
    message = envelope.message
    if offers.most and len(message) > offers.most:
        words = f"{len(message)} octets; the relay takes {offers.most} at most {BY_US}"
        return Refused("mail", Reply(552, "5.3.4", words))
    is_ascii = message.isascii()
    if not is_ascii and not offers.eight_bit:
        words = f"bytes beyond ASCII, and the relay offers no 8BITMIME {BY_US}"
        return Refused("mail", Reply(554, "5.6.3", words))
    try:
        sender = ascii_address(envelope.sender, "envelope sender").encode("ascii")
    except MessageError as error:
        return Broken("mail", str(error))
    try:
        recipient = ascii_address(envelope.recipient, "envelope recipient", utf8=True).encode()
    except MessageError as error:  # of the reader's address; the relay was never asked
        return Refused("rcpt", Reply(501, "5.1.3", str(error.what)))
    mail = [b"MAIL FROM:<%b>" % sender]
    if offers.size:
        mail.append(b"SIZE=%d" % len(message))
    if not recipient.isascii():
        if not (offers.utf8 and offers.eight_bit):
            words = f"an address beyond ASCII, and the relay offers no SMTPUTF8 {BY_US}"
            return Refused("rcpt", Reply(553, "5.6.7", words))
        mail.append(b"BODY=8BITMIME SMTPUTF8")
    elif not is_ascii:
        mail.append(b"BODY=8BITMIME")
    return b" ".join(mail) + b"\r\n", b"RCPT TO:<%b>\r\n" % recipient


class Asked:
    """Commands under way: ``done`` gives as many answers as came, in order; fewer than asked for
    when the connection ended, or when they were passed over (see ``HotPath.body``)."""

    __slots__ = ("done", "said", "waits")

    def __init__(self, done: "asyncio.Future[list[Said]]", waits: Sequence[float]) -> None:
        self.done = done
        self.said: list[Said] = []
        self.waits = waits

    def finish(self) -> None:
        if not self.done.done():
            self.done.set_result(self.said)


class HotPath(asyncio.Protocol):
    """The conversation on one open transport, from after the greeting on.

    transport: connected, greeted, signed in; from now on this object's alone.
    """

    def __init__(self, transport: asyncio.Transport, offers: Offers, timeouts: Timeouts) -> None:
        self.offers = offers
        self.timeouts = timeouts
        self.ended = ""
        """Why nothing can be said any more; "" while it can."""
        self.is_retiring = False
        """True when no further message may begin: what was in flight behind a body was let go."""
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._asked: deque[Asked] = deque()
        self._rest = b""
        self._lines: list[bytes] = []
        self._is_full = False
        self._deadline = self._hurry = 0.0
        self._timer: asyncio.TimerHandle | None = None
        if transport.is_closing():
            self._end("connection lost")
            return
        transport.set_protocol(self)
        transport.set_write_buffer_limits(high=1, low=0)  # so that we hear when the dot is out

    def ask(self, commands: bytes, waits: Sequence[float]) -> Asked:
        """Write commands that get one answer each. waits: seconds for each answer, in order."""
        asked = Asked(self._loop.create_future(), waits)
        if self._can_write():
            self._expect(asked)
            self._transport.write(commands)
        else:
            asked.finish()
        return asked

    def body(
        self, lines: bytes, then: bytes = b"", waits: Sequence[float] = ()
    ) -> tuple[Asked, Asked | None] | None:
        """Write a stuffed message, its dot, and the commands of a next envelope behind it.

        None = the connection was over before: not a byte was written. The answer to the dot has its
        ten minutes from when the dot has left this process. Who follows is passed over (no answers,
        ``is_retiring``) when that answer takes longer than ``PATIENCE``.
        """
        if not self._can_write():
            return None
        asked = Asked(self._loop.create_future(), (self.timeouts.reply,))
        self._expect(asked)
        next_asked = None
        if then:
            next_asked = Asked(self._loop.create_future(), waits)
            self._asked.append(next_asked)
            self._hurry = self._loop.time() + PATIENCE
            self._arm(self._hurry)
        self._transport.write(b"".join((lines, b".\r\n", then)))
        return asked, next_asked

    def pass_over(self) -> None:
        """Whoever stands behind the first of what is under way looks for another connection."""
        self._hurry = 0.0
        self.is_retiring = True
        while len(self._asked) > 1:
            self._asked.pop().finish()

    def close(self, why: str = "closed by us") -> None:
        """End it now; nothing that was not yet written leaves any more."""
        self._end(why)

    @property
    def is_body_out(self) -> bool:
        """False while a part of what was written waits in this process."""
        return not self._is_full

    # What the transport calls

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        start = 0
        while not self.ended and (end := data.find(b"\n", start)) >= 0:
            self._hear(data[start:end])
            start = end + 1
        self._rest = data[start:]
        if len(self._rest) > _LONGEST_ANSWER:
            self._end("an answer without an end")

    def eof_received(self) -> bool:
        self._end("the relay closed the connection")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(str(exc) if exc and str(exc) else "connection lost")

    def pause_writing(self) -> None:
        self._is_full = True
        self._until(self._loop.time() + self.timeouts.block)

    def resume_writing(self) -> None:
        self._is_full = False
        self._wait_on()

    # Answers, and the time they take

    def _hear(self, line: bytes) -> None:
        code = line[:3]
        if not (code.isdigit() and len(code) == 3 and line[3:4] in (b" ", b"-", b"\r", b"")):
            self._end(f"an answer that is none: {line[:80].decode('utf-8', 'replace')}".strip())
            return
        if line[3:4] == b"-":
            self._lines.append(line[4:])
            if len(self._lines) > 200 or sum(map(len, self._lines)) > _LONGEST_ANSWER:
                self._end("an answer without an end")
            return
        words = line[4:]
        if self._lines:
            words = b"\n".join((*self._lines, words))
            self._lines = []
        said = Said(int(code), words)
        if not self._asked:  # "421 idle for too long", or one that we had given up
            self._end(f"{said.code} {said.reply.text}")
            return
        asked = self._asked[0]
        asked.said.append(said)
        if len(asked.said) == len(asked.waits):
            self._asked.popleft()
            asked.finish()
            self._hurry = 0.0
        self._wait_on()

    def _can_write(self) -> bool:
        return not (self.ended or self._transport.is_closing())

    def _expect(self, asked: Asked) -> None:
        self._asked.append(asked)
        self._wait_on()

    def _wait_on(self) -> None:
        """The first answer that is outstanding has its time from now on."""
        if self._asked:
            first = self._asked[0]
            self._until(self._loop.time() + first.waits[len(first.said)])

    def _until(self, deadline: float) -> None:
        self._deadline = deadline
        self._arm(deadline)

    def _arm(self, at: float) -> None:
        """One timer, mostly left as it is: it is set anew only to ring earlier."""
        if self._timer is not None:
            if self._timer.when() <= at:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(at, self._look)

    def _look(self) -> None:
        self._timer = None
        if not self._asked:
            return
        now = self._loop.time()
        if self._hurry and now >= self._hurry:
            self.pass_over()
        if now >= self._deadline:
            self._end(SILENT)
            return
        self._arm(min(self._deadline, self._hurry or self._deadline))

    def _end(self, why: str) -> None:
        if self.ended:
            return
        self.ended = why[:300]
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._asked:
            self._asked.popleft().finish()
        self._transport.abort()
