"""The record of acts for programs: who did what to what, before, after, from where and why."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from service.api.callers import caller_of
from service.api.values import Day
from service.flows import acts
from service.flows.runtime import Runtime
from service.flows.tokens import Caller
from service.store import staff as staff_store
from service.store.db import Session

_Text = Annotated[str, Query(max_length=254)]


class ActFacts(BaseModel):
    """One act. before, after: what it changed, null where there was nothing · reason: in the words
    of who did it · address: from where."""

    id: int
    at: datetime
    who: str
    what: str
    target: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    reason: str
    address: str


class ActList(BaseModel):
    """A page of them."""

    total: int
    offset: int
    acts: list[ActFacts]


def add_routes(routes: APIRouter, rt: Runtime) -> None:
    """Add /api/v1/audit."""
    Reader = Annotated[Caller, Depends(caller_of(rt, "audit:read"))]

    @routes.get("/v1/audit", response_model=ActList)
    def some_acts(
        _who: Reader,
        who: _Text = "",
        what: _Text = "",
        target: _Text = "",
        since: Day | None = None,
        until: Day | None = None,
        offset: Annotated[int, Query(ge=0, le=2**53)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> dict[str, Any]:
        """Acts, newest first. who, target: parts of them; what: how it begins; since, until: days
        of the installation. Scope: audit:read."""
        wanted = acts.read_wanted(
            who=who, what=what, target=target, first=since, last=until, zone=rt.zone
        )

        def load(session: Session) -> dict[str, Any]:
            rows = staff_store.list_audit(session, wanted=wanted, limit=limit, offset=offset)
            return {
                "total": staff_store.count_audit(session, wanted),
                "offset": offset,
                "acts": [acts.facts(row) for row in rows],
            }

        return rt.db.read(load)
