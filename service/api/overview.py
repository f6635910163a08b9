"""Today at a glance for programs: what the desk's first page shows. It asks for a token."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from service.api.callers import caller_of
from service.flows.desk_overview import read_overview
from service.flows.runtime import Runtime
from service.flows.tokens import Caller


class Step(BaseModel):
    """Of what is to be done first. page: where, under /admin."""

    done: bool
    words: str
    page: str


class Figures(BaseModel):
    """Of today, from midnight: papers (UTC), matches, accepted, refused, asked (to confirm, by the
    form, the staff or a list), joined, left · of now: waiting, deferred, held. matches_more: there
    are more than that."""

    papers: int
    matches: int
    matches_more: bool
    accepted: int
    refused: int
    asked: int
    joined: int
    left: int
    waiting: int
    deferred: int
    held: int


class Overview(BaseModel):
    """editions: under way, each with percent, rate (mails a second), left_s and undo_s · queue: the
    mail that waits longest, and why; null = none · days: the last 30, oldest first, with their
    counts; one that is not counted yet has only its day."""

    at: str
    today: str
    zone: str
    figures: Figures
    editions: list[dict[str, Any]]
    more_editions: int
    queue: dict[str, Any] | None
    put_off: list[dict[str, Any]]
    is_moving: bool
    readers: dict[str, int]
    came_back: dict[str, int]
    to_look_at: int
    alarms: list[dict[str, Any]]
    days: list[dict[str, Any]]
    steps: list[Step]


def add_routes(routes: APIRouter, rt: Runtime) -> None:
    """Add /api/v1/overview."""
    Reader = Annotated[Caller, Depends(caller_of(rt, "deliveries:read"))]

    @routes.get("/v1/overview", response_model=Overview)
    def overview(_who: Reader) -> dict[str, Any]:
        """Today at a glance: papers, mails, editions under way, readers, what came back, alarms,
        and counts of the last 30 days. Scope: deliveries:read."""
        return read_overview(rt)
