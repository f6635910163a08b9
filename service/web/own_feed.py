"""A reader's own feed, at a secret address: ``/feeds/mine/T.atom``, ``.rss``, ``.json``."""

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from service.flows.own_feed import OwnFeedError, read_own_feed
from service.web.door import NOINDEX, Door
from service.web.feeds import Feed, answer, known_kind

_CACHE = "private, no-cache"
"""Kept by whoever asks alone, who asks whether it is still true (by its ETag)."""


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/feeds/mine/T.KIND``: open while its reader keeps it open."""

    @routes.get("/feeds/mine/{token}.{kind}")
    def mine(request: Request, token: str, kind: str) -> Response:
        known_kind(kind)
        try:
            found = read_own_feed(door.rt, token)
        except OwnFeedError as error:
            texts = door.texts(request)
            lines = f"{texts.said(error.what)} {texts.said(error.next_step)}\n"
            return PlainTextResponse(lines, 410 if error.is_over else 404, NOINDEX)
        texts, links = door.pages.catalogs.texts(found.reader.locale), door.pages.links
        made = Feed(
            title=texts.gettext("%(site)s: your papers", site=door.rt.site.name),
            about=texts.gettext("What your interests found, as in your mails"),
            own=links.own_feed(token).removesuffix("atom") + kind,
            home=links.manage(),
            items=found.items,
        )
        response = answer(door, request, kind, made, texts=texts, cache=_CACHE, is_dated=False)
        response.headers.update(NOINDEX)
        return response
