"""What asks other servers: kept out of private networks, bounded in its heads. IO."""

import asyncio
import re
import socket
import ssl
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from datetime import datetime
from functools import cache, partial
from types import TracebackType
from typing import Any, Self

import httpx2

from service.sources.address import PORTS, is_public

HEAD_BYTES = 256 * 1024
"""A server may say so much before its answer begins; "100 Continue" without end is not an answer,
and reading it would keep the event loop busy."""

MOST_CONNECTIONS = 200
_LOOK_UPS = 64
_TLS = re.compile(r"\[SSL: (\w+)\] (.*?)(?: \(_ssl|$)")
_ENDLESS = "the headers have no end"


class BlockedAddressError(httpx2.RequestError):
    """The address leads out of the public internet, or to a port that serves no pages."""


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


class PublicClient:
    """What asks other servers: guarded against private addresses, without redirects or cookies of
    its own.

    user_agent: the name and a contact ("Paperpost/0.1 (+https://...; mailto:...)").
    allow_private: the operator's own servers inside the house (and tests). ca_file: PEM file of
    an authority that is trusted beside the public ones. clock: aware UTC. seconds: in all.
    """

    def __init__(
        self,
        user_agent: str,
        *,
        clock: Callable[[], datetime],
        seconds: float,
        allow_private: bool = False,
        ca_file: str = "",
        headers: Mapping[str, str],
    ) -> None:
        self._clock = clock
        self._allow_private = allow_private
        self._seconds = seconds
        self._client = httpx2.AsyncClient(
            transport=PublicOnly(allow_private, ca_file),
            follow_redirects=False,
            trust_env=False,
            timeout=httpx2.Timeout(seconds, connect=min(10.0, seconds)),
            headers={"User-Agent": user_agent, **headers},
        )

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
