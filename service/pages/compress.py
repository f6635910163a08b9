"""Answers that everybody may have are sent compressed; pages behind a link or a log-in are not.

What is compressed tells by its length what it repeats (BREACH: an attacker who can put text beside
a secret measures his guesses). Open pages hold no secret; the others stay as they are.
"""

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from service.delivery.links import PRIVATE_PATHS, holds

LEVEL = 6
"""A page of 45 kB takes about a millisecond; level 9 takes twice that for 1 % less."""
SMALLEST = 500


class CompressOpen:
    """ASGI middleware: gzip for open pages, feeds and the API, where the client takes it.

    base: the path that the site lies under, "" for none; a proxy may have taken it away.
    """

    def __init__(self, app: ASGIApp, *, base: str = "") -> None:
        self.app = app
        self._base = base
        self._compressed = GZipMiddleware(app, minimum_size=SMALLEST, compresslevel=LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._compressed if scope["type"] == "http" and self._is_open(scope) else self.app
        await app(scope, receive, send)

    def _is_open(self, scope: Scope) -> bool:
        path: str = scope["path"]
        local = path.removeprefix(self._base) if self._base else path
        return not any(holds(private, local) for private in PRIVATE_PATHS)
