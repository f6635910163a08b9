"""Fetches pages of sources: bounded in bytes, time and hops. IO."""

import asyncio
import re
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from datetime import datetime
from typing import TypeVar

import httpx2

from service.sources.outcome import MOST_WAIT, Failed, Fetched, NotModified, Outcome, retry_after
from service.sources.public import BlockedAddressError, PublicClient, told

MOST_BYTES = 16 * 1024 * 1024
SECONDS = 30.0
MOST_REDIRECTS = 5
LARGE_BYTES = 1024 * 1024
LARGE_AT_ONCE = 4
"""So many answers at a time may grow beyond LARGE_BYTES; the others pause until one is through.
Twenty endless ones thus hold 80 MB, not 320."""

_ERROR_BYTES = 20_000
_PIECE = 256 * 1024
_MOVED_FOR_GOOD = (301, 308)
_REDIRECTS = (301, 302, 303, 307, 308)
_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/rdf+xml, application/feed+json, "
    "application/json, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1"
)
T = TypeVar("T")
Hop = Callable[[str], Awaitable[None]]
_RATE_LIMIT = re.compile(r"[;,\s]t=(\d{1,6})\b")


class _TooLargeError(Exception):
    pass


class Fetcher(PublicClient):
    """Fetches pages of sources; failures are values, never exceptions."""

    def __init__(
        self,
        user_agent: str,
        *,
        clock: Callable[[], datetime],
        allow_private: bool = False,
        ca_file: str = "",
        most_bytes: int = MOST_BYTES,
        seconds: float = SECONDS,
    ) -> None:
        super().__init__(
            user_agent,
            clock=clock,
            seconds=seconds,
            allow_private=allow_private,
            ca_file=ca_file,
            headers={"Accept": _ACCEPT, "Accept-Encoding": "gzip"},
        )
        self._most_bytes = most_bytes
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)

    async def fetch(
        self,
        url: str,
        *,
        etag: str = "",
        last_modified: str = "",
        before_hop: Hop | None = None,
        method: str = "GET",
    ) -> Outcome:
        """Fetch ``url``; with ``etag`` or ``last_modified`` of the last time only when it changed.

        Bounds: 16 MB after decompression, 30 s in all, 5 redirects, each checked like the first.
        before_hop: awaited before a redirect is followed, with its address; takes none of the 30 s.
        """
        headers = {}
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        try:
            async with asyncio.timeout(self._seconds) as limit:
                return await self._follow(method, url, headers, limit, before_hop)
        except TimeoutError:
            return Failed(reason=f"no full answer within {self._seconds:g} seconds")
        except BlockedAddressError as fault:
            return Failed(reason=f"refused: {fault}", permanent=True)
        except _TooLargeError:
            return Failed(
                reason=f"the answer is larger than {self._most_bytes:,} bytes", permanent=True
            )
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, UnicodeError, ValueError) as fault:
            return Failed(reason=f"this address cannot be asked: {fault}", permanent=True)
        except (httpx2.HTTPError, OSError, zlib.error) as fault:
            return Failed(reason=told(fault))

    async def _follow(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        limit: asyncio.Timeout,
        hop: Hop | None,
    ) -> Outcome:
        """Send the request and follow redirects by hand, so that each address is checked."""
        at = httpx2.URL(url)
        for_good = True
        for number in range(MOST_REDIRECTS + 1):
            if at.scheme not in ("http", "https") or not at.host:
                return Failed(reason=f"only http and https are fetched ({at})", permanent=True)
            if number and hop:
                await _untimed(limit, hop(str(at)))
            self._client.cookies.clear()
            request = self._client.build_request(method, at, headers=headers)
            response = await self._client.send(request, stream=True)
            try:
                location = response.headers.get("Location", "")
                if response.status_code in _REDIRECTS and location:
                    for_good = for_good and response.status_code in _MOVED_FOR_GOOD
                    at = at.join(location)
                    continue
                moved_to = str(at) if number and for_good else ""
                return await self._read(response, str(at), moved_to, limit)
            finally:
                await response.aclose()
        return Failed(reason=f"more than {MOST_REDIRECTS} redirects", permanent=True)

    async def _read(
        self, response: httpx2.Response, url: str, moved_to: str, limit: asyncio.Timeout
    ) -> Outcome:
        status = response.status_code
        if status == 304:
            return NotModified(moved_to=moved_to)
        if status != 200:
            return await self._failed(response, limit)
        headers = response.headers
        return Fetched(
            body=await self._body(response, self._most_bytes, limit),
            url=url,
            status=status,
            etag=_repeatable(headers.get("ETag", ""), 500),
            last_modified=_repeatable(headers.get("Last-Modified", ""), 100),
            moved_to=moved_to,
            content_type=headers.get("Content-Type", "")[:200],
        )

    async def _failed(self, response: httpx2.Response, limit: asyncio.Timeout) -> Failed:
        status = response.status_code
        try:
            body = await self._body(response, _ERROR_BYTES, limit)
        except (_TooLargeError, httpx2.HTTPError, zlib.error):
            body = b""
        wait = None
        if status in (429, 503):
            wait = retry_after(response.headers.get("Retry-After", ""), self._clock())
            window = _RATE_LIMIT.search(response.headers.get("RateLimit", ""))
            if wait is None and window:
                wait = min(float(window[1]), MOST_WAIT)
        return Failed(
            reason=f"the server answered {status} {response.reason_phrase}".rstrip(),
            permanent=400 <= status < 500 and status not in (408, 425, 429),
            gone=status == 410,
            retry_after=wait,
            status=status,
            body=body,
        )

    async def _body(self, response: httpx2.Response, most: int, limit: asyncio.Timeout) -> bytes:
        """Read the body; counted after decompression, which never runs ahead of the bound."""
        coding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if coding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise httpx2.DecodingError(f"the server sent the coding {coding}, not asked for")
        body, is_large = bytearray(), False
        try:
            async with aclosing(response.aiter_raw()) as received:
                packed = coding not in ("", "identity")
                async with aclosing(_inflated(received) if packed else received) as pieces:
                    async for piece in pieces:
                        body += piece
                        if len(body) > most:
                            raise _TooLargeError
                        if len(body) > LARGE_BYTES and not is_large:
                            is_large = await _untimed(limit, self._large.acquire())
        finally:
            if is_large:
                self._large.release()
        return bytes(body)


async def _inflated(received: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """Decompress gzip (several members) or zlib, a small piece at a time.

    Zeros after a member fill up a block (of a tape, of a proxy's buffer); browsers skip them, too.
    """
    inflater, is_between = zlib.decompressobj(wbits=47), False
    async for chunk in received:
        rest = chunk.lstrip(b"\0") if is_between else chunk
        while rest:
            yield inflater.decompress(rest, _PIECE)
            is_between = inflater.eof
            if is_between:
                rest = inflater.unused_data.lstrip(b"\0")
                inflater = zlib.decompressobj(wbits=47)
            else:
                rest = inflater.unconsumed_tail
            await asyncio.sleep(0)
    yield inflater.flush()


async def _untimed(limit: asyncio.Timeout, waited: Awaitable[T]) -> T:
    """Await what is no delay of the server: the time limit stands still meanwhile."""
    loop = asyncio.get_running_loop()
    left = (limit.when() or loop.time()) - loop.time()
    limit.reschedule(None)
    try:
        return await waited
    finally:
        limit.reschedule(loop.time() + left)


def _repeatable(value: str, most: int) -> str:
    """A tag is sent back as it came or not at all: one that is cut, or holds signs that no header
    may have, would break every later request."""
    return value if len(value) <= most and value.isascii() and value.isprintable() else ""
