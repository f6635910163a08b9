"""Topics: the list, a form for each, removal and its undoing."""

from asyncio import to_thread
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.admin.desk import Desk, Sent, fault_at, fault_of
from service.errors import PaperpostError
from service.flows import topics as flow
from service.flows.staff import Member
from service.matching.query import QueryError
from service.pages.forms import FieldError, Form
from service.pages.listing import listed
from service.pages.paging import shown_at

_FIELDS = ("name", "title", "about", "kind", "text", "likes")
_KINDS = (("keywords", "keywords"), ("query", "a query"))
_COLUMNS: dict[str, Callable[[flow.Topic], Any]] = {
    "title": lambda one: one.title,
    "words": lambda one: one.text,
    "papers": lambda one: len(one.likes),
    "name": lambda one: one.name,
}


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/topics, /admin/topics/add and /admin/topics/NAME."""
    rt = desk.rt

    def topics(
        request: Request, who: Member, errors: dict[str, FieldError] | None = None
    ) -> Response:
        shown_at(request, desk.here.admin("topics"))
        found = listed(request, flow.list_topics(rt), _COLUMNS, _text_of)
        context = {"found": found, "removed": flow.list_removed(rt)}
        return desk.answer(request, "topics.html", context, who=who, errors=errors)

    @routes.get("/topics")
    def list_topics(request: Request) -> Response:
        return topics(request, desk.member(request))

    @routes.get("/topics/add")
    def new(request: Request) -> Response:
        who = desk.member(request, "editor")
        given = {"text": request.query_params.get("words", ""), "kind": "query"}
        return _form(desk, request, who, "", given if given["text"] else {})

    @routes.post("/topics/add")
    async def add(request: Request) -> Response:
        sent = await desk.sent(request, "editor")
        values = _typed(sent.form) | {"name": sent.form.raw("name")}
        return await to_thread(_keep, desk, request, sent, "", values)

    @routes.get("/topics/{name}")
    def one(request: Request, name: str) -> Response:
        who = desk.member(request)
        return _form(desk, request, who, name, flow.get_topic(rt, name).facts())

    @routes.post("/topics/{name}")
    async def change(request: Request, name: str) -> Response:
        sent = await desk.sent(request, "editor")
        return await to_thread(_keep, desk, request, sent, name, _typed(sent.form))

    @routes.post("/topics/{name}/remove")
    async def remove(request: Request, name: str) -> Response:
        sent = await desk.sent(request, "editor")
        await to_thread(flow.remove_topic, rt, name, by=sent.who.name, address=sent.address)
        return desk.go("topics", "removed")

    @routes.post("/topics/{name}/restore")
    async def restore(request: Request, name: str) -> Response:
        sent = await desk.sent(request, "editor")
        by = sent.who.name
        try:
            await to_thread(flow.restore_topic, rt, name, by=by, address=sent.address)
        except flow.TopicError as error:
            return await to_thread(topics, request, sent.who, fault_at("restore", error))
        return desk.go("topics", "restored")


def _text_of(one: flow.Topic) -> str:
    """What the list's filter looks in."""
    return f"{one.title} {one.name} {one.text} {one.about}"


def _typed(form: Form) -> dict[str, Any]:
    """The fields as they were typed; papers one a line."""
    return {
        "title": form.raw("title"),
        "about": form.raw("about"),
        "kind": form.raw("kind"),
        "text": form.raw("text").replace("\r\n", "\n"),
        "likes": form.raw("likes").replace("\r\n", "\n").split("\n"),
    }


def _keep(desk: Desk, request: Request, sent: Sent, name: str, values: dict[str, Any]) -> Response:
    """Store what was typed, or show the form again with the fault at its field."""
    rt, by, address = desk.rt, sent.who.name, sent.address
    try:
        if name:
            flow.change_topic(rt, name, values, by=by, address=address)
        else:
            flow.add_topic(rt, values, by=by, address=address)
    except QueryError as error:
        errors = fault_at("text", error)
        return _form(desk, request, sent.who, name, values, errors, error.suggestion)
    except PaperpostError as error:
        errors = fault_of(error, _FIELDS, "name")
        return _form(desk, request, sent.who, name, values, errors)
    return desk.go("topics", "saved" if name else "added")


def _form(
    desk: Desk,
    request: Request,
    who: Member,
    name: str,
    values: dict[str, Any],
    errors: dict[str, FieldError] | None = None,
    meant: str = "",
) -> Response:
    """name: of the topic that is changed, "" for a new one. meant: words that can be read."""
    blank = {"name": "", "title": "", "about": "", "kind": "keywords", "text": "", "likes": []}
    context = {
        "name": name,
        "values": blank | values,
        "likes": "\n".join(values.get("likes", ())),
        "kinds": _KINDS,
        "meant": meant,
        "page": desk.pages.links.here.topic(name) if name else "",
    }
    return desk.answer(request, "topic.html", context, who=who, errors=errors)
