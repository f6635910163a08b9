"""The daily page, one paper, and search."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from service.defaults import FIXED
from service.delivery.i18n import Texts
from service.errors import PaperpostError
from service.flows import browse
from service.flows.browse import DayPage, NotHereError, Order
from service.flows.related import papers_like, related_to
from service.flows.search import search as search_papers
from service.flows.source_health import first_answer
from service.matching.parse import read_in_capitals
from service.matching.query import QueryError
from service.pages.paging import Paging, address_of_page, paging_of
from service.pages.references import FILES, reference_file
from service.papers.citation import handle, meta_tags
from service.papers.model import Paper
from service.web.changes import change_lines, votes_sentence
from service.web.door import Door, Offer, faults_of

_LONGEST = 1200


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/papers``, ``/papers/DATE``, ``/papers/SCHEME/VALUE`` and ``/search``."""

    @routes.get("/papers")
    def newest(request: Request) -> Response:
        on = browse.newest_day(door.rt)
        return _day_page(door, request, on, note=_weekend(door, on, door.texts(request)))

    @routes.get("/papers/{day}")
    def of_day(request: Request, day: str) -> Response:
        try:
            on = date.fromisoformat(day) if len(day) == 10 else None
        except ValueError:
            on = None
        if on is None:
            raise HTTPException(404)
        return _day_page(door, request, on)

    @routes.get("/papers/{scheme}/{value:path}")
    def one(request: Request, scheme: str, value: str) -> Response:
        try:
            found = browse.read_paper(door.rt, scheme, value)
        except NotHereError as error:
            texts = door.texts(request)
            search = (door.pages.links_of(request).search(), texts.gettext("Search"))
            said = texts.said(error.what), texts.said(error.next_step)
            return door.say(request, *said, link=search, status=404)
        paper = found.shown.paper
        if kind := _file_kind(request):
            return reference_file(kind, [paper], handle(paper.key.scheme, paper.key.value))
        context = {
            "entry": door.entries([found.shown], request)[0],
            "paper": found.shown.paper,
            "citation": meta_tags(found.shown.paper),
            "appearances": found.appearances,
            "changes": change_lines(found.history, door.texts(request)),
            "votes_said": votes_sentence(found.history, door.texts(request), door.today()),
            "today": door.today(),
            "address": door.rt.links.paper(paper.key.scheme, paper.key.value),
            "files": _files(door.pages.links.here.paper(paper.key.scheme, paper.key.value)),
            "alike": door.entries(papers_like(door.rt, found.shown.paper.id or 0), request),
            "liked": door.pages.links_of(request).to("/words", liked=_named(found.shown.paper)),
        }
        return door.answer(request, "papers/paper.html", context)

    @routes.get("/search")
    def search(request: Request) -> Response:
        return _search_page(door, request, request.query_params.get("q", "")[:_LONGEST].strip())


def _day_page(door: Door, request: Request, on: date | None, note: str = "") -> Response:
    texts = door.texts(request)
    order: Order = "newest" if request.query_params.get("order") == "newest" else "trending"
    page: DayPage | None = None
    paging = Paging(1, browse.PAGE_SIZE, 0)
    if on is not None and (kind := _file_kind(request)):
        page = browse.read_day(door.rt, on, order=order, limit=browse.WHOLE_DAY)
        found = [one.paper for one in page.papers]
        return reference_file(kind, found, f"papers-{on.isoformat()}")
    if on is not None:
        page = browse.read_day(door.rt, on, order=order)
        paging = paging_of(request, page.total, browse.PAGE_SIZE)
        if paging.is_beyond:
            return _no_such_page(door, request, on, paging)
        if paging.offset:
            page = browse.read_day(door.rt, on, order=order, offset=paging.offset)
    context = {
        "on": on,
        "page": page,
        "today": door.today(),
        "order": order,
        "note": note,
        "entries": door.entries(page.papers, request) if page else [],
        "paging": paging,
        "address_of_page": lambda number: address_of_page(request, number),
        "curated_by": door.rt.defaults().curated_by,
        "files": _files(door.pages.links.here.papers(on)),
        "why_empty": "" if page and page.total else _why_empty(door, on, page, texts),
        "trap": door.check.TRAP,
        "time": door.check.TIME,
        "shown": door.check.shown(),
    }
    return door.answer(request, "papers/day.html", context)


