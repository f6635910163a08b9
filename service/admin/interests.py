"""The interests workbench: what readers want, noisy and dead interests, words tried on papers."""

from asyncio import to_thread
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.admin.desk import Desk, fault_at
from service.defaults import FIXED
from service.flows import workbench as flow
from service.flows.census import DAYS
from service.flows.contribution import list_shares
from service.matching.query import QueryError
from service.pages.chart import Counts, Point, counts
from service.pages.entry import entry_of
from service.pages.paging import address_of_page, asked_offset, paging_of
from service.pages.sorting import sorting_of

_LONGEST = 4000


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/interests with its lists, /admin/interests/try and /admin/sources/contribution."""
    rt = desk.rt

    def frame(request: Request, **more: Any) -> dict[str, Any]:
        stats = rt.engine.stats().get("census")
        return {
            "run": flow.read_run(rt),
            "is_counting": stats is not None and stats.running,
            "days": DAYS,
            "broad": FIXED.broad_a_day,
            "address_of_page": lambda number: address_of_page(request, number),
            **more,
        }

    @routes.get("/interests")
    def terms(request: Request) -> Response:
        who = desk.member(request)
        typed = {name: request.query_params.get(name, "")[:200] for name in ("q", "kind", "never")}
        typed["kind"] = typed["kind"] if typed["kind"] in flow.TERM_KINDS else ""
        sorting = sorting_of(request, flow.TERM_ORDERS, "-readers")
        how: dict[str, Any] = {
            "words": typed["q"], "kind": typed["kind"], "never": typed["never"] == "1",
        }  # fmt: skip
        paging = paging_of(request, flow.list_terms(rt, **how, limit=0).total, flow.PAGE_SIZE)
        found = flow.list_terms(
            rt,
            **how,
            sort=sorting.word,
            limit=paging.size,
            offset=paging.offset,
            total=paging.total,
        )
        context = frame(
            request, found=found, paging=paging, sorting=sorting, typed=typed,
            kinds=flow.TERM_KINDS, states=flow.count_states(rt),
        )  # fmt: skip
        return desk.answer(request, "interests.html", context, who=who)

    @routes.get("/interests/list")
    def lines(request: Request) -> Response:
        who = desk.member(request)
        asked = request.query_params.get("state", "")
        state: Any = asked if asked in flow.STATES else "all"
        text = request.query_params.get("q", "")[:200]
        sorting = sorting_of(request, flow.LINE_ORDERS, "made" if state == "dead" else "-papers")
        how: dict[str, Any] = {"words": text, "sort": sorting.word, "limit": flow.PAGE_SIZE}
        at = asked_offset(request, flow.PAGE_SIZE)
        found = flow.list_lines(rt, state, **how, offset=at)
        paging = paging_of(request, found.total, flow.PAGE_SIZE)
        if paging.is_beyond:
            found = flow.list_lines(rt, state, **how, offset=paging.offset)
        context = frame(
            request, found=found, paging=paging, sorting=sorting, state=state,
            typed={"q": text, "state": state}, states=flow.STATES,
        )  # fmt: skip
        return desk.answer(request, "interest_list.html", context, who=who)

    @routes.get("/interests/try")
    def try_out(request: Request) -> Response:
        who = desk.member(request)
        asked = request.query_params
        typed = {name: asked.get(name, "")[:_LONGEST] for name in ("words", "other", "as", "days")}
        typed["as"] = typed["as"] if typed["as"] in flow.READINGS else "words"
        days = int(typed["days"]) if typed["days"] in map(str, flow.TRY_DAYS) else DAYS
        tried, errors = None, None
        if typed["words"].strip():
            try:
                tried = flow.try_words(rt, typed["words"], typed["as"], days=days,
                                       other=typed["other"])  # fmt: skip
            except QueryError as error:
                where = "other" if error.where == "other" else "words"
                errors = fault_at(where, error)
        context = {
            "typed": {**typed, "days": str(days)},
            "tried": tried,
            "chart": _chart(desk, tried) if tried else None,
            "other_chart": _chart(desk, tried, other=True) if tried and tried.other else None,
            "entries": _entries(desk, tried) if tried else [],
            "readings": flow.READINGS,
            "spans": flow.TRY_DAYS,
        }
        return desk.answer(request, "interest_try.html", context, who=who, errors=errors)

    @routes.post("/interests/count")
    async def count(request: Request) -> Response:
        sent = await desk.sent(request, "editor")
        await to_thread(flow.ask_count, rt, by=sent.who.name, address=sent.address)
        return desk.go("interests", "counting")

    @routes.get("/sources/contribution")
    def contribution(request: Request) -> Response:
        who = desk.member(request)
        names = ("title", "papers", "matched", "alone", "readers", "only")
        sorting = sorting_of(request, names, "-papers")
        chosen = request.query_params.get("source", "")
        every = list_shares(rt)
        is_one = chosen.isdecimal()
        rows = [one for one in every if (str(one.source_id) == chosen and one.category) or
                (not is_one and not one.category)]  # fmt: skip
        column = {"alone": "alone_matched", "only": "only_readers"}.get(sorting.name, sorting.name)
        column = "category" if is_one and column == "title" else column
        rows.sort(key=lambda one: (getattr(one, column), one.title), reverse=sorting.is_down)
        paging = paging_of(request, len(rows), flow.PAGE_SIZE)
        title = next((one.title for one in every if str(one.source_id) == chosen), "")
        context = frame(
            request, shares=rows[paging.offset : paging.offset + paging.size], paging=paging,
            sorting=sorting, chosen=chosen if is_one else "", title=title,
        )  # fmt: skip
        return desk.answer(request, "contribution.html", context, who=who)


def _chart(desk: Desk, tried: flow.Tried, *, other: bool = False) -> Counts:
    made = tried.other if other and tried.other else tried.made
    texts = desk.pages.catalogs.texts("en")
    days = sorted(made.estimate.per_day.items())
    return counts([Point(texts.short_day(day), n) for day, n in days])


def _entries(desk: Desk, tried: flow.Tried) -> list[Any]:
    """The best papers as pages show them, their titles leading to the desk."""
    near = desk.today()
    return [
        replace(
            entry_of(one.paper, desk.here, title=one.title, abstract=one.abstract,
                     place=one.place, near=near),
            href=desk.here.admin(f"papers/{one.paper.id}"),
        )
        for one in tried.best
    ]  # fmt: skip
