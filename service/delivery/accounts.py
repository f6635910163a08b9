"""Two accounts to hand mail in: the second takes it while the first cannot be reached or refuses
our log-in.

A mail goes on to the second only when the first ended before its mark was asked for, so nothing of
it was sent. The first is tried in the background, less and less often, and takes over as soon as it
lets us in again.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from service.delivery.outcome import Broken, Envelope, Outcome, Refused, Stopped
from service.delivery.relay import Probed, RelayError
from service.delivery.smtp import Mailer

TRIES_S = (30.0, 60.0, 120.0, 240.0, 480.0, 600.0)
"""Seconds until the first is tried again; the last repeats."""

_SIGN_IN = frozenset({454, 530, 534, 535, 538})
"""RFC 4954, section 6: our log-in is refused, or asked for."""

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class News:
    """account: the one that was left, or is back · words: what it said, "" when it is back."""

    account: str
    is_down: bool
    words: str = ""


class Accounts:
    """Sends as one ``Mailer`` does. names: of the two, for limits and alarms; they differ."""

    def __init__(
        self,
        first: Mailer,
        second: Mailer,
        *,
        names: tuple[str, str],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.first, self.second, self.names = first, second, names
        self._sleep = sleep
        self._is_down = self._has_taken = False
        self._trying: asyncio.Task[None] | None = None
        self._news: list[News] = []

    @property
    def account(self) -> str:
        """The name of the one that takes mails now."""
        return self.names[1] if self._is_down else self.names[0]

    @property
    def is_first_open(self) -> bool:
        """Whether the first let us in, the last time that it was asked."""
        return self._has_taken and not self._is_down

    @property
    def connections(self) -> int:
        """How many conversations are allowed at once by now."""
        return (self.second if self._is_down else self.first).connections

    async def deliver(self, envelope: Envelope, mark: Callable[[], Awaitable[bool]]) -> Outcome:
        """As ``Mailer.deliver``; ``mark`` is asked once at most, whoever takes the mail."""
        if self._is_down:
            return await self.second.deliver(envelope, mark)
        is_marked = False

        async def once() -> bool:
            nonlocal is_marked
            is_marked = True
            return await mark()

        outcome = await self.first.deliver(envelope, once)
        if is_marked or not is_shut(outcome, self.first):
            self._has_taken = self._has_taken or not isinstance(outcome, Stopped)
            return outcome
        self._leave_first(outcome)
        other = await self.second.deliver(envelope, mark)
        return outcome if is_shut(other, self.second) else other

    def news(self) -> list[News]:
        """What changed since this was asked last."""
        news, self._news = self._news, []
        return news

    def drain(self) -> None:
        """Begin no further message, with neither."""
        self.first.drain()
        self.second.drain()

    async def rest(self) -> None:
        """Close idle connections, and forget earlier 421s."""
        await asyncio.gather(self.first.rest(), self.second.rest())

    async def aclose(self) -> None:
        """Close everything; deliveries that are under way end by themselves."""
        if self._trying is not None:
            self._trying.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._trying
        await asyncio.gather(self.first.aclose(), self.second.aclose())

    async def probe(self, sender: str = "") -> Probed:
        """As ``Mailer.probe``, of the first."""
        return await self.first.probe(sender)

    async def answers(self, seconds: float) -> bool:
        """Whether one of them greets within ``seconds``."""
        return any(await asyncio.gather(self.first.answers(seconds), self.second.answers(seconds)))

    def _leave_first(self, outcome: Outcome) -> None:
        if self._is_down:
            return  # others found it shut at the same time
        self._is_down = True
        self._news.append(News(self.names[0], True, _words(outcome)))
        self._trying = asyncio.create_task(self._try_first())

    async def _try_first(self) -> None:
        waits = iter(TRIES_S)
        wait = next(waits)
        while True:
            await self._sleep(wait)
            wait = next(waits, wait)
            with contextlib.suppress(RelayError):
                await self.first.probe()
                break
        await self.first.rest()  # what it said of too many connections was before
        self._is_down = False
        self._news.append(News(self.names[0], False))


def account_of(pool: Mailer | Accounts) -> str:
    """The name of the account that takes mails now."""
    return pool.account if isinstance(pool, Accounts) else pool.relay.name


def is_shut(outcome: Outcome, mailer: Mailer) -> bool:
    """Whether nobody lets us in: it cannot be reached, refuses everybody or our log-in, or has no
    room for a single connection."""
    if isinstance(outcome, Broken):
        return outcome.phase == "connect"
    if not isinstance(outcome, Refused):
        return False
    if outcome.phase == "mail":
        return outcome.reply.code in _SIGN_IN
    too_many = outcome.reply.code == 421 and mailer.connections > 1
    return outcome.phase == "connect" and not too_many


def _words(outcome: Outcome) -> str:
    if isinstance(outcome, Refused):
        return f"{outcome.reply.code} {outcome.reply.text}".strip()
    return outcome.text if isinstance(outcome, Broken) else ""
