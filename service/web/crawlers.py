"""What programs that read the web are asked to leave alone (RFC 9309).

Each paper has one address, each day one list: these are open. The same lists chosen in other ways
are without number, answers to questions are for who asks, and links with a token are private.
"""

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response

from service.delivery.links import PRIVATE_PATHS
from service.web.door import Door

_ASKED = ("/search", "/feeds/search", "/words", "/estimate", "/api/")
_CHOSEN = ("words", "source", "category", "order", "format", "day", "lang")


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/robots.txt``."""

    @routes.get("/robots.txt")
    def robots() -> Response:
        base = door.pages.links.here.base
        closed = [*_ASKED, *PRIVATE_PATHS]
        lines = [f"Disallow: {base}{path}" for path in closed]
        lines += [f"Disallow: {base}/*{sign}{name}=" for name in _CHOSEN for sign in "?&"]
        text = "\n".join(("User-agent: *", *lines, "Crawl-delay: 5", ""))
        return PlainTextResponse(text, headers={"Cache-Control": "public, max-age=86400"})
