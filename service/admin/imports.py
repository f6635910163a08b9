"""Lists of addresses: readers from a CSV (first dry), and addresses never to be mailed."""

from asyncio import to_thread
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.admin.desk import Desk, fault_at
from service.errors import PaperpostError
from service.flows import readers as flow
from service.flows import suppress
from service.flows.staff import Member, audit
from service.pages.forms import UPLOAD_BYTES, FieldError
from service.store import consent as consent_store
from service.subscribers.address import read_address

SHOWN = 200
MOST_BAD = 1_000_000
"""Characters of bad rows that travel in a page, to be downloaded from it."""


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/import and /admin/suppressions."""
    rt = desk.rt

    def import_page(
        request: Request,
        who: Member,
        errors: dict[str, FieldError] | None = None,
        **context: Any,
    ) -> Response:
        values = {"report": None, "dry": True, "text": "", **context}
        return desk.answer(request, "import.html", values, who=who, errors=errors)

    @routes.get("/import")
    def show_import(request: Request) -> Response:
        return import_page(request, desk.member(request, "editor"))

    @routes.post("/import")
    async def take(request: Request) -> Response:
        sent = await desk.sent(request, "editor", most_bytes=UPLOAD_BYTES)
        form = sent.form
        upload = form.upload("file")
        text = form.raw("text")
        data = upload.content if upload is not None and upload.content else text.encode()
        dry = form.raw("act") != "import"
        if not data.strip():
            errors = {"file": FieldError("No list was given.", "file", "Choose a file or paste.")}
            return import_page(request, sent.who, errors)
        try:
            report = await to_thread(flow.import_readers, rt, data, by=sent.who.name, dry_run=dry)
        except PaperpostError as error:
            errors = fault_at("file", error)
            return import_page(request, sent.who, errors, text=text)
        if not dry:
            after = {"rows": report.rows, "added": report.added, "bad": len(report.problems)}
            await to_thread(
                audit, rt, sent.who.name, "import readers", "", None, after, sent.address
            )
            rt.engine.enqueue("send")
        # the list travels back in the page, so that the second press imports what was looked at
        kept = data.decode("utf-8", "replace") if dry and len(data) < 200_000 else ""
        bad = report.problems_csv() if report.problems else ""
        return import_page(
            request,
            sent.who,
            report=report,
            dry=dry,
            text=kept,
            problems=report.problems[:SHOWN],
            problems_csv=bad if len(bad) <= MOST_BAD else "",
        )

    @routes.post("/import/problems")
    async def problems(request: Request) -> Response:
        """The bad rows that a page of ours holds, as a file: nothing of a list is stored."""
        sent = await desk.sent(request, "editor", most_bytes=2 * MOST_BAD)
        return Response(
            "\ufeff" + sent.form.raw("rows").lstrip("\r\n"),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="problems.csv"'},
        )

    def bars(
        request: Request, who: Member, errors: dict[str, FieldError] | None = None, note: str = ""
    ) -> Response:
        rows = rt.db.read(consent_store.list_suppressions)
        context = {"rows": rows[:SHOWN], "total": len(rows), "note": note}
        return desk.answer(request, "suppressions.html", context, who=who, errors=errors)

    @routes.get("/suppressions")
    def show_bars(request: Request) -> Response:
        return bars(request, desk.member(request))

    @routes.post("/suppressions")
    async def change_bars(request: Request) -> Response:
        sent = await desk.sent(request, "editor")
        text, who = sent.form.text("addresses", most=200_000), sent.who.name
        if sent.form.raw("act") == "lift":
            try:
                address = read_address(text)
                lifted = await to_thread(
                    suppress.unsuppress, rt, address, by=who, network=sent.address
                )
            except PaperpostError as error:
                errors = fault_at("addresses", error)
                return await to_thread(bars, request, sent.who, errors)
            note = "Lifted." if lifted else "This address was not suppressed."
            return await to_thread(bars, request, sent.who, None, note)
        report = await to_thread(
            suppress.import_suppressions,
            rt,
            text.encode(),
            reason="admin",
            by=who,
            network=sent.address,
        )
        note = f"{report.added} suppressed, {report.unchanged} were already."
        errors = {}
        if report.problems:
            row, typed, problem = report.problems[0]
            errors["addresses"] = FieldError(f"Line {row}, {typed[:60]!r}: {problem}", "addresses")
        return await to_thread(bars, request, sent.who, errors, note)
