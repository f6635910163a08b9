"""Readers: search, one reader's whole story, the preview of their mail, and what may be done."""

from asyncio import to_thread
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from service.admin.answers import answers, reasons_told
from service.admin.desk import Desk, fault_of
from service.admin.reader_choices import FIELDS, read_choices, read_day, read_until
from service.errors import PaperpostError
from service.flows import bounces, leave
from service.flows.agreed import told
from service.flows.alerts import quiet_of
from service.flows.bounce_words import plain_reason
from service.flows.consequence import ENDS
from service.flows.interests import read_people
from service.flows.own_feed import FeedAct
from service.flows.preview import preview, why
from service.flows.readers import add_reader, read_new, summary
from service.flows.remind import confirm_again
from service.flows.staff import Member, audit
from service.flows.staff_choices import Pause, changed, choose_by_hand
from service.flows.staff_interests import facts_of
from service.pages.forms import FieldError, Form, RowNumber
from service.pages.frame import framed
from service.pages.paging import Paging, address_of_page, paging_of
from service.store import audience as audience_store
from service.store import consent as consent_store
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.store.tables import SubscriberRow
from service.subscribers.address import read_address
from service.subscribers.cadence import local_date, quiet_text
from service.subscribers.model import DAYS

STATES = ("active", "pending", "bounced", "left")
PAGE_SIZE = 100


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/readers."""
    rt = desk.rt

    def listed(
        request: Request,
        who: Member,
        form: Form | None = None,
        errors: dict[str, FieldError] | None = None,
    ) -> Response:
        search = request.query_params.get("q", "").strip()[:254]
        state = request.query_params.get("state", "")
        state = state if state in STATES else ""

        def load(session: Session) -> dict[str, Any]:
            total = audience_store.count_readers(session, state=state, search=search)
            paging: Paging = paging_of(request, total, PAGE_SIZE)
            rows = subscribers_store.list_subscriber_rows(
                session,
                state=state or None,
                search=search,
                limit=paging.size,
                offset=paging.offset,
            )
            return {
                "readers": summary(rows, session),
                "paging": paging,
                "counts": subscribers_store.count_subscribers(session),
            }

        context = {
            **rt.db.read(load),
            "search": search,
            "state": state,
            "states": STATES,
            "form": form,
            "address_of_page": lambda number: address_of_page(request, number),
            "why_left": reasons_told(rt) if state == "left" else None,
        }
        return desk.answer(request, "readers.html", context, who=who, errors=errors)

    def found(reader_id: int) -> SubscriberRow:
        row = rt.db.read(lambda s: subscribers_store.get_subscriber_row(s, id=reader_id))
        if row is None:
            raise HTTPException(404)
        return row

    def story(
        request: Request,
        who: Member,
        reader_id: int,
        errors: dict[str, FieldError] | None = None,
        form: Form | None = None,
    ) -> Response:
        row = found(reader_id)
        context = rt.db.read(lambda s: _story(desk, s, row))
        languages = [(code, rt.catalogs.texts(code).own_name) for code in rt.catalogs.languages]
        context |= {
            "form": form,
            "days": DAYS,
            "languages": languages,
            **answers(rt, request, reader_id),
        }
        return desk.answer(request, "reader.html", context, who=who, errors=errors)

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
            "confirmed": "true" if form.flag("confirmed") else "false",
        }

        def make() -> int:
            read_people(cells["people"])
            return add_reader(rt, read_new(cells), by=sent.who.name)

        try:
            reader_id = await to_thread(make)
        except PaperpostError as error:
            errors = fault_of(error, ("email", "words", "people", "name"), "words")
            if "email" not in errors and error.where.startswith("addr"):
                errors = {"email": next(iter(errors.values()))}
            return await to_thread(listed, request, sent.who, form, errors)
        await to_thread(
            audit, rt, sent.who.name, "add reader", f"reader {reader_id}", None, None, sent.address
        )
        rt.engine.enqueue("send")
        return desk.go(f"readers/{reader_id}", "added")

    @routes.get("/readers/{reader_id}")
    def one(request: Request, reader_id: RowNumber) -> Response:
        return story(request, desk.member(request), reader_id)

    @routes.get("/readers/{reader_id}/preview")
    def preview_page(request: Request, reader_id: RowNumber) -> Response:
        # a mail holds the reader's own links, with which one can change and unsubscribe
        who, row = desk.member(request, "editor"), found(reader_id)
        on = read_day(request.query_params.get("on", "")) or local_date(rt.clock(), row.zone)
        context = {
            "reader": row,
            "on": on,
            "mail": preview(rt, row.email_key, on),
            "width": "phone" if request.query_params.get("width") == "phone" else "",
            "source": desk.here.admin(f"readers/{reader_id}/mail", on=on.isoformat()),
        }
        return desk.answer(request, "reader_preview.html", context, who=who)

    @routes.get("/readers/{reader_id}/mail")
    def mail(request: Request, reader_id: RowNumber) -> Response:
        desk.member(request, "editor")
        row = found(reader_id)
        made = preview(rt, row.email_key, read_day(request.query_params.get("on", "")))
        if not made.html:
            raise HTTPException(404)
        return framed(made.html)

    @routes.post("/readers/{reader_id}/schedule")
    async def schedule(request: Request, reader_id: RowNumber) -> Response:
        sent = await desk.sent(request, "editor")
        row = await to_thread(found, reader_id)
        form = sent.form

        def change() -> None:
            choices = read_choices(form, rt.catalogs.languages)
            until = read_until(form.raw("until").strip())
            # one that is over stands in the form as it was: nothing is asked about it
            pause = Pause(until) if until != row.paused_until else None
            feed: FeedAct | None = "close" if form.flag("close_feed") else None
            _, before, now = choose_by_hand(rt, row.email_key, choices, pause=pause, feed=feed)
            was, made = changed(before, now)
            who = sent.who.name
            audit(rt, who, "schedule", f"reader {reader_id}", was, made, sent.address)

        try:
            await to_thread(change)
        except PaperpostError as error:
            errors = fault_of(error, FIELDS, "hour")
            return await to_thread(story, request, sent.who, reader_id, errors, form)
        return desk.go(f"readers/{reader_id}", "saved")

    @routes.post("/readers/{reader_id}/confirm-again")
    async def ask_again(request: Request, reader_id: RowNumber) -> Response:
        sent = await desk.sent(request, "editor")
        row, who = await to_thread(found, reader_id), sent.who.name
        try:
            await to_thread(confirm_again, rt, row.email_key, by=who)
        except PaperpostError as error:
            errors = fault_of(error, ("again",), "again")
            return await to_thread(story, request, sent.who, reader_id, errors, None)
        about = f"reader {reader_id}"
        await to_thread(audit, rt, who, "confirm again", about, None, None, sent.address)
        rt.engine.enqueue("send")
        return desk.go(f"readers/{reader_id}", "again")

    @routes.post("/readers/{reader_id}/{act}")
    async def act_on(request: Request, reader_id: RowNumber, act: str) -> Response:
        sent = await desk.sent(request, "editor")
        row = await to_thread(found, reader_id)
        if act not in ("unsubscribe", "erase"):
            raise HTTPException(404)
        if not sent.form.flag("sure"):
            errors = {act: FieldError("This was not confirmed.", act, "Tick the box first.")}
            return await to_thread(story, request, sent.who, reader_id, errors, None)
        if act == "unsubscribe":
            by = f"by {sent.who.name}"
            await to_thread(leave.unsubscribe, rt, row.unsubscribe_token, reason=by)
        else:
            await to_thread(leave.erase, rt, row.email_key, by=sent.who.name)
        await to_thread(
            audit, rt, sent.who.name, act, f"reader {reader_id}", None, None, sent.address
        )
        if act == "erase":
            return desk.go("readers", "erased")
        return desk.go(f"readers/{reader_id}", "left")

    @routes.get("/find")
    def find(request: Request) -> Response:
        """The reader of an address that stands in a list of deliveries."""
        desk.member(request)
        try:
            key = read_address(request.query_params.get("email", "")).key
        except PaperpostError:
            raise HTTPException(404) from None
        row = rt.db.read(lambda s: subscribers_store.get_subscriber_row(s, email_key=key))
        if row is None:
            raise HTTPException(404)
        return desk.go(f"readers/{row.id}")


def _story(desk: Desk, session: Session, row: SubscriberRow) -> dict[str, Any]:
    assert row.id is not None
    mails = []
    for delivery, edition in audience_store.list_story(session, row.id):
        on = read_day(edition.slot) if edition.kind == "digest" else None
        mails.append(
            {
                "id": delivery.id,
                "on": on,
                "kind": delivery.kind,
                "state": delivery.state,
                "at": delivery.accepted_at or delivery.planned_at,
                "why": why(desk.rt, delivery, on or local_date(delivery.planned_at, row.zone)),
            }
        )
    return {
        "reader": row,
        "interests": [
            (one.id, facts_of(one)) for one in subscribers_store.list_profile_rows(session, row.id)
        ],
        "consents": [
            told(c) | {"when": c.at} for c in consent_store.list_consents(session, row.id)
        ],
        "mails": mails,
        "came_back": bounces.story(session, row.id),
        "standing": bounces.standing(desk.rt, session, row),
        "said_words": ENDS,
        "plain_reason": plain_reason,
        "today": local_date(desk.rt.clock(), row.zone),
        "quiet": quiet_of(row, desk.rt.defaults()),
        "quiet_typed": quiet_text(row.quiet_from, row.quiet_until),
    }
