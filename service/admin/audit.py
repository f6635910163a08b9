"""The record of acts: who did what to what, what it was and is, from where and why."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from service.admin.desk import Desk, fault_at
from service.admin.reader_choices import read_day
from service.errors import PaperpostError
from service.flows import acts
from service.flows.act_targets import targets_of
from service.pages.downloads import download
from service.pages.paging import address_of_page, paging_of
from service.pages.sorting import sorting_of
from service.store import staff as staff_store
from service.store.db import Session
from service.store.staff import ACT_ORDERS, ActsWanted

PAGE_SIZE = 100
FILTERS = ("who", "what", "target", "from", "to")
FILES = {"csv": acts.csv_parts, "json": acts.json_parts}


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/audit and its files."""
    rt = desk.rt

    def read(query: Mapping[str, str]) -> tuple[dict[str, str], ActsWanted]:
        typed = {name: query.get(name, "").strip()[:254] for name in FILTERS}
        for name in ("from", "to"):
            typed[name] = typed[name] if read_day(typed[name]) else ""
        wanted = acts.read_wanted(
            who=typed["who"], what=typed["what"], target=typed["target"],
            first=read_day(typed["from"]), last=read_day(typed["to"]), zone=rt.zone,
        )  # fmt: skip
        return typed, wanted

    @routes.get("/audit")
    def audit(request: Request) -> Response:
        who = desk.member(request, "owner")
        errors = {}
        try:
            typed, wanted = read(request.query_params)
        except PaperpostError as error:
            errors = fault_at("from", error)
            typed, wanted = read({**request.query_params, "to": ""})
        sorting = sorting_of(request, ACT_ORDERS, "-at")

        def load(session: Session) -> dict[str, Any]:
            paging = paging_of(request, staff_store.count_audit(session, wanted), PAGE_SIZE)
            rows = staff_store.list_audit(
                session, wanted=wanted, sort=sorting.word, limit=paging.size, offset=paging.offset
            )
            return {
                "rows": rows,
                "targets": targets_of(session, rows, who.role),
                "paging": paging,
                "names": staff_store.list_act_names(session),
            }

        context = rt.db.read(load) | {
            "typed": typed,
            "kept": {name: value for name, value in typed.items() if value},
            "sorting": sorting,
            "changes": acts.changes,
            "days": rt.defaults().keep_audit_days,
            "address_of_page": lambda number: address_of_page(request, number),
        }
        return desk.answer(request, "audit.html", context, who=who, errors=errors)

    @routes.get("/audit/export.{kind}")
    def export(request: Request, kind: str) -> Response:
        desk.member(request, "owner")
        if kind not in FILES:
            raise HTTPException(404)
        try:
            _, wanted = read(request.query_params)
        except PaperpostError:
            raise HTTPException(422) from None
        return download(FILES[kind](rt, wanted), f"acts.{kind}")
