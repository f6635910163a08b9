"""One reader: their whole story, the preview of their mail, and what may be done."""

from asyncio import to_thread
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from service.admin.answers import answers
from service.admin.desk import Desk, fault_at, fault_of
from service.admin.reader_choices import FIELDS, read_choices, read_day, read_until
from service.errors import PaperpostError
from service.flows import bounces, own_data, reader_story, staff_readers, tags
from service.flows.alerts import quiet_of
from service.flows.bounce_words import plain_reason
from service.flows.next_mail import next_mail_at
from service.flows.own_feed import FeedAct
from service.flows.preview import preview
from service.flows.reader_acts import read_reason
from service.flows.remind import confirm_again
from service.flows.staff import Member
from service.flows.staff_choices import Pause, choose_by_hand
from service.flows.staff_interests import facts_of
from service.pages.downloads import download
from service.pages.forms import FieldError, Form, RowNumber
from service.pages.frame import framed
from service.pages.paging import address_of_page, paging_of, shown_at
from service.store import reader_story as story_store
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.store.tables import SubscriberRow
from service.subscribers.address import read_address
from service.subscribers.cadence import local_date, quiet_text
from service.subscribers.model import DAYS

STORY_SIZE = 50


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/readers."""
    rt = desk.rt

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
        shown_at(request, desk.here.admin(f"readers/{reader_id}"))
        kind = request.query_params.get("kind", "")
        kind = kind if kind in reader_story.KINDS else ""

        def load(session: Session) -> dict[str, Any]:
            total = story_store.count_events(session, reader_id, kind)
            paging = paging_of(request, total, STORY_SIZE)
            return _facts(desk, session, row) | {
                "events": reader_story.list_story(
                    rt,
                    session,
                    row,
                    kind=kind,
                    limit=paging.size,
                    offset=paging.offset,
                    role=who.role,
                ),
                "paging": paging,
                "days_told": reader_story.list_days(rt, session, row),
            }

        languages = [(code, rt.catalogs.texts(code).own_name) for code in rt.catalogs.languages]
        context = rt.db.read(load) | {
            "kind": kind,
            "kinds": reader_story.KINDS,
            "address_of_page": lambda number: address_of_page(request, number) + "#story",
            "form": form,
            "days": DAYS,
            "languages": languages,
            **answers(rt, request, reader_id),
        }
        return desk.answer(request, "reader.html", context, who=who, errors=errors)

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
            reason = read_reason(form.raw("reason"))
            until = read_until(form.raw("until").strip())
            # one that is over stands in the form as it was: nothing is asked about it
            pause = Pause(until) if until != row.paused_until else None
            feed: FeedAct | None = "close" if form.flag("close_feed") else None
            choose_by_hand(
                rt, row.email_key, choices, pause=pause, feed=feed,
                by=sent.who.name, reason=reason, address=sent.address,
            )  # fmt: skip

        try:
            await to_thread(change)
        except PaperpostError as error:
            errors = fault_of(error, (*FIELDS, "reason"), "hour")
            return await to_thread(story, request, sent.who, reader_id, errors, form)
        return desk.go(f"readers/{reader_id}", "saved")

    @routes.post("/readers/{reader_id}/confirm-again")
    async def ask_again(request: Request, reader_id: RowNumber) -> Response:
        sent = await desk.sent(request, "editor")
        row = await to_thread(found, reader_id)
        try:
            await to_thread(
                confirm_again, rt, row.email_key, by=sent.who.name, address=sent.address
            )
        except PaperpostError as error:
            errors = fault_of(error, ("again",), "again")
            return await to_thread(story, request, sent.who, reader_id, errors, None)
        rt.engine.enqueue("send")
        return desk.go(f"readers/{reader_id}", "again")

    @routes.post("/readers/{reader_id}/person")
    async def person(request: Request, reader_id: RowNumber) -> Response:
        """Another address or name."""
        sent = await desk.sent(request, "editor")
        row, form = await to_thread(found, reader_id), sent.form

        def change() -> None:
            reason = read_reason(form.raw("reason"), "person_reason")
            email = form.raw("email").strip()
            wanted = staff_readers.Change(
                name=form.text("name"), to=read_address(email) if email != row.email else None
            )
            staff_readers.change(
                rt, reader_id, wanted, by=sent.who.name, reason=reason, address=sent.address
            )

        try:
            await to_thread(change)
        except PaperpostError as error:
            errors = fault_of(error, ("email", "name", "person_reason"), "email")
            return await to_thread(story, request, sent.who, reader_id, errors, form)
        return desk.go(f"readers/{reader_id}", "saved")

    @routes.post("/readers/{reader_id}/tags")
    async def tag(request: Request, reader_id: RowNumber) -> Response:
        """Put tags on one reader, or take one off."""
        sent = await desk.sent(request, "editor")
        await to_thread(found, reader_id)
        form = sent.form
        is_off = bool(form.raw("off"))

        def change() -> None:
            reason = " ".join(form.raw("tag_reason").split())[:500]
            words = tags.read_tags(form.raw("off") or form.raw("tags"))
            if not words:
                raise tags.TagError("The tag is empty.", "tags", "Write a word or two.")
            tags.tag_reader(
                rt, reader_id, words, by=sent.who.name, add=not is_off, reason=reason,
                address=sent.address,
            )  # fmt: skip

        try:
            await to_thread(change)
        except PaperpostError as error:
            errors = fault_of(error, ("tags",), "tags")
            return await to_thread(story, request, sent.who, reader_id, errors, form)
        return desk.go(f"readers/{reader_id}", "saved")

    @routes.post("/readers/{reader_id}/export")
    async def export(request: Request, reader_id: RowNumber) -> Response:
        """Everything stored about them, as they get it themselves."""
        sent = await desk.sent(request, "editor")
        await to_thread(found, reader_id)
        parts = await to_thread(
            own_data.hand_out, rt, reader_id, by=sent.who.name, address=sent.address
        )
        return download(parts, f"reader-{reader_id}.json")

    @routes.post("/readers/{reader_id}/{act}")
    async def act_on(request: Request, reader_id: RowNumber, act: str) -> Response:
        sent = await desk.sent(request, "editor")
        await to_thread(found, reader_id)
        if act not in ("unsubscribe", "erase"):
            raise HTTPException(404)
        if not sent.form.flag("sure"):
            errors = {act: FieldError("This was not confirmed.", act, "Tick the box first.")}
            return await to_thread(story, request, sent.who, reader_id, errors, None)
        try:
            reason = read_reason(sent.form.raw("reason"), act)
        except PaperpostError as error:
            return await to_thread(story, request, sent.who, reader_id, fault_at(act, error), None)
        await to_thread(
            lambda: staff_readers.end(
                rt, reader_id, erased=act == "erase", by=sent.who.name, reason=reason,
                address=sent.address,
            )
        )  # fmt: skip
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


def _facts(desk: Desk, session: Session, row: SubscriberRow) -> dict[str, Any]:
    assert row.id is not None
    return {
        "reader": row,
        "next_at": next_mail_at(desk.rt, session, row),
        "came_by": reader_story.came_by(session, row),
        "tags": tags.tags_of_reader(session, row.id),
        "interests": [
            (one.id, facts_of(one)) for one in subscribers_store.list_profile_rows(session, row.id)
        ],
        "standing": bounces.standing(desk.rt, session, row),
        "plain_reason": plain_reason,
        "quiet": quiet_of(row, desk.rt.defaults()),
        "quiet_typed": quiet_text(row.quiet_from, row.quiet_until),
    }
