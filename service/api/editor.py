"""An editor's hand for programs: a day's note, picks and release; readers' proposals."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from service.api.callers import caller_of, place_of
from service.api.values import Day
from service.flows import picks, submissions
from service.flows.note import NOTE_CHARS, set_note
from service.flows.release import release, standing_of
from service.flows.runtime import Runtime
from service.flows.tokens import Caller
from service.pages.forms import RowNumber
from service.pages.network import Proxies
from service.store import editions as editions_store
from service.store import submissions as store


class Note(BaseModel):
    """note: paragraphs with an empty line between them; "" takes it away."""

    model_config = ConfigDict(extra="forbid")
    note: str = Field(max_length=4 * NOTE_CHARS)


class Picks(BaseModel):
    """papers: in their order, each like "arxiv/2611.00001", an id, a DOI, a link or a number; none
    takes the picks away."""

    model_config = ConfigDict(extra="forbid")
    papers: list[Annotated[str, Field(max_length=500)]] = Field(max_length=picks.MOST_PICKS)


class Accepted(BaseModel):
    """on: the day on whose page it stands, today's without it."""

    model_config = ConfigDict(extra="forbid")
    on: Day | None = None


class Declined(BaseModel):
    """reason: for the staff alone."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(default="", max_length=submissions.LONGEST_REASON)


class NoteAnswer(BaseModel):
    """mails_without: mails of the day that were made before and stay as they are."""

    on: Day
    note: str
    mails_without: int


class PickedPaper(BaseModel):
    id: int
    title: str
    paper: str


class PicksAnswer(BaseModel):
    """mails_without: mails of the day that were made before and stay as they are."""

    on: Day
    papers: list[PickedPaper]
    mails_without: int


class ReleaseAnswer(BaseModel):
    """mode: auto, until, hand · goes_at: when it goes by itself."""

    on: Day
    mode: str
    released: bool
    released_at: str | None
    released_by: str
    goes_at: str | None
    readers_waiting: int
    waiting_since: str | None


class DayAnswer(ReleaseAnswer):
    note: str
    picks: list[PickedPaper]


class Proposal(BaseModel):
    """state: waiting, accepted, declined · problem: why its paper is not known yet · reason: why
    it was declined."""

    id: int
    at: str
    state: str
    paper: str
    link: str
    title: str
    words: str
    name: str
    problem: str
    paper_id: int | None
    listed_on: date | None
    reason: str
    decided_at: str | None
    decided_by: str


class Proposals(BaseModel):
    total: int
    offset: int
    submissions: list[Proposal]


def add_routes(routes: APIRouter, rt: Runtime, proxies: Proxies = ()) -> None:
    """Add /api/v1/days/DATE and /api/v1/submissions."""
    Writer = Annotated[Caller, Depends(caller_of(rt, "papers:write"))]
    Place = Annotated[str, Depends(place_of(proxies))]

    @routes.get("/v1/days/{on}", response_model=DayAnswer)
    def one_day(_who: Writer, on: Day) -> dict[str, Any]:
        """A day as its editors see it: note, picks, and whether it is released. Scope:
        papers:write."""
        standing, note = rt.db.read(
            lambda s: (standing_of(rt, s, on), editions_store.note_of(s, on))
        )
        picked = picks.read_picks(rt, on).facts()["papers"]
        return standing.facts() | {"note": note, "picks": picked}

    @routes.put("/v1/days/{on}/note", response_model=NoteAnswer)
    def put_note(who: Writer, place: Place, on: Day, given: Note) -> dict[str, Any]:
        """Put a note on top of a day's digests and its page. Scope: papers:write."""
        made = set_note(rt, on, given.note, by=who.signature, address=place)
        return {"on": made.on, "note": made.note, "mails_without": made.without}

    @routes.put("/v1/days/{on}/picks", response_model=PicksAnswer)
    def put_picks(who: Writer, place: Place, on: Day, given: Picks) -> dict[str, Any]:
        """Say which papers are picked for a day, in their order. Scope: papers:write."""
        made = picks.set_picks(rt, on, given.papers, by=who.signature, address=place)
        return made.facts()

    @routes.post("/v1/days/{on}/release", response_model=ReleaseAnswer)
    def let_go(who: Writer, place: Place, on: Day) -> dict[str, Any]:
        """Release a day's digests; the same again changes nothing. Scope: papers:write."""
        return release(rt, on, by=who.signature, address=place).facts()

    @routes.get("/v1/submissions", response_model=Proposals)
    def some(
        _who: Writer,
        state: Literal["", "waiting", "accepted", "declined"] = "",
        sort: Literal["at", "-at", "title", "-title", "state", "-state"] = "-at",
        offset: Annotated[int, Query(ge=0, le=100_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, Any]:
        """Papers that readers propose. Scope: papers:write."""
        wanted = store.Wanted(state)
        total, rows = rt.db.read(
            lambda s: (
                store.count_submissions(s, wanted),
                store.list_submissions(s, wanted, sort=sort, limit=limit, offset=offset),
            )
        )
        found = [submissions.facts_of(row) for row in rows]
        return {"total": total, "offset": offset, "submissions": found}

    @routes.post("/v1/submissions/{number}/accept", response_model=Proposal)
    async def accept(
        who: Writer, place: Place, number: RowNumber, given: Accepted
    ) -> dict[str, Any]:
        """Accept a proposal: its paper is stored as new and stands on a day's page. Scope:
        papers:write."""
        row = await submissions.accept(rt, number, given.on, by=who.signature, address=place)
        return submissions.facts_of(row)

    @routes.post("/v1/submissions/{number}/decline", response_model=Proposal)
    def decline(who: Writer, place: Place, number: RowNumber, given: Declined) -> dict[str, Any]:
        """Decline a proposal. Scope: papers:write."""
        row = submissions.decline(rt, number, given.reason, by=who.signature, address=place)
        return submissions.facts_of(row)
