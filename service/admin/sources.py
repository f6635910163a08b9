"""Sources with their health, and one with its days: asked now, caught up, paused, changed."""

from asyncio import to_thread
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from service.admin.desk import Desk, Sent, fault_at
from service.errors import PaperpostError
from service.flows import catch_up, source_acts, source_edit
from service.flows.burst import read_burst
from service.flows.source_days import LONGEST, NoSourceError
from service.flows.source_health import (
    STRIP_DAYS,
    SourceHealth,
    read_paces,
    read_source,
    read_sources,
)
from service.flows.staff import Member
from service.pages.forms import FieldError, RowNumber
from service.pages.paging import address_of_page, paging_of
from service.pages.sorting import Sorting, sorting_of
from service.sources.registry import ADAPTERS
from service.store import source_desk

_USUAL = 28
_SAID = {"pause": "paused", "resume": "resumed", "remove": "removed", "poll": "asked",
         "catch-up": "asked"}  # fmt: skip
_COLUMNS = ("title", "state", "papers", "newest", "read", "next")
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/sources, /admin/sources/ID and what is done there."""
    rt = desk.rt

    @routes.get("/sources")
    def list_sources(request: Request) -> Response:
        who = desk.member(request)
        every = read_sources(rt, days=STRIP_DAYS)
        sorting = sorting_of(request, _COLUMNS, "")
        typed = {name: request.query_params.get(name, "")[:200] for name in ("q", "state", "kind")}
        found = _ordered([one for one in every if _fits(one, typed)], sorting)
        paging = paging_of(request, len(found))
        context = {
            "sources": found[paging.offset : paging.offset + paging.size],
            "ill": [one for one in every if one.trouble],
            "is_empty": not every,
            "paging": paging,
            "address_of_page": lambda number: address_of_page(request, number),
            "sorting": sorting,
            "typed": typed,
            "states": sorted({str(one.word) for one in every}),
            "kinds": sorted({one.kind for one in every}),
            "paces": read_paces(rt),
            "day_of_paces": rt.clock().astimezone(UTC).date(),
        }
        return desk.answer(request, "sources.html", context, who=who)

    @routes.get("/sources/{source_id}")
    def one(request: Request, source_id: RowNumber) -> Response:
        return _one(desk, request, desk.member(request), source_id)

    @routes.get("/sources/{source_id}/asked")
    def asked(request: Request, source_id: RowNumber) -> Response:
        who = desk.member(request)
        newest = source_acts.read_newest(rt, source_id)
        missing = catch_up.read_missing(rt, source_id)
        context = {"newest": newest, "missing": missing}
        answer = desk.answer(request, "source_asked.html", context, who=who)
        if "HX-Request" in request.headers and not newest.waits and not missing.wanted:
            # the figures and days around it are other ones now
            answer.headers["HX-Redirect"] = desk.here.admin(f"sources/{source_id}")
        return answer

    @routes.get("/sources/{source_id}/burst")
    def burst(request: Request, source_id: RowNumber) -> Response:
        who = desk.member(request)
        context = {"burst": read_burst(rt, source_id)}
        return desk.answer(request, "source_burst.html", context, who=who)

    @routes.get("/sources/{source_id}/change")
    def form(request: Request, source_id: RowNumber) -> Response:
        who = desk.member(request, "editor")
        return _form(desk, request, who, read_source(rt, source_id, days=1), {})

    @routes.post("/sources/{source_id}/change")
    async def change(request: Request, source_id: RowNumber) -> Response:
        sent = await desk.sent(request, "editor")
        return await to_thread(_change, desk, request, sent, source_id)

    @routes.post("/sources/{source_id}/{act}")
    async def act_on(request: Request, source_id: RowNumber, act: str) -> Response:
        sent = await desk.sent(request, "editor")
        if act not in (*source_acts.ACTS, "poll", "catch-up"):
            raise HTTPException(404)
        try:
            await to_thread(_act, desk, sent, source_id, act)
        except NoSourceError:
            raise
        except PaperpostError as error:
            errors = fault_at("act" if act != "catch-up" else "days", error)
            return await to_thread(_one, desk, request, sent.who, source_id, errors)
        back = "sources" if act == "remove" else f"sources/{source_id}"
        return desk.go(back, _SAID.get(act, "saved"))


def _act(desk: Desk, sent: Sent, source_id: int, act: str) -> None:
    rt, by, address = desk.rt, sent.who.name, sent.address
    if act == "poll":
        source_acts.ask_now(rt, source_id, by=by, address=address)
    elif act == "catch-up":
        days = sent.form.raw("days").strip()
        number = int(days) if days.isdecimal() and len(days) < 6 else 0 if not days else -1
        catch_up.bring_in(rt, source_id, days=number, by=by, address=address)
    else:
        source_acts.change_source(rt, source_id, act, by=by, address=address)


def _fits(one: SourceHealth, typed: dict[str, str]) -> bool:
    words = typed["q"].casefold().split()
    text = f"{one.title} {one.kind} {one.what}".casefold()
    return (
        all(word in text for word in words)
        and typed["state"] in ("", str(one.word))
        and typed["kind"] in ("", one.kind)
    )


def _ordered(found: Sequence[SourceHealth], sorting: Sorting) -> list[SourceHealth]:
    """In the order of a column; without one, as they were added."""
    keys: dict[str, Any] = {
        "title": lambda s: s.title.casefold(),
        "state": lambda s: str(s.word),
        "papers": lambda s: s.papers,
        "newest": lambda s: s.newest_on or date.min,
        "read": lambda s: s.last_poll_at or _LONG_AGO,
        "next": lambda s: s.next_poll_at or _LONG_AGO,
    }
    if not sorting.name:
        return list(found)
    return sorted(found, key=keys[sorting.name], reverse=sorting.is_down)


def _one(
    desk: Desk,
    request: Request,
    who: Member,
    source_id: int,
    errors: dict[str, FieldError] | None = None,
) -> Response:
    rt = desk.rt
    days = LONGEST if request.query_params.get("days") == str(LONGEST) else _USUAL
    made = read_source(rt, source_id, days=days)
    kind = ADAPTERS.get(made.kind)

    def asked(at: datetime, on: date) -> str:
        """When it was asked; the time alone where it was on the day ``on``."""
        there = at.astimezone(ZoneInfo(rt.zone))
        return f"{there:%H:%M}" if there.date() == on else desk.at(at)

    context = {
        "source": made,
        "kind_title": kind.title if kind else made.kind,
        "can_ask": kind is not None and not made.paused,
        "asked": asked,
        "longest": LONGEST if len(made.days) == _USUAL else 0,
        "all_shown": days == LONGEST,
        "newest": source_acts.read_newest(rt, source_id),
        "missing": catch_up.read_missing(rt, source_id),
        "goes": rt.db.read(lambda s: source_desk.count_remove(s, source_id)),
    }
    return desk.answer(request, "source.html", context, who=who, errors=errors, refused=409)


def _change(desk: Desk, request: Request, sent: Sent, source_id: int) -> Response:
    """First press: what would follow; second: done."""
    rt, form = desk.rt, sent.form
    made = read_source(rt, source_id, days=1)
    kind = ADAPTERS.get(made.kind)
    names = [one.name for one in kind.parameters] if kind else []
    title = form.text("title", most=500)
    params = {name: form.text(f"param-{name}", most=500) for name in names}
    typed = {"title": title, **{f"param-{name}": value for name, value in params.items()}}
    try:
        if form.raw("sure") != "1":
            plan = source_edit.plan_change(rt, source_id, title, params)
            return _form(desk, request, sent.who, made, typed, plan=plan)
        source_edit.edit_source(
            rt, source_id, title, params, by=sent.who.name, address=sent.address
        )
    except PaperpostError as error:
        where = f"param-{error.where}" if error.where in names else "title"
        return _form(desk, request, sent.who, made, typed, fault_at(where, error))
    return desk.go(f"sources/{source_id}", "saved")


def _form(
    desk: Desk,
    request: Request,
    who: Member,
    made: SourceHealth,
    typed: dict[str, str],
    errors: dict[str, FieldError] | None = None,
    plan: source_edit.SourceChange | None = None,
) -> Response:
    stored = source_edit.plan_change(desk.rt, made.id).params
    values = {"title": made.title, **{f"param-{k}": v for k, v in stored.items()}, **typed}
    kind = ADAPTERS.get(made.kind)
    context = {
        "source": made,
        "parameters": kind.parameters if kind else (),
        "typed": values,
        "plan": plan,
    }
    return desk.answer(request, "source_change.html", context, who=who, errors=errors)
