"""Papers by hand, for programs: found, hidden, joined, asked again. Each asks for a token with its
scope."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from service.api import source_shapes
from service.api.callers import caller_of, place_of
from service.flows import hidden as hidden_flow
from service.flows import joined as joined_flow
from service.flows import paper_desk as flow
from service.flows.fetch_again import fetch_again
from service.flows.runtime import Runtime
from service.flows.tokens import Caller
from service.pages.forms import RowNumber
from service.pages.network import Proxies

_Reason = Annotated[str, Field(min_length=1, max_length=hidden_flow.MOST_REASON)]


class Why(BaseModel):
    """reason: kept in the record of acts."""

    model_config = ConfigDict(extra="forbid")
    reason: _Reason


class Twin(Why):
    """other: number of the paper that is joined with this one, and stands for itself no more."""

    other: int = Field(ge=1, le=2**53, strict=True)


class Join(Why):
    """join: the number of a join by hand, as the paper shows it."""

    join: int = Field(ge=1, le=2**53, strict=True)


class HiddenAnswer(BaseModel):
    """changed: false where it was so already · mails: composed ones that lost the paper · left:
    those that keep it, since a server has seen them or they are being sent."""

    id: int
    title: str
    hidden: bool
    changed: bool
    mails: int
    left: int


class FoundPaper(BaseModel):
    """name: its public one · hidden: why, "" = it is shown."""

    id: int
    title: str
    name: str
    hidden: str
    published_on: str | None


class FoundPapers(BaseModel):
    """reading: how the words were read."""

    total: int
    offset: int
    reading: str
    papers: list[FoundPaper]


def add_routes(routes: APIRouter, rt: Runtime, proxies: Proxies = ()) -> None:
    """Add /api/v1/papers/find and /api/v1/papers/NUMBER."""
    Reader = Annotated[Caller, Depends(caller_of(rt, "sources:read"))]
    Writer = Annotated[Caller, Depends(caller_of(rt, "papers:write"))]
    Place = Annotated[str, Depends(place_of(proxies))]

    @routes.get("/v1/papers/find", response_model=FoundPapers)
    def some_papers(
        _who: Reader,
        q: Annotated[str, Query(max_length=500)] = "",
        hidden: bool = False,
        offset: Annotated[int, Query(ge=0, le=100_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, Any]:
        """Papers by words, an arXiv id, a DOI, a link or a number. hidden, or without q: those that
        are hidden. Scope: sources:read."""
        found = flow.find_papers(rt, q, hidden=hidden, offset=offset, limit=limit)
        rows = [flow.line_data(one) for one in found.papers]
        return {"total": found.total, "offset": offset, "reading": found.reading, "papers": rows}

    @routes.get("/v1/papers/{paper_id}", response_model=source_shapes.DeskPaper)
    def one_paper(_who: Reader, paper_id: RowNumber) -> dict[str, Any]:
        """One paper with its names, sightings, story, and how many had it. Scope: sources:read."""
        return flow.paper_facts(flow.read_paper(rt, paper_id))

    @routes.get(
        "/v1/papers/{paper_id}/merge",
        response_model=source_shapes.JoinPlan,
        responses={409: {"description": "These two cannot be joined."}},
    )
    def plan(
        _who: Reader, paper_id: RowNumber, other: Annotated[int, Query(ge=1, le=2**53)]
    ) -> dict[str, Any]:
        """What joining another paper with this one would make; nothing is changed. Scope:
        sources:read."""
        return flow.plan_data(joined_flow.plan_join(rt, paper_id, other))

    @routes.post("/v1/papers/{paper_id}/hide", response_model=HiddenAnswer)
    def hide(who: Writer, place: Place, paper_id: RowNumber, given: Why) -> hidden_flow.Hidden:
        """Hide a paper everywhere. Scope: papers:write."""
        return hidden_flow.hide_paper(rt, paper_id, given.reason, by=who.signature, address=place)

    @routes.post("/v1/papers/{paper_id}/unhide", response_model=HiddenAnswer)
    def unhide(who: Writer, place: Place, paper_id: RowNumber) -> hidden_flow.Hidden:
        """Show a hidden paper again. Scope: papers:write."""
        return hidden_flow.show_again(rt, paper_id, by=who.signature, address=place)

    @routes.post("/v1/papers/{paper_id}/merge", response_model=source_shapes.Joined)
    def merge(who: Writer, place: Place, paper_id: RowNumber, given: Twin) -> dict[str, Any]:
        """Join another paper with this one. Scope: papers:write."""
        join = joined_flow.join_papers(
            rt, paper_id, given.other, given.reason, by=who.signature, address=place
        )
        return {"join": join, **flow.paper_facts(flow.read_paper(rt, paper_id))}

    @routes.post("/v1/papers/{paper_id}/unmerge", response_model=source_shapes.Parted)
    def unmerge(who: Writer, place: Place, paper_id: RowNumber, given: Join) -> dict[str, Any]:
        """Part two papers that were joined by hand. Scope: papers:write."""
        kept, parted = joined_flow.part_papers(
            rt, given.join, given.reason, by=who.signature, address=place, keep_id=paper_id
        )
        return {"kept": kept, "parted": parted}

    @routes.post("/v1/papers/{paper_id}/fetch", response_model=source_shapes.FetchedAgain)
    async def fetch(who: Writer, place: Place, paper_id: RowNumber) -> dict[str, Any]:
        """Ask arXiv for a paper again, at the pace of all; changed: fields that are other ones now.
        Scope: papers:write."""
        made = await fetch_again(rt, paper_id, by=who.signature, address=place)
        return {"id": made.id, "title": made.title, "changed": list(made.changed)}
