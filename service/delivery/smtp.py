"""The SMTP pool: persistent connections, and the write-ahead mark before the body.

Order of one delivery: MAIL, RCPT and DATA (in one write where the relay offers PIPELINING), the
354, the mark (committed by the caller), body and dot, reply. Whatever fails before the body proves
that nothing was sent; what fails after it began proves nothing at all, and is said so
(``Broken.is_unknown``). While a reply to a dot is awaited the same connection may carry the
envelope of a next delivery, never its body before its own 354 and mark. A mark that is refused
after the 354 costs the connection: there is no other way to take DATA back.
"""

import asyncio
import ipaddress
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from service.delivery.dialing import Dialer, check_clear
from service.delivery.hot_path import HotPath, envelope_lines, stuffed
from service.delivery.outcome import Broken, Envelope, Outcome, Refused, Stopped
from service.delivery.relay import Probed, Relay, RelayError, Timeouts
from service.delivery.turns import (
    RESET,
    STEPS,
    Line,
    Step,
    Turn,
    after_the_dot,
    does_not_follow,
    heard,
    is_421,
    is_stale,
    is_usable,
)

Mark = Callable[[], Awaitable[bool]]

QUIT_S = 5.0
_TRIES = 3

__all__ = ["Mailer", "Probed", "Relay", "RelayError", "Timeouts"]


