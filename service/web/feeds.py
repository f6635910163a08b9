"""Lists of papers as feeds: Atom (RFC 4287), RSS 2.0, JSON Feed 1.1.

The day's list with the page's choices, any search, any topic. A reader of feeds asks again and
again: it is told by ETag and Last-Modified that nothing changed (RFC 9110, 13.1).
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.exceptions import HTTPException

from service.defaults import FIXED
from service.delivery.i18n import Texts
from service.flows import latest
from service.flows.latest import Item
from service.flows.topics import get_topic
from service.matching.query import QueryError
from service.papers.model import Paper
from service.web.door import Door
from service.web.papers import chosen_of, kept_of, order_of
from service.web.searching import words_of

KINDS = {
    "atom": "application/atom+xml",
    "rss": "application/rss+xml",
    "json": "application/feed+json",
}
_CACHE = "public, max-age=900"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""XML 1.0, 2.2 (Char): what no document may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """own: its address · home: of the page with the same list · about: one sentence · items:
    newest first, or as the page has them."""

    title: str
    about: str
    own: str
    home: str
    items: Sequence[Item]


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/feeds/papers.KIND``, ``/feeds/search.KIND`` and ``/feeds/topics/NAME.KIND``: atom,
    rss or json."""

    @routes.get("/feeds/papers.{kind}")
    def of_day(request: Request, kind: str) -> Response:
        texts, links = door.texts(request), door.pages.links
        chosen, order = chosen_of(request), order_of(request)
        kept = kept_of(chosen, order)
        items, source = latest.of_newest_days(door.rt, chosen, order, FIXED.feed_entries)
        name = " · ".join(filter(None, (door.rt.site.name, source, chosen.category)))
        made = Feed(
            title=name,
            about=texts.gettext("Papers of the newest days"),
            own=links.feed(known_kind(kind), **kept),
            home=links.papers(**kept),
            items=items,
        )
        return answer(door, request, kind, made)

    @routes.get("/feeds/search.{kind}")
    def of_search(request: Request, kind: str) -> Response:
        q, texts, links = words_of(request), door.texts(request), door.pages.links
        known_kind(kind)
        try:
            items = latest.of_words(door.rt, q, FIXED.feed_entries // 2)
        except QueryError as error:
            said = (texts.said(error.what), texts.said(error.next_step))
            return PlainTextResponse("\n".join(filter(None, said)) + "\n", 422)
        made = Feed(
            title=f"{door.rt.site.name}: {q}",
            about=texts.gettext("Papers with these words: %(words)s", words=q),
            own=links.search_feed(q, kind),
            home=links.search(q, order="newest"),
            items=items,
        )
        return answer(door, request, kind, made)

    @routes.get("/feeds/topics/{name}.{kind}")
    def of_topic(request: Request, name: str, kind: str) -> Response:
        links, topic = door.pages.links, get_topic(door.rt, name)
        known_kind(kind)
        made = Feed(
            title=f"{door.rt.site.name}: {topic.title}",
            about=topic.about or topic.title,
            own=links.topic_feed(name, kind),
            home=links.topic(name),
            items=latest.of_topic(door.rt, topic, FIXED.feed_entries // 2),
        )
        return answer(door, request, kind, made)


def known_kind(kind: str) -> str:
    if kind not in KINDS:
        raise HTTPException(404)
    return kind


def answer(
    door: Door,
    request: Request,
    kind: str,
    feed: Feed,
    *,
    texts: Texts | None = None,
    cache: str = _CACHE,
    is_dated: bool = True,
) -> Response:
    """The feed in its form, or 304 where the asker has it. texts: the language of its reader, else
    that of the request · is_dated: False where older papers come in later, so that only the ETag
    tells. Raises 404 for an unknown kind."""
    asked, texts = texts is None, texts or door.texts(request)
    seen = max((one.seen_at for one in feed.items), default=None) if is_dated else None
    body = (_json if known_kind(kind) == "json" else _xml)(door, kind, feed, texts)
    headers = {
        # weak: the same tag for the answer packed and as it is (RFC 9110, 8.8.3)
        "ETag": f'W/"{hashlib.sha256(body).hexdigest()[:32]}"',
        "Cache-Control": cache,
        "Content-Language": texts.language,
    }
    if asked:
        headers["Vary"] = "Accept-Language"
    if seen is not None:
        headers["Last-Modified"] = format_datetime(seen.astimezone(UTC), usegmt=True)
    if _has_it(request, headers["ETag"], seen):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=f"{KINDS[kind]}; charset=utf-8", headers=headers)


def _has_it(request: Request, tag: str, seen: datetime | None) -> bool:
    """If-None-Match decides where it is there, else If-Modified-Since (RFC 9110, 13.2.2)."""
    asked = request.headers.get("if-none-match")
    if asked is not None:
        tags = [one.strip().removeprefix("W/") for one in asked.split(",")]
        return tag.removeprefix("W/") in tags or "*" in tags
    since = request.headers.get("if-modified-since")
    if since is None or seen is None:
        return False
    try:
        at = parsedate_to_datetime(since)
    except ValueError:
        return False
    return at.tzinfo is not None and seen.replace(microsecond=0) <= at


def _xml(door: Door, kind: str, feed: Feed, texts: Texts) -> bytes:
    links = door.pages.links
    items = [
        {
            "title": plain(_title(one.paper, texts)),
            "address": links.paper(one.paper.key.scheme, one.paper.key.value),
            "outside": one.paper.links.get("abs", ""),
            "authors": [name for name in map(plain, one.paper.authors) if name],
            "abstract": plain(one.paper.abstract),
            "categories": list(map(plain, _tags(one, texts))),
            "published": _instant(one.on),
            "updated": _instant(_updated(one)),
            "at_rfc": format_datetime(_midnight(one.on), usegmt=True),
        }
        for one in feed.items
    ]
    newest = max((_updated(one) for one in feed.items), default=door.today())
    context = {
        "title": plain(feed.title),
        "about": plain(feed.about),
        "own": feed.own,
        "home": feed.home,
        "items": items,
        "at": _instant(newest),
        "at_rfc": format_datetime(_midnight(newest), usegmt=True),
    }
    return door.pages.render(f"feeds/papers.{kind}.xml", context, texts).encode()


def plain(text: str) -> str:
    """Text without the characters that XML cannot hold."""
    return _NOT_XML.sub("", text)


def _title(paper: Paper, texts: Texts) -> str:
    """A reader of feeds shows titles alone: a withdrawn paper says so there."""
    if not paper.withdrawn:
        return paper.title
    return texts.gettext("%(title)s (withdrawn)", title=paper.title)


def _tags(one: Item, texts: Texts) -> list[str]:
    """The categories; first that the editors picked it."""
    picked = [texts.gettext("Picked by the editors")] if one.is_picked else []
    return [*picked, *one.paper.categories]


def _updated(one: Item) -> date:
    """The day it came, or of a later version."""
    version = one.paper.updated_at
    return max(one.on, version.date()) if version is not None else one.on


def _midnight(on: date) -> datetime:
    return datetime.combine(on, time(), UTC)


def _instant(on: date) -> str:
    return _midnight(on).isoformat().replace("+00:00", "Z")


def _json(door: Door, kind: str, feed: Feed, texts: Texts) -> bytes:
    made: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "description": feed.about,
        "home_page_url": feed.home,
        "feed_url": feed.own,
        "language": texts.language,
        "items": [_json_item(door, one, texts) for one in feed.items],
    }
    return bytes(JSONResponse(made).body)


def _json_item(door: Door, one: Item, texts: Texts) -> dict[str, Any]:
    paper = one.paper
    address = door.pages.links.paper(paper.key.scheme, paper.key.value)
    outside = paper.links.get("abs", "")
    made: dict[str, Any] = {
        "id": address,
        "url": address,
        "title": _title(paper, texts),
        "content_text": paper.abstract or paper.title,
        "date_published": _instant(one.on),
        "date_modified": _instant(_updated(one)),
        "authors": [{"name": name} for name in paper.authors],
        "tags": _tags(one, texts),
    }
    return made | ({"external_url": outside} if outside.startswith("http") else {})
