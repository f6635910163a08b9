"""One visit to a source: its pages asked at the shared pace and parsed in the killable process.

Nothing is stored here but the pace; what cannot be read comes back as a failure with its reason.
"""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

from service.defaults import spread
from service.flows.runtime import Runtime
from service.sources.adapter import Adapter, CaptureError, Parsed, Request
from service.sources.document import CUT
from service.sources.fetch import Fetcher
from service.sources.outcome import Failed, Fetched, NotModified, Outcome
from service.sources.weeks import doubtful, of_day
from service.store.db import Priority
from service.store.pace import claim_turn, end_turn

Sleep = Callable[[float], Awaitable[None]]
HasNews = Callable[[Parsed], Awaitable[bool]]

GAPS = {"arxiv": timedelta(seconds=3), "huggingface": timedelta(seconds=0.7)}
"""arXiv: one request per 3 s for everything of arXiv. Hugging Face: 500 in 5 minutes, so at most
428 at this gap."""

HOST_GAP = timedelta(seconds=1)
_ONE_PACE = {"arxiv.org": "arxiv", "huggingface.co": "huggingface"}
"""Whatever kind of source asks these domains shares their pace, also after a redirect."""

HOLD = timedelta(seconds=120)
"""A turn lasts at most this long, should its process die: the fetcher gives up after 30 s, and may
have waited before for other large answers to pass. That a turn ends with its process at once was
left out: who was killed may have left a request under way, and no server is to be asked twice at a
time; sources are asked every 20 minutes at most, so two minutes keep nobody from a mail."""

PATIENCE = timedelta(seconds=60)
"""A source whose server asked for a longer wait is asked another time."""

LOOK_AGAIN = 0.5
"""Seconds between looks at a turn that another visit has: it may end at any time."""

RESTED = timedelta(minutes=10)
"""What a server that says 429 or 503 without a Retry-After gets; twice that the next time."""

LONGEST_REST = timedelta(days=1)
SHORTEST_REST = timedelta(minutes=1)
"""A Retry-After of nothing, or of a date that has passed, means this."""

_WAITERS = ThreadPoolExecutor(64, thread_name_prefix="parse")
"""Threads that wait for the parsing process. Not those that everything else shares: a dozen feeds
that hang the parser would leave the house without threads."""

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
    has_news: HasNews | None = None,
    sleep: Sleep = asyncio.sleep,
) -> Visit:
    """Ask every request with the pages that follow; stops at the first failure.

    has_news: asked of a page whether those behind it are worth asking for (None: they are).
    What is asked for several days comes as pages of one day each (see ``sources/weeks``).
    """
    made = Visit()
    left = deque(requests)
    while left and not isinstance(made.outcome, Failed) and made.postponed_until is None:
        first, start = left.popleft(), len(made.pages)
        request: Request | None = first
        for _ in range(MOST_PAGES):
            if request is None:
                break
            # the tags are those of the first page: another one would seem unchanged by its time
            tags = (etag, last_modified) if request is first else ("", "")
            page = await _page(rt, fetcher, adapter, request, made, tags, sleep)
            if page is not None and has_news and not await has_news(made.pages[-1].parsed):
                page = None
            request = page
        if first.days:
            left.extendleft(reversed(_by_day(adapter, first, made, start)))
    return made


def _by_day(adapter: Adapter, asked: Request, made: Visit, start: int) -> list[Request]:
    """Sort the pages from ``start`` on by their days; returns what to ask for the days that the
    answer does not settle, be it that the server does not answer such a question at all."""
    pages = list({page.body: page for page in made.pages[start:]}.values())  # one may come again
    del made.pages[start:]
    if made.postponed_until is not None or _is_told_to_wait(made.outcome):
        return []
    again = doubtful(asked.days, [page.parsed for page in pages], adapter.rhythm.expects)
    if isinstance(made.outcome, Failed) or not pages:
        made.outcome, again = NotModified(), asked.days
    days = tuple(day for day in asked.days if day not in again)
    for number, page in enumerate(pages):
        for day in days:
            part = of_day(page.parsed, day, is_first=day == days[0])
            if part.items or not number:  # the first page alone says that a day is empty
                request = replace(page.request, day=day, days=days)
                made.pages.append(Page(request, page.body, part))
    return [adapter.for_day(asked, day) for day in again]


