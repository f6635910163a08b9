"""What came back: reports with filters, one mail that came in, what waits for a look, rates."""

from asyncio import to_thread
from collections.abc import Mapping
from datetime import date, timedelta
from operator import attrgetter
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.admin.desk import Desk, fault_at
from service.admin.reader_choices import read_day
from service.errors import PaperpostError
from service.flows import bounce_lists, bounces
from service.flows.bounce_words import FOLLOWS, KINDS, STATES, plain_reason
from service.flows.bounces import Filter, NoSuchMailError
from service.flows.consequence import ENDS
from service.flows.exports import Form
from service.flows.runtime import Runtime
from service.flows.staff import Member
from service.pages.chart import Share, chart
from service.pages.downloads import download
from service.pages.forms import FieldError, RowNumber
from service.pages.headers import TEXT_POLICY
from service.pages.listing import listed
from service.pages.paging import address_of_page, paging_of
from service.pages.sorting import sorting_of
from service.reports.model import Kind
from service.reports.vocabulary import REASONS
from service.store.db import Session
from service.store.report_lists import ORDERS

PAGE_SIZE = 100
REVIEW_SIZE = 20
_COUNTED = ("name", "accepted", "hard", "complaints", "soft", "policy", "content")
"""Columns of the domains' table; it is sorted by each."""
FILTERS = ("kind", "reason", "domain", "state", "q", "from", "to")
SPANS = (7, 30, 90)
"""Days that rates are shown of."""


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/bounces."""
    rt = desk.rt

    @routes.get("/bounces")
    def reports(request: Request) -> Response:
        who, typed = desk.member(request), _typed(request.query_params)
        chosen = _chosen(rt, typed)
        sorting = sorting_of(request, tuple(ORDERS), "-at")

        def load(session: Session) -> dict[str, Any]:
            paging = paging_of(request, bounces.count_reports(session, chosen), PAGE_SIZE)
            rows = bounces.list_reports(
                session, chosen, limit=paging.size, offset=paging.offset, sort=sorting.word
            )
            return {
                "rows": rows,
                "paging": paging,
                "states_now": bounces.count_by_state(session),
            }

        context = (
            rt.db.read(load)
            | _words()
            | {
                "typed": typed,
                "sorting": sorting,
                "kept": {name: value for name, value in typed.items() if value},
                "address_of_page": lambda number: address_of_page(request, number),
            }
        )
        return desk.answer(request, "bounces.html", context, who=who)

    @routes.post("/bounces/export")
    async def export(request: Request) -> Response:
        sent = await desk.sent(request, "editor")
        kind: Form = "json" if sent.form.raw("format") == "json" else "csv"
        chosen = _chosen(rt, _typed({name: sent.form.raw(name) for name in FILTERS}))
        parts = await to_thread(
            lambda: bounce_lists.export(rt, chosen, kind, by=sent.who.name, address=sent.address)
        )
        return download(parts, f"bounces.{kind}")

    @routes.get("/bounces/review")
    def review(request: Request) -> Response:
        who = desk.member(request)

        def load(session: Session) -> dict[str, Any]:
            waiting = bounces.count_by_state(session).get("review", 0)
            paging = paging_of(request, waiting, REVIEW_SIZE)
            mails = bounces.list_review(session, limit=paging.size, offset=paging.offset)
            return {"mails": mails, "paging": paging}

        context = rt.db.read(load) | _words()
        context["address_of_page"] = lambda number: address_of_page(request, number)
        return desk.answer(request, "bounce_review.html", context, who=who)

    @routes.get("/bounces/rates")
    def rates(request: Request) -> Response:
        who = desk.member(request)
        domain = request.query_params.get("domain", "").strip().lower()[:254]
        typed = request.query_params.get("days", "")
        days = next((n for n in SPANS if str(n) == typed), SPANS[0])
        first = desk.today() - timedelta(days=days - 1)
        found = bounce_lists.read_rates(rt, first, desk.today(), domain=domain)
        context = {
            "domain": domain,
            "days": days,
            "spans": SPANS,
            "rates": found,
            "domains": listed(
                request,
                found.domains,
                {name: attrgetter(name) for name in _COUNTED},
                attrgetter("name"),
            ),
            "charts": [
                (
                    name,
                    chart(
                        [
                            Share(date.fromisoformat(one.name), getattr(one, name), one.accepted)
                            for one in found.days
                        ],
                        limit,
                    ),
                )
                for name, limit in found.all.limits.items()
            ],
        }
        return desk.answer(request, "bounce_rates.html", context, who=who)

    def one(
        request: Request,
        who: Member,
        inbound_id: int,
        errors: dict[str, FieldError] | None = None,
    ) -> Response:
        found = rt.db.read(lambda s: bounces.get_inbound(s, inbound_id))
        context = {"mail": found, "has_raw": found["raw"] is not None, **_words()}
        return desk.answer(request, "bounce.html", context, who=who, errors=errors, refused=409)

    @routes.get("/bounces/{inbound_id}")
    def mail(request: Request, inbound_id: RowNumber) -> Response:
        return one(request, desk.member(request), inbound_id)

    @routes.get("/bounces/{inbound_id}/raw")
    def raw(request: Request, inbound_id: RowNumber) -> Response:
        # it may be a person's letter, and holds links of the reader's own
        desk.member(request, "editor")
        found = rt.db.read(lambda s: bounces.get_inbound(s, inbound_id))
        text = bounce_lists.raw_text(found["raw"])
        return Response(
            text,
            media_type="text/plain; charset=utf-8",
            headers={"Content-Security-Policy": TEXT_POLICY},
        )

    @routes.post("/bounces/{inbound_id}/decide")
    async def decide(request: Request, inbound_id: RowNumber) -> Response:
        sent = await desk.sent(request, "editor")
        kind = sent.form.raw("kind")
        try:
            await to_thread(
                lambda: bounces.decide(rt, inbound_id, kind, by=sent.who.name, address=sent.address)
            )
        except NoSuchMailError:
            raise
        except PaperpostError as error:
            errors = fault_at("kind", error)
            return await to_thread(one, request, sent.who, inbound_id, errors)
        if sent.form.raw("from") == "review":
            return desk.go("bounces/review", "decided")
        return desk.go(f"bounces/{inbound_id}", "decided")


def _typed(query: Mapping[str, str]) -> dict[str, str]:
    """What stands in the address; what is none of the choices is left out."""
    typed = {name: query.get(name, "").strip()[:254] for name in FILTERS}
    for name, words in {"kind": tuple(Kind), "state": tuple(STATES)}.items():
        typed[name] = typed[name] if typed[name] in words else ""
    for name in ("from", "to"):
        typed[name] = typed[name] if read_day(typed[name]) else ""
    return typed


def _chosen(rt: Runtime, typed: Mapping[str, str]) -> Filter:
    return bounce_lists.read_filter(
        kind=typed["kind"],
        reason=typed["reason"],
        domain=typed["domain"],
        state=typed["state"],
        address=typed["q"],
        first=read_day(typed["from"]),
        last=read_day(typed["to"]),
        zone=rt.zone,
    )


def _words() -> dict[str, Any]:
    """What templates say things by."""
    return {
        "kinds": KINDS,
        "states": STATES,
        "follows": FOLLOWS,
        "said_words": ENDS,
        "plain_reason": plain_reason,
        "reasons": REASONS,
    }
