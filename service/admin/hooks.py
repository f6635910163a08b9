"""Programs that are told of events: added and shown their secret once, tried, ended; every call
with its tries."""

from asyncio import to_thread
from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.admin.desk import Desk, fault_of
from service.errors import PaperpostError
from service.flows import hook_lists
from service.flows.hooks import EVENTS
from service.flows.staff import Member
from service.pages.forms import FieldError, RowNumber
from service.pages.listing import listed
from service.pages.paging import address_of_page, paging_of
from service.pages.sorting import sorting_of
from service.store import hooks as store
from service.store.db import Session

PAGE_SIZE = 50
_COLUMNS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "name": lambda one: one["name"],
    "state": lambda one: (one["ended_at"] is not None, one["failures"]),
    "waiting": lambda one: one["calls"]["waiting"],
    "taken": lambda one: one["calls"]["done"],
    "failed": lambda one: one["calls"]["failed"],
}


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/webhooks and /admin/webhooks/ID."""
    rt = desk.rt

    def page(
        request: Request,
        who: Member,
        errors: dict[str, FieldError] | None = None,
        made: dict[str, Any] | None = None,
        typed: dict[str, Any] | None = None,
    ) -> Response:
        context = {
            "found": listed(request, rt.db.read(hook_lists.list_facts), _COLUMNS, _text_of),
            "events": EVENTS,
            "made": made,
            "typed": typed or {"name": "", "url": "", "events": [*EVENTS], "tells_address": False},
        }
        return desk.answer(request, "webhooks.html", context, who=who, errors=errors)

    @routes.get("/webhooks")
    def show(request: Request) -> Response:
        return page(request, desk.member(request, "owner"))

    @routes.post("/webhooks")
    async def add(request: Request) -> Response:
        sent = await desk.sent(request, "owner")
        form = sent.form
        typed: dict[str, Any] = {
            "name": form.text("name", most=hook_lists.MOST_NAME),
            "url": form.text("url", most=hook_lists.MOST_URL),
            "events": form.choices("event", tuple(EVENTS)),
            "tells_address": form.flag("tells_address"),
        }
        try:
            made = await to_thread(
                lambda: hook_lists.add_hook(rt, by=sent.who.name, address=sent.address, **typed)
            )
        except PaperpostError as error:
            errors = fault_of(error, ("name", "url", "events"), "name")
            return await to_thread(page, request, sent.who, errors, None, typed)
        return await to_thread(page, request, sent.who, None, made)

    def log(
        request: Request,
        who: Member,
        number: int,
        errors: dict[str, FieldError] | None = None,
        made: dict[str, Any] | None = None,
    ) -> Response:
        asked = request.query_params.get("state", "")
        state = asked if asked in hook_lists.STATES else ""
        sorting = sorting_of(request, tuple(store.CALL_ORDERS), "-at")

        def load(session: Session) -> dict[str, Any]:
            hook = hook_lists.get_facts(session, number)
            paging = paging_of(request, store.count_calls(session, number, state), PAGE_SIZE)
            rows = hook_lists.log_of(
                session, number, state=state, sort=sorting.word, limit=paging.size,
                offset=paging.offset,
            )  # fmt: skip
            now = rt.clock()
            may = {
                row["id"]
                for row in rows
                if hook_lists.can_call(row["state"], _instant(row["next_at"]), now)
            }
            return {"hook": hook, "calls": rows, "may_call": may, "paging": paging}

        context = rt.db.read(load) | {
            "state": state,
            "states": hook_lists.STATES,
            "sorting": sorting,
            "made": made,
            "address_of_page": lambda n: address_of_page(request, n),
        }
        return desk.answer(request, "webhook.html", context, who=who, errors=errors, refused=409)

    @routes.get("/webhooks/{webhook_id}")
    def calls(request: Request, webhook_id: RowNumber) -> Response:
        return log(request, desk.member(request, "owner"), webhook_id)

    @routes.post("/webhooks/{webhook_id}")
    async def act(request: Request, webhook_id: RowNumber) -> Response:
        sent = await desk.sent(request, "owner")
        form, whence = sent.form, (sent.who.name, sent.address)
        wanted = form.raw("act")
        made: dict[str, Any] | None = None
        try:
            if wanted == "again":
                text = form.raw("call")
                number = int(text) if text.isdecimal() and len(text) < 16 else 0
                await to_thread(hook_lists.send_again, rt, number, *whence)
            elif wanted == "test":
                await to_thread(hook_lists.try_hook, rt, webhook_id, *whence)
            elif wanted == "end":
                await to_thread(hook_lists.end_by_hand, rt, webhook_id, *whence)
            elif wanted == "rotate":
                made = await to_thread(hook_lists.rotate_secret, rt, webhook_id, *whence)
                return await to_thread(log, request, sent.who, webhook_id, None, made)
            else:
                raise hook_lists.HookError("There is no such act.", "act", "Press a button.")
        except PaperpostError as error:
            errors = fault_of(error, (), "act")
            return await to_thread(log, request, sent.who, webhook_id, errors)
        return desk.go(f"webhooks/{webhook_id}", "called" if wanted != "end" else "saved")


def _text_of(one: dict[str, Any]) -> str:
    """What the list's filter looks in."""
    return " ".join((one["name"], one["url"], *one["events"]))


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
