"""Editions: the list, one with its balance and progress, deliveries with the server's words."""

from asyncio import to_thread
from datetime import date, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from service.admin.desk import Desk
from service.admin.reader_choices import read_day
from service.delivery.states import State
from service.errors import PaperpostError
from service.flows import canary, ledger, manual
from service.flows import editions as flow
from service.flows.letter import bytes_of
from service.flows.preview import shown, why
from service.flows.runtime import Runtime
from service.flows.staff import Member
from service.pages.forms import FieldError
from service.pages.frame import framed
from service.pages.paging import address_of_page, paging_of
from service.store import audience as audience_store
from service.store import deliveries as deliveries_store
from service.store import editions as editions_store
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.store.tables import DeliveryRow, EditionRow
from service.subscribers.cadence import local_date

PAGE_SIZE = 100


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/editions and /admin/deliveries."""
    rt = desk.rt

    def page(
        request: Request, who: Member, edition_id: int, errors: dict[str, FieldError] | None = None
    ) -> Response:
        dead = ledger.gone_owners(rt)
        context = rt.db.read(lambda s: _progress(desk, s, edition_id, dead))
        return desk.answer(
            request, "edition.html", context, who=who, errors=errors, status=409 if errors else 200
        )

    @routes.get("/editions")
    def list_editions(request: Request) -> Response:
        who = desk.member(request)
        dead = ledger.gone_owners(rt)
        rows = rt.db.read(lambda s: flow.overview(s, dead=dead))
        paging = paging_of(request, len(rows), PAGE_SIZE)
        context = {
            "editions": rows[paging.offset : paging.offset + paging.size],
            "paging": paging,
            "address_of_page": lambda number: address_of_page(request, number),
        }
        return desk.answer(request, "editions.html", context, who=who)

    @routes.get("/editions/{edition_id}")
    def one(request: Request, edition_id: int) -> Response:
        return page(request, desk.member(request), edition_id)

    @routes.get("/editions/{edition_id}/progress")
    def progress(request: Request, edition_id: int) -> Response:
        who = desk.member(request)
        dead = ledger.gone_owners(rt)
        context = rt.db.read(lambda s: _progress(desk, s, edition_id, dead))
        return desk.answer(request, "progress.html", context, who=who)

    @routes.post("/editions/{edition_id}/{act}")
    async def change(request: Request, edition_id: int, act: str) -> Response:
        sent = await desk.sent(request, "sender")
        who, address, form = sent.who.name, sent.address, sent.form
        acts = {
            "pause": lambda: flow.pause(rt, edition_id, who, address),
            "resume": lambda: flow.resume(rt, edition_id, who, address),
            "cancel": lambda: flow.cancel(rt, edition_id, who, address),
            "resend": lambda: flow.resend(rt, edition_id, who, address),
            "rest": lambda: canary.go_on(rt, edition_id, by=who, address=address),
            "undo": lambda: manual.undo_daily(
                rt, edition_id, form.raw("key"), by=who, address=address
            ),
        }
        if act not in acts:
            raise HTTPException(404)
        try:
            made = await to_thread(acts[act])
        except PaperpostError as error:
            errors = {"act": FieldError(error.what, "act", error.next_step)}
            return await to_thread(page, request, sent.who, edition_id, errors)
        if act == "resend" and isinstance(made, dict):
            target = made["edition"] or edition_id
            return desk.go(f"editions/{target}", "" if made["edition"] else "nothing")
        said = {"pause": "paused", "resume": "resumed", "cancel": "cancelled", "undo": "undone"}
        return desk.go(f"editions/{edition_id}", said.get(act, act))

    @routes.get("/deliveries")
    def deliveries(request: Request) -> Response:
        who = desk.member(request)
        query = request.query_params
        edition = query.get("edition", "")
        edition_id = int(edition) if edition.isdecimal() and len(edition) < 15 else None
        state = query.get("state", "")
        state = state if state in [*State, "held"] else ""
        search = query.get("q", "").strip()[:254]
        is_held = state == "held"
        states = [state] if state and not is_held else None
        dead = ledger.gone_owners(rt) if is_held else []

        def load(session: Session) -> dict[str, Any]:
            total = audience_store.count_deliveries(
                session,
                edition_id=edition_id,
                states=states,
                held_by=dead if is_held else None,
                search=search,
            )
            paging = paging_of(request, total, PAGE_SIZE)
            rows = ledger.deliveries(
                session,
                edition_id,
                state,
                dead=dead,
                search=search,
                limit=paging.size,
                offset=paging.offset,
            )
            return {"rows": rows, "paging": paging}

        context = {
            **rt.db.read(load),
            "edition": edition_id,
            "state": state,
            "search": search,
            "states": [*[str(s) for s in State], "held"],
            "address_of_page": lambda number: address_of_page(request, number),
        }
        return desk.answer(request, "deliveries.html", context, who=who)

    @routes.get("/deliveries/{delivery_id}")
    def delivery(request: Request, delivery_id: int) -> Response:
        who = desk.member(request)

        def load(session: Session) -> dict[str, Any]:
            row = deliveries_store.get_delivery(session, id=delivery_id)
            if row is None:
                raise HTTPException(404)
            edition = editions_store.get_edition(session, id=row.edition_id)
            assert edition is not None
            return {
                "row": ledger.delivery_facts(row),
                "edition": edition,
                "why": why(rt, row, _day_of(rt, edition, row)),
                "attempts": deliveries_store.list_attempts(session, delivery_id),
                "has_mail": bool(row.content and edition.kind != "notice" and row.rcpt),
                "reader_id": row.subscriber_id,
            }

        return desk.answer(request, "delivery.html", rt.db.read(load), who=who)

    @routes.get("/deliveries/{delivery_id}/mail")
    def delivery_mail(request: Request, delivery_id: int) -> Response:
        desk.member(request, "editor")

        def load(session: Session) -> str:
            row = deliveries_store.get_delivery(session, id=delivery_id)
            # a notice holds somebody's fresh link: the staff need not see it
            if row is None or row.subscriber_id is None or not row.content:
                raise HTTPException(404)
            edition = editions_store.get_edition(session, id=row.edition_id)
            reader = subscribers_store.get_subscriber_row(session, id=row.subscriber_id)
            if edition is None or edition.kind == "notice" or "papers" not in row.content:
                raise HTTPException(404)
            holds = row.content["papers"] or row.content.get("signals")
            if not holds and "digest" in row.content:
                raise HTTPException(404)
            return shown("", bytes_of(rt, row, edition, reader)).html

        return framed(rt.db.read(load))


def _progress(desk: Desk, session: Session, edition_id: int, dead: list[int]) -> dict[str, Any]:
    now = desk.rt.clock()
    facts = flow.details(session, edition_id, dead=dead)
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
        "resendable": sum(r["count"] for r in facts["refused"] if r["resend"]),
        "not_resendable": sum(r["count"] for r in facts["refused"] if not r["resend"]),
    }


def _day_of(rt: Runtime, edition: EditionRow, row: DeliveryRow) -> date:
    """The day a delivery stands for: its digest's, else the one it was planned on."""
    on = read_day(edition.slot) if edition.kind == "digest" else None
    return on or local_date(row.planned_at, rt.zone)
