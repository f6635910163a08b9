"""Tokens for programs: made here and shown once, listed, rotated, ended."""

from asyncio import to_thread
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.admin.desk import Desk, fault_of
from service.errors import PaperpostError
from service.flows import tokens
from service.flows.staff import Member
from service.pages.forms import FieldError, Form
from service.pages.listing import listed

_COLUMNS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "name": lambda one: one["name"],
    "made": lambda one: one["created_at"],
    "used": lambda one: one["seen_at"],
    "ends": lambda one: one["ended_at"] or one["ends_at"],
}


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/tokens."""
    rt = desk.rt

    def page(
        request: Request,
        who: Member,
        errors: dict[str, FieldError] | None = None,
        made: dict[str, Any] | None = None,
        form: Form | None = None,
    ) -> Response:
        """form: as it was typed, where it is shown again."""
        context = {
            "found": listed(request, tokens.list_tokens(rt), _COLUMNS, _text_of),
            "groups": [
                (group, [one for one in tokens.SCOPES.items() if one[0].startswith(f"{group}:")])
                for group in tokens.GROUPS
            ],
            "now": rt.clock(),
            "made": made,
            "name": form.raw("name")[: tokens.MOST_NAME] if form else "",
            "ticked": form.choices("scope", tuple(tokens.SCOPES)) if form else [],
            "ends_in": form.raw("days")[:20] if form else "",
        }
        return desk.answer(request, "tokens.html", context, who=who, errors=errors)

    @routes.get("/tokens")
    def show(request: Request) -> Response:
        return page(request, desk.member(request, "owner"))

    @routes.post("/tokens")
    async def change(request: Request) -> Response:
        sent = await desk.sent(request, "owner")
        form, by = sent.form, sent.who.name
        name = form.text("name", most=tokens.MOST_NAME)
        made: dict[str, Any] | None = None
        try:
            if form.raw("act") == "end":
                await to_thread(tokens.end_token, rt, name, by, sent.address)
            elif form.raw("act") == "rotate":
                made = await to_thread(tokens.rotate_token, rt, name, by, sent.address)
            else:
                days = _days_of(form.raw("days"))
                wanted = form.choices("scope", tuple(tokens.SCOPES))
                made = await to_thread(
                    lambda: tokens.make_token(rt, name, wanted, by, sent.address, days=days)
                )
        except PaperpostError as error:
            errors = fault_of(error, ("name", "scope", "days"), "name")
            return await to_thread(page, request, sent.who, errors, None, form)
        return await to_thread(page, request, sent.who, None, made)


def _text_of(one: dict[str, Any]) -> str:
    """What the list's filter looks in."""
    return " ".join((one["name"], one["created_by"], *one["scopes"]))


def _days_of(text: str) -> int | None:
    """After how many days it ends; nothing typed = never. Raises TokenNameError."""
    text = text.strip()
    if not text:
        return None
    return tokens.read_days(int(text) if text.isdecimal() and len(text) < 6 else 0)
