"""Search over everything stored."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.defaults import FIXED
from service.errors import PaperpostError
from service.flows.related import related_to
from service.flows.search import SearchOrder
from service.flows.search import search as search_papers
from service.flows.topics import list_topics
from service.matching.parse import read_in_capitals
from service.matching.query import QueryError
from service.pages.paging import address_of_page, paging_of
from service.web.door import Door, Offer, faults_of

LONGEST = 1200
_FOUND_SIZE = 50


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/search``."""

    @routes.get("/search")
    def search(request: Request) -> Response:
        return _search_page(door, request, words_of(request))


def words_of(request: Request) -> str:
    """``?q=``, as far as a query may be long."""
    return request.query_params.get("q", "")[:LONGEST].strip()


def _search_page(door: Door, request: Request, q: str) -> Response:
    texts, links = door.texts(request), door.pages.links_of(request)
    order: SearchOrder = "newest" if request.query_params.get("order") == "newest" else "best"
    context: dict[str, Any] = {
        "q": q,
        "order": order,
        "errors": {},
        "offers": [],
        "result": None,
        "entries": [],
        "related": [],
        "topics": [] if q else list_topics(door.rt),
        "at": lambda **other: links.search(q, **other),
        "feed": lambda kind: door.pages.links.search_feed(q, kind),
    }
    if not q:
        return door.answer(request, "papers/search.html", context)
    asked = paging_of(request, FIXED.most_found, _FOUND_SIZE)
    try:
        result = search_papers(door.rt, q, offset=asked.offset, limit=asked.size, order=order)
    except PaperpostError as error:
        faults, offers = faults_of({"q": error}, texts)
        status = 422 if isinstance(error, QueryError) else 200
        context |= {"errors": faults, "offers": offers}
        return door.answer(request, "papers/search.html", context, status=status)
    paging = paging_of(request, min(result.total, FIXED.most_found), _FOUND_SIZE)
    if paging.is_beyond and result.total:
        first = links.search(q, order="newest" if order == "newest" else None)
        return door.no_such_page(request, paging, first)
    meant = read_in_capitals(q, "query")
    context |= {
        "offers": [Offer(meant, meant)] if meant else [],
        "result": result,
        "entries": door.entries(result.papers, request),
        "paging": paging,
        "address_of_page": lambda number: address_of_page(request, number),
        "most": FIXED.most_found,
        "related": door.entries(related_to(door.rt, result), request),
    }
    return door.answer(request, "papers/search.html", context)
