"""Alarms: what is wrong until it is over, and who rests because of it."""

from asyncio import to_thread
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.admin.desk import Desk
from service.flows import alarms as flow
from service.pages.forms import RowNumber
from service.pages.listing import listed
from service.store import alarms as alarms_store
from service.store import rests as rests_store
from service.store.db import Session

_COLUMNS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "what": lambda one: one["what"],
    "from": lambda one: one["since"],
    "to": lambda one: one["ended_at"],
}


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/alarms and /admin/alarms/ID/end."""
    rt = desk.rt

    @routes.get("/alarms")
    def list_alarms(request: Request) -> Response:
        who = desk.member(request)
        context = rt.db.read(found)
        context["over"] = listed(
            request, context["over"], _COLUMNS, lambda one: f"{one['what']} {one['where']}"
        )
        return desk.answer(request, "alarms.html", context, who=who)

    @routes.post("/alarms/{alarm_id}/end")
    async def end(request: Request, alarm_id: RowNumber) -> Response:
        sent = await desk.sent(request, "sender")
        await to_thread(flow.end_by_hand, rt, alarm_id, by=sent.who.name, address=sent.address)
        return desk.go("alarms", "over")

    def found(session: Session) -> dict[str, Any]:
        over = [row for row in alarms_store.list_all(session) if row.ended_at]
        return {
            "alarms": [flow.alarm_facts(row) for row in alarms_store.list_open(session)],
            "over": [flow.alarm_facts(row) for row in over],
            "rests": rests_store.list_rests(session, rt.clock()),
            "mailed_to": flow.told(rt, session),
        }
