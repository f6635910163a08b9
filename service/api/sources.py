"""Sources, for programs: looked at, added, asked, caught up, changed, decided on. Each asks for a
token with its scope."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from service.api import source_shapes
from service.api.callers import caller_of, place_of
from service.flows import catch_up, source_acts, source_edit
from service.flows import sources as flow
from service.flows.burst import read_burst
from service.flows.contribution import list_shares, share_data
from service.flows.runtime import Runtime
from service.flows.source_days import SourceDay, read_days
from service.flows.source_health import SourceHealth, read_source, read_sources
from service.flows.source_kinds import list_kinds
from service.flows.tokens import Caller
from service.flows.trying import trial_facts, try_by_hand
from service.pages.forms import RowNumber
from service.pages.network import Proxies
from service.sources.registry import adapter

_Params = Annotated[dict[str, Annotated[str, Field(max_length=2000)]], Field(max_length=20)]


class NewSource(BaseModel):
    """kind: as `paperpost sources kinds` says · history_days: days of its past, null = the
    setting."""

    model_config = ConfigDict(extra="forbid")
    kind: str = Field(max_length=32)
    params: _Params = {}
    title: str = Field(default="", max_length=200)
    history_days: int | None = Field(default=None, ge=0, le=400)


class TrySource(BaseModel):
    """kind, params: as of a new source."""

    model_config = ConfigDict(extra="forbid")
    kind: str = Field(max_length=32)
    params: _Params = {}


class SourceEdit(BaseModel):
    """What is left out stays. dry_run: only say what follows."""

    model_config = ConfigDict(extra="forbid")
    title: str | None = Field(default=None, max_length=500)
    params: _Params = {}
    dry_run: StrictBool = False


class Past(BaseModel):
    """days: of the past beside what is missing, as known papers."""

    model_config = ConfigDict(extra="forbid")
    days: int = Field(default=0, ge=0, le=catch_up.MOST_DAYS)


class Decision(BaseModel):
    """take: "new": they are mailed · "known": they are not."""

    model_config = ConfigDict(extra="forbid")
    take: Literal["new", "known"]


def add_routes(routes: APIRouter, rt: Runtime, proxies: Proxies = ()) -> None:
    """Add /api/v1/sources."""
    Reader = Annotated[Caller, Depends(caller_of(rt, "sources:read"))]
    Writer = Annotated[Caller, Depends(caller_of(rt, "sources:write"))]
    Place = Annotated[str, Depends(place_of(proxies))]

    @routes.get("/v1/sources", response_model=source_shapes.Sources)
    def some_sources(
        _who: Reader,
        kind: Annotated[str, Query(max_length=32)] = "",
        offset: Annotated[int, Query(ge=0, le=100_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> dict[str, Any]:
        """Sources in the order they were added, with their health. Scope: sources:read."""
        every = [one for one in read_sources(rt, days=1) if kind in ("", one.kind)]
        rows = [health_data(one) for one in every[offset : offset + limit]]
        return {"total": len(every), "offset": offset, "sources": rows}

    @routes.get("/v1/sources/contribution", response_model=source_shapes.Shares)
    def contribution(
        _who: Reader,
        category: Annotated[str, Query(max_length=80)] = "",
        offset: Annotated[int, Query(ge=0, le=100_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> dict[str, Any]:
        """What each source brought in the last 30 days, as it was counted last. category: of this
        one alone, "*" = of each. Scope: sources:read."""
        found = list_shares(rt)
        every = [share_data(x) for x in found if category in ("*", x.category)]
        rows = every[offset : offset + limit]
        return {"total": len(every), "offset": offset, "shares": rows}

    @routes.get("/v1/sources/kinds", response_model=source_shapes.Kinds)
    def kinds(_who: Reader) -> dict[str, Any]:
        """The kinds of sources that can be added, with their parameters. Scope: sources:read."""
        rows = list_kinds()
        return {"total": len(rows), "offset": 0, "kinds": rows}

    @routes.post("/v1/sources/try", response_model=source_shapes.Trial)
    async def try_out(who: Writer, given: TrySource) -> dict[str, Any]:
        """Ask a source once and say what it would bring, before it is added; nothing is stored. At
        the pace of all, and once in five seconds for a token. Scope: sources:write."""
        params = adapter(given.kind).checked(given.params)
        return trial_facts(await try_by_hand(rt, given.kind, params, by=who.signature))

    @routes.post("/v1/sources", status_code=201, response_model=source_shapes.NewSource)
    def add(who: Writer, place: Place, given: NewSource) -> dict[str, Any]:
        """Add a source; added is false where it was there. Scope: sources:write."""
        adapter(given.kind)
        return flow.add_source(
            rt,
            given.kind,
            given.params,
            given.title,
            given.history_days,
            by=who.signature,
            address=place,
        )

    @routes.get("/v1/sources/{source_id}", response_model=source_shapes.SourceWithPoll)
    def one(_who: Reader, source_id: RowNumber) -> dict[str, Any]:
        """One source with its health and what the newest poll brought. Scope: sources:read."""
        return {**health_data(read_source(rt, source_id, days=1)), "poll": _newest(source_id)}

    @routes.get("/v1/sources/{source_id}/days", response_model=source_shapes.SourceDays)
    def some_days(
        _who: Reader, source_id: RowNumber, days: Annotated[int, Query(ge=1, le=90)] = 14
    ) -> dict[str, Any]:
        """The days of a source's own calendar, newest first. Scope: sources:read."""
        rows = [day_data(one) for one in read_days(rt, source_id, days)]
        return {"total": len(rows), "offset": 0, "days": rows}

    @routes.get("/v1/sources/{source_id}/missing", response_model=source_shapes.Missing)
    def missing(_who: Reader, source_id: RowNumber) -> dict[str, Any]:
        """Days of which nothing is there: missed (would be new), lost (would be known), wanted
        (being brought in). Scope: sources:read."""
        return asdict(catch_up.read_missing(rt, source_id))

    @routes.get("/v1/sources/{source_id}/burst", response_model=source_shapes.Burst)
    def burst(_who: Reader, source_id: RowNumber) -> dict[str, Any]:
        """Papers that wait for a decision, and whom they would reach as new. Scope:
        sources:read."""
        return asdict(read_burst(rt, source_id))

    @routes.patch("/v1/sources/{source_id}", response_model=source_shapes.SourceChange)
    def edit(who: Writer, place: Place, source_id: RowNumber, given: SourceEdit) -> dict[str, Any]:
        """Another title, other parameters; effects say what follows. Scope: sources:write."""
        if given.dry_run:
            return asdict(source_edit.plan_change(rt, source_id, given.title, given.params))
        made = source_edit.edit_source(
            rt, source_id, given.title, given.params, by=who.signature, address=place
        )
        return asdict(made)

    @routes.delete("/v1/sources/{source_id}", response_model=source_shapes.SourceDone)
    def remove(who: Writer, place: Place, source_id: RowNumber) -> dict[str, Any]:
        """Remove a source; its papers stay. Scope: sources:write."""
        return source_acts.change_source(rt, source_id, "remove", by=who.signature, address=place)

    @routes.post("/v1/sources/{source_id}/poll", status_code=202, response_model=source_shapes.Poll)
    def poll(who: Writer, place: Place, source_id: RowNumber) -> dict[str, Any]:
        """Ask a source as soon as its server's pace allows; ``GET /v1/sources/ID`` says what came.
        Asked again before it answered, nothing more happens. Scope: sources:write."""
        source_acts.ask_now(rt, source_id, by=who.signature, address=place)
        return _newest(source_id)

    @routes.post(
        "/v1/sources/{source_id}/catch-up", status_code=202, response_model=source_shapes.Missing
    )
    def bring(who: Writer, place: Place, source_id: RowNumber, given: Past) -> dict[str, Any]:
        """Bring in the days that are missing, at the pace of all. Scope: sources:write."""
        made = catch_up.bring_in(rt, source_id, days=given.days, by=who.signature, address=place)
        return asdict(made)

    @routes.post("/v1/sources/{source_id}/decide", response_model=source_shapes.SourceDone)
    def decide(who: Writer, place: Place, source_id: RowNumber, given: Decision) -> dict[str, Any]:
        """Take the papers of a burst as new, or keep them as known. Scope: sources:write."""
        return source_acts.change_source(
            rt, source_id, f"take-{given.take}", by=who.signature, address=place
        )

    @routes.post("/v1/sources/{source_id}/pause", response_model=source_shapes.SourceDone)
    def pause(who: Writer, place: Place, source_id: RowNumber) -> dict[str, Any]:
        """Ask a source no more until it is resumed. Scope: sources:write."""
        return source_acts.change_source(rt, source_id, "pause", by=who.signature, address=place)

    @routes.post("/v1/sources/{source_id}/resume", response_model=source_shapes.SourceDone)
    def resume(who: Writer, place: Place, source_id: RowNumber) -> dict[str, Any]:
        """Ask a paused or ended source again, at once. Scope: sources:write."""
        return source_acts.change_source(rt, source_id, "resume", by=who.signature, address=place)

    def _newest(source_id: int) -> dict[str, Any]:
        made = source_acts.read_newest(rt, source_id)
        return {**asdict(made), "says": made.says}


def health_data(one: SourceHealth) -> dict[str, Any]:
    """A source as JSON values; sentences in English."""
    wrong = one.trouble
    return {
        "id": one.id,
        "kind": one.kind,
        "what": one.what,
        "title": one.title,
        "state": one.state,
        "says": str(one.word),
        "papers": one.papers,
        "newest_on": one.newest_on,
        "last_poll_at": one.last_poll_at,
        "next_poll_at": one.next_poll_at,
        "usual_end": one.usual_end,
        "failures": one.failures,
        "last_error": one.last_error,
        "held": one.held,
        "trouble": None
        if wrong is None
        else {"what": str(wrong.what), "by_itself": str(wrong.by_itself), "to_do": wrong.to_do},
    }


def day_data(one: SourceDay) -> dict[str, Any]:
    """A day as JSON values."""
    return {**asdict(one), "word": str(one.word), "says": str(one.says)}
