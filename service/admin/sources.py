"""Sources with their health: list, add, pause, take a held burst."""

from asyncio import to_thread
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from service.admin.desk import Desk, fault_of
from service.errors import PaperpostError
from service.flows import sources as flow
from service.flows.source_health import day_sign
from service.flows.staff import Member, audit
from service.pages.forms import FieldError, Form
from service.sources.registry import ADAPTERS
from service.store import audience as audience_store
from service.store import sources as sources_store
from service.store.db import Session

SIGNS = {
    "ok": "complete",
    "late": "late",
    "stale": "late",
    "silent": "late",
    "paused": "empty",
    "failing": "failed",
    "gone": "failed",
}
DAYS = 10


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/sources."""
    rt = desk.rt

    def page(
        request: Request,
        who: Member,
        form: Form | None = None,
        errors: dict[str, FieldError] | None = None,
    ) -> Response:
        context = rt.db.read(lambda s: _health(desk, s))
        context["kinds"] = [(kind, kind) for kind in ADAPTERS]
        context["form"] = form
        status = 422 if errors else 200
        return desk.answer(request, "sources.html", context, who=who, errors=errors, status=status)

    @routes.get("/sources")
    def list_sources(request: Request) -> Response:
        return page(request, desk.member(request))

    @routes.post("/sources")
    async def add(request: Request) -> Response:
        sent = await desk.sent(request, "editor")
        form = sent.form
        kind = form.choice("kind", list(ADAPTERS))
        what, title = form.text("what", most=500), form.text("title")
        try:
            made = await to_thread(flow.add_source, rt, kind, what, title)
        except PaperpostError as error:
            errors = fault_of(error, ("kind", "title"), "what")
            return await to_thread(page, request, sent.who, form, errors)
        await to_thread(
            audit, rt, sent.who.name, "add source", made["title"], None, made, sent.address
        )
        return desk.go("sources", "added")

    @routes.post("/sources/{source_id}/{act}")
    async def change(request: Request, source_id: int, act: str) -> Response:
        sent = await desk.sent(request, "editor")
        acts = {
            "pause": lambda: flow.pause(rt, source_id),
            "resume": lambda: flow.resume(rt, source_id),
            "take-new": lambda: flow.release_held(rt, source_id, as_new=True),
            "take-known": lambda: flow.release_held(rt, source_id, as_new=False),
        }
        if act not in acts:
            raise HTTPException(404)
        await to_thread(acts[act])
        await to_thread(
            audit, rt, sent.who.name, f"{act} source", str(source_id), None, None, sent.address
        )
        return desk.go("sources", {"pause": "paused", "resume": "resumed"}.get(act, "saved"))


def _health(desk: Desk, session: Session) -> dict[str, Any]:
    today = desk.today()
    since = today - timedelta(days=DAYS - 1)
    found = sources_store.summary(session)
    kinds = {source["id"]: source["kind"] for source in found}
    days: dict[int, list[Any]] = {}
    for row in sources_store.list_source_days(session, since):
        sign = day_sign(kinds.get(row.source_id, ""), row, today) or "empty"
        days.setdefault(row.source_id, []).append((row.day, sign, row.state, row.new))
    held = audience_store.count_held_papers(session)
    return {
        "sources": [
            {
                **source,
                "sign": SIGNS.get(source["state"], "failed"),
                "days": days.get(source["id"], []),
                "held": held.get(source["id"], 0),
            }
            for source in found
        ]
    }
