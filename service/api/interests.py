"""What readers want, for programs, as it was counted last. Each asks for a token with its scope."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from service.api import desk_shapes
from service.api.callers import caller_of, place_of
from service.flows import workbench as flow
from service.flows.runtime import Runtime
from service.flows.tokens import Caller
from service.pages.network import Proxies

_Words = Annotated[str, Query(max_length=200)]
_Offset = Annotated[int, Query(ge=0, le=10_000_000)]
_Limit = Annotated[int, Query(ge=1, le=1000)]


class CountedTerm(BaseModel):
    """folded: the form under which spellings are one · papers: of the days that hold it · brings:
    readers times papers."""

    term: str
    folded: str
    kind: str
    readers: int
    interests: int
    papers: int
    brings: int


class CountedTerms(BaseModel):
    """counted: when, and over how much; null before the first count."""

    total: int
    offset: int
    counted: dict[str, Any] | None
    terms: list[CountedTerm]


class CountedInterest(BaseModel):
    """papers, per_weekday: null for an interest that was made since the count."""

    interest: int
    reader: int
    email: str
    name: str
    kind: str
    text: str
    cadence: str
    made_at: str
    papers: int | None
    per_weekday: float | None


class CountedInterests(BaseModel):
    """Interests of active readers."""

    total: int
    offset: int
    counted: dict[str, Any] | None
    interests: list[CountedInterest]


def add_routes(routes: APIRouter, rt: Runtime, proxies: Proxies = ()) -> None:
    """Add /api/v1/interests."""
    Reader = Annotated[Caller, Depends(caller_of(rt, "readers:read"))]
    Writer = Annotated[Caller, Depends(caller_of(rt, "readers:write"))]
    Place = Annotated[str, Depends(place_of(proxies))]

    @routes.get("/v1/interests/terms", response_model=CountedTerms)
    def some_terms(
        _who: Reader,
        words: _Words = "",
        kind: Literal["", "words", "person", "organisation", "category", "other"] = "",
        never: bool = False,
        sort: Literal["readers", "papers", "brings", "term"] = "readers",
        offset: _Offset = 0,
        limit: _Limit = 100,
    ) -> dict[str, Any]:
        """Terms and names that readers ask for, the greatest first. never: those that no paper of
        the days holds. Scope: readers:read."""
        order = "term" if sort == "term" else f"-{sort}"
        found = flow.list_terms(
            rt, words=words, kind=kind, never=never, sort=order, limit=limit, offset=offset
        )
        return {
            "total": found.total,
            "offset": offset,
            "counted": flow.run_data(flow.read_run(rt)),
            "terms": [flow.term_data(row) for row in found.rows],
        }

    @routes.get("/v1/interests", response_model=CountedInterests)
    def some_interests(
        _who: Reader,
        state: Literal["all", "noisy", "dead"] = "all",
        words: _Words = "",
        sort: Literal["papers", "email", "made"] = "papers",
        offset: _Offset = 0,
        limit: _Limit = 100,
    ) -> dict[str, Any]:
        """Interests with whose they are: all, noisy (more papers a weekday than `broad_a_day`), or
        dead (none in 30 days). words: in the interest or the address. Scope: readers:read."""
        order = "-papers" if sort == "papers" else sort
        found = flow.list_lines(rt, state, words=words, sort=order, limit=limit, offset=offset)
        return {
            "total": found.total,
            "offset": offset,
            "counted": flow.run_data(flow.read_run(rt)),
            "interests": [flow.line_data(row) for row in found.rows],
        }

    @routes.post("/v1/interests/count", status_code=202, response_model=desk_shapes.CountAsked)
    def count(who: Writer, place: Place) -> dict[str, Any]:
        """Count everything anew, soon; `counted` of the lists says when it was done. Scope:
        readers:write."""
        flow.ask_count(rt, by=who.signature, address=place)
        return {"counted": flow.run_data(flow.read_run(rt))}