def _is_told_to_wait(outcome: Outcome) -> bool:
    return isinstance(outcome, Failed) and outcome.status in (429, 503)


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
    turns = _Turns(rt, sleep)
    outcome: Outcome = Failed(reason="the visit was broken off")
    try:
        await turns.take(request.url, adapter.politeness)
        outcome = await fetcher.fetch(
            request.url, etag=known[0], last_modified=known[1], before_hop=turns.move
        )
    except _Postponed as postponed:
        made.postponed_until = postponed.until
        return None
    finally:
        await turns.end(outcome)
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
        parsed = await _parsed(rt, adapter, outcome.body, request.day)
    except CaptureError as error:
        made.outcome = Failed(reason=error.what)
        return None
    if parsed.items and not parsed.sightings and parsed.problems:
        first = parsed.problems[0].what
        reason = f"none of its {parsed.items} items can be read: {first}"
        made.outcome = Failed(reason=reason)
        return None
    is_again = any(page.body == outcome.body for page in made.pages if page.parsed.items)
    made.pages.append(Page(request, outcome.body, parsed))
    if parsed.is_cut:  # what came is taken; no tag is kept, so that the rest is asked for
        made.outcome = Failed(reason=CUT)
        return None
    return None if is_again else adapter.next_page(request, parsed)


async def _parsed(rt: Runtime, adapter: Adapter, body: bytes, day: date | None) -> Parsed:
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_WAITERS, rt.parse, adapter.kind, body, day)


def key_of(url: str, politeness: str = "") -> str:
    """Return whose pace a request keeps: what the kind says, a domain that has one, or its host."""
    host = _host(url)
    return politeness or _ONE_PACE.get(".".join(host.split(".")[-2:]), host)


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "?").rstrip(".").lower()


class _Postponed(Exception):
    """The pace allows nothing before ``until``."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


class _Turns:
    """The turn that a request holds; each redirect needs one of its own, where it leads."""

    def __init__(self, rt: Runtime, sleep: Sleep) -> None:
        self._rt = rt
        self._sleep = sleep
        self._key = ""
        self._refused = 0
        self._asked = ("", "")

    async def take(self, url: str, politeness: str = "") -> None:
        """Wait for the turn to ask ``url``; raises _Postponed when that would take too long."""
        key, clock = key_of(url, politeness), self._rt.clock
        gap, self._asked = GAPS.get(key, HOST_GAP), (_host(url), politeness)
        while True:
            turn = await self._rt.db.awrite(
                lambda s: claim_turn(s, "fetch", key, now=clock(), gap=gap, hold=HOLD),
                Priority.BULK,
            )
            if turn.granted:
                self._key, self._refused = key, turn.refused
                return
            wait = turn.at - clock()
            if turn.paused and wait > PATIENCE:
                raise _Postponed(turn.at)
            await self._sleep(min(max(wait.total_seconds(), 0.02), LOOK_AGAIN))

    async def move(self, url: str) -> None:
        """Give the turn back and take the one for ``url``, to which a redirect leads."""
        host, politeness = self._asked
        await self.end(NotModified())
        await self.take(url, politeness if _host(url) == host else "")

    async def end(self, outcome: Outcome) -> None:
        """Give the turn back, if there is one, with what the server asked for."""
        key, self._key = self._key, ""
        if not key:
            return
        now = self._rt.clock()
        until = _pause(outcome, now, self._refused, random.random())
        refused = self._refused + 1 if until else 0
        await self._rt.db.awrite(
            lambda s: end_turn(s, "fetch", key, now=now, paused_until=until, refused=refused),
            Priority.BULK,
        )


def _pause(outcome: Outcome, now: datetime, before: int, jitter: float) -> datetime | None:
    """Until when a key rests. before: how often in a row it was told to wait before this time."""
    if not isinstance(outcome, Failed) or not _is_told_to_wait(outcome):
        return None
    if outcome.retry_after is None:
        rest = RESTED * float(2 ** min(before, 12)) * spread(jitter)
        return now + min(rest, LONGEST_REST)
    return now + max(timedelta(seconds=outcome.retry_after), SHORTEST_REST)


async def _in_its_own_words(rt: Runtime, adapter: Adapter, failed: Failed) -> Failed:
    """An error page may say what is wrong (arXiv: an unknown category)."""
    if not failed.body or failed.status not in (400, 404):
        return failed
    try:
        await _parsed(rt, adapter, failed.body, None)
    except CaptureError as error:
        if "answered with an error" in error.what:
            return replace(failed, reason=error.what)
    return failed


def facts_of(outcome: Outcome) -> Mapping[str, str]:
    """What to remember for the next conditional request."""
    if isinstance(outcome, Fetched):
        return {"etag": outcome.etag, "last_modified": outcome.last_modified}
    return {}
