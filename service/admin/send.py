"""Check: the mail of any reader, every named check, the equation that balances, a test mail; and
the one button that sends."""

from asyncio import gather, to_thread
from dataclasses import replace
from datetime import date
from itertools import chain
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from service.admin.begin import begin
from service.admin.desk import Desk, fault_of
from service.admin.reader_choices import read_day
from service.errors import PaperpostError
from service.flows import drafts, manual
from service.flows.audience import TERMS, Audience, Plan
from service.flows.checks import Check, check_links, check_plan, check_relay, needs_typing
from service.flows.preview import Preview
from service.flows.segment import describe
from service.flows.staff import Member
from service.flows.timing import read_begin
from service.flows.trial import Trial, look, read_addresses, send_trial, why_each
from service.pages.forms import FieldError, Form
from service.pages.frame import framed
from service.pages.paging import address_of_page, paging_of
from service.store import subscribers as subscribers_store
from service.subscribers.address import read_address

PAGE_SIZE = 200


async def _nothing() -> list[Check]:
    return []


STARTED = ("number", "when", "at", "canary")
"""Fields of the button that sends, kept over a log-in."""


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/send/KEY and what is below it."""
    rt = desk.rt

    def draft_of(key: str) -> Plan:
        """The plan of a key; whoever comes back to one that was sent is led to its edition."""
        begun = drafts.begun(rt, key)
        if begun:
            raise HTTPException(
                303, headers={"Location": desk.here.admin(f"editions/{begun}", said="begun")}
            )
        found = drafts.find(rt, key)
        if found is not None and found.plan is None:  # only typed so far
            raise HTTPException(303, headers={"Location": desk.here.admin("send", draft=key)})
        return drafts.need(rt, key)

    def reader_of(request: Request, audience: Audience) -> str:
        asked = request.query_params.get("reader", "").strip()
        return asked or (audience.samples[0] if audience.samples else "")

    def mail_of(plan: Plan, email: str, on: date | None) -> Preview:
        if not email:
            return Preview(says="Nobody gets a mail: there is nothing to look at.")
        try:
            return look(rt, plan, read_address(email).key, on)
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
        asks_links = bool(request.query_params.get("links"))
        asks = check_links(rt, plan) if asks_links else _nothing()
        relay, asked = await gather(check_relay(rt), asks)
        checks = [relay, *await to_thread(check_plan, rt, plan, audience), *asked]
        email, on = reader_of(request, audience), read_day(request.query_params.get("on", ""))
        mail = await to_thread(mail_of, plan, email, on)
        limits = rt.defaults()
        typed = {name: form.raw(name) for name in STARTED} if form is not None else {}
        typed = typed or {name: request.query_params.get(name, "") for name in STARTED}
        came_typed = (form is not None and "expected" in form) or bool(typed["when"])
        can_wait = plan.kind in manual.FROZEN
        context = {
            "plan": plan,
            "mark": drafts.mark_of(plan),
            "audience": audience,
            "segment": describe(plan.segment),
            "checks": checks,
            "links_asked": asks_links,
            "reader": email,
            "on": on.isoformat() if on else "",
            "mail": mail,
            "why": why_each(mail.digest),
            "width": "phone" if request.query_params.get("width") == "phone" else "",
            "source": desk.here.admin(
                f"send/{plan.key}/mail", reader=email, on=on.isoformat() if on else None
            ),
            "typed_number": await to_thread(needs_typing, rt, plan, audience.mails),
            "canary_offered": can_wait and audience.mails > limits.canary_offered_above,
            "canary_ticked": bool(typed["canary"])
            if came_typed
            else audience.mails > limits.canary_ticked_above,
            "can_wait": can_wait,
            "typed": typed,
            "form": form,
            "limits": limits,
            "zone": rt.zone,
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
        asked = request.query_params.get("reader", "")
        made = mail_of(draft_of(key), asked, read_day(request.query_params.get("on", "")))
        if not made.html:
            raise HTTPException(404)
        return framed(made.html)

    @routes.get("/send/{key}/links")
    async def links(request: Request, key: str) -> Response:
        """The check that asks what a newsletter links to: it takes seconds, so it comes after."""
        who = await to_thread(desk.member, request, "editor")
        plan = await to_thread(draft_of, key)
        context = {"plan": plan, "checks": await check_links(rt, plan)}
        return desk.answer(request, "check_links.html", context, who=who)

    @routes.get("/send/{key}/readers/{term}")
    def readers(request: Request, key: str, term: str) -> Response:
        """The list behind one term of the equation."""
        who = desk.member(request, "editor")
        plan = draft_of(key)
        if term not in (*TERMS, "mails", "readers"):
            raise HTTPException(404)
        groups = manual.count(rt, plan).groups
        ids = list(chain(*groups.values())) if term == "readers" else list(groups.get(term, ()))
        paging = paging_of(request, len(ids), PAGE_SIZE)
        part = ids[paging.offset : paging.offset + paging.size]
        rows = rt.db.read(lambda s: subscribers_store.list_subscriber_rows(s, ids=part))
        context = {
            "plan": plan,
            "words": TERMS.get(term) or (term[:-1] if len(ids) == 1 else term),
            "rows": rows,
            "paging": paging,
            "address_of_page": lambda number: address_of_page(request, number),
        }
        return desk.answer(request, "term.html", context, who=who)

    @routes.get("/send/{key}/start")
    @routes.get("/send/{key}/test")
    @routes.get("/send/{key}/drop")
    def look_again(request: Request, key: str) -> Response:
        """Check answers under these addresses when something is to be mended; whoever asks for one
        again comes back to it."""
        desk.member(request, "editor")
        return desk.go(f"send/{key}")

    @routes.post("/send/{key}/test")
    async def test(request: Request, key: str) -> Response:
        sent = await desk.sent(request, "editor", back=desk.here.admin(f"send/{key}"))
        plan = await to_thread(draft_of, key)
        try:
            to = read_addresses(sent.form.raw("addresses"), rt.defaults().test_addresses)
            email = read_address(sent.form.raw("reader")).key
            trials = await send_trial(rt, plan, email, to, by=sent.who.name, address=sent.address)
        except PaperpostError as error:
            errors = fault_of(error, ("addresses",), "addresses")
            return await check_page(request, sent.who, plan, errors, form=sent.form)
        return await check_page(request, sent.who, plan, trials=trials)

    def timed(form: Form, plan: Plan) -> Plan:
        """The plan with when it begins. Raises TimingError."""
        if form.flag("canary") and form.raw("when") != "own":
            plan = replace(plan, canary=True)
        if form.raw("when") == "own":
            return replace(plan, own_hour=True)
        if form.raw("when") != "at":
            return plan
        ahead = rt.defaults().send_ahead_days
        return replace(plan, at=read_begin(form.raw("at"), rt.zone, rt.clock(), ahead))

    @routes.post("/send/{key}/start")
    async def start(request: Request, key: str) -> Response:
        if desk.signed_in(request) is None:
            kept = await desk.typed(request, STARTED)
            query = urlencode({name: text for name, text in kept.items() if text})
            desk.member(request, "sender", desk.here.admin(f"send/{key}") + (query and f"?{query}"))
        sent = await desk.sent(request, "sender")
        form, plan = sent.form, await to_thread(draft_of, key)

        async def page(**faults: FieldError) -> Response:
            return await check_page(request, sent.who, plan, faults, form=form)

        expected = form.whole("expected", low=0, high=100_000_000)
        if form.raw("mark") and form.raw("mark") != drafts.mark_of(plan):
            return await page(
                start=FieldError(
                    f"{plan.created_by} changed it since you looked; nothing was sent.",
                    "start",
                    "What stands here now is the new one.",
                )
            )
        typed = form.raw("number").replace(",", "").replace(" ", "").strip()
        if await to_thread(needs_typing, rt, plan, expected) and typed != str(expected):
            what = "The number was not typed, or is another one."
            return await page(number=FieldError(what, "number", f"Type {expected}."))
        plan = replace(plan, created_by=sent.who.name)
        try:
            number, said = await begin(rt, timed(form, plan), expected, sent.address)
        except PaperpostError as error:
            return await page(**fault_of(error, ("at", "canary"), "start"))
        if not number:
            what = "Nobody was to get a mail."
            return await page(start=FieldError(what, "start", "Nothing was sent."))
        return desk.go(f"editions/{number}", said)
