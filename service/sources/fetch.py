"""The one HTTP client: bounded in bytes, time and hops, and kept out of private networks. IO."""

import asyncio
import re
import socket
import ssl
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from contextvars import ContextVar
from datetime import datetime
from functools import cache, partial
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2

from service.sources.address import PORTS, is_public
from service.sources.outcome import MOST_WAIT, Failed, Fetched, NotModified, Outcome, retry_after

MOST_BYTES = 16 * 1024 * 1024
SECONDS = 30.0
MOST_REDIRECTS = 5
LARGE_BYTES = 1024 * 1024
LARGE_AT_ONCE = 4
"""So many answers at a time may grow beyond LARGE_BYTES; the others pause until one is through.
Twenty endless ones thus hold 80 MB, not 320."""

HEAD_BYTES = 256 * 1024
"""A server may say so much before its answer begins; "100 Continue" without end is not an answer,
and reading it would keep the event loop busy."""

MOST_CONNECTIONS = 200
_LOOK_UPS = 64
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
_TLS = re.compile(r"\[SSL: (\w+)\] (.*?)(?: \(_ssl|$)")
_ENDLESS = "the headers have no end"
_RATE_LIMIT = re.compile(r"[;,\s]t=(\d{1,6})\b")


class BlockedAddressError(httpx2.RequestError):
    """The address leads out of the public internet, or to a port that serves no pages."""


class _TooLargeError(Exception):
    pass


@cache
def _authorities(ca_file: str) -> ssl.SSLContext:
    """The certificate authorities, read once a process: that takes 50 ms of the event loop."""
    context = httpx2.create_ssl_context(trust_env=False)
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


class PublicOnly(httpx2.AsyncHTTPTransport):
    """Resolve a name once, check every address, and connect to one that was checked.

    Connections are not kept: the pool knows them by address, and two names of one address must
    not share a certificate check.
    """

    def __init__(self, allow_private: bool, ca_file: str) -> None:
        super().__init__(
            verify=_authorities(ca_file),
            trust_env=False,
            limits=httpx2.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=0),
        )
        self._allow_private = allow_private
        # Not the threads that everything else shares: a name server that hangs would take them all.
        self._names = ThreadPoolExecutor(_LOOK_UPS, thread_name_prefix="names")
        # No library lets one say how long a head may be: its connections are counted here.
        self._pool._network_backend = _Counting(self._pool._network_backend)  # type: ignore[assignment]

    async def aclose(self) -> None:
        """End all connections; a name that is still being looked up is not waited for."""
        self._names.shutdown(wait=False, cancel_futures=True)
        await super().aclose()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send ``request`` to a checked address of its host; raises BlockedAddressError."""
        url = request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        if not self._allow_private and port not in PORTS:
            raise BlockedAddressError(f"port {port} is not allowed", request=request)
        addresses = await self._checked(url.host, port, request)
        request.extensions = {**request.extensions, "sni_hostname": url.raw_host.decode("ascii")}
        request.headers["Host"] = url.netloc.decode("ascii")
        counted = _head_left.set([HEAD_BYTES])
        try:
            for address in addresses[:-1]:
                request.url = url.copy_with(host=address)
                try:
                    return await super().handle_async_request(request)
                except (httpx2.ConnectError, httpx2.ConnectTimeout):
                    continue
            request.url = url.copy_with(host=addresses[-1])
            return await super().handle_async_request(request)
        finally:
            _head_left.reset(counted)
            request.url = url

    async def _checked(self, host: str, port: int, request: httpx2.Request) -> list[str]:
        loop = asyncio.get_running_loop()
        try:
            look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
            found = await loop.run_in_executor(self._names, look_up)
        except (OSError, UnicodeError) as fault:
            raise httpx2.ConnectError(f"the name {host} is not known", request=request) from fault
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not self._allow_private and not all(map(is_public, addresses)):
            raise BlockedAddressError(f"{host} is not a public address", request=request)
        return sorted(addresses, key=lambda address: ":" in address)[:3]


_head_left: ContextVar[list[int] | None] = ContextVar("head_left", default=None)
"""While an answer has not begun: how many bytes may still come."""


class _Counting:
    """A network backend or a stream of httpcore whose reads are counted until an answer begins."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def connect_tcp(self, *where: Any, **how: Any) -> "_Counting":
        return _Counting(await self._inner.connect_tcp(*where, **how))

    async def start_tls(self, *context: Any, **how: Any) -> "_Counting":
        return _Counting(await self._inner.start_tls(*context, **how))

    async def read(self, *most: Any, **how: Any) -> bytes:
        received: bytes = await self._inner.read(*most, **how)
        left = _head_left.get()
        if left is not None:
            left[0] -= len(received)
            if left[0] < 0:
                raise httpx2.RemoteProtocolError(_ENDLESS)
        return received


class Fetcher:
    """Fetches pages of sources; failures are values, never exceptions.

    user_agent: the name and a contact ("Paperpost/0.1 (+https://...; mailto:...)").
    allow_private: the operator's own sources inside the house (and tests). ca_file: PEM file of
    an authority that is trusted beside the public ones. clock: aware UTC.
    """

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
        self._clock = clock
        self._most_bytes = most_bytes
        self._seconds = seconds
        self._client = httpx2.AsyncClient(
            transport=PublicOnly(allow_private, ca_file),
            follow_redirects=False,
            trust_env=False,
            timeout=httpx2.Timeout(seconds, connect=min(10.0, seconds)),
            headers={"User-Agent": user_agent, "Accept": _ACCEPT, "Accept-Encoding": "gzip"},
        )
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End all connections."""
        await self._client.aclose()

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


def told(fault: Exception) -> str:
    """Say in words why there is no answer."""
    words = str(fault).partition(": bytearray")[0].rstrip(".")
    if isinstance(fault, zlib.error):
        return "the answer cannot be unpacked: it is not packed as it says"
    if isinstance(fault, httpx2.RemoteProtocolError) and "buffer too long" in words:
        words = _ENDLESS
    if found := _TLS.search(words):
        words = "this server does not speak TLS as it should"
        if found[1] == "CERTIFICATE_VERIFY_FAILED":
            words = _of_certificate(found[2].removeprefix("certificate verify failed: "))
    if isinstance(fault, httpx2.ConnectError):
        name = "no connection"
    elif isinstance(fault, httpx2.TimeoutException):
        name = "the server was too slow"
    elif isinstance(fault, httpx2.DecodingError):
        name = "the answer cannot be unpacked"
    else:
        name = "the connection broke"
    return f"{name}: {words}"[:300].rstrip(": ")


def _of_certificate(why: str) -> str:
    """OpenSSL's words for X509_V_ERR_* in ours."""
    if "mismatch" in why:
        return "this server shows a certificate for another name"
    if "issuer" in why or "self" in why:
        return "this server shows a certificate of an unknown authority"
    return f"the certificate of this server is not trusted ({why})"
