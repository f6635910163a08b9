"""Deliveries: who got what, with the server's words; groups by meaning, and sending them again."""

from asyncio import to_thread
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from service.admin.desk import Desk, fault_at
from service.admin.reader_choices import read_day
from service.delivery.meaning import ABOUT, Meaning
from service.delivery.states import State
from service.errors import PaperpostError
from service.flows import bounces, delivery_export, groups, ledger, reconcile, resend
from service.flows.bounce_words import plain_reason
from service.flows.consequence import ENDS
from service.flows.editions import need_edition
from service.flows.exports import Form
from service.flows.letter import bytes_of
from service.flows.preview import shown, why
from service.flows.resend import Wanted, read_wanted
from service.flows.runtime import Runtime
from service.flows.staff import Member
from service.pages.downloads import download
from service.pages.forms import FieldError, RowNumber
from service.pages.frame import framed
from service.pages.paging import address_of_page, paging_of
from service.store import deliveries as deliveries_store
from service.store import delivery_lists
from service.store import editions as editions_store
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.store.delivery_lists import ORDERS, REFUSED, Chosen
from service.store.rests import list_rests
from service.store.tables import DeliveryRow, EditionRow
from service.subscribers.cadence import local_date

PAGE_SIZE = 100
FILTERS = ("edition", "state", "meaning", "domain", "from", "to", "q", "words", "order")
STATES = (*(str(s) for s in State), "held")


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/deliveries."""
    rt = desk.rt

    def asked(request: Request) -> tuple[Member, dict[str, str], Chosen]:
        """Who asks, the filters as they stand in the address, and what they choose."""
        who, typed = desk.member(request), read_typed(request.query_params)
        return who, typed, read_wanted_of(rt, typed)

    @routes.get("/deliveries")
    def deliveries(request: Request) -> Response:
        who, typed, chosen = asked(request)

        def load(session: Session) -> dict[str, Any]:
            ids = ledger.find_ids(session, chosen, typed["order"] or "newest")
            paging = paging_of(request, len(ids), PAGE_SIZE, delivery_lists.MOST_FOUND)
            rows = ledger.facts_of(session, ids[paging.offset : paging.offset + paging.size])
            back = bounces.of_deliveries(session, [row["id"] for row in rows])
            return {"rows": rows, "paging": paging, "back": back}

        context = rt.db.read(load) | _filters(typed)
        context["plain_reason"] = plain_reason
        context["most_said"] = delivery_lists.MOST_SAID
        context["address_of_page"] = lambda number: address_of_page(request, number)
        return desk.answer(request, "deliveries.html", context, who=who)

    @routes.post("/deliveries/export")
    async def export(request: Request) -> Response:
        sent = await desk.sent(request, "editor")
        kind: Form = "json" if sent.form.raw("format") == "json" else "csv"
        typed = read_typed({name: sent.form.raw(name) for name in FILTERS})

        def begin() -> Iterator[str]:
            chosen = read_wanted_of(rt, typed)
            return delivery_export.export(rt, chosen, kind, by=sent.who.name, address=sent.address)

        return download(await to_thread(begin), f"deliveries.{kind}")

    @routes.get("/deliveries/groups")
    def by_meaning(request: Request) -> Response:
        who, typed, chosen = asked(request)

        def load(session: Session) -> dict[str, Any]:
            if chosen.edition_id is not None:
                need_edition(session, chosen.edition_id)
            found, is_cut = groups.newest_groups(session, chosen)
            ids = tuple(i for group in found for i in group.examples)
            listed = ledger.list_facts(session, Chosen(ids=ids)) if ids else []
            rows = {row["id"]: row for row in listed}
            names = {
                number: editions_store.get_edition(session, id=number)
                for group in found
                for number, _ in group.editions.most_common(5)
            }
            shown = [
                group.as_dict() | {"examples": [rows[i] for i in group.examples if i in rows]}
                for group in found
            ]
            newest = delivery_lists.MOST_GROUPED if is_cut else None
            return {"groups": shown, "editions": names, "newest": newest}

        return desk.answer(
            request, "delivery_groups.html", rt.db.read(load) | _filters(typed), who=who
        )

    def confirm(
        request: Request,
        who: Member,
        wanted: Wanted,
        errors: dict[str, FieldError] | None = None,
    ) -> Response:
        def load(session: Session) -> dict[str, Any]:
            return {
                "edition": need_edition(session, wanted.edition_id),
                "rests": list_rests(session, rt.clock()),
            }

        context = rt.db.read(load) | {
            "wanted": wanted,
            "says": groups.says(wanted.meaning) if wanted.meaning else "",
            "advice": groups.ADVICE.get(wanted.meaning, ""),
            "found": resend.count(rt, wanted),
        }
        return desk.answer(request, "resend.html", context, who=who, errors=errors, refused=409)

    @routes.get("/deliveries/resend")
    def look(request: Request) -> Response:
        who = desk.member(request, "sender")
        return confirm(request, who, _wanted(request.query_params))

    @routes.post("/deliveries/resend")
    async def send_again(request: Request) -> Response:
        sent = await desk.sent(request, "sender")
        form = sent.form
        wanted = _wanted({name: form.raw(name) for name in ("edition", "meaning", "domain", "id")})
        number = form.raw("mails")
        expected = int(number) if number.isdecimal() and len(number) < 10 else -1
        try:
            made = await to_thread(
                lambda: resend.resend(rt, wanted, sent.who.name, sent.address, expected=expected)
            )
        except resend.ResendError as error:
            errors = fault_at("mails", error)
            return await to_thread(confirm, request, sent.who, wanted, errors)
        target = made["edition"] or wanted.edition_id
        return desk.go(f"editions/{target}", "resent" if made["edition"] else "nothing")

    def story(
        request: Request,
        who: Member,
        delivery_id: int,
        errors: dict[str, FieldError] | None = None,
    ) -> Response:
        dead = ledger.gone_owners(rt)

        def load(session: Session) -> dict[str, Any]:
            row = deliveries_store.get_delivery(session, id=delivery_id)
            if row is None:
                raise HTTPException(404)
            edition = need_edition(session, row.edition_id)
            return {
                "row": ledger.delivery_story(rt, session, delivery_id, dead=dead),
                "edition": edition,
                "why": why(rt, row, _day_of(rt, edition, row)),
                "has_mail": bool(row.content and edition.kind != "notice" and row.rcpt),
                "reader_id": row.subscriber_id,
                "answers": reconcile.answers_for(row.state) if who.may("sender") else (),
            }

        context = rt.db.read(load) | {"plain_reason": plain_reason, "said_words": ENDS}
        row, edition, context["again"] = context["row"], context["edition"], None
        if who.may("sender") and row["state"] in REFUSED and edition.kind != "notice":
            wanted = Wanted(edition_id=edition.id, ids=(delivery_id,))
            context["again"] = resend.count(rt, wanted)
        return desk.answer(request, "delivery.html", context, who=who, errors=errors, refused=409)

    @routes.get("/deliveries/{delivery_id}")
    def delivery(request: Request, delivery_id: RowNumber) -> Response:
        return story(request, desk.member(request), delivery_id)

    @routes.post("/deliveries/{delivery_id}/resolve")
    async def resolve(request: Request, delivery_id: RowNumber) -> Response:
        sent = await desk.sent(request, "sender")
        answer = sent.form.raw("answer")
        try:
            await to_thread(reconcile.resolve, rt, delivery_id, answer, sent.who.name, sent.address)
        except PaperpostError as error:
            errors = fault_at("answer", error)
            return await to_thread(story, request, sent.who, delivery_id, errors)
        return desk.go(f"deliveries/{delivery_id}", f"held_{answer}")

    @routes.get("/deliveries/{delivery_id}/mail")
    def delivery_mail(request: Request, delivery_id: RowNumber) -> Response:
        desk.member(request, "editor")

        def load(session: Session) -> str:
            row = deliveries_store.get_delivery(session, id=delivery_id)
            # a notice holds somebody's fresh link: the staff need not see it
            if row is None or row.subscriber_id is None or not row.content:
                raise HTTPException(404)
            edition = editions_store.get_edition(session, id=row.edition_id)
            reader = subscribers_store.get_subscriber_row(session, id=row.subscriber_id)
            if edition is None or edition.kind == "notice" or "papers" not in row.content:
                raise HTTPException(404)
            holds = row.content["papers"] or row.content.get("signals")
            if not holds and "digest" in row.content:
                raise HTTPException(404)
            return shown("", bytes_of(rt, row, edition, reader)).html

        return framed(rt.db.read(load))


def read_typed(query: Mapping[str, str]) -> dict[str, str]:
    """What stands in the address; what is none of the choices is left out."""
    typed = {name: query.get(name, "").strip()[:254] for name in FILTERS}
    known = {"state": STATES, "meaning": tuple(Meaning), "order": tuple(ORDERS)}
    for name, words in known.items():
        typed[name] = typed[name] if typed[name] in words else ""
    for name in ("from", "to"):
        typed[name] = typed[name] if read_day(typed[name]) else ""
    is_number = typed["edition"].isdecimal() and len(typed["edition"]) < 15
    typed["edition"] = typed["edition"] if is_number else ""
    return typed


def read_wanted_of(rt: Runtime, typed: Mapping[str, str]) -> Chosen:
    return ledger.read_chosen(
        edition_id=int(typed["edition"]) if typed["edition"] else None,
        state=typed["state"],
        meaning=typed["meaning"],
        domain=typed["domain"],
        first=read_day(typed["from"]),
        last=read_day(typed["to"]),
        zone=rt.zone,
        address=typed["q"],
        words=typed["words"],
        dead=ledger.gone_owners(rt) if typed["state"] == "held" else (),
    )


def _filters(typed: Mapping[str, str]) -> dict[str, Any]:
    """What the form shows. kept: what is in force, to be carried along in links."""
    return {
        "typed": typed,
        "kept": {name: value for name, value in typed.items() if value},
        "states": STATES,
        "meanings": [(str(m), ABOUT[m].says) for m in Meaning],
        "orders": tuple(ORDERS),
    }


def _wanted(query: Mapping[str, str]) -> Wanted:
    """What is to be sent again; id: this one mail alone."""
    number, one = query.get("edition", ""), query.get("id", "")
    if not all(text.isdecimal() and len(text) < 15 for text in (number, one or "0")):
        raise HTTPException(404)
    return read_wanted(
        int(number),
        meaning=query.get("meaning", ""),
        domain=query.get("domain", "")[:254],
        ids=(int(one),) if one else (),
    )


def _day_of(rt: Runtime, edition: EditionRow, row: DeliveryRow) -> date:
    """The day a delivery stands for: its digest's, else the one it was planned on."""
    on = read_day(edition.slot) if edition.kind == "digest" else None
    return on or local_date(row.planned_at, rt.zone)
