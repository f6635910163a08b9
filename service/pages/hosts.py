"""Under which names this site answers, and how much it listens to.

A page of somebody else's whose name was made to point here (DNS rebinding) would be of one origin
with ours: on an operator's machine it could read the mailbox. So a Host that is none of ours is
refused. An address in digits points nowhere else, and is let in: health checks use it.
"""

from asyncio import get_running_loop, timeout_at
from collections.abc import Awaitable, Callable, Collection, Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import SettingError
from service.pages.forms import UPLOAD_BYTES

MOST_BYTES = 256 * 1024
MOST_SECONDS = 20.0
MOST_FILE_BYTES = UPLOAD_BYTES + MOST_BYTES
MOST_FILE_SECONDS = 600.0
MOST_LIST_BYTES = 200_000_000 + MOST_BYTES
"""Of lists of readers, which go to disk as they come."""

HEALTH_PATHS = ("/healthz", "/readyz", "/metrics")
"""Asked by machines, by whatever name they know this one; they tell nothing of anybody."""

Refusal = Callable[[Request, int], Response | Awaitable[Response]]


class HostNames:
    """The names of this site: BASE_URL's, this machine's for itself, addresses, and ``more``
    (``*.example.org`` takes every name under it)."""

    def __init__(self, base_url: str, more: Iterable[str] = ()) -> None:
        self._names = {"localhost", (urlsplit(base_url).hostname or "").lower()}
        self._under: tuple[str, ...] = ()
        for name in filter(None, (one.strip().lower() for one in more)):
            if "/" in name or ":" in name or "@" in name:
                raise SettingError(
                    f"PAPERPOST_ALLOWED_HOSTS names {name[:60]!r}, which is no host name",
                    "PAPERPOST_ALLOWED_HOSTS",
                    "Write names without port: papers.example.org, *.example.org.",
                )
            if name.startswith("*."):
                self._under += (name[1:],)
            else:
                self._names.add(name)

    def holds(self, host: str) -> bool:
        """Whether a Host header is ours; an empty one (HTTP/1.0) is."""
        name = name_of(host)
        if not name:
            return not host.strip()
        if name in self._names or name.endswith((".localhost", *self._under)):
            return True
        if "." not in name and ":" not in name:  # of one's own network: no public name is so short
            return True
        try:
            ip_address(name)
        except ValueError:
            return False
        return True


def name_of(host: str) -> str:
    """The name or address in a Host header, without its port; "" when it is none."""
    try:
        parts = urlsplit(f"//{host.strip()}")
        _ = parts.port
    except ValueError:
        return ""
    if parts.username is not None or parts.path or parts.query or parts.fragment:
        return ""
    return (parts.hostname or "").rstrip(".")


class OwnHosts:
    """ASGI middleware: 421 (Misdirected Request, RFC 9110, 15.5.20) for a foreign Host.

    free: paths that answer under any name.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        names: HostNames,
        refusal: Refusal,
        free: Collection[str] = HEALTH_PATHS,
    ) -> None:
        self.app = app
        self._names = names
        self._refusal = refusal
        self._free = free

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._free:
            await self.app(scope, receive, send)
            return
        said = [v.decode("latin-1") for k, v in scope["headers"] if k.lower() == b"host"]
        if len(said) <= 1 and self._names.holds("".join(said)):
            await self.app(scope, receive, send)
            return
        answer = self._refusal(Request(scope, receive), 421)
        response = answer if isinstance(answer, Response) else await answer
        await response(scope, receive, send)


class WholeAddresses:
    """ASGI middleware: 404 for an address with a null byte in it. No text has one, and PostgreSQL
    stores and finds none."""

    def __init__(self, app: ASGIApp, *, refusal: Refusal) -> None:
        self.app = app
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not (
            "\0" in scope["path"] or b"%00" in scope["query_string"]
        ):
            await self.app(scope, receive, send)
            return
        answer = self._refusal(Request(scope, receive), 404)
        response = answer if isinstance(answer, Response) else await answer
        await response(scope, receive, send)


class BoundedBodies:
    """ASGI middleware: how many bytes a request brings at most, and in how many seconds, whoever
    reads it (forms have narrower bounds of their own).

    small: of all requests · large: of those below the prefixes ``files`` · most_list: bytes of
    those below the prefixes ``lists``, in as many seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        refusal: Refusal,
        small: tuple[int, float] = (MOST_BYTES, MOST_SECONDS),
        large: tuple[int, float] = (MOST_FILE_BYTES, MOST_FILE_SECONDS),
        files: tuple[str, ...] = (),
        most_list: int = MOST_LIST_BYTES,
        lists: tuple[str, ...] = (),
    ) -> None:
        self.app = app
        self._refusal = refusal
        self._small = small
        self._large = large
        self._files = files
        self._most_list = most_list
        self._lists = lists

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most, seconds = self._large if scope["path"].startswith(self._files) else self._small
        if scope["path"].startswith(self._lists):
            most, seconds = self._most_list, self._large[1]
        if _is_told_longer(scope, most):
            answer = self._refusal(Request(scope, receive), 413)
            response = answer if isinstance(answer, Response) else await answer
            response.headers["Connection"] = "close"  # the body is not waited for
            await response(scope, receive, send)
            return
        await self.app(scope, _Heard(receive, most, seconds), send)


def _is_told_longer(scope: Scope, most: int) -> bool:
    for name, value in scope["headers"]:
        if name.lower() == b"content-length" and value.isdigit():
            return len(value) > 18 or int(value) > most
    return False


class _Heard:
    """``receive`` with both bounds; what goes beyond is answered as any other HTTP error."""

    def __init__(self, receive: Receive, most: int, seconds: float) -> None:
        self._receive = receive
        self._most = most
        self._seconds = seconds
        self._size = 0
        self._ends: float | None = None
        self._over = False

    async def __call__(self) -> Message:
        if self._over:  # what comes now is the end of the connection, for which one may wait long
            return await self._receive()
        loop = get_running_loop()
        self._ends = self._ends or loop.time() + self._seconds
        try:
            async with timeout_at(self._ends):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, headers={"Connection": "close"}) from None
        self._size += len(message.get("body", b""))
        self._over = not message.get("more_body", False)
        if self._size > self._most:
            raise HTTPException(413, headers={"Connection": "close"})
        return message