@dataclass(eq=False, slots=True)
class _Waiter:
    """A delivery without a connection. turn: None = look again. is_alone: not behind another."""

    envelope: Envelope
    turn: "asyncio.Future[Turn | None]"
    is_alone: bool


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
        check_clear(relay, _is_loopback(relay.host))
        self.relay = relay
        self.timeouts = times = timeouts or Timeouts()
        self._dialer = Dialer(relay, times)
        self._per_connection = per_connection
        self._wanted = self._limit = connections
        self._halvings = 0
        self._lines: set[Line] = set()
        self._opening = 0
        self._idle: list[Line] = []
        self._waiting: deque[_Waiter] = deque()
        self._leaving: set[asyncio.Task[None]] = set()
        self._is_closed = self._is_draining = False
        self._may_follow = True  # an envelope behind a dot, until the relay shows that it cannot
        self._waits = (times.command, times.command, times.data)

    @property
    def connections(self) -> int:
        """How many conversations are allowed at once by now."""
        return self._limit

    async def deliver(self, envelope: Envelope, mark: Mark) -> Outcome:
        """Hand in one message; never raises for what a server or a network does.

        mark: called once, after the 354 and before the body; False = do not send.
        An exception of ``mark`` is raised on, with nothing sent. May be called by many tasks at
        once: whoever finds no connection waits for one, in order.
        """
        is_alone = False
        for tries in range(1, _TRIES + 1):
            turn = await self._turn(envelope, is_alone)
            if not isinstance(turn, Turn):
                return turn
            outcome = await self._converse(turn, envelope, mark, is_last=tries == _TRIES)
            if outcome is not None:
                return outcome
            is_alone = True
        raise AssertionError("the last try returns an outcome")

    def drain(self) -> None:
        """Begin no further message: who waits for a connection is Stopped at once. What is on the
        wire goes on to its end."""
        self._is_draining = True
        while (waiter := self._first()) is not None:
            waiter.turn.set_result(None)

    async def rest(self) -> None:
        """Close idle connections with QUIT and forget earlier 421s; for the end of a sweep."""
        self._limit = self._wanted
        self._close_idle()
        self._wake()
        if self._leaving:
            await asyncio.wait(set(self._leaving))

    async def aclose(self) -> None:
        """Close everything; deliveries that are under way end by themselves."""
        self._is_closed = True
        await self.rest()

    async def probe(self, sender: str = "") -> Probed:
        """Connect, sign in, offer ``sender`` if given, and return what the relay said.

        Raises RelayError with what is wrong and which setting mends it.
        """
        return await self._dialer.probe(sender)

    async def answers(self, seconds: float) -> bool:
        """Whether the relay greets within ``seconds``; nothing is offered and nobody signs in."""
        return await self._dialer.answers(seconds)

    # One conversation

    async def _converse(
        self, turn: Turn, envelope: Envelope, mark: Mark, *, is_last: bool
    ) -> Outcome | None:
        """None = the connection ended before a word about this mail: it may go on another."""
        line, path, is_ours, is_clean = turn.line, turn.line.path, True, False
        halvings = self._halvings
        try:
            if self._is_draining and turn.asked is None:
                is_clean = True
                return Stopped()
            not_sent = await self._address(turn, envelope)
            if not_sent is not None:
                is_clean = is_usable(turn, not_sent)
                if does_not_follow(turn, not_sent):
                    self._may_follow = False
                if not is_last and is_stale(turn, not_sent):
                    if not turn.is_behind:
                        self._close_idle()  # they are as old as this one
                    return None
                if not_sent.phase == "mail" and is_421(not_sent):
                    self._fewer(halvings)
                return not_sent
            if not await mark():
                return Stopped()
            lines = envelope.lines or stuffed(envelope.message)
            behind, commands = self._behind(line)
            sent = path.body(lines, commands, self._waits)
            if sent is None:
                if behind is not None:
                    self._waiting.appendleft(behind)
                return Broken("data", path.ended or "connection lost")
            turn.asked = line.doubt = sent[0]
            line.carried += 1
            if behind is not None:
                is_ours = False
                behind.turn.set_result(Turn(line, sent[1], is_behind=True))
            outcome = after_the_dot(path, await sent[0].done)
            is_clean = is_usable(turn, outcome)
            return outcome
        finally:
            # also when this task is cancelled half way: such a connection is never used again
            if not is_clean:
                self._abandon(turn)
            elif is_ours:
                self._free(line)

    async def _address(self, turn: Turn, envelope: Envelope) -> Refused | Broken | None:
        """MAIL, RCPT and DATA; None when the relay waits for the body."""
        line, path = turn.line, turn.line.path
        if turn.asked is not None:
            return heard(line, STEPS, await turn.asked.done)
        lines = envelope_lines(envelope, path.offers)
        if isinstance(lines, Refused | Broken):
            return lines
        steps: tuple[Step, ...] = STEPS
        commands: tuple[bytes, ...] = (*lines, b"DATA\r\n")
        waits: tuple[float, ...] = self._waits
        if line.needs_reset:
            steps, commands = (RESET, *steps), (b"RSET\r\n", *commands)
            waits = (self.timeouts.command, *waits)
            line.needs_reset = False
        if path.offers.pipelining:
            turn.asked = path.ask(b"".join(commands), waits)
            return heard(line, steps, await turn.asked.done)
        for step, command, wait in zip(steps, commands, waits, strict=True):
            turn.asked = path.ask(command, (wait,))
            if not_sent := heard(line, (step,), await turn.asked.done):
                return not_sent
        return None

    # Who has which connection

    async def _turn(self, envelope: Envelope, is_alone: bool) -> Turn | Refused | Broken | Stopped:
        """The right to send on a connection, or why there is none."""
        was_told = False
        while not self._is_draining:
            while self._idle:
                line = self._idle.pop()
                if not line.path.ended:
                    return Turn(line)
                self._drop(line)
            if len(self._lines) + self._opening < self._limit:
                opened = await self._open()
                is_one_too_many = isinstance(opened, Refused) and is_421(opened)
                if not (is_one_too_many and (self._lines or self._opening)):
                    return opened  # else one of those that are there will do
            waiter = _Waiter(envelope, asyncio.get_running_loop().create_future(), is_alone)
            if was_told:
                self._waiting.appendleft(waiter)
            else:
                self._waiting.append(waiter)
            turn = await self._called(waiter)
            if turn is not None:
                return turn
            was_told = True
        return Stopped()

    async def _called(self, waiter: _Waiter) -> Turn | None:
        try:
            return await waiter.turn
        except asyncio.CancelledError:
            if waiter.turn.cancelled():
                if waiter in self._waiting:
                    self._waiting.remove(waiter)
            elif (turn := waiter.turn.result()) is None:
                self._wake()
            elif turn.asked is None:
                self._free(turn.line)
            else:
                self._abandon(turn)
            raise

    async def _open(self) -> Turn | Refused | Broken:
        halvings = self._halvings
        self._opening += 1
        opened: HotPath | Refused | Broken | None = None
        try:
            opened = await self._dialer.dial()
        finally:
            self._opening -= 1
            if not isinstance(opened, HotPath):
                self._wake()
        if isinstance(opened, HotPath):
            line = Line(opened)
            self._lines.add(line)
            return Turn(line, is_fresh=True)
        if is_421(opened):
            self._fewer(halvings)
        return opened

    def _behind(self, line: Line) -> tuple[_Waiter | None, bytes]:
        """Whose envelope rides behind a body on this connection, and its commands."""
        waiter = self._first()
        if waiter is None:
            return None, b""
        lines = envelope_lines(waiter.envelope, line.path.offers)
        if (
            waiter.is_alone
            or isinstance(lines, Refused | Broken)  # it will hear so when its turn comes
            or not (line.path.offers.pipelining and self._may_follow)
            or self._is_closed
            or line.carried + 1 >= self._per_connection
            or len(self._lines) > self._limit
        ):
            self._waiting.appendleft(waiter)
            return None, b""
        return waiter, b"".join((*lines, b"DATA\r\n"))

    def _first(self) -> _Waiter | None:
        """Who waits first, taken out; whoever was cancelled meanwhile is passed."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.turn.done():
                return waiter
        return None

    def _free(self, line: Line) -> None:
        """A connection in order, for who waits first."""
        if (
            line.path.ended
            or self._is_closed
            or line.carried >= self._per_connection
            or len(self._lines) > self._limit
        ):
            self._leave(line)
        elif (waiter := self._first()) is not None:
            waiter.turn.set_result(Turn(line))
        else:
            self._idle.append(line)

    def _abandon(self, turn: Turn) -> None:
        """This delivery has done with its connection, and nobody may use it again. Where the answer
        to another's body is still awaited, whose body it is ends it."""
        doubt = turn.line.doubt
        if doubt is not None and doubt is not turn.asked and not doubt.done.done():
            turn.line.path.pass_over()
        else:
            self._drop(turn.line)

    def _drop(self, line: Line) -> None:
        line.path.close()
        if line in self._lines:
            self._lines.discard(line)
            self._wake()

    def _leave(self, line: Line) -> None:
        """Say QUIT in the background; until the relay has answered it counts as open."""
        task = asyncio.get_running_loop().create_task(self._quit(line))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _quit(self, line: Line) -> None:
        try:
            await line.path.ask(b"QUIT\r\n", (QUIT_S,)).done
        finally:
            self._drop(line)

    def _close_idle(self) -> None:
        idle, self._idle = self._idle, []
        for line in idle:
            self._leave(line)

    def _wake(self) -> None:
        """There is room for another connection: who waits first may open it."""
        if len(self._lines) + self._opening < self._limit and (waiter := self._first()) is not None:
            waiter.turn.set_result(None)

    def _fewer(self, halvings: int) -> None:
        """Halve; once for all who were told so at the same time. halvings: when the try began."""
        if halvings == self._halvings and self._limit > 1:
            self._halvings += 1
            self._limit //= 2
            for _ in range(min(len(self._idle), len(self._lines) - self._limit)):
                self._leave(self._idle.pop())


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