def _file_kind(request: Request) -> str:
    """The file that is asked for by ``?format=``, "" for the page. Raises 404 for another."""
    kind = request.query_params.get("format", "")
    if kind and kind not in FILES:
        raise HTTPException(404)
    return kind


def _files(address: str) -> list[tuple[str, str]]:
    return [("BibTeX", f"{address}?format=bib"), ("RIS", f"{address}?format=ris")]


def _no_such_page(door: Door, request: Request, on: date, paging: Paging) -> Response:
    texts = door.texts(request)
    _ = texts.gettext
    title = texts.ngettext(
        "The list of %(day)s has %(num)s page.",
        "The list of %(day)s has %(num)s pages.",
        paging.pages,
        day=texts.long_day(on),
    )
    first = (door.pages.links_of(request).papers(on), _("Go there"))
    return door.say(request, title, _("It begins on page 1."), link=first, status=404)


def _weekend(door: Door, newest: date | None, texts: Texts) -> str:
    """What stands above the newest day on a Saturday or Sunday."""
    today = door.today()
    if newest is None or today.weekday() < 5 or newest >= today:
        return ""
    day = texts.day(newest)
    return texts.gettext("No list on Saturdays and Sundays. Newest: %(day)s.", day=day)


def _why_empty(door: Door, on: date | None, page: DayPage | None, texts: Texts) -> str:
    """Why a day has no papers, and where the newest are."""
    _ = texts.gettext
    if on is None or page is None or page.newest is None:
        if not browse.source_names(door.rt):
            return _("No source has been added yet.")
        return _before_the_first(door, texts)
    newest = texts.day(page.newest)
    if on > door.today():
        return _("This day is still to come. Newest: %(day)s.", day=newest)
    if on.weekday() >= 5:
        return _("No list on Saturdays and Sundays. Newest: %(day)s.", day=newest)
    return _("No paper was listed on this day. Newest: %(day)s.", day=newest)


def _before_the_first(door: Door, texts: Texts) -> str:
    _ = texts.gettext
    found = first_answer(door.rt)

    def wall(at: datetime) -> str:
        there = at.astimezone(ZoneInfo(door.rt.zone))
        return texts.hour(there.hour, there.minute)

    if found.asking:
        return _("Asking %(source)s now; papers in a few seconds.", source=found.title)
    if found.next_at is None:
        return _("No paper has come in yet.")
    if found.failed_at is not None:
        return _(
            "%(source)s did not answer at %(time)s. Next try %(next)s.",
            source=found.title,
            time=wall(found.failed_at),
            next=wall(found.next_at),
        )
    time = wall(found.next_at)
    return _("No paper has come in yet. The sources are asked at %(time)s.", time=time)


def _search_page(door: Door, request: Request, q: str) -> Response:
    texts = door.texts(request)
    context: dict[str, object] = {
        "q": q,
        "errors": {},
        "offers": [],
        "result": None,
        "entries": [],
        "related": [],
    }
    if q:
        paging = _search_paging(request)
        try:
            result = search_papers(door.rt, q, offset=paging.offset, limit=paging.size)
        except QueryError as error:
            faults, offers = faults_of({"q": error}, texts)
            context |= {"errors": faults, "offers": offers}
            return door.answer(request, "papers/search.html", context, status=422)
        except PaperpostError as error:
            faults, _offers = faults_of({"q": error}, texts)
            return door.answer(request, "papers/search.html", context | {"errors": faults})
        meant = read_in_capitals(q, "query")
        context |= {
            "offers": [Offer(meant, meant)] if meant else [],
            "result": result,
            "entries": door.entries(result.papers, request),
            "paging": paging_of(request, min(result.total, FIXED.most_found), _FOUND_SIZE),
            "address_of_page": lambda number: address_of_page(request, number),
            "most": FIXED.most_found,
            "related": door.entries(related_to(door.rt, result), request),
        }
    return door.answer(request, "papers/search.html", context)


def _named(paper: Paper) -> str:
    """A paper as the page of words reads it: by its name where that is one, else by its title."""
    key = paper.key
    if key.scheme == "arxiv":
        return f"arXiv:{key.value}"
    return key.value if key.scheme == "doi" else paper.title


_FOUND_SIZE = 50


def _search_paging(request: Request) -> Paging:
    return paging_of(request, FIXED.most_found, _FOUND_SIZE)
