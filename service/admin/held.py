"""Held mails: what happens by itself, and one word of a person on many of them."""

from asyncio import to_thread
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from service.admin.deliveries import read_typed, read_wanted_of
from service.admin.desk import Desk, fault_at
from service.flows import ledger, resolving
from service.flows.reconcile import ANSWERS, ResolveError
from service.flows.staff import Member
from service.pages.forms import FieldError
from service.store.db import Session
from service.store.delivery_lists import Chosen

KEPT = ("edition", "meaning", "domain", "from", "to", "q", "words")
"""Filters of the list that hold here, too."""


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/deliveries/held."""
    rt = desk.rt

    def page(
        request: Request,
        who: Member,
        answer: str,
        typed: dict[str, str],
        errors: dict[str, FieldError] | None = None,
    ) -> Response:
        if answer not in ANSWERS:
            raise HTTPException(404)
        found = resolving.count_held(rt, read_wanted_of(rt, typed), answer)

        def load(session: Session) -> dict[str, Any]:
            ids = found.examples
            return {"examples": ledger.list_facts(session, Chosen(ids=ids)) if ids else []}

        kept = {name: typed[name] for name in KEPT if typed[name]}
        context = rt.db.read(load) | {"found": found, "kept": kept}
        return desk.answer(request, "held.html", context, who=who, errors=errors, refused=409)

    @routes.get("/deliveries/held")
    def look(request: Request) -> Response:
        who = desk.member(request, "sender")
        query = request.query_params
        typed = read_typed({name: query.get(name, "") for name in KEPT})
        return page(request, who, query.get("answer", "accepted"), typed)

    @routes.post("/deliveries/held")
    async def settle(request: Request) -> Response:
        sent = await desk.sent(request, "sender")
        form = sent.form
        typed = read_typed({name: form.raw(name) for name in KEPT})
        number, answer = form.raw("mails"), form.raw("answer")
        expected = int(number) if number.isdecimal() and len(number) < 10 else -1
        try:
            await to_thread(
                lambda: resolving.resolve_held(
                    rt, read_wanted_of(rt, typed), answer, sent.who.name, sent.address,
                    expected=expected,
                )
            )  # fmt: skip
        except ResolveError as error:
            errors = fault_at("mails", error)
            return await to_thread(page, request, sent.who, answer, typed, errors)
        kept = {k: v for k, v in typed.items() if v}
        return desk.go("deliveries", f"held_{answer}", state="held", **kept)
