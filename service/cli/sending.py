"""Sending from a command: what was claimed goes, until all is done or a signal comes.

The first SIGTERM or Ctrl-C begins nothing new and waits for what is on the wire, ``DRAIN`` seconds
at most, as the engine does; the second ends at once. What did not go is ready for the next send.
"""

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from service.engine.embedded import DRAIN
from service.errors import PaperpostError
from service.flows.outcomes import SendReport
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.store import leases as leases_store
from service.store.db import Priority

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class SendingStopped(PaperpostError):
    """A signal came while mails were under way; what was done is recorded."""


def send_now(rt: Runtime, edition_ids: Sequence[int] | None = None) -> SendReport:
    """``flows.send.send_ready``, drained when a signal comes. Raises SendingStopped then."""
    return asyncio.run(_until_told(rt, edition_ids))


async def _until_told(rt: Runtime, edition_ids: Sequence[int] | None) -> SendReport:
    loop = asyncio.get_running_loop()
    pool = rt.open_mailer(rt.defaults())
    sending = loop.create_task(send_ready(rt, edition_ids, mailer=pool))
    told = asyncio.Event()
    with _hearing(lambda: loop.call_soon_threadsafe(told.set)):
        if await _heard(told, sending, None):
            told.clear()
            pool.drain()
            sending.cancel()  # claims no more; what is on the wire ends and is recorded
            await _heard(told, sending, DRAIN)
            if not sending.done():
                sending.cancel()
                await asyncio.wait((sending,), timeout=5)
            await pool.aclose()
            await _give_back(rt)
        else:
            await pool.aclose()
    if sending.done() and not sending.cancelled():
        return sending.result()
    raise SendingStopped(
        "Sending was stopped by a signal; every mail that went is recorded.",
        "",
        "Type the command again: it goes on with the rest.",
    )


@contextmanager
def _hearing(act: Callable[[], object]) -> Iterator[None]:
    """These signals do ``act`` while the block lasts, then again what they did before."""
    old = {}
    with suppress(ValueError):  # not in the main thread: nobody signals us
        for number in _SIGNALS:
            old[number] = signal.signal(number, lambda *_: act())
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


async def _heard(
    told: asyncio.Event, sending: "asyncio.Task[SendReport]", wait: float | None
) -> bool:
    """Whether a signal came before all was sent, within ``wait`` seconds."""
    hearing = asyncio.create_task(told.wait())
    try:
        await asyncio.wait((sending, hearing), timeout=wait, return_when=asyncio.FIRST_COMPLETED)
    finally:
        hearing.cancel()
    return told.is_set() and not sending.done()


async def _give_back(rt: Runtime) -> None:
    """Leases that were not used are free at once; a body that was broken off is in doubt."""
    owner = await asyncio.to_thread(rt.owner)
    await rt.db.awrite(lambda s: leases_store.release(s, [owner.id]), Priority.MAIL)
