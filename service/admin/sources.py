"""Sources with their health, and one source with its days: pause, remove, decide on a burst."""

from asyncio import to_thread
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from service.admin.desk import Desk
from service.flows import sources as flow
from service.flows.source_days import LONGEST
from service.flows.source_health import STRIP_DAYS, read_paces, read_source, read_sources
from service.pages.forms import RowNumber
from service.sources.registry import ADAPTERS

_USUAL = 28
_SAID = {"pause": "paused", "resume": "resumed", "remove": "removed"}


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/sources and /admin/sources/ID."""
    rt = desk.rt

    def asked(at: datetime, on: date) -> str:
        """When it was asked; the time alone where it was on the day ``on``."""
        there = at.astimezone(ZoneInfo(rt.zone))
        return f"{there:%H:%M}" if there.date() == on else desk.at(at)

    @routes.get("/sources")
    def list_sources(request: Request) -> Response:
        who = desk.member(request)
        context = {
            "sources": read_sources(rt, days=STRIP_DAYS),
            "paces": read_paces(rt),
            "day_of_paces": rt.clock().astimezone(UTC).date(),
        }
        return desk.answer(request, "sources.html", context, who=who)

    @routes.get("/sources/{source_id}")
    def one(request: Request, source_id: RowNumber) -> Response:
        who = desk.member(request)
        days = LONGEST if request.query_params.get("days") == str(LONGEST) else _USUAL
        made = read_source(rt, source_id, days=days)
        kind = ADAPTERS.get(made.kind)
        context = {
            "source": made,
            "kind_title": kind.title if kind else made.kind,
            "asked": asked,
            "longest": LONGEST if len(made.days) == _USUAL else 0,
            "all_shown": days == LONGEST,
        }
        return desk.answer(request, "source.html", context, who=who)

    @routes.post("/sources/{source_id}/{act}")
    async def change(request: Request, source_id: RowNumber, act: str) -> Response:
        sent = await desk.sent(request, "editor")
        if act not in flow.ACTS:
            raise HTTPException(404)
        await to_thread(
            flow.change_source, rt, source_id, act, by=sent.who.name, address=sent.address
        )
        back = "sources" if act == "remove" else f"sources/{source_id}"
        return desk.go(back, _SAID.get(act, "saved"))
