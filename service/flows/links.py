"""Whether the links of a newsletter answer, asked through the one client that stays out of private
networks. What answered is not asked again for a while."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.flows.runtime import Runtime
from service.sources.fetch import Fetcher
from service.sources.outcome import Failed
from service.text.markdown import markdown_links

MOST_LINKS = 40
AT_ONCE = 8
SECONDS = 15.0
KEPT = timedelta(minutes=10)
_MOST_KEPT = 500
_REFUSES_HEAD = (0, 400, 403, 404, 405, 406, 501)
"""Some servers answer a HEAD so although the page is there."""

_seen: dict[str, datetime] = {}
"""When a link answered last."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One link. fault: why it does not answer, "" where it does."""

    url: str
    fault: str = ""


def is_ours(url: str, base_url: str) -> bool:
    """Whether a link leads to this installation. It is not asked for its own pages: it may not
    reach itself by its name, or serve from a port that no source may have."""
    own, rest = url[: len(base_url)], url[len(base_url) :]
    return own.lower() == base_url.lower() and rest[:1] in ("", "/", "?", "#")


def links_of(body: str) -> list[str]:
    """The web addresses that a newsletter links to; at most ``MOST_LINKS`` are asked."""
    return [x for x in markdown_links(body) if x.startswith(("https://", "http://"))]


async def ask_links(rt: Runtime, links: Sequence[str]) -> list[Asked]:
    """Ask each link, several at a time. One that is slow or broken never stops the others."""
    now = rt.clock()
    for url in [url for url, at in _seen.items() if now - at > KEPT]:
        _seen.pop(url, None)
    gate = asyncio.Semaphore(AT_ONCE)
    async with rt.open_fetcher() as fetcher:
        asking = [_ask(fetcher, url, gate, now) for url in links[:MOST_LINKS]]
        return list(await asyncio.gather(*asking))


async def _ask(fetcher: Fetcher, url: str, gate: asyncio.Semaphore, now: datetime) -> Asked:
    if url in _seen:
        return Asked(url)
    async with gate:
        try:
            async with asyncio.timeout(SECONDS):
                fault = await _fault(fetcher, url)
        except TimeoutError:
            fault = f"no answer within {SECONDS:g} seconds"
    if not fault and len(_seen) < _MOST_KEPT:
        _seen[url] = now
    return Asked(url, fault)


async def _fault(fetcher: Fetcher, url: str) -> str:
    """Why an address does not answer, "" when it does."""
    made = await fetcher.fetch(url, method="HEAD")
    if isinstance(made, Failed) and made.status in _REFUSES_HEAD:
        made = await fetcher.fetch(url)
    if not isinstance(made, Failed) or 200 <= made.status < 400:
        return ""
    return "" if made.reason.startswith("the answer is larger than") else made.reason
