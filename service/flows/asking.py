"""One visit to a source: its pages asked at the shared pace and parsed in the killable process.

Nothing is stored here but the pace; what cannot be read comes back as a failure with its reason.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from service.flows.runtime import Runtime
from service.sources.adapter import Adapter, CaptureError, Parsed, Request
from service.sources.document import CUT
from service.sources.fetch import Fetcher
from service.sources.outcome import Failed, Fetched, NotModified, Outcome
from service.store.db import Priority
from service.store.pace import claim_turn, end_turn

Sleep = Callable[[float], Awaitable[None]]

GAPS = {"arxiv": timedelta(seconds=3), "huggingface": timedelta(seconds=0.7)}
HOST_GAP = timedelta(seconds=1)
HOLD = timedelta(seconds=40)
"""A turn lasts at most this long: the fetcher gives up after 30 s."""

PATIENCE = timedelta(seconds=60)
"""A source that must wait longer than this is asked another time."""

LOOK_AGAIN = 0.5
"""Seconds between looks at a turn that another visit has: it may end at any time."""

RESTED = timedelta(minutes=10)
"""What a server that says 429 or 503 without a Retry-After gets."""

MOST_PAGES = 60


@dataclass(frozen=True, slots=True)
class Page:
    """One answer that was read."""

    request: Request
    body: bytes
    parsed: Parsed


@dataclass(slots=True)
class Visit:
    """What a visit brought. outcome: of the last request, or the first failure.

    quiet: answers that mean "nothing yet". postponed_until: the pace allows nothing before then.
    """

    pages: list[Page] = field(default_factory=list)
    outcome: Outcome = field(default_factory=NotModified)
    quiet: int = 0
    postponed_until: datetime | None = None


async def visit(
    rt: Runtime,
    fetcher: Fetcher,
    adapter: Adapter,
    requests: Sequence[Request],
    *,
    etag: str = "",
    last_modified: str = "",
    sleep: Sleep = asyncio.sleep,
) -> Visit:
    """Ask every request with the pages that follow; stops at the first failure."""
    made = Visit()
    for first in requests:
        request: Request | None = first
        for _ in range(MOST_PAGES):
            if request is None:
                break
            request = await _page(rt, fetcher, adapter, request, made, (etag, last_modified), sleep)
        if isinstance(made.outcome, Failed) or made.postponed_until is not None:
            break
    return made


async def _page(
    rt: Runtime,
    fetcher: Fetcher,
    adapter: Adapter,
    request: Request,
    made: Visit,
    known: tuple[str, str],
    sleep: Sleep,
) -> Request | None:
    """Ask one page; returns the next one."""
    key = adapter.politeness or (urlsplit(request.url).hostname or "?")
    made.postponed_until = await _wait_turn(rt, key, sleep)
    if made.postponed_until is not None:
        return None
    outcome: Outcome = Failed(reason="the visit was broken off")
    try:
        outcome = await fetcher.fetch(request.url, etag=known[0], last_modified=known[1])
    finally:
        paused = _pause(outcome, rt.clock())
        await rt.db.awrite(lambda s: end_turn(s, "fetch", key, paused_until=paused), Priority.BULK)
    if isinstance(outcome, Failed) and outcome.status in adapter.quiet_statuses:
        made.quiet += 1
        return None
    if isinstance(outcome, Failed):
        made.outcome = await _in_its_own_words(rt, adapter, outcome)
        return None
    made.outcome = outcome
    if isinstance(outcome, NotModified):
        return None
    try:
        parsed: Parsed = await asyncio.to_thread(rt.parse, adapter.kind, outcome.body, request.day)
    except CaptureError as error:
        made.outcome = Failed(reason=error.what)
        return None
    if parsed.items and not parsed.sightings and parsed.problems:
        first = parsed.problems[0].what
        made.outcome = Failed(reason=f"none of its {parsed.items} items can be read: {first}")
        return None
    is_again = any(page.body == outcome.body for page in made.pages if page.parsed.items)
    made.pages.append(Page(request, outcome.body, parsed))
    if parsed.is_cut:  # what came is taken; no tag is kept, so that the rest is asked for
        made.outcome = Failed(reason=CUT)
        return None
    return None if is_again else adapter.next_page(request, parsed)


async def _wait_turn(rt: Runtime, key: str, sleep: Sleep) -> datetime | None:
    """Wait for the turn of a key; returns an instant when that would take too long."""
    gap = GAPS.get(key, HOST_GAP)
    while True:
        turn = await rt.db.awrite(
            lambda s: claim_turn(s, "fetch", key, now=rt.clock(), gap=gap, hold=HOLD), Priority.BULK
        )
        if turn.granted:
            return None
        wait = turn.at - rt.clock()
        if wait > PATIENCE:
            return turn.at
        await sleep(min(max(wait.total_seconds(), 0.02), LOOK_AGAIN))


def _pause(outcome: Outcome, now: datetime) -> datetime | None:
    if not isinstance(outcome, Failed) or outcome.status not in (429, 503):
        return None
    if outcome.retry_after is None:
        return now + RESTED
    return now + timedelta(seconds=outcome.retry_after)


async def _in_its_own_words(rt: Runtime, adapter: Adapter, failed: Failed) -> Failed:
    """An error page may say what is wrong (arXiv: an unknown category)."""
    if not failed.body or failed.status not in (400, 404):
        return failed
    try:
        await asyncio.to_thread(rt.parse, adapter.kind, failed.body, None)
    except CaptureError as error:
        if "answered with an error" in error.what:
            return Failed(reason=error.what, permanent=failed.permanent, status=failed.status)
    return failed


def facts_of(outcome: Outcome) -> Mapping[str, str]:
    """What to remember for the next conditional request."""
    if isinstance(outcome, Fetched):
        return {"etag": outcome.etag, "last_modified": outcome.last_modified}
    return {}
