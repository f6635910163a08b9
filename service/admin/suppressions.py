"""Addresses never to be mailed: looked for, barred one by one or by a list, let in again."""

from asyncio import to_thread
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.admin.desk import Desk, fault_of
from service.errors import PaperpostError
from service.flows import suppress
from service.flows.reader_acts import read_reason
from service.flows.staff import Member
from service.pages.downloads import download
from service.pages.forms import UPLOAD_BYTES, FieldError, Form
from service.pages.paging import address_of_page, paging_of
from service.pages.sorting import sorting_of
from service.store import suppressions as store
from service.store.db import Session
from service.subscribers.address import read_address

PAGE_SIZE = 100


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/suppressions."""
    rt = desk.rt

    def bars(
        request: Request,
        who: Member,
        errors: dict[str, FieldError] | None = None,
        note: str = "",
        form: Form | None = None,
    ) -> Response:
        query = request.query_params
        reason = query.get("reason", "").strip()[:64]
        typed = query.get("q", "").strip()[:254]
        words = " ".join(query.get("words", "").split())[:200]
        sorting = sorting_of(request, tuple(store.ORDERS), "-since")
        faults, hashed = dict(errors or {}), ""
        try:
            hashed = suppress.hash_of(rt, typed) if typed else ""
        except PaperpostError as error:
            faults |= fault_of(error, ("q",), "q")

        def load(session: Session) -> dict[str, Any]:
            wanted = store.BarsWanted(reason, hashed, words)
            paging = paging_of(request, store.count_bars(session, wanted), PAGE_SIZE)
            rows = store.list_bars(
                session, wanted, order=sorting.name, is_down=sorting.is_down,
                limit=paging.size, offset=paging.offset,
            )  # fmt: skip
            return {"rows": rows, "paging": paging, "reasons": store.count_reasons(session)}

        context = rt.db.read(load) | {
            "typed": {"q": typed, "reason": reason, "words": words},
            "brought_by": suppress.brought_by,
            "sorting": sorting,
            "note": note,
            "form": form,
            "address_of_page": lambda number: address_of_page(request, number),
        }
        return desk.answer(request, "suppressions.html", context, who=who, errors=faults)

    @routes.get("/suppressions")
    def show_bars(request: Request) -> Response:
        return bars(request, desk.member(request))

    @routes.post("/suppressions")
    async def change_bars(request: Request) -> Response:
        sent = await desk.sent(request, "editor", most_bytes=UPLOAD_BYTES)
        form, who = sent.form, sent.who.name

        def act() -> Response:
            try:
                note, errors = _change(desk, form, who, sent.address)
            except PaperpostError as error:
                faults = fault_of(error, ("addresses", "reason"), "addresses")
                return bars(request, sent.who, faults, "", form)
            return bars(request, sent.who, errors, note, form if errors else None)

        return await to_thread(act)

    @routes.post("/suppressions/export")
    async def export(request: Request) -> Response:
        sent = await desk.sent(request, "editor")
        parts = await to_thread(
            lambda: suppress.export_csv(rt, by=sent.who.name, network=sent.address)
        )
        return download(parts, "suppressions.csv")


def _change(desk: Desk, form: Form, by: str, network: str) -> tuple[str, dict[str, FieldError]]:
    """(what was done, the first entry that is no address)."""
    rt = desk.rt
    upload = form.upload("file")
    data = form.raw("addresses").encode()
    if upload is not None and upload.content:
        data = upload.content
    why = read_reason(form.raw("reason"))
    if form.raw("act") == "lift":
        address = read_address(form.text("addresses", most=254))
        if not suppress.unsuppress(rt, address, by=by, network=network, why=why):
            return "This address was not suppressed.", {}
        if suppress.has_left(rt, address):
            return "Lifted. Its reader had left, and comes back by asking again themselves.", {}
        return "Lifted.", {}
    report = suppress.import_suppressions(rt, data, reason="admin", by=by, network=network, why=why)
    note = f"{report.added:,} suppressed, {report.unchanged:,} were already."
    if not report.problems:
        return note, {}
    row, typed, problem = report.problems[0]
    more = f" {len(report.problems):,} such lines in all." if len(report.problems) > 1 else ""
    fault = FieldError(f"Line {row}, {typed[:60]!r}: {problem}{more}", "addresses")
    return note, {"addresses": fault}
