"""Sending by hand on three screens: Compose, Check, Progress (the edition's own page)."""

import secrets
from asyncio import to_thread
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from service.admin.desk import Desk, Sent, fault_of
from service.errors import PaperpostError
from service.flows import drafts, manual
from service.flows.audience import TERMS, Audience, Plan
from service.flows.checks import check_plan, check_relay, needs_typing
from service.flows.preview import Preview
from service.flows.segment import describe, read_segment
from service.flows.staff import Member
from service.flows.trial import Trial, look, read_addresses, send_trial
from service.pages.forms import FieldError, Form
from service.pages.frame import framed
from service.store import subscribers as subscribers_store
from service.subscribers.address import read_address

FIELDS = ("kind", "papers", "dates", "segment", "subject", "body", "key")
SEGMENTS = ("all", "words", "lang", "cadence", "joined", "list", "state")


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/send."""
    rt = desk.rt

    def compose_page(
        request: Request,
        who: Member,
        typed: dict[str, str],
        errors: dict[str, FieldError] | None = None,
    ) -> Response:
        context: dict[str, Any] = {
            "typed": {**EMPTY, "key": secrets.token_hex(8), **typed},
            "segments": SEGMENTS,
        }
        context["drafts"] = [] if typed else drafts.unsent(rt)
        return desk.answer(request, "compose.html", context, who=who, errors=errors)

    def read(form: Form, who: Member) -> tuple[Plan, dict[str, str]]:
        typed = {name: form.text(name, most=70_000) for name in EMPTY}
        segment = typed["segment"] or "all"
        if segment != "all":
            segment = f"{segment}:{typed['value']}"
        plan = manual.draft(
            rt,
            kind=typed["kind"] or "manual",
            papers=typed["papers"].split(),
            dates=typed["dates"],
            segment=read_segment(segment, from_files=False),
            subject=typed["subject"],
            body=typed["body"],
            key=typed["key"],
            created_by=who.name,
        )
        return plan, typed

    @routes.get("/send")
    def compose(request: Request) -> Response:
        who = desk.member(request, "editor")
        typed = drafts.typed_before(rt, request.query_params.get("draft", ""))
        kind = request.query_params.get("kind", "")
        if kind in manual.KINDS and not typed:
            typed = {"kind": kind}
        return compose_page(request, who, typed)

    @routes.post("/send")
    async def to_check(request: Request) -> Response:
        sent = await desk.sent(request, "editor")
        try:
            plan, typed = await to_thread(read, sent.form, sent.who)
        except PaperpostError as error:
            typed = {name: sent.form.raw(name) for name in EMPTY}
            fault = fault_of(error, FIELDS, "kind")
            return await to_thread(compose_page, request, sent.who, typed, fault)
        key, begun = await to_thread(drafts.keep, rt, plan, typed)
        return desk.go(f"editions/{begun}", "begun") if begun else desk.go(f"send/{key}")

    @routes.post("/send/count")
    async def count(request: Request) -> Response:
        """The audience of what is typed so far, for the live line under the form."""
        sent = await desk.sent(request, "editor")
        try:
            plan, _ = await to_thread(read, sent.form, sent.who)
            context: dict[str, Any] = {"audience": await to_thread(manual.count, rt, plan)}
        except PaperpostError as error:
            context = {"audience": None, "fault": f"{error.what} {error.next_step}".strip()}
        return desk.answer(request, "count.html", context, who=sent.who)

    def draft_of(key: str) -> Plan:
        """The plan of a key; whoever comes back to one that was sent is led to its edition."""
        begun = drafts.begun(rt, key)
        if begun:
            raise HTTPException(
                303, headers={"Location": desk.here.admin(f"editions/{begun}", said="begun")}
            )
        return drafts.need(rt, key).plan

    def reader_of(request: Request, audience: Audience) -> str:
        asked = request.query_params.get("reader", "").strip()
        return asked or (audience.samples[0] if audience.samples else "")

    def mail_of(plan: Plan, email: str) -> Preview:
        if not email:
            return Preview(says="Nobody gets a mail: there is nothing to look at.")
        try:
            return look(rt, plan, read_address(email).key)
        except PaperpostError as error:
            return Preview(says=str(error))

    async def check_page(
        request: Request,
        who: Member,
        plan: Plan,
        errors: dict[str, FieldError] | None = None,
        trials: list[Trial] | None = None,
        form: Form | None = None,
    ) -> Response:
        audience = await to_thread(manual.count, rt, plan)
        checks = [await check_relay(rt), *await to_thread(check_plan, rt, plan, audience)]
        email = reader_of(request, audience)
        limits = rt.defaults()
        phone = request.query_params.get("width") == "phone"
        context = {
            "plan": plan,
            "audience": audience,
            "segment": describe(plan.segment),
            "checks": checks,
            "reader": email,
            "mail": await to_thread(mail_of, plan, email),
            "width": "phone" if phone else "",
            "source": desk.here.admin(f"send/{plan.key}/mail", reader=email),
            "typed_number": await to_thread(needs_typing, rt, plan, audience),
            "canary_offered": plan.kind in ("manual", "newsletter")
            and audience.mails > limits.canary_offered_above,
            "canary_ticked": form.flag("canary")
            if form is not None and "expected" in form
            else audience.mails > limits.canary_ticked_above,
            "form": form,
            "limits": limits,
            "trials": trials or [],
        }
        return await to_thread(desk.answer, request, "check.html", context, who=who, errors=errors)

    @routes.get("/send/{key}")
    async def check(request: Request, key: str) -> Response:
        who = await to_thread(desk.member, request, "editor")
        return await check_page(request, who, await to_thread(draft_of, key))

    @routes.get("/send/{key}/mail")
    def mail(request: Request, key: str) -> Response:
        desk.member(request, "editor")
        made = mail_of(draft_of(key), request.query_params.get("reader", ""))
        if not made.html:
            raise HTTPException(404)
        return framed(made.html)

    @routes.get("/send/{key}/readers/{term}")
    def readers(request: Request, key: str, term: str) -> Response:
        """The list behind one term of the equation."""
        who = desk.member(request, "editor")
        plan = draft_of(key)
        audience = manual.count(rt, plan)
        if term not in (*TERMS, "mails"):
            raise HTTPException(404)
        ids = list(audience.groups.get(term, ()))
        rows = rt.db.read(
            lambda s: subscribers_store.list_subscriber_rows(s, ids=ids[:1000], limit=1000)
        )
        context = {"plan": plan, "words": TERMS.get(term, "mails"), "rows": rows, "total": len(ids)}
        return desk.answer(request, "term.html", context, who=who)

    @routes.get("/send/{key}/start")
    @routes.get("/send/{key}/test")
    def look_again(request: Request, key: str) -> Response:
        """Check answers under these addresses when something is to be mended; whoever asks for one
        again comes back to it."""
        desk.member(request, "editor")
        return desk.go(f"send/{key}")

    @routes.post("/send/{key}/test")
    async def test(request: Request, key: str) -> Response:
        sent = await desk.sent(request, "editor")
        plan = await to_thread(draft_of, key)
        try:
            to = read_addresses(sent.form.raw("addresses"), rt.defaults().test_addresses)
            email = read_address(sent.form.raw("reader")).key
            trials = await send_trial(rt, plan, email, to, by=sent.who.name, address=sent.address)
        except PaperpostError as error:
            errors = fault_of(error, ("addresses",), "addresses")
            return await check_page(request, sent.who, plan, errors, form=sent.form)
        return await check_page(request, sent.who, plan, trials=trials)

    def begin(sent: Sent, plan: Plan, expected: int) -> manual.Started:
        return manual.start(rt, plan, expected=expected, address=sent.address)

    @routes.post("/send/{key}/start")
    async def start(request: Request, key: str) -> Response:
        sent = await desk.sent(request, "sender")
        form, plan = sent.form, await to_thread(draft_of, key)
        expected = form.whole("expected", low=0, high=100_000_000)
        audience = await to_thread(manual.count, rt, plan)
        typed = form.raw("number").replace(",", "").replace(" ", "").strip()
        if await to_thread(needs_typing, rt, plan, audience) and typed != str(expected):
            fault = FieldError(
                "The number was not typed, or is another one.", "number", f"Type {expected}."
            )
            return await check_page(request, sent.who, plan, {"number": fault}, form=form)
        if form.flag("canary"):
            plan = replace(plan, canary=True)
        try:
            made = await to_thread(begin, sent, plan, expected)
        except PaperpostError as error:
            moved = fault_of(error, (), "start")
            return await check_page(request, sent.who, plan, moved, form=form)
        if not made.edition_id:
            fault = FieldError("Nobody was to get a mail.", "start", "Nothing was sent.")
            return await check_page(request, sent.who, plan, {"start": fault})
        return desk.go(f"editions/{made.edition_id}")


EMPTY = {
    "kind": "",
    "papers": "",
    "dates": "",
    "segment": "",
    "value": "",
    "subject": "",
    "body": "",
    "key": "",
}
