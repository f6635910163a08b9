"""What anybody asks of the papers: what words would bring, words out of a text, papers found, of a
day, of a topic, alike; papers also for bibliographies. Nothing is changed by it."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from service.api import shapes
from service.api.values import Day
from service.defaults import FIXED
from service.errors import Sentence, SpokenError
from service.flows import browse, topics
from service.flows.browse import NotHereError, Shown
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
from service.flows.related import find_paper, papers_like, propose_words, related_to
from service.flows.runtime import Runtime
from service.flows.search import search
from service.matching.counting import Asked
from service.matching.parse import parse_keywords, parse_people, parse_query
from service.pages.references import FILES, reference_file

_LONGEST = 4000
Text = Annotated[str, Query(max_length=_LONGEST)]
Days = Annotated[int | None, Query(ge=1, le=400)]
Form = Annotated[Literal["json", "bib", "ris"], Query(alias="format")]
_FORMS: dict[int | str, dict[str, Any]] = {
    200: {"content": {media_type: {} for _write, media_type in FILES.values()}},
    404: {"description": "There is no such day, paper or topic."},
}
"""Told in OpenAPI beside JSON."""


class AskedError(SpokenError):
    """What was asked for does not fit together; ``where`` is the parameter."""


class LikedText(BaseModel):
    """text: a title, an abstract, or the link of a stored paper."""

    text: str = Field(min_length=1, max_length=10_000)
    days: int | None = Field(default=None, ge=1, le=400)


def add_routes(routes: APIRouter, rt: Runtime) -> None:
    """Add /api/v1/estimate, words, search, papers, topics and related."""
    _add_words(routes, rt)
    _add_papers(routes, rt)


def _add_words(routes: APIRouter, rt: Runtime) -> None:
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


def _add_papers(routes: APIRouter, rt: Runtime) -> None:
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


def _cited(form: str, found: Sequence[Shown]) -> Response:
    return reference_file(form, [one.paper for one in found], "papers")
