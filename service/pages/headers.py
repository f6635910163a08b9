"""Security headers on every answer, and HEAD answered as GET.

Both are plain ASGI: they see error pages and streams too. A route that sets one of these headers
itself (the frame of a mail has its own policy) is left alone.
"""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.delivery.links import PRIVATE_PATHS, holds

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)

FRAME_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'"
)
"""For a mail shown in a frame: its styles are inline; nothing is fetched and nothing runs."""

TEXT_POLICY = "sandbox; default-src 'none'; form-action 'none'; frame-ancestors 'self'"
"""For a mail that came in, as text: nothing of it is ever a document of ours."""

ALONE_POLICY = FRAME_POLICY.replace(
    "sandbox allow-popups",
    "sandbox allow-top-navigation-by-user-activation allow-downloads allow-popups",
).replace("frame-ancestors 'self'", "frame-ancestors 'none'")
"""For a mail that is a page of its own: its links open in the same window, or are files."""


def is_loopback(host: str) -> bool:
    """True for localhost and the loopback addresses."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class HeaderPolicy:
    """Which headers an answer gets, given its path.

    base_url: HSTS only when it is https. Referrer-Policy is no-referrer wherever browsers send
    Sec-Fetch-Site (https and loopback); on plain http they do not, and under no-referrer their
    forms say ``Origin: null`` (Fetch, "append a request Origin header"), which the guard has to
    refuse. There it is same-origin: a token still never reaches another site.
    """

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._prefix = parts.path.rstrip("/")
        trusted = parts.scheme == "https" or is_loopback(parts.hostname or "")
        self._always = {
            "Content-Security-Policy": PAGE_POLICY,
            "Referrer-Policy": "no-referrer" if trusted else "same-origin",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        }
        if not trusted:
            # browsers ignore it on an untrusted origin, and say so in the console each time
            del self._always["Cross-Origin-Opener-Policy"]
        if parts.scheme == "https":
            self._always["Strict-Transport-Security"] = "max-age=31536000"

    def headers(self, path: str) -> Mapping[str, str]:
        """Return the headers of an answer to ``path``."""
        local = path.removeprefix(self._prefix) if self._prefix else path
        if any(holds(prefix, local) for prefix in PRIVATE_PATHS):
            return {
                **self._always,
                "X-Robots-Tag": "noindex, nofollow",
                "Cache-Control": "no-store",
            }
        return self._always

    def apply(self, headers: MutableHeaders, path: str) -> None:
        """Add what is missing to an answer's headers."""
        for name, value in self.headers(path).items():
            if name not in headers:
                headers[name] = value


class SecurityHeaders:
    """ASGI middleware that adds the policy's headers to every answer."""

    def __init__(self, app: ASGIApp, policy: HeaderPolicy) -> None:
        self.app = app
        self.policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.policy.apply(MutableHeaders(scope=message), scope["path"])
            await send(message)

        await self.app(scope, receive, with_headers)


class HeadAsGet:
    """ASGI middleware: HEAD is GET without the body (RFC 9110, 9.3.2).

    Link scanners of mail systems ask with HEAD first; a 405 would make the link look dead.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self.app({**scope, "method": "GET"}, receive, without_body)


class RelativeRedirects:
    """ASGI middleware: a redirect made of the request's own address (``/papers/`` to ``/papers``)
    names its path alone, since whoever asks chooses the Host header."""

    def __init__(self, app: ASGIApp, base_url: str) -> None:
        self.app = app
        self._prefix = urlsplit(base_url).path.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_location(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("location", "/").partition(":")[0] in ("http", "https"):
                    headers["location"] = self._local(headers["location"])
            await send(message)

        await self.app(scope, receive, with_location)

    def _local(self, target: str) -> str:
        parts = urlsplit(target)
        path = "/" + parts.path.removeprefix(self._prefix).lstrip("/")
        return f"{self._prefix}{path}" + (f"?{parts.query}" if parts.query else "")
