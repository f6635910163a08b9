"""Mails are rendered ahead of the wire, some at a time, in a thread."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from service.defaults import Defaults
from service.delivery.outcome import Envelope
from service.flows.letter import envelope_of, sha_of
from service.flows.outcomes import Job
from service.flows.runtime import Runtime

SLICE = 16
"""Mails rendered by one call of a thread."""

MOST = 64
"""Rendered mails that wait for a connection, at most."""

MOST_BYTES = 16_000_000
"""The same in bytes."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail ready to go, or what was raised when it was rendered. sha: of its bytes."""

    job: Job
    envelope: Envelope | None
    sha: str = ""
    error: Exception | None = None


def rendered(rt: Runtime, limits: Defaults, jobs: Sequence[Job]) -> list[Letter]:
    """Render some mails; one that cannot be harms itself alone."""
    letters = []
    with rt.holding(limits):
        for job in jobs:
            if job.kept is not None and job.kept.fault is not None:
                letters.append(Letter(job, None, error=job.kept.fault))
                continue
            try:
                envelope = envelope_of(rt, job.row, job.edition, job.reader, job.kept)
                letters.append(Letter(job, envelope, sha_of(envelope.message)))
            except Exception as error:
                letters.append(Letter(job, None, error=error))
    return letters


class Ahead:
    """Jobs come in at one end, letters go out at the other, in order; all in one event loop.

    takers: how many take letters, each until there is none.
    """

    def __init__(self, rt: Runtime, limits: Defaults, takers: int) -> None:
        self._rt = rt
        self._limits = limits
        self._takers = takers
        self._jobs: deque[Job] = deque()
        self._letters: asyncio.Queue[Letter | None] = asyncio.Queue()
        self._bytes = 0
        self._is_closed = False
        self._changed = asyncio.Event()
        self._rendering = asyncio.get_running_loop().create_task(self._render())

    def add(self, jobs: Sequence[Job]) -> None:
        """Have some more rendered."""
        self._jobs.extend(jobs)
        self._changed.set()

    async def take(self) -> Letter | None:
        """The next letter; None when there will be none."""
        letter = await self._letters.get()
        if letter is not None:
            self._bytes -= _size(letter)
            self._changed.set()
        return letter

    async def aclose(self) -> list[Job]:
        """Render no more, and tell every taker. Returns those whose mails nobody took."""
        self._is_closed = True
        self._changed.set()
        left = await self._rendering
        while not self._letters.empty():
            if (letter := self._letters.get_nowait()) is not None:
                left.append(letter.job)
        for _ in range(self._takers):
            self._letters.put_nowait(None)
        return left

    async def _render(self) -> list[Job]:
        """Returns what was not rendered when it was closed."""
        while not self._is_closed:
            if not self._jobs or self._letters.qsize() >= MOST or self._bytes >= MOST_BYTES:
                self._changed.clear()
                await self._changed.wait()
                continue
            some = [self._jobs.popleft() for _ in range(min(SLICE, len(self._jobs)))]
            for letter in await asyncio.to_thread(rendered, self._rt, self._limits, some):
                self._bytes += _size(letter)
                self._letters.put_nowait(letter)
        return list(self._jobs)


def _size(letter: Letter) -> int:
    envelope = letter.envelope
    return len(envelope.message) + len(envelope.lines or b"") if envelope is not None else 0
