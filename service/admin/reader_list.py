"""Readers as a list: chosen, sorted, paged; acts on all of them, their tags, lists taken along."""

from asyncio import to_thread
from collections.abc import Callable, Iterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from service.admin.answers import reasons_told
from service.admin.desk import Desk, fault_of
from service.admin.reader_choices import read_until
from service.errors import PaperpostError
from service.flows import ledger, reader_acts, reader_lists, tags
from service.flows.accounts import refusal
from service.flows.exports import Form as FileForm
from service.flows.interests import read_people
from service.flows.reader_acts import read_reason
from service.flows.reader_lists import FIELDS, STATES, Chosen
from service.flows.readers import add_reader, read_new
from service.flows.segment import SegmentError
from service.flows.staff import Member
from service.pages import listing
from service.pages.downloads import download
from service.pages.forms import UPLOAD_BYTES, FieldError, Form
from service.pages.paging import address_of_page, paging_of
from service.pages.sorting import sorting_of
from service.store import reader_lists as store
from service.store import subscribers as subscribers_store
from service.store import tags as tags_store
from service.store.db import Session
from service.subscribers.model import Cadence
from service.text.tally import tally

PAGE_SIZE = 100
_TAG_COLUMNS: dict[str, Callable[[tuple[str, int]], Any]] = {
    "name": lambda one: one[0],
    "readers": lambda one: one[1],
}
ERASES = "owner"
"""Who may erase many readers at once."""


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/readers, /admin/readers/act, /admin/readers/export and /admin/tags."""
    rt = desk.rt

    def chosen_of(typed: dict[str, str]) -> Chosen:
        dead = tuple(ledger.gone_owners(rt)) if "held" in typed.get("segment", "") else ()
        return reader_lists.read_chosen(rt, typed, dead=dead)

    def listed(
        request: Request,
        who: Member,
        form: Form | None = None,
        errors: dict[str, FieldError] | None = None,
    ) -> Response:
        typed = {name: request.query_params.get(name, "").strip() for name in FIELDS}
        sorting = sorting_of(request, tuple(store.ORDERS), "address")
        faults = dict(errors or {})
        try:
            chosen = chosen_of(typed)
        except PaperpostError as error:
            faults |= fault_of(error, FIELDS, "segment")
            chosen = chosen_of({})

        def load(session: Session) -> dict[str, Any]:
            total, found = reader_lists.find(session, chosen)
            paging = paging_of(request, total, PAGE_SIZE)
            rows = []
            if paging.total:  # nobody is looked for twice
                rows = reader_lists.list_page(
                    session, found, order=sorting.name, is_down=sorting.is_down,
                    limit=paging.size, offset=paging.offset,
                )  # fmt: skip
            return {
                "readers": rows,
                "paging": paging,
                "counts": subscribers_store.count_subscribers(session),
                "tags": tags_store.list_tags(session),
            }

        context = {
            **rt.db.read(load),
            "typed": typed,
            "kept": {name: value for name, value in typed.items() if value},
            "which": reader_lists.told(chosen),
            "states": STATES,
            "cadences": [one.value for one in Cadence],
            "languages": [(c, rt.catalogs.texts(c).own_name) for c in rt.catalogs.languages],
            "sorting": sorting,
            "form": form,
            "address_of_page": lambda number: address_of_page(request, number),
            "why_left": reasons_told(rt) if typed["state"] == "left" else None,
            "erases": ERASES,
            "today": desk.today().isoformat(),
        }
        if done := _done(request):
            context["said"] = done
        return desk.answer(request, "readers.html", context, who=who, errors=faults)

    @routes.get("/readers")
    def list_readers(request: Request) -> Response:
        return listed(request, desk.member(request))

    @routes.post("/readers")
    async def add(request: Request) -> Response:
        sent = await desk.sent(request, "editor")
        form = sent.form
        cells = {
            "email": form.text("email", most=254),
            "keywords": form.text("words", most=2000),
            "people": form.text("people", most=2000),
            "name": form.text("name"),
            "tags": form.text("tags"),
            "confirmed": "true" if form.flag("confirmed") else "false",
        }

        def make() -> int:
            read_people(cells["people"])
            return add_reader(rt, read_new(cells), by=sent.who.name, address=sent.address)

        try:
            reader_id = await to_thread(make)
        except PaperpostError as error:
            errors = fault_of(error, ("email", "words", "people", "name", "tags"), "words")
            if "email" not in errors and error.where.startswith("addr"):
                errors = {"email": next(iter(errors.values()))}
            return await to_thread(listed, request, sent.who, form, errors)
        rt.engine.enqueue("send")
        return desk.go(f"readers/{reader_id}", "added")

    @routes.post("/readers/export")
    async def export(request: Request) -> Response:
        sent = await desk.sent(request, "editor")
        form = sent.form
        kind: FileForm = "json" if form.raw("format") == "json" else "csv"

        def begin() -> Iterator[str]:
            chosen = chosen_of({name: form.raw(name) for name in FIELDS})
            return reader_lists.export(rt, chosen, kind, by=sent.who.name, address=sent.address)

        try:
            return download(await to_thread(begin), f"readers.{kind}")
        except SegmentError:
            raise HTTPException(422) from None

    # ---- acts on all of them ----

    def asked(
        request: Request,
        who: Member,
        typed: dict[str, str],
        act: str,
        form: Form | None = None,
        errors: dict[str, FieldError] | None = None,
    ) -> Response:
        if act not in reader_acts.ACTS:
            raise HTTPException(404)
        try:
            chosen = chosen_of(typed)
        except PaperpostError:
            raise HTTPException(422) from None

        def load(session: Session) -> dict[str, Any]:
            number, found = reader_lists.find(session, chosen)
            rows = store.list_wanted(session, found.wanted, limit=10)
            return {
                "number": number,
                "samples": [row.email for row in rows],
                "tags": tags_store.list_tags(session),
            }

        context = rt.db.read(load) | {
            "act": act,
            "acts": reader_acts.ACTS,
            "which": reader_lists.told(chosen),
            "kept": dict(chosen.typed),
            "form": form,
            "may_erase": who.may(ERASES),
        }
        return desk.answer(request, "readers_act.html", context, who=who, errors=errors)

    @routes.get("/readers/act")
    def ask_act(request: Request) -> Response:
        who = desk.member(request, "editor")
        typed = {name: request.query_params.get(name, "").strip() for name in FIELDS}
        act = request.query_params.get("act", "")
        if act == "erase" and not who.may(ERASES):
            raise refusal(rt, who, ERASES)
        return asked(request, who, typed, act)

    @routes.post("/readers/act")
    async def act_on_all(request: Request) -> Response:
        sent = await desk.sent(request, "editor")
        form, act = sent.form, sent.form.raw("act")
        typed = {name: form.raw(name).strip() for name in FIELDS}
        if act == "erase" and not sent.who.may(ERASES):
            raise refusal(rt, sent.who, ERASES)
        number = form.raw("number").replace(",", "").strip()

        def do() -> Response:
            try:
                if not number.isdecimal() or len(number) > 15:
                    what = "Type the number of readers to erase."
                    raise reader_acts.ActError(what, "number", "It stands above.")
                done = reader_acts.act_on_all(
                    rt, chosen_of(typed), act,  # type: ignore[arg-type]
                    expected=int(number), by=sent.who.name,
                    tag=tags.read_tag(form.raw("word"), "word") if act in ("tag", "untag") else "",
                    until=read_until(form.raw("until").strip()) if act == "pause" else None,
                    reason=read_reason(form.raw("reason")), address=sent.address,
                )  # fmt: skip
            except PaperpostError as error:
                errors = fault_of(error, ("word", "until", "reason", "number"), "number")
                return asked(request, sent.who, typed, act, form, errors)
            kept = {} if act in ("erase", "untag") else {k: v for k, v in typed.items() if v}
            more = {"done": done.changed, "of": done.readers}
            return desk.go("readers", f"done_{act}", **more, **kept)

        if act not in reader_acts.ACTS:
            raise HTTPException(404)
        return await to_thread(do)

    # ---- tags ----

    def tag_page(
        request: Request,
        who: Member,
        form: Form | None = None,
        errors: dict[str, FieldError] | None = None,
        note: str = "",
    ) -> Response:
        known = list(tags.list_tags(rt).items())
        context = {
            "found": listing.listed(request, known, _TAG_COLUMNS, lambda one: one[0]),
            "names": [name for name, _ in known],
            "form": form,
            "note": note,
        }
        return desk.answer(request, "tags.html", context, who=who, errors=errors)

    @routes.get("/tags")
    def show_tags(request: Request) -> Response:
        return tag_page(request, desk.member(request))

    @routes.post("/tags")
    async def change_tags(request: Request) -> Response:
        sent = await desk.sent(request, "editor", most_bytes=UPLOAD_BYTES)
        try:
            note = await to_thread(_change_tags, desk, sent.form, sent.who.name, sent.address)
        except PaperpostError as error:
            fields = ("tag", "name", "word", "reason", "segment")
            errors = fault_of(error, fields, "segment")
            return await to_thread(tag_page, request, sent.who, sent.form, errors)
        return await to_thread(tag_page, request, sent.who, None, None, note)


_DONE = {
    "done_tag": ("Tag put on", "had it already"),
    "done_untag": ("Tag taken off", "did not have it"),
    "done_pause": ("Paused", "were paused until that day already"),
    "done_resume": ("Ended the pauses of", "had none"),
    "done_erase": ("Erased", "were gone already"),
}
"""What an act on many did, and why it made no difference for the rest."""


def _done(request: Request) -> str:
    """For how many readers an act made a difference; "" where the address tells of none."""
    words = _DONE.get(request.query_params.get("said", ""))
    numbers = [request.query_params.get(name, "") for name in ("done", "of")]
    if words is None or not all(n.isascii() and n.isdecimal() and len(n) <= 9 for n in numbers):
        return ""
    (what, why), (changed, chosen) = words, map(int, numbers)
    of = tally(chosen, "reader")
    if changed >= chosen:
        return f"{what} {of}."
    if not changed:
        return f"{what} none of {of}: they {why}."
    return f"{what} {changed:,} of {of}: the rest {why}."


def _change_tags(desk: Desk, form: Form, by: str, address: str) -> str:
    """Do what a button of the tags' page says; returns what was done, in words."""
    rt, reason = desk.rt, read_reason(form.raw("reason"))
    match form.raw("act"):
        case "rename":
            old, new = tags.read_tag(form.raw("tag")), tags.read_tag(form.raw("name"), "name")
            count = tags.rename(rt, old, new, by=by, reason=reason, address=address)
            return f"“{old}” is “{new}” now, on {tally(count, 'reader')}."
        case "remove":
            tag = tags.read_tag(form.raw("tag"))
            count = tags.remove(rt, tag, by=by, reason=reason, address=address)
            return f"“{tag}” is taken off {tally(count, 'reader')}."
        case "list":
            tag = tags.read_tag(form.raw("word"), "word")
            upload = form.upload("file")
            text = form.raw("list")
            if upload is not None and upload.content:
                text = upload.content.decode("utf-8-sig", "replace")
            is_off = form.flag("off")
            count, segment = tags.tag_list(
                rt, tag, text, by=by, add=not is_off, reason=reason, address=address
            )
            named = len(segment.keys or ())
            done = "taken off" if is_off else "put on"
            unread = tally(segment.unread, "entry", "entries")
            tail = f" No address: {unread}." if segment.unread else ""
            of = tally(named, "address", "addresses")
            return f"“{tag}” is {done} {count:,} of {of} of the list.{tail}"
        case _:
            raise HTTPException(404)
