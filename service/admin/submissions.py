"""Readers' proposals: the queue, accepted for a day or declined."""

from asyncio import to_thread

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.admin.desk import Desk, fault_at
from service.admin.reader_choices import read_day
from service.errors import PaperpostError
from service.flows import submissions as flow
from service.flows.staff import Member
from service.pages.forms import FieldError, RowNumber
from service.pages.paging import address_of_page, paging_of, shown_at
from service.pages.sorting import sorting_of
from service.store import submissions as store

PAGE_SIZE = 50


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/submissions and the acts below it."""

    @routes.get("/submissions")
    def queue(request: Request) -> Response:
        return _page(desk, request, desk.member(request, "editor"))

    @routes.post("/submissions/{number}/accept")
    async def accept(request: Request, number: RowNumber) -> Response:
        sent = await desk.sent(request, "editor")
        on = read_day(sent.form.raw("on"))
        try:
            await flow.accept(desk.rt, number, on, by=sent.who.name, address=sent.address)
        except PaperpostError as error:
            errors = fault_at(f"row-{number}", error)
            return await to_thread(_page, desk, request, sent.who, errors)
        return desk.go("submissions", "accepted")

    @routes.post("/submissions/{number}/decline")
    async def decline(request: Request, number: RowNumber) -> Response:
        sent = await desk.sent(request, "editor")
        why = sent.form.raw("reason")
        try:
            await to_thread(
                flow.decline, desk.rt, number, why, by=sent.who.name, address=sent.address
            )
        except PaperpostError as error:
            errors = fault_at(f"row-{number}", error)
            return await to_thread(_page, desk, request, sent.who, errors)
        return desk.go("submissions", "declined")


def _page(
    desk: Desk, request: Request, who: Member, errors: dict[str, FieldError] | None = None
) -> Response:
    shown_at(request, desk.here.admin("submissions"))
    asked = request.query_params.get("state", "waiting")
    wanted = store.Wanted(asked if asked in store.STATES else "")
    sorting = sorting_of(request, store.ORDERS, "at" if wanted.state == "waiting" else "-at")
    counts = desk.rt.db.read(store.count_by_state)
    total = counts[wanted.state] if wanted.state else sum(counts.values())
    paging = paging_of(request, total, PAGE_SIZE)
    rows = desk.rt.db.read(
        lambda s: store.list_submissions(
            s, wanted, sort=sorting.word, limit=PAGE_SIZE, offset=paging.offset
        )
    )
    context = {
        "rows": rows,
        "state": wanted.state,
        "counts": counts,
        "sorting": sorting,
        "paging": paging,
        "address_of_page": lambda number: address_of_page(request, number),
        "today": desk.today(),
        "is_on": desk.rt.defaults().proposals == "on",
    }
    return desk.answer(request, "submissions.html", context, who=who, errors=errors)
