"""A reader's interests on the desk: one is added, reworded, paused or removed for its reader."""

from asyncio import to_thread
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from service.admin.desk import Desk, Sent, fault_of
from service.admin.reader_choices import one_of
from service.defaults import DAYS, FIXED
from service.errors import PaperpostError
from service.flows import staff_interests as flow
from service.flows.interests import (
    InterestChange,
    change_of,
    read_form,
    read_kind,
    read_people,
)
from service.flows.reader_acts import read_reason
from service.flows.readers import ReaderError
from service.flows.staff import Member
from service.pages.forms import FieldError, Form, RowNumber
from service.pages.interest_form import read_options
from service.store import subscribers as subscribers_store
from service.store.tables import ProfileRow, SubscriberRow
from service.subscribers.model import Cadence

_FIELDS = ("name", "words", "people", "cadence", "weekday", "cap", "threshold", "own_name", "votes",
           "sure", "reason")  # fmt: skip
_HERE = ("active", "pending", "bounced")
_NEW = {"name": "", "kind": "", "text": "", "cadence": "daily", "weekday": FIXED.weekly_day,
        "cap": None, "threshold": 0, "own": "", "late_news": False, "votes": None,
        "paused": False}  # fmt: skip


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/readers/ID/interests and /admin/readers/ID/interests/ID."""
    rt = desk.rt

    def found(reader_id: int, interest_id: int | None) -> tuple[SubscriberRow, ProfileRow | None]:
        """The reader, and the interest of theirs."""

        def load(session: Any) -> tuple[SubscriberRow, ProfileRow | None]:
            row = subscribers_store.get_subscriber_row(session, id=reader_id)
            if row is None or row.state not in _HERE:
                raise HTTPException(404)
            if interest_id is None:
                return row, None
            for one in subscribers_store.list_profile_rows(session, reader_id):
                if one.id == interest_id:
                    return row, one
            raise HTTPException(404)

        return rt.db.read(load)

    def page(
        request: Request,
        who: Member,
        reader_id: int,
        interest_id: int | None,
        form: Form | None = None,
        errors: dict[str, FieldError] | None = None,
    ) -> Response:
        row, interest = found(reader_id, interest_id)
        context = {
            "reader": row,
            "interest_id": interest_id,
            "facts": flow.facts_of(interest) if interest is not None else _NEW,
            "form": form,
            "days": DAYS,
        }
        return desk.answer(request, "interest.html", context, who=who, errors=errors)

    @routes.get("/readers/{reader_id}/interests")
    def new(request: Request, reader_id: RowNumber) -> Response:
        return page(request, desk.member(request, "editor"), reader_id, None)

    @routes.post("/readers/{reader_id}/interests")
    async def add(request: Request, reader_id: RowNumber) -> Response:
        sent = await desk.sent(request, "editor")

        def act() -> Response:
            row, _ = found(reader_id, None)
            try:
                flow.add_by_hand(rt, row.email_key, _read_new(sent.form), **_who(sent))
            except PaperpostError as error:
                errors = fault_of(error, _FIELDS, "words")
                return page(request, sent.who, reader_id, None, sent.form, errors)
            return desk.go(f"readers/{reader_id}", "added")

        return await to_thread(act)

    @routes.get("/readers/{reader_id}/interests/{interest_id}")
    def one(request: Request, reader_id: RowNumber, interest_id: RowNumber) -> Response:
        return page(request, desk.member(request, "editor"), reader_id, interest_id)

    @routes.post("/readers/{reader_id}/interests/{interest_id}")
    async def change(request: Request, reader_id: RowNumber, interest_id: RowNumber) -> Response:
        sent = await desk.sent(request, "editor")

        def act() -> Response:
            row, interest = found(reader_id, interest_id)
            assert interest is not None
            try:
                said = press(sent, row.email_key, interest.id or 0)
            except PaperpostError as error:
                errors = fault_of(error, _FIELDS, "words")
                kept = sent.form if "words" in sent.form else None
                return page(request, sent.who, reader_id, interest_id, kept, errors)
            return desk.go(f"readers/{reader_id}", said)

        return await to_thread(act)

    def press(sent: Sent, key: str, number: int) -> str:
        """Do what a button says; returns what is said of it. Raises PaperpostError."""
        form, who = sent.form, _who(sent)
        match form.raw("act"):
            case "pause" | "resume" as wish:
                flow.change_by_hand(rt, key, number, paused=wish == "pause", **who)
                return "paused" if wish == "pause" else "resumed"
            case "remove":
                if not form.flag("sure"):
                    raise ReaderError("This was not confirmed.", "sure", "Tick the box first.")
                flow.remove_by_hand(rt, key, number, **who)
                return "removed"
            case _:
                flow.change_by_hand(rt, key, number, lambda row: _read_change(form, row), **who)
                return "saved"


def _who(sent: Sent) -> dict[str, Any]:
    """Who asks, why and from where, for the record. Raises ActError: no reason is given."""
    reason = read_reason(sent.form.raw("reason"))
    return {"by": sent.who.name, "reason": reason, "address": sent.address}


def _read_new(form: Form) -> InterestChange:
    """Words or people; neither is the day's most-voted papers. Raises PaperpostError."""
    words = form.typed("words")
    people = read_people(form.typed("people"))
    if words and people is not None:
        raise ReaderError("This is more than one interest.", "people", "Add one after the other.")
    return _with_choices(form, InterestChange(wanted=people or read_form(words)))


def _read_change(form: Form, row: ProfileRow) -> InterestChange:
    """What the form says of an interest as it is; words that were not touched stay as they are."""
    words = form.typed("words")
    wanted = None
    if words != row.text:
        wanted = read_kind(row.kind, words) if row.kind == "follow" else read_form(words)
    return _with_choices(form, change_of(row, wanted))


def _with_choices(form: Form, change: InterestChange) -> InterestChange:
    made = read_options(form, own=bool(form.typed("own_name")))
    if made["votes"] is not None and not made["signals"]:
        raise ReaderError("This interest tells no later news.", "votes", "Tick it, or leave empty.")
    return replace(
        change,
        name=form.text("name"),
        cadence=Cadence(one_of(form, "cadence", tuple(one.value for one in Cadence))),
        weekday=DAYS.index(one_of(form, "weekday", DAYS)),
        **made,
    )
