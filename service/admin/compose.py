"""Compose: what to send and to whom. What is typed is kept while one types, and outlives the
session; beside it stand how many would get it and the very mail."""

import json
import re
import secrets
from asyncio import to_thread
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from service.admin.desk import ENTRY, Desk, OldPageError, fault_of
from service.errors import PaperpostError
from service.flows import drafts, manual
from service.flows.accounts import refusal
from service.flows.audience import Plan
from service.flows.search import search
from service.flows.segment import KINDS as SEGMENTS
from service.flows.segment import listed_in, read_segment
from service.flows.staff import Member
from service.flows.trial import sketch
from service.matching.query import QueryError
from service.pages.forms import FieldError, Form, UnreadableFormError, read_form
from service.pages.frame import framed
from service.store import papers as papers_store
from service.text.markdown import count_images

FIELDS = ("kind", "papers", "dates", "segment", "subject", "body", "key", "file")
EMPTY = {
    "kind": "", "papers": "", "dates": "", "segment": "", "value": "", "subject": "", "body": "",
    "key": "",
}  # fmt: skip
MOST_TYPED = 70_000
MOST_BYTES = 4 * 1024 * 1024
"""Of a form with a list of addresses as a file: some 100,000 of them."""

MOST_KEPT = 512 * 1024
"""Of a log-in that carries a form of Compose."""

FOUND = 10
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,79}")


def typed_of(form: Form) -> dict[str, str]:
    """The form as it stands, with the papers that were ticked."""
    typed = {name: form.raw(name).replace("\r\n", "\n")[:MOST_TYPED] for name in EMPTY}
    typed["key"] = _fitting(typed["key"])
    there = typed["papers"].split()
    added = [name for name in form.several("add") if name not in there]
    if added:
        typed["papers"] = "\n".join([typed["papers"].rstrip(), *added]).lstrip()
    return typed


