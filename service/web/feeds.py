"""The daily page as a feed: Atom (RFC 4287), RSS 2.0, JSON Feed 1.1."""

from datetime import UTC, datetime, time
from email.utils import format_datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from service.delivery.i18n import Texts
from service.delivery.links import Links
from service.flows import browse
from service.papers.model import Paper
from service.web.door import Door

_KINDS = {"atom": "application/atom+xml", "rss": "application/rss+xml"}
_CACHE = {"Cache-Control": "public, max-age=900"}


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/feeds/papers.atom``, ``.rss`` and ``.json``: the newest day, in the page's order."""

    @routes.get("/feeds/papers.{kind}")
    def feed(request: Request, kind: str) -> Response:
        if kind not in (*_KINDS, "json"):
            raise HTTPException(404)
        on = browse.newest_day(door.rt)
        page = browse.read_day(door.rt, on) if on else None
        links, texts = Links(door.rt.site.base_url), door.texts(request)
        at = datetime.combine(on, time(), UTC) if on else door.rt.clock()
        items: list[dict[str, Any]] = [
            {
                "title": _title(one.paper, texts),
                "address": links.paper(one.paper.key.scheme, one.paper.key.value),
                "outside": one.paper.links.get("abs", ""),
                "authors": one.paper.authors,
                "abstract": one.paper.abstract,
            }
            for one in (page.papers if page else ())
        ]
        if kind == "json":
            return JSONResponse(_json(door, links, items, at), headers=_CACHE)
        context = {
            "items": items,
            "own": links.feed(kind),
            "home": links.papers(),
            "at": at.isoformat().replace("+00:00", "Z"),
            "at_rfc": format_datetime(at, usegmt=True),
        }
        body = door.pages.render(f"feeds/papers.{kind}.xml", context, texts)
        return Response(body, media_type=_KINDS[kind], headers=_CACHE)


def _title(paper: Paper, texts: Texts) -> str:
    """A reader of feeds shows titles alone: a withdrawn paper says so there."""
    if not paper.withdrawn:
        return paper.title
    return texts.gettext("%(title)s (withdrawn)", title=paper.title)


def _json(door: Door, links: Links, items: list[dict[str, Any]], at: datetime) -> dict[str, Any]:
    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": door.rt.site.name,
        "home_page_url": links.papers(),
        "feed_url": links.feed("json"),
        "items": [
            {
                "id": one["address"],
                "url": one["address"],
                "title": one["title"],
                "content_text": one["abstract"] or one["title"],
                "date_published": at.isoformat(),
                "authors": [{"name": name} for name in one["authors"]],
            }
            for one in items
        ],
    }
