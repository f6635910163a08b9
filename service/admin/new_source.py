"""A new source: its kind, the form made of what the adapter declares, what would come in."""

from asyncio import to_thread
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from service.admin.desk import Desk, Sent, fault_at
from service.errors import PaperpostError
from service.flows import sources as flow
from service.flows.source_kinds import list_kinds
from service.flows.staff import Member
from service.flows.trying import Trial, try_by_hand
from service.pages.entry import PaperEntry, entry_of
from service.pages.forms import UPLOAD_BYTES, FieldError, Form
from service.sources.adapter import Adapter
from service.sources.registry import ADAPTERS

SHOWN = 10
PREFIX = "param-"
"""Of the form's fields that are parameters: one may be called like a field of ours."""

MOST_HISTORY = 365


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/sources/add, /admin/sources/add/KIND and /admin/sources/fields."""
    rt = desk.rt

    @routes.get("/sources/add")
    def choose(request: Request) -> Response:
        return _choose(desk, request, desk.member(request, "editor"))

    @routes.get("/sources/add/{kind}")
    def form_of(request: Request, kind: str) -> Response:
        who = desk.member(request, "editor")
        values = {f"{PREFIX}{name}": value for name, value in request.query_params.items()}
        return _form(desk, request, who, _adapter(kind), Form({k: [v] for k, v in values.items()}))

    @routes.post("/sources/add/{kind}")
    async def take(request: Request, kind: str) -> Response:
        sent = await desk.sent(request, "editor", most_bytes=UPLOAD_BYTES)
        made = _adapter(kind)
        if sent.form.raw("act") == "try":
            return await _try(desk, request, sent, made)
        title = sent.form.text("title")
        days = None
        if made.history_kind:
            days = sent.form.whole(
                "history", low=0, high=MOST_HISTORY, default=rt.defaults().history_days
            )
        if not sent.form.ok:
            return _form(desk, request, sent.who, made, sent.form, sent.form.errors)
        try:
            added = await to_thread(
                flow.add_source,
                rt,
                kind,
                _params(made, sent.form),
                title,
                days,
                by=sent.who.name,
                address=sent.address,
            )
        except PaperpostError as error:
            faults = _faults(made, error)
            return _form(desk, request, sent.who, made, sent.form, faults)
        return desk.go(f"sources/{added['id']}", "added" if added["added"] else "there")

    @routes.post("/sources/fields")
    async def add_field(request: Request) -> Response:
        sent = await desk.sent(request, "editor")
        name = sent.form.text("field")
        field = next((one for one in flow.presets() if one["name"] == name), None)
        if field is None:
            raise HTTPException(404)
        titles = [str(one["title"]) for one in field["sources"]]
        ticked = sent.form.choices("source", titles)
        if not ticked:
            fault = FieldError("No source is ticked.", name, "Tick the ones you want.")
            return _choose(desk, request, sent.who, {name: fault})
        await to_thread(flow.add_field, rt, name, ticked, by=sent.who.name, address=sent.address)
        return desk.go("sources", "added")


def _choose(
    desk: Desk, request: Request, who: Member, errors: dict[str, FieldError] | None = None
) -> Response:
    context = {"kinds": list_kinds(), "fields": flow.list_fields(desk.rt)}
    return desk.answer(request, "add_source.html", context, who=who, errors=errors)


def _adapter(kind: str) -> Adapter:
    if kind not in ADAPTERS:
        raise HTTPException(404)
    return ADAPTERS[kind]


def _params(made: Adapter, form: Form) -> dict[str, str]:
    return {one.name: form.text(PREFIX + one.name, most=500) for one in made.parameters}


def _faults(made: Adapter, error: PaperpostError) -> dict[str, FieldError]:
    """At the parameter's field, else at the first one."""
    names = [one.name for one in made.parameters]
    where = PREFIX + error.where if error.where in names else "act"
    if where == "act" and names:
        where = PREFIX + names[0]
    return fault_at(where, error)


def _form(
    desk: Desk,
    request: Request,
    who: Member,
    made: Adapter,
    form: Form,
    errors: Mapping[str, FieldError] | None = None,
    **more: Any,
) -> Response:
    context = {
        "made": made,
        "form": form,
        "prefix": PREFIX,
        "history": form.raw("history") or desk.rt.defaults().history_days,
        "trial": None,
        "entries": [],
        "shown": SHOWN,
        "read_from": "",
        **more,
    }
    return desk.answer(request, "new_source.html", context, who=who, errors=errors)


async def _try(desk: Desk, request: Request, sent: Sent, made: Adapter) -> Response:
    """Ask the source once, or read the file; the page shows what came and keeps what was typed."""
    upload = sent.form.upload("file")
    body = upload.content if upload is not None and upload.content else None
    try:
        params = _params(made, sent.form)
        if body is None or any(params.values()):
            params = made.checked(params)
        trial = await try_by_hand(desk.rt, made.kind, params, by=sent.who.name, body=body)
    except PaperpostError as error:
        faults = _faults(made, error)
        if body is not None and error.where not in {one.name for one in made.parameters}:
            faults = fault_at("file", error)
        return _form(desk, request, sent.who, made, sent.form, faults)
    name = upload.name if upload is not None and body is not None else ""
    entries = _entries(desk, trial, sent.form.text("title") or trial.title)
    return _form(
        desk, request, sent.who, made, sent.form, trial=trial, entries=entries, read_from=name
    )


def _entries(desk: Desk, trial: Trial, place: str) -> list[PaperEntry]:
    """The first papers as the daily page shows them; their titles lead to the source's own page."""
    made = []
    for one in trial.papers[:SHOWN]:
        entry = entry_of(
            one.paper,
            desk.here,
            submitted_by=one.submitter,
            author_takes_part=one.author_takes_part,
            place=place,
            near=desk.rt.clock().date(),
        )
        made.append(replace(entry, href=next((link for _, link in entry.links), entry.discuss)))
    return made
