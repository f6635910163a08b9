"""The list of editions: filtered, sorted, a page at a time, and as a table for spreadsheets."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.admin.desk import Desk
from service.admin.reader_choices import read_day
from service.flows import edition_lists as flow
from service.flows import ledger
from service.flows.runtime import Runtime
from service.pages.downloads import download
from service.pages.paging import address_of_page, paging_of
from service.pages.sorting import sorting_of
from service.store import edition_lists as store
from service.store.db import Session
from service.store.edition_lists import SORTS, Wanted

PAGE_SIZE = 50
FILTERS = ("kind", "state", "q", "from", "to")


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/editions and /admin/editions/export.csv."""
    rt = desk.rt

    @routes.get("/editions")
    def list_editions(request: Request) -> Response:
        who, typed = desk.member(request), _typed(request.query_params)
        wanted, sorting = _wanted(rt, typed), sorting_of(request, tuple(SORTS), "-begun")
        dead = ledger.gone_owners(rt)

        def load(session: Session) -> dict[str, Any]:
            paging = paging_of(request, store.count_found(session, wanted), PAGE_SIZE)
            rows = flow.list_page(
                session, wanted, dead=dead, now=rt.clock(), sort=sorting.word,
                limit=paging.size, offset=paging.offset,
            )  # fmt: skip
            return {"editions": rows, "paging": paging}

        context = rt.db.read(load) | {
            "typed": typed,
            "kept": {name: value for name, value in typed.items() if value},
            "sorting": sorting,
            "kinds": (*flow.KINDS, "notice"),
            "states": flow.STATES,
            "address_of_page": lambda number: address_of_page(request, number),
        }
        return desk.answer(request, "editions.html", context, who=who)

    @routes.get("/editions/export.csv")
    def export(request: Request) -> Response:
        desk.member(request)
        wanted = _wanted(rt, _typed(request.query_params))
        sort = sorting_of(request, tuple(SORTS), "-begun").word
        return download(flow.csv_parts(rt, wanted, sort), "editions.csv")


def _typed(query: Mapping[str, str]) -> dict[str, str]:
    """What stands in the address; what is none of the choices is left out."""
    typed = {name: query.get(name, "").strip()[:254] for name in FILTERS}
    for name, words in {"kind": (*flow.KINDS, "notice"), "state": flow.STATES}.items():
        typed[name] = typed[name] if typed[name] in words else ""
    for name in ("from", "to"):
        typed[name] = typed[name] if read_day(typed[name]) else ""
    return typed


def _wanted(rt: Runtime, typed: Mapping[str, str]) -> Wanted:
    return flow.read_wanted(
        kind=typed["kind"],
        state=typed["state"],
        first=read_day(typed["from"]),
        last=read_day(typed["to"]),
        words=typed["q"],
        zone=rt.zone,
    )
