"""Editions: the list, and one with its balance and progress."""

from asyncio import to_thread
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from service.admin.desk import Desk, fault_at
from service.errors import PaperpostError
from service.flows import canary, ledger, manual
from service.flows import editions as flow
from service.flows.staff import Member
from service.pages.forms import FieldError, RowNumber
from service.pages.paging import address_of_page, paging_of
from service.store import audience as audience_store
from service.store import editions as editions_store
from service.store.db import Session

PAGE_SIZE = 100


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/editions."""
    rt = desk.rt

    def page(
        request: Request, who: Member, edition_id: int, errors: dict[str, FieldError] | None = None
    ) -> Response:
        dead = ledger.gone_owners(rt)
        context = rt.db.read(lambda s: _progress(desk, s, edition_id, dead))
        return desk.answer(request, "edition.html", context, who=who, errors=errors, refused=409)

    @routes.get("/editions")
    def list_editions(request: Request) -> Response:
        who = desk.member(request)
        dead = ledger.gone_owners(rt)
        rows = rt.db.read(lambda s: flow.overview(s, dead=dead, now=rt.clock()))
        paging = paging_of(request, len(rows), PAGE_SIZE)
        context = {
            "editions": rows[paging.offset : paging.offset + paging.size],
            "paging": paging,
            "address_of_page": lambda number: address_of_page(request, number),
        }
        return desk.answer(request, "editions.html", context, who=who)

    @routes.get("/editions/{edition_id}")
    def one(request: Request, edition_id: RowNumber) -> Response:
        return page(request, desk.member(request), edition_id)

    @routes.get("/editions/{edition_id}/progress")
    def progress(request: Request, edition_id: RowNumber) -> Response:
        who = desk.member(request)
        dead = ledger.gone_owners(rt)
        context = rt.db.read(lambda s: _progress(desk, s, edition_id, dead))
        return desk.answer(request, "progress.html", context, who=who)

    @routes.post("/editions/{edition_id}/{act}")
    async def change(request: Request, edition_id: RowNumber, act: str) -> Response:
        sent = await desk.sent(request, "sender")
        who, address, form = sent.who.name, sent.address, sent.form
        acts = {
            "pause": lambda: flow.pause(rt, edition_id, who, address),
            "resume": lambda: flow.resume(rt, edition_id, who, address),
            "cancel": lambda: flow.cancel(rt, edition_id, who, address),
            "rest": lambda: canary.go_on(rt, edition_id, by=who, address=address),
            "undo": lambda: manual.undo_daily(
                rt, edition_id, form.raw("key"), by=who, address=address
            ),
        }
        if act not in acts:
            raise HTTPException(404)
        try:
            await to_thread(acts[act])
        except PaperpostError as error:
            errors = fault_at("act", error)
            return await to_thread(page, request, sent.who, edition_id, errors)
        said = {"pause": "paused", "resume": "resumed", "cancel": "cancelled", "undo": "undone"}
        return desk.go(f"editions/{edition_id}", said.get(act, act))


def _progress(desk: Desk, session: Session, edition_id: int, dead: list[int]) -> dict[str, Any]:
    now = desk.rt.clock()
    facts = flow.details(session, edition_id, dead=dead, now=now)
    edition = editions_store.get_edition(session, id=edition_id)
    assert edition is not None
    undo_until, undo_key = edition.not_before, ""
    for key, act in edition.options.get("acts", {}).items():
        if act["until"]:
            undo_until, undo_key = datetime.fromisoformat(act["until"]), key
    in_window = undo_until is not None and undo_until > now and edition.state != "cancelled"
    times = audience_store.list_accept_times(session, edition_id)
    rate = left = None
    if times is not None and times[2] > 1:
        seconds = max((times[1] - times[0]).total_seconds(), 0.001)
        rate = (times[2] - 1) / seconds
        left = facts["waiting"] / rate
    is_moving = facts["waiting"] > 0 and facts["state"] not in ("paused", "cancelled", "done")
    return {
        "edition": facts,
        "undo_s": int((undo_until - now).total_seconds()) if in_window and undo_until else 0,
        "undo_key": undo_key,
        "rate": rate,
        "left_s": left,
        "draft_key": edition.slot if edition.options.get("typed") else "",
        "first": canary.look(session, edition, now),
        "is_moving": is_moving,
        "resendable": sum(r["again"] for r in facts["refused"]),
        "not_resendable": sum(r["count"] - r["again"] - r["done"] for r in facts["refused"]),
    }
