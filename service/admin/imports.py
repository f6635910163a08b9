"""Lists of readers: looked at first, then brought in as they were looked at; what each did."""

import io
from asyncio import to_thread
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import chain
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.admin.desk import Desk, fault_of
from service.admin.news import news_of, tenth
from service.errors import PaperpostError
from service.flows import import_undo, imported, imports
from service.flows.agreed import BASES
from service.flows.imports import read_basis
from service.flows.list_files import read_options
from service.flows.list_forms import FORMS
from service.flows.list_packs import MOST_BYTES, ListFile, pack, pack_all
from service.flows.reader_acts import read_reason
from service.flows.staff import Member
from service.pages.downloads import download
from service.pages.forms import FieldError, Form, RowNumber
from service.pages.paging import address_of_page, paging_of
from service.pages.sorting import sorting_of
from service.pages.uploads import LargeFile
from service.store import imports as store
from service.store import tags as tags_store
from service.store.db import Session

PAGE_SIZE = 50
OPTIONS = ("tags", "language", "hour", "zone", "keywords")
_FIELDS = ("file", "basis", "basis_words", *OPTIONS)


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/import and /admin/imports."""
    rt = desk.rt

    def form_page(
        request: Request,
        who: Member,
        form: Form | None = None,
        errors: dict[str, FieldError] | None = None,
    ) -> Response:
        context = {
            "form": form,
            "bases": BASES,
            "forms": FORMS,
            "zone": rt.zone,
            "known_tags": rt.db.read(tags_store.list_tags),
            "languages": [(c, rt.catalogs.texts(c).own_name) for c in rt.catalogs.languages],
        }
        return desk.answer(request, "import.html", context, who=who, errors=errors)

    @routes.get("/import")
    def show_import(request: Request) -> Response:
        return form_page(request, desk.member(request, "editor"))

    @routes.post("/import")
    async def look(request: Request) -> Response:
        """Look at a list; nobody is added."""
        sent, files = await desk.sent_files(request, "editor", most_bytes=MOST_BYTES)
        form = sent.form

        def act() -> Response:
            try:
                lists = _packed(form, files.get("file", ()))
                options = read_options({name: form.raw(name) for name in OPTIONS})
                basis = read_basis(form.raw("basis"), form.raw("basis_words"))
                number = imports.look(rt, lists, options, basis, by=sent.who.name)
            except PaperpostError as error:
                return form_page(request, sent.who, form, fault_of(error, _FIELDS, "file"))
            return desk.go(f"imports/{number}")

        return await to_thread(act)

    @routes.get("/imports")
    def list_imports(request: Request) -> Response:
        who = desk.member(request, "editor")
        asked = request.query_params.get("state", "")
        state = asked if asked in store.STATES else ""
        sorting = sorting_of(request, tuple(store.ORDERS), "-at")

        def load(session: Session) -> dict[str, Any]:
            paging = paging_of(request, store.count_imports(session, state), PAGE_SIZE)
            rows = imported.list_imports(
                session, limit=paging.size, offset=paging.offset, state=state, sort=sorting.word
            )
            return {"imports": rows, "paging": paging}

        context = rt.db.read(load) | {
            "state": state,
            "states": store.STATES,
            "sorting": sorting,
            "address_of_page": lambda number: address_of_page(request, number),
        }
        return desk.answer(request, "imports.html", context, who=who)

    def one(
        request: Request,
        who: Member,
        number: int,
        errors: Mapping[str, FieldError] | None = None,
        form: Form | None = None,
    ) -> Response:
        found = imported.get_import(rt, number)
        context = {
            **_moving(request, found),
            "look": found["look"],
            "now": found["done"] if found["done"] else found["look"],
            "problems": imported.first_problems(rt, number) if found["has_problems"] else [],
            "form": form,
        }
        return desk.answer(request, "imported.html", context, who=who, errors=errors, refused=409)

    @routes.get("/imports/{number}")
    def show(request: Request, number: RowNumber) -> Response:
        return one(request, desk.member(request, "editor"), number)

    @routes.get("/imports/{number}/progress")
    def progress(request: Request, number: RowNumber) -> Response:
        """How far it is, for the page that asks again and again."""
        who = desk.member(request, "editor")
        context = _moving(request, imported.get_import(rt, number))
        answer = desk.answer(request, "import_progress.html", context, who=who)
        found = context["one"]
        if found["state"] in ("tried", "refused") or (found["undo"] and not context["moves"]):
            # what was waited for is on the page
            answer.headers["HX-Refresh"] = "true"
        return answer

    @routes.post("/imports/{number}/problems")
    async def problems(request: Request, number: RowNumber) -> Response:
        sent = await desk.sent(request, "editor")
        parts = await to_thread(
            imported.export_problems, rt, number, by=sent.who.name, address=sent.address
        )
        return download(chain(["\ufeff"], parts), "problems.csv")

    @routes.post("/imports/{number}")
    async def press(request: Request, number: RowNumber) -> Response:
        """Bring in what was looked at; pressed twice, it comes once."""
        sent = await desk.sent(request, "editor")

        def act() -> Response:
            try:
                imports.press(
                    rt, number, by=sent.who.name, digest=sent.form.raw("digest"),
                    address=sent.address,
                )  # fmt: skip
            except imports.ListError as error:
                return one(request, sent.who, number, fault_of(error, ("file",), "file"))
            if imports.is_small(rt, number):
                imports.bring_in(rt, number)
                rt.engine.enqueue("send")
                return desk.go(f"imports/{number}", "list_in")
            rt.engine.enqueue("imports")
            return desk.go(f"imports/{number}", "list_under_way")

        return await to_thread(act)

    @routes.post("/imports/{number}/stop")
    async def stop(request: Request, number: RowNumber) -> Response:
        """End a look, an import or an undoing between two portions."""
        sent = await desk.sent(request, "editor")

        def act() -> Response:
            try:
                state = imports.stop(rt, number, by=sent.who.name, address=sent.address)
            except imports.ListError as error:
                return one(request, sent.who, number, fault_of(error, ("file",), "file"))
            return desk.go(f"imports/{number}" if state else "imports", "list_stopped")

        return await to_thread(act)

    @routes.post("/imports/{number}/undo")
    async def undo(request: Request, number: RowNumber) -> Response:
        """Erase those whom it brought and who were never mailed; pressed twice, it is one undo."""
        sent = await desk.sent(request, "owner")
        typed = sent.form.raw("number").replace(",", "").strip()

        def act() -> Response:
            try:
                if not typed.isdecimal() or len(typed) > 15:
                    raise imports.ListError(
                        "Type the number of readers to erase.", "number", "It stands above."
                    )
                import_undo.press(
                    rt, number, expected=int(typed), by=sent.who.name,
                    reason=read_reason(sent.form.raw("reason")), address=sent.address,
                )  # fmt: skip
            except imports.NoSuchImportError:
                raise
            except PaperpostError as error:
                errors = fault_of(error, ("number", "reason"), "number")
                return one(request, sent.who, number, errors, sent.form)
            if int(typed) <= import_undo.SMALL:
                import_undo.take_back(rt, number)
                return desk.go(f"imports/{number}", "done_erase")
            rt.engine.enqueue("imports")
            return desk.go(f"imports/{number}", "undo_under_way")

        return await to_thread(act)


def _moving(request: Request, found: Mapping[str, Any]) -> dict[str, Any]:
    """What the moving part shows, and tells: each tenth of the rows, and the end."""
    rows, of = found["seen"]
    if found["state"] == "undoing":
        rows, of = found["undo"]["seen"], found["undo"]["readers"]
    elif found["state"] != "looking":
        rows, of = found["done"].get("rows", 0), found["rows"]
    done = tenth(rows, of) if of else 0
    ended = {"done": "Done.", "stopped": "Stopped.", "tried": "Looked at.", "refused": "Not read."}
    doing = {"looking": "rows are looked at", "undoing": "readers are erased"}
    says = ended.get(found["state"], f"{done} % of the {doing.get(found['state'], 'rows are in')}.")
    moves = found["state"] in store.OPEN
    moving = {"one": found, "rows": rows, "of": of, "moves": moves}
    return moving | news_of(request, f"{found['state']}-{done}", says)


def _packed(form: Form, files: Sequence[LargeFile]) -> list[ListFile]:
    """What was chosen, else what was pasted."""
    lists: list[ListFile] = []
    with ExitStack() as opened:
        for file in files:
            opened.enter_context(file.stream)
        for file in files:
            left = MOST_BYTES - sum(one.size for one in lists)
            lists += pack_all(file.name, file.stream, left)
    text = form.raw("text").encode()
    if not lists and text.strip():
        lists.append(pack("pasted.csv", io.BytesIO(text)))
    return lists
