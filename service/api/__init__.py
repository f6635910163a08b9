"""What programs ask: what words would bring, words out of a text, papers alike; papers also for
bibliographies. Nothing of that is changed by it; deliveries are for programs with a token.

Errors are JSON in three parts: what, where, next_step (``pages/errors``).
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from service.api import (
    alarms,
    audit,
    bounces,
    deliveries,
    editor,
    hooks,
    imports,
    interests,
    overview,
    papers_by_hand,
    reader_parts,
    readers,
    sends,
    settings,
    shapes,
    sources,
)
from service.api import topics as topics_api
from service.api.callers import ScopeError, TooManyError, UnknownCallerError, place_of
from service.api.document import describe
from service.api.exports import ExportKeyError
from service.api.once import once_route
from service.api.values import Day
from service.defaults import FIXED
from service.errors import PaperpostError, Sentence, SettingError, SpokenError
from service.flows import browse, topics
from service.flows.acts import ActsError
from service.flows.alarms import AlarmError
from service.flows.audience import CountError, ManualError
from service.flows.bounce_lists import BounceFilterError
from service.flows.bounces import BounceError, NoSuchMailError
from service.flows.browse import NotHereError, Shown
from service.flows.daily import DateError
from service.flows.editions import EditionError, NoEditionError
from service.flows.estimate import compare, estimate
from service.flows.figures import (
    change_data,
    day_data,
    estimate_data,
    name_data,
    paper_data,
    search_data,
    topic_data,
    words_data,
)
from service.flows.follow import count_names
from service.flows.hidden import NoPaperError, PaperError
from service.flows.hook_lists import HookError, NoHookError
from service.flows.imports import ListError, NoSuchImportError
from service.flows.interests import InterestError
from service.flows.ledger import ChosenError
from service.flows.note import NoteError
from service.flows.once import AnswerLostError, KeyBusyError, KeyFormError, KeyReusedError
from service.flows.picks import PickError
from service.flows.preview import PreviewError
from service.flows.reader_acts import ActError
from service.flows.reconcile import ResolveError
from service.flows.related import (
    LikedError,
    find_paper,
    papers_like,
    propose_words,
    related_to,
)
from service.flows.release import ReleaseError
from service.flows.resend import ResendError
from service.flows.runtime import Runtime
from service.flows.search import search
from service.flows.segment import SegmentError
from service.flows.settings_by_hand import ChangedMeanwhileError, NoSettingError
from service.flows.source_acts import SourceError
from service.flows.source_days import NoSourceError
from service.flows.spreadsheet import ReaderError
from service.flows.submissions import NoSubmissionError, SubmissionError
from service.flows.tags import TagError
from service.flows.timing import TimingError
from service.flows.trial import TooManyTestsError
from service.matching.counting import Asked
from service.matching.parse import parse_keywords, parse_people, parse_query
from service.matching.query import QueryError
from service.pages.network import read_proxies
from service.pages.references import FILES, reference_file
from service.resources import product_version
from service.sources.adapter import ParameterError
from service.subscribers.address import AddressError
from service.subscribers.cadence import CadenceError


class AskedError(SpokenError):
    """What was asked for does not fit together; ``where`` is the parameter."""


STATUSES: dict[type[PaperpostError], int] = {
    ActError: 409,
    ActsError: 422,
    AddressError: 422,
    AlarmError: 404,
    AnswerLostError: 409,
    AskedError: 422,
    BounceError: 409,
    BounceFilterError: 422,
    ChangedMeanwhileError: 409,
    CountError: 409,
    DateError: 422,
    ChosenError: 422,
    EditionError: 409,
    ExportKeyError: 409,
    HookError: 422,
    KeyBusyError: 409,
    KeyFormError: 400,
    CadenceError: 422,
    InterestError: 422,
    ListError: 409,
    NoSuchImportError: 404,
    ReaderError: 409,
    TagError: 422,
    KeyReusedError: 422,
    NoSettingError: 404,
    NoSourceError: 404,
    ManualError: 422,
    NoEditionError: 404,
    NoSuchMailError: 404,
    ParameterError: 422,
    PreviewError: 404,
    SourceError: 409,
    LikedError: 422,
    NoPaperError: 404,
    NoSubmissionError: 404,
    NoteError: 422,
    PickError: 422,
    ReleaseError: 422,
    SubmissionError: 409,
    NoHookError: 404,
    NotHereError: 404,
    PaperError: 409,
    QueryError: 422,
    ResendError: 409,
    ResolveError: 409,
    ScopeError: 403,
    SettingError: 422,
    SegmentError: 422,
    TimingError: 422,
    TooManyError: 429,
    TooManyTestsError: 429,
    topics.TopicError: 422,
    topics.TopicGoneError: 410,
    UnknownCallerError: 401,
}
"""HTTP statuses of errors under ``/api``."""

_LONGEST = 4000
Text = Annotated[str, Query(max_length=_LONGEST)]
Days = Annotated[int | None, Query(ge=1, le=400)]
Form = Annotated[Literal["json", "bib", "ris"], Query(alias="format")]
_FORMS: dict[int | str, dict[str, Any]] = {
    200: {"content": {media_type: {} for _write, media_type in FILES.values()}},
    404: {"description": "There is no such day, paper or topic."},
}
"""Told in OpenAPI beside JSON."""


class LikedText(BaseModel):
    """text: a title, an abstract, or the link of a stored paper."""

    text: str = Field(min_length=1, max_length=10_000)
    days: int | None = Field(default=None, ge=1, le=400)


def router(rt: Runtime, *, trusted_proxies: str = "") -> APIRouter:
    """Return the routes under ``/api``. trusted_proxies: addresses whose X-Forwarded-For is
    believed. Raises SettingError."""
    proxies = read_proxies(trusted_proxies)
    routes = APIRouter(
        prefix="/api", route_class=once_route(rt), dependencies=[Depends(place_of(proxies))]
    )

    @routes.get("/v1/estimate", response_model=shapes.Estimate)
    def of_words(
        q: Text = "",
        keywords: Text = "",
        people: Text = "",
        days: Days = None,
        instead_of: Text = "",
        threshold: Annotated[float, Query(ge=0)] = 0.0,
        without_own: Annotated[str, Query(max_length=200)] = "",
    ) -> dict[str, Any]:
        """What an interest would have brought. q: a query, or keywords: plain ones, or people:
        names with semicolons, told one by one in ``names``. instead_of: older words of the same
        kind; then ``change`` says what would be added and removed."""
        given = [
            (read, text)
            for read, text in ((parse_query, q), (parse_keywords, keywords), (parse_people, people))
            if text.strip()
        ]
        if len(given) != 1:
            raise AskedError(
                Sentence("One interest is needed."), "q", Sentence("Give q, keywords or people.")
            )
        read, text = given[0]
        query = read(text)
        asked = Asked(query, threshold, without_own)
        made = estimate(rt, asked, days)
        data = estimate_data(made)
        if people.strip():
            data["names"] = [name_data(name) for name in count_names(rt, query, made.days)]
        if instead_of.strip():
            before = Asked(read(instead_of), threshold, without_own)
            data["change"] = change_data(compare(rt, before, asked, days))
        return data

    @routes.post("/v1/words", response_model=shapes.Words)
    def out_of_text(liked: LikedText) -> dict[str, Any]:
        """Words for an interest, with what each would have brought."""
        return words_data(propose_words(rt, liked.text, liked.days))

    @routes.get("/v1/search", response_model=shapes.Found, responses=_FORMS)
    def stored_papers(
        q: Annotated[str, Query(min_length=1, max_length=_LONGEST)],
        offset: Annotated[int, Query(ge=0, le=FIXED.most_found)] = 0,
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
        order: Literal["best", "newest"] = "best",
        form: Form = "json",
    ) -> dict[str, Any] | Response:
        """The best stored papers for a query, or for keywords with commas between them; when these
        are all, ``related`` has papers like them without the words. format: bib (BibTeX) or ris
        gives the papers alone, for a bibliography."""
        page = search(rt, q, offset=offset, limit=limit, order=order)
        if form != "json":
            return _cited(form, page.papers)
        return search_data(page, related_to(rt, page))

    @routes.get("/v1/papers", response_model=shapes.PapersOfDay, responses=_FORMS)
    def of_day(
        on: Day | None = None,
        source: Annotated[int | None, Query(ge=1, le=2**53)] = None,
        category: Annotated[str, Query(max_length=80)] = "",
        order: Literal["trending", "newest", "here"] = "trending",
        offset: Annotated[int, Query(ge=0, le=100_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
        form: Form = "json",
    ) -> dict[str, Any] | Response:
        """The papers listed on a day (the newest one with papers, unless named), as on its page.
        order=here: by the votes of this house's readers, where they vote. picks: of the editors.
        source, category: only these; what the list has of each stands beside it, with numbers.
        format: as in search."""
        chosen = browse.Chosen(source, category)
        day = on or browse.newest_day(rt, source)
        if day is None:
            raise NotHereError(
                Sentence("No paper has come in yet."), "", Sentence("Ask again later.")
            )
        page = browse.read_day(rt, day, order=order, offset=offset, limit=limit, chosen=chosen)
        return _cited(form, page.papers) if form != "json" else day_data(page)

    @routes.get("/v1/topics", response_model=list[shapes.Topic])
    def all_topics() -> list[dict[str, Any]]:
        """Every topic: a saved search with a page of its own."""
        return [one.facts() for one in topics.list_topics(rt)]

    @routes.get(
        "/v1/topics/{name}",
        response_model=shapes.TopicWithPapers,
        responses=_FORMS | {410: {"description": "The topic was taken away."}},
    )
    def one_topic(
        name: str,
        offset: Annotated[int, Query(ge=0, le=FIXED.most_found)] = 0,
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
        form: Form = "json",
    ) -> dict[str, Any] | Response:
        """A topic with its papers, newest first; ``related`` has papers like its chosen ones (or
        like the newest) without its words. format: as in search."""
        page = topics.read_topic(rt, topics.get_topic(rt, name), offset=offset, limit=limit)
        if form != "json":
            return _cited(form, page.papers)
        return page.topic.facts() | topic_data(page)

    @routes.get("/v1/related", response_model=list[shapes.Paper], responses=_FORMS)
    def like_paper(
        paper: Annotated[str, Query(max_length=500)], form: Form = "json"
    ) -> list[dict[str, Any]] | Response:
        """Stored papers like the one that an arXiv id, a DOI or a link names; often none. format:
        as in search."""
        found = papers_like(rt, find_paper(rt, paper))
        if form != "json":
            return _cited(form, found)
        return [paper_data(one) for one in found]

    alarms.add_routes(routes, rt, proxies)
    overview.add_routes(routes, rt)
    editor.add_routes(routes, rt, proxies)
    deliveries.add_routes(routes, rt, proxies)
    sends.add_routes(routes, rt, proxies)
    bounces.add_routes(routes, rt, proxies)
    audit.add_routes(routes, rt)
    settings.add_routes(routes, rt, proxies)
    readers.add_routes(routes, rt, proxies)
    reader_parts.add_routes(routes, rt, proxies)
    imports.add_routes(routes, rt, proxies)
    topics_api.add_routes(routes, rt, proxies)
    hooks.add_routes(routes, rt, proxies)
    papers_by_hand.add_routes(routes, rt, proxies)
    sources.add_routes(routes, rt, proxies)
    interests.add_routes(routes, rt, proxies)

    @routes.get("/openapi.json", include_in_schema=False)
    def schema() -> dict[str, Any]:
        """The description of these addresses (OpenAPI)."""
        return _described(rt, routes)

    return routes


def read_document(rt: Runtime) -> dict[str, Any]:
    """The description of all addresses under ``/api`` (OpenAPI)."""
    return _described(rt, router(rt))


def _described(rt: Runtime, routes: APIRouter) -> dict[str, Any]:
    return describe(routes, title=f"{rt.site.name}: API", version=product_version())


def _cited(form: str, found: Sequence[Shown]) -> Response:
    return reference_file(form, [one.paper for one in found], "papers")
