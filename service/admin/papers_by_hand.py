"""Papers by hand: found, shown with all that is known, hidden, joined, asked again."""

from asyncio import to_thread
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.admin.desk import Desk, Sent, fault_at
from service.errors import PaperpostError
from service.flows import hidden as hidden_flow
from service.flows import joined as joined_flow
from service.flows import paper_desk as flow
from service.flows.fetch_again import fetch_again
from service.flows.staff import Member
from service.flows.trying import begin_try, end_try
from service.matching.query import QueryError
from service.pages.forms import FieldError, RowNumber
from service.pages.paging import address_of_page, paging_of

_FIELDS = ("reason", "other", "paper", "join")
_STATES = ("shown", "hidden")


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/papers/find, /admin/papers/merge and /admin/papers/NUMBER."""
    rt = desk.rt

    @routes.get("/papers/find")
    def find(request: Request) -> Response:
        who = desk.member(request)
        asked = request.query_params
        text, state = asked.get("q", "")[:500].strip(), asked.get("state", "")
        if state not in _STATES:
            state = "shown" if text else "hidden"
        only_hidden = state == "hidden"
        try:
            first = paging_of(request, 1 << 20, flow.PAGE_SIZE)
            found = flow.Lines(0, ())
            if text or only_hidden:
                found = flow.find_papers(rt, text, hidden=only_hidden, offset=first.offset)
            if first.offset and not found.papers and found.total:
                first = paging_of(request, found.total, flow.PAGE_SIZE)
                found = flow.find_papers(rt, text, hidden=only_hidden, offset=first.offset)
            errors = None
        except QueryError as error:
            found, errors = flow.Lines(0, ()), fault_at("q", error)
        context = {
            "found": found,
            "paging": paging_of(request, found.total, flow.PAGE_SIZE),
            "address_of_page": lambda number: address_of_page(request, number),
            "typed": {"q": text, "state": state},
            "of": _number(asked.get("with", "")),
        }
        return desk.answer(request, "paper_find.html", context, who=who, errors=errors)

    @routes.get("/papers/merge")
    def side_by_side(request: Request) -> Response:
        who = desk.member(request, "editor")
        asked = request.query_params
        keep, other = _number(asked.get("keep", "")), asked.get("other", "").strip()
        return _merge(desk, request, who, keep, other)

    @routes.post("/papers/merge")
    async def merge(request: Request) -> Response:
        sent = await desk.sent(request, "editor")
        keep, other = _number(sent.form.raw("keep")), sent.form.raw("other")
        reason = sent.form.raw("reason")
        try:
            await to_thread(
                joined_flow.join_papers, rt, keep, _number(other), reason,
                by=sent.who.name, address=sent.address,
            )  # fmt: skip
        except PaperpostError as error:
            errors = fault_at(error.where if error.where in _FIELDS else "reason", error)
            return await to_thread(_merge, desk, request, sent.who, keep, other, errors, reason)
        return desk.go(f"papers/{keep}", "joined")

    @routes.get("/papers/{paper_id:int}")
    def one(request: Request, paper_id: RowNumber) -> Response:
        return _paper(desk, request, desk.member(request), paper_id)

    @routes.post("/papers/{paper_id:int}/{act}")
    async def change(request: Request, paper_id: RowNumber, act: str) -> Response:
        sent = await desk.sent(request, "editor")
        try:
            said = await _act(desk, sent, paper_id, act)
        except hidden_flow.NoPaperError:
            raise
        except PaperpostError as error:
            where = error.where if error.where in _FIELDS else "paper"
            reason = sent.form.raw("reason")
            return await to_thread(
                _paper, desk, request, sent.who, paper_id,
                fault_at(f"{act}-{where}", error), {act: reason},
            )  # fmt: skip
        return desk.go(f"papers/{paper_id}", said)


async def _act(desk: Desk, sent: Sent, paper_id: int, act: str) -> str:
    """What is done, as a word of ``SAID``."""
    rt, by, address, reason = desk.rt, sent.who.name, sent.address, sent.form.raw("reason")
    if act == "hide":
        await to_thread(hidden_flow.hide_paper, rt, paper_id, reason, by=by, address=address)
        return "hidden"
    if act == "unhide":
        await to_thread(hidden_flow.show_again, rt, paper_id, by=by, address=address)
        return "shown"
    if act == "unmerge":
        join = _number(sent.form.raw("join"))
        await to_thread(joined_flow.part_papers, rt, join, reason, by=by, address=address)
        return "parted"
    if act == "fetch":
        await to_thread(begin_try, rt, by)
        try:
            made = await fetch_again(rt, paper_id, by=by, address=address)
        finally:
            await to_thread(end_try, rt, by)
        return "fetched" if made.changed else "same"
    raise hidden_flow.NoPaperError(paper_id)


def _number(text: str) -> int:
    """A paper's number; 0 is none."""
    return int(text) if text.isdecimal() and len(text) < 16 else 0


def _paper(
    desk: Desk,
    request: Request,
    who: Member,
    paper_id: int,
    errors: dict[str, FieldError] | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    made = flow.read_paper(desk.rt, paper_id)
    key = made.paper.key
    context = {
        "made": made,
        "paper": made.paper,
        "page": desk.here.paper(key.scheme, key.value) if not made.hidden else "",
        "typed": typed or {},
        "asked_for": paper_id,
        "has_arxiv": any(one.scheme == "arxiv" for one in made.names),
    }
    return desk.answer(request, "paper_desk.html", context, who=who, errors=errors)


def _merge(
    desk: Desk,
    request: Request,
    who: Member,
    keep: int,
    other: str,
    errors: dict[str, FieldError] | None = None,
    reason: str = "",
) -> Response:
    """Both side by side; without a second one, a field to name it."""
    rt = desk.rt
    made = flow.read_paper(rt, keep)
    plan: Any = None
    if other and not (errors and "other" in errors):
        try:
            plan = joined_flow.plan_join(rt, keep, flow.number_of(rt, other))
        except PaperpostError as error:
            errors = fault_at("other", error)
    context = {
        "keep": made, "plan": plan, "typed": {"other": other, "reason": reason},
        "said_of": said_of,
    }  # fmt: skip
    return desk.answer(request, "paper_merge.html", context, who=who, errors=errors)


def said_of(value: Any) -> str:
    """A fact of a paper in one line."""
    if value is None or value == "" or value == () or value == {}:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if hasattr(value, "items"):
        return " · ".join(f"{name}: {one}" for name, one in value.items())
    return str(value)