def _fitting(key: str) -> str:
    """A key of a draft that can stand in an address, "" for another: a new one is made."""
    return key if _KEY.fullmatch(key) else ""


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/send, and below it count, keep, find, drop and the mail of what is typed."""
    rt = desk.rt

    def compose_page(
        request: Request,
        who: Member,
        typed: Mapping[str, str],
        errors: dict[str, FieldError] | None = None,
        **more: Any,
    ) -> Response:
        typed = {**EMPTY, **typed}
        typed["key"] = typed["key"] or secrets.token_hex(8)
        draft = drafts.find(rt, typed["key"])
        is_new = not any(typed[name] for name in EMPTY if name != "key")
        context: dict[str, Any] = {
            "typed": typed,
            "segments": SEGMENTS,
            "drafts": drafts.unsent(rt) if is_new else [],
            "kept_at": draft.kept_at if draft is not None else None,
            "listed": draft.listed if draft is not None else 0,
            "found": None,
            "find": "",
            "find_fault": "",
            "audience": None,
            "count_fault": "",
            "counted": False,
            "other": "",
            "window": secrets.token_hex(4),
            "live": False,
            "added": False,
            **beside(typed, who),
            **more,
        }
        return desk.answer(request, "compose.html", context, who=who, errors=errors)

    def read(typed: Mapping[str, str], who: Member, form: Form | None = None) -> Plan:
        """What is typed, as a send. Raises ManualError, SegmentError."""
        return manual.draft(
            rt,
            kind=typed["kind"] or "manual",
            papers=typed["papers"].split(),
            dates=typed["dates"],
            segment=segment_of(typed, form),
            subject=typed["subject"],
            body=typed["body"],
            key=typed["key"],
            created_by=who.name,
        )

    def segment_of(typed: Mapping[str, str], form: Form | None) -> Any:
        kind = typed["segment"] or "all"
        if kind == "all":
            return read_segment("all")
        if kind == "list":
            upload = form.upload("file") if form is not None else None
            if upload is not None and upload.content.strip():
                return listed_in(upload.content)
            kept = drafts.find(rt, typed["key"]) if not typed["value"].strip() else None
            if kept is not None and kept.plan is not None and kept.plan.segment.keys is not None:
                return kept.plan.segment  # the file that came with it before
        return read_segment(f"{kind}:{typed['value']}", from_files=False)

    def beside(typed: Mapping[str, str], who: Member) -> dict[str, Any]:
        """What stands beside the form: the chosen papers by title, and whether there is a mail."""
        pictures = count_images(typed["body"]) if typed["kind"] == "newsletter" else 0
        try:
            plan = lenient(typed, who)
        except PaperpostError as error:
            return {"plan": None, "titles": [], "pictures": pictures, "says": error}
        rows = rt.db.read(lambda s: papers_store.get_rows(s, plan.papers))
        titles = [rows[i][0].title for i in plan.papers if i in rows]
        return {"plan": plan, "titles": titles, "pictures": pictures, "says": None}

    def lenient(typed: Mapping[str, str], who: Member) -> Plan:
        """A plan to look at while it is being typed: what is empty still says so."""
        filled = {**typed, "segment": "all", "value": ""}
        if typed["kind"] == "newsletter":
            filled["subject"] = typed["subject"] or "(no subject yet)"
            filled["body"] = typed["body"] if typed["body"].strip() else "(no text yet)"
        return read(filled, who)

    async def arrived(request: Request) -> tuple[Member, Form] | Response:
        """Who sent a form of Compose. Nothing typed is lost where the session is over: the log-in
        carries it, and leads back to it."""
        found = desk.signed_in(request)
        if found is None and "hx-request" in request.headers:
            return desk.answer(request, "compose_over.html")
        try:
            form = await read_form(request, desk.pages.texts(request), most_bytes=MOST_BYTES)
        except UnreadableFormError:
            desk.member(request, "editor", desk.here.admin("send"))
            raise
        if found is None:
            typed = typed_of(form)
            if not any(typed.values()):
                desk.member(request, "editor", desk.here.admin("send"))
            return log_in(request, typed)
        if not found.session.may("editor"):
            raise refusal(rt, found.session, "editor")
        if not desk.sessions.sent_by(found, form.raw("token")):
            if not desk.sessions.is_ours(form.raw("token")):
                raise OldPageError
            if "hx-request" in request.headers:
                return desk.answer(request, "compose_over.html")
            fault = FieldError(
                "This page is from an earlier session; nothing was sent.",
                "start",
                "Everything you typed is here: look at it, then press again.",
            )
            typed = typed_of(form)
            return await to_thread(compose_page, request, found.session, typed, {"start": fault})
        return found.session, form

    def pressed(
        answer: Callable[[Request, Member, Form], Awaitable[Response]],
    ) -> Callable[[Request], Awaitable[Response]]:
        """An act on the form of Compose: with who sent it and what is in it."""

        async def asked(request: Request) -> Response:
            came = await arrived(request)
            return came if isinstance(came, Response) else await answer(request, *came)

        asked.__name__, asked.__doc__ = answer.__name__, answer.__doc__
        return asked

    def log_in(request: Request, typed: Mapping[str, str]) -> Response:
        context = {
            "entry_token": desk.tokens.make(ENTRY, ""),
            "target": desk.here.admin("send"),
            "name": "",
            "command": "paperpost admin create NAME --role ROLE",
            "kept": json.dumps({name: text for name, text in typed.items() if text}),
        }
        return desk.answer(request, "login.html", context)

    @routes.get("/send")
    def compose(request: Request) -> Response:
        who = desk.member(request, "editor")
        typed = drafts.typed_before(rt, request.query_params.get("draft", ""))
        kind, state = (request.query_params.get(name, "") for name in ("kind", "state"))
        if kind in manual.KINDS and not typed:
            typed = {"kind": kind}
        if state and typed:  # the same once more, to who has none: "12:cancelled"
            typed = {**typed, "segment": "state", "value": state[:80]}
        return compose_page(request, who, typed)

    @routes.post("/send")
    @pressed
    async def to_check(request: Request, who: Member, form: Form) -> Response:
        typed = typed_of(form)
        try:
            plan = await to_thread(read, typed, who, form)
        except PaperpostError as error:
            fault = fault_of(error, FIELDS, "kind")
            other = await to_thread(keep, typed, who, form)
            return await to_thread(
                compose_page, request, who, typed, fault, other=other, window=window_of(form)
            )
        if form.upload("file") is not None:
            typed["value"] = ""
        kept = await to_thread(
            drafts.keep, rt, plan, typed, seen_at=seen_at(form), window=window_of(form)
        )
        if kept.begun:
            return desk.go(f"editions/{kept.begun}", "begun")
        return desk.go(f"send/{kept.key}", "both" if kept.other else "")

    def seen_at(form: Form) -> datetime | None:
        """When the text was kept that this page changes."""
        try:
            at = datetime.fromisoformat(form.raw("kept"))
        except ValueError:
            return None
        return at if at.tzinfo else None

    def window_of(form: Form) -> str:
        """The name of the page that is typed in, of which one may have several open."""
        return form.raw("window")[:40]

    def keep(typed: dict[str, str], who: Member, form: Form) -> str:
        """Keep what is typed; returns who else changed it meanwhile. The key may be another one."""
        if not any(typed[name].strip() for name in ("papers", "dates", "subject", "body", "value")):
            return ""
        typed["key"], other = drafts.keep_typed(
            rt, typed, who.name, seen_at=seen_at(form), window=window_of(form)
        )
        return other

    @routes.post("/send/keep")
    @pressed
    async def kept(request: Request, who: Member, form: Form) -> Response:
        """Keep what is typed, and show the mail as it stands."""
        typed = typed_of(form)
        other = await to_thread(keep, typed, who, form)
        if "hx-request" not in request.headers:
            return await to_thread(
                compose_page, request, who, typed, other=other, window=window_of(form)
            )
        draft = await to_thread(drafts.find, rt, typed["key"])
        context = {
            "typed": typed,
            "other": other,
            "kept_at": draft.kept_at if draft is not None else None,
            "added": bool(form.several("add")),
            "live": True,
            **await to_thread(beside, typed, who),
        }
        return desk.answer(request, "compose_live.html", context, who=who)

    @routes.post("/send/find")
    @pressed
    async def find(request: Request, who: Member, form: Form) -> Response:
        """Stored papers to choose from."""
        words, typed = form.raw("find").strip()[:400], typed_of(form)
        context: dict[str, Any] = {
            "find": words, "found": None, "typed": typed, "find_fault": "",
        }  # fmt: skip
        if words:
            try:
                context["found"] = await to_thread(search, rt, words, limit=FOUND)
            except QueryError as error:
                texts = desk.pages.texts(request)
                context["find_fault"] = f"{texts.said(error.what)} {texts.said(error.next_step)}"
        context["added"] = bool(form.several("add"))
        if "hx-request" in request.headers:
            return desk.answer(request, "compose_found.html", {**context, "live": True}, who=who)
        del context["typed"]
        context["window"] = window_of(form)
        return await to_thread(compose_page, request, who, typed, **context)

    @routes.post("/send/count")
    @pressed
    async def count(request: Request, who: Member, form: Form) -> Response:
        """The audience of what is typed so far."""
        typed = typed_of(form)
        context: dict[str, Any] = {"audience": None, "count_fault": "", "counted": True}
        try:
            segment = await to_thread(segment_of, typed, form)
            plan = replace(await to_thread(lenient, typed, who), segment=segment)
            context["audience"] = await to_thread(manual.count, rt, plan)
        except PaperpostError as error:
            context["count_fault"] = f"{error.what} {error.next_step}".strip()
        if "hx-request" in request.headers:
            return desk.answer(request, "count.html", context, who=who)
        context["other"] = await to_thread(keep, typed, who, form)
        context["window"] = window_of(form)
        return await to_thread(compose_page, request, who, typed, **context)

    @routes.get("/send/count")
    @routes.get("/send/find")
    @routes.get("/send/keep")
    def look_again(request: Request) -> Response:
        """Compose answers under these addresses; whoever loads one again comes back to it."""
        desk.member(request, "editor")
        return desk.go("send")

    @routes.post("/send/{key}/drop")
    async def drop(request: Request, key: str) -> Response:
        sent = await desk.sent(request, "editor")
        gone = await to_thread(drafts.drop, rt, key, by=sent.who.name, address=sent.address)
        return desk.go("send", "removed" if gone else "")

    @routes.get("/send/{key}/typed")
    def mail(request: Request, key: str) -> Response:
        """The mail of what is typed."""
        who = desk.member(request, "editor")
        draft = drafts.find(rt, key)
        if draft is None:
            raise HTTPException(404)
        try:
            plan = lenient({**EMPTY, **draft.typed}, who)
        except PaperpostError:
            raise HTTPException(404) from None
        if plan.kind not in manual.FROZEN:  # each reader has another one
            raise HTTPException(404)
        return framed(sketch(rt, plan).html)


def came_back(desk: Desk, session: str, form: Form) -> str:
    """Where a log-in leads that carries a form of Compose: to that form, kept for whoever logged
    in; "" where it carries none. session: the new session's token."""
    try:
        kept = json.loads(form.raw("kept") or "{}")
    except ValueError:
        return ""
    who = desk.sessions.holder(session)
    if not isinstance(kept, dict) or not kept or who is None or not who.may("editor"):
        return ""
    texts = {k: v[:MOST_TYPED] for k, v in kept.items() if k in EMPTY and isinstance(v, str)}
    typed = {**EMPTY, **texts, "key": _fitting(texts.get("key", ""))}
    key, _ = drafts.keep_typed(desk.rt, typed, who.name)
    return desk.here.admin("send", draft=key)
