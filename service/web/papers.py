"""The daily page, and one paper."""

import re
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from service.delivery.i18n import Texts
from service.errors import Sentence, SpokenError
from service.flows import browse
from service.flows.browse import Chosen, DayPage, NotHereError, Order
from service.flows.related import papers_like
from service.flows.source_health import first_answer
from service.flows.topics import list_topics
from service.matching.parse import parse_query
from service.matching.query import QueryError
from service.pages.forms import FieldError
from service.pages.paging import Paging, address_of_page, paging_of
from service.pages.references import FILES, reference_file
from service.papers.citation import handle, meta_tags
from service.papers.model import Paper
from service.web.changes import change_lines, votes_sentence
from service.web.door import Door, faults_of


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/papers``, ``/papers/DATE`` and ``/papers/SCHEME/VALUE``."""

    @routes.get("/papers")
    def newest(request: Request) -> Response:
        typed, chosen = request.query_params.get("day", "").strip()[:20], chosen_of(request)
        if typed:
            on = read_date(typed)
            if on is not None:
                here = door.pages.links_of(request).papers(on, **kept_of(chosen, order_of(request)))
                return RedirectResponse(here, 303)
            return _day_page(door, request, browse.newest_day(door.rt), typed=typed)
        on = browse.newest_day(door.rt, chosen.source)
        return _day_page(door, request, on, note=_weekend(door, on, door.texts(request)))

    @routes.get("/papers/{day}")
    def of_day(request: Request, day: str) -> Response:
        on = read_date(day)
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


def chosen_of(request: Request) -> Chosen:
    """What ``?source=&category=`` leaves of a list; what is no number is no source."""
    source = request.query_params.get("source", "")
    number = int(source) if source.isdecimal() and len(source) < 10 else None
    return Chosen(number, " ".join(request.query_params.get("category", "").split())[:80])


def order_of(request: Request) -> Order:
    """``?order=newest`` or ``here``, else by votes."""
    asked = request.query_params.get("order")
    return "newest" if asked == "newest" else "here" if asked == "here" else "trending"


def kept_of(chosen: Chosen, order: Order) -> dict[str, Any]:
    """What is kept from one page of the list to the next, and to its feed."""
    return {
        "source": chosen.source,
        "category": chosen.category or None,
        "order": order if order != "trending" else None,
    }


def read_date(text: str) -> date | None:
    """A day of an address, None for what is none."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if found.isoformat() == text else None  # 2026-W47-5 is the same day


def _day_page(
    door: Door, request: Request, on: date | None, note: str = "", typed: str = ""
) -> Response:
    """typed: what should have been a day."""
    texts, links = door.texts(request), door.pages.links_of(request)
    order, chosen = order_of(request), chosen_of(request)
    votes = browse.votes_are_on(door.rt)
    order = order if votes or order != "here" else "trending"
    kept = kept_of(chosen, order)
    page: DayPage | None = None
    paging = Paging(1, browse.PAGE_SIZE, 0)
    if on is not None and (kind := _file_kind(request)):
        page = browse.read_day(door.rt, on, order=order, limit=browse.WHOLE_DAY, chosen=chosen)
        found = [one.paper for one in page.papers]
        return reference_file(kind, found, f"papers-{on.isoformat()}")
    if on is not None:
        asked = _asked_page(request)
        page = browse.read_day(door.rt, on, order=order, offset=asked, chosen=chosen)
        paging = paging_of(request, page.total, browse.PAGE_SIZE)
        if paging.is_beyond:
            return _no_such_page(door, request, on, paging, kept)
    context = {
        "on": on,
        "page": page,
        "today": door.today(),
        "order": order,
        "chosen": chosen,
        "chosen_source": _title_of(page, chosen),
        "note": note,
        "entries": door.entries(page.papers, request) if page else [],
        "picks": door.entries(page.picks, request) if page and paging.number == 1 else [],
        "votes": votes,
        "proposals": door.rt.defaults().proposals == "on",
        "paging": paging,
        "address_of_page": lambda number: address_of_page(request, number),
        "at": lambda day, **other: links.papers(day, **(kept | other)),
        "feed": lambda kind: door.pages.links.feed(kind, **kept),
        "canonical": door.pages.links.papers(on),
        "mailed": _words_of(page, chosen),
        "topics": list_topics(door.rt),
        "curated_by": door.rt.defaults().curated_by,
        "files": _files(door.pages.links.here.papers(on, **kept)),
        "why_empty": "" if page and page.whole else _why_empty(door, on, page, texts),
        "errors": _no_date(door, request, typed) if typed else {},
        "typed": typed,
        "trap": door.check.TRAP,
        "time": door.check.TIME,
        "shown": door.check.shown(),
    }
    return door.answer(request, "papers/day.html", context, status=422 if typed else 200)


def _asked_page(request: Request) -> int:
    """Papers to be passed over, as ``?page=`` says; a page that is beyond the last one is told of
    when the number of papers is known."""
    return paging_of(request, browse.WHOLE_DAY * 100, browse.PAGE_SIZE).offset


def _title_of(page: DayPage | None, chosen: Chosen) -> str:
    titles = {number: title for number, title, _ in (page.sources if page else ())}
    return titles.get(chosen.source or 0, "")


def _words_of(page: DayPage | None, chosen: Chosen) -> str:
    """The choice as a query to subscribe to; "" where it cannot be one."""
    parts = [("cat", chosen.category), ("source", _title_of(page, chosen))]
    text = " ".join(
        f'{field}:"{value}"' if not re.fullmatch(r"[\w.-]+", value) else f"{field}:{value}"
        for field, value in parts
        if value
    )
    try:
        return text if text and parse_query(text) else ""
    except QueryError:
        return ""


def _no_date(door: Door, request: Request, typed: str) -> dict[str, FieldError]:
    error = SpokenError(
        Sentence("“%(typed)s” is no date.", typed=typed),
        "day",
        Sentence("Write year, month and day, like 2026-11-18."),
    )
    return faults_of({"day": error}, door.texts(request))[0]


def _file_kind(request: Request) -> str:
    """The file that is asked for by ``?format=``, "" for the page. Raises 404 for another."""
    kind = request.query_params.get("format", "")
    if kind and kind not in FILES:
        raise HTTPException(404)
    return kind


def _files(address: str) -> list[tuple[str, str]]:
    sign = "&" if "?" in address else "?"
    return [("BibTeX", f"{address}{sign}format=bib"), ("RIS", f"{address}{sign}format=ris")]


def _no_such_page(
    door: Door, request: Request, on: date, paging: Paging, kept: dict[str, Any]
) -> Response:
    texts = door.texts(request)
    title = texts.ngettext(
        "The list of %(day)s has %(num)s page.",
        "The list of %(day)s has %(num)s pages.",
        paging.pages,
        day=texts.long_day(on),
    )
    first = door.pages.links_of(request).papers(on, **kept)
    return door.no_such_page(request, paging, first, title)


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


def _named(paper: Paper) -> str:
    """A paper as the page of words reads it: by its name where that is one, else by its title."""
    key = paper.key
    if key.scheme == "arxiv":
        return f"arXiv:{key.value}"
    return key.value if key.scheme == "doi" else paper.title
