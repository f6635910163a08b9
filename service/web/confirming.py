"""After the form: what was sent to the mailbox, the confirmation page, and "never again"."""

from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from service.delivery.i18n import Texts
from service.flows import browse
from service.flows.begin import Asked, confirm, never, read_confirm
from service.flows.estimate import estimate
from service.flows.live import query_of
from service.flows.manage import next_mail_at
from service.flows.manage_link import manage_token
from service.flows.subscribe import Wish, request
from service.matching.counting import Asked as Interest
from service.pages.forms import Form
from service.store import subscribers as subscribers_store
from service.store.tables import SubscriberRow
from service.subscribers.address import probably_meant
from service.subscribers.tokens import TokenError
from service.web.door import Door, spoken
from service.web.typed import Typed


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/confirm/T`` and ``/never/T``."""

    @routes.get("/confirm/{token}")
    def confirm_page(request: Request, token: str) -> Response:
        try:
            asked = read_confirm(door.rt, token)
        except TokenError as error:
            return door.ended(request, error)
        if asked.begun:
            return _begun(door, request, asked.reader, "already")
        return _confirm_page(door, request, asked)

    @routes.post("/confirm/{token}")
    def begin(
        request: Request, token: str, form: Annotated[Form, Depends(door.any_form)]
    ) -> Response:
        first = form.flag("first") if "asked" in form else True
        try:
            done = confirm(
                door.rt,
                token,
                first_now=first,
                network=door.network(request),
                agent=door.agent(request),
            )
            asked = read_confirm(door.rt, token)
        except TokenError as error:
            return door.ended(request, error)
        return _begun(door, request, asked.reader, done)

    @routes.get("/never/{token}")
    def never_page(request: Request, token: str) -> Response:
        try:
            door.rt.signer.read("never", token, door.rt.clock())
        except TokenError as error:
            return door.ended(request, error)
        return door.answer(request, "signup/never.html")

    @routes.post("/never/{token}")
    def never_again(request: Request, token: str) -> Response:
        _ = door.texts(request).gettext
        try:
            never(door.rt, token)
        except TokenError as error:
            return door.ended(request, error)
        return door.say(
            request,
            _("You will get no such request again."),
            _("The address was forgotten; only a code made from it is kept, to recognise it."),
        )


def asked_page(
    door: Door, asked: Request, typed: Typed, wish: Wish, *, is_trapped: bool
) -> Response:
    """Take the sign-up and say what follows; a trapped one reads the same and stores nothing."""
    texts = door.texts(asked)
    _ = texts.gettext
    delayed = False
    if not is_trapped:
        answer = request(door.rt, wish, network=door.network(asked), agent=door.agent(asked))
        delayed = answer.delayed
    context = {
        "delayed": delayed,
        "sender": door.rt.site.sender,
        "subject": _("Confirm your subscription to %(site)s", site=door.rt.site.name),
        "until": texts.long_day(_in_days(door, door.rt.defaults().confirm_days)),
        "meant": probably_meant(wish.address.key),
        "typed": typed,
        "check": door.check,
    }
    return door.answer(asked, "signup/asked.html", context)


def _in_days(door: Door, days: int) -> date:
    return door.today() + timedelta(days=days)


def _schedule(door: Door, row: SubscriberRow, texts: Texts) -> str:
    days = subscribers_store.days_of(row.weekdays)
    return texts.schedule(days, row.hour, row.zone)


def _confirm_page(door: Door, asked: Request, found: Asked) -> Response:
    texts, row = door.texts(asked), found.reader
    there: datetime = door.clock_in(row.zone)
    context = {
        "email": row.email,
        "asked_words": _asked_words(found.interests, texts),
        "schedule": _schedule(door, row, texts),
        "now_there": texts.hour(there.hour, there.minute),
        "first_papers": door.rt.defaults().first_papers,
        "first_days": door.rt.defaults().first_days,
    }
    return door.answer(asked, "signup/confirm.html", context)


def _asked_words(interests: tuple[tuple[str, str], ...], texts: Texts) -> list[str]:
    """How each interest is read; "" for trending."""
    found = []
    for kind, text in interests:
        query = query_of(kind, text, None)
        found.append(spoken(query, texts) if query is not None else "")
    return found


def _begun(door: Door, asked: Request, row: SubscriberRow, done: str) -> Response:
    rt = door.rt
    assert row.id is not None
    reader_id = row.id
    profiles = rt.db.read(lambda s: subscribers_store.list_profiles(s, [reader_id]))[reader_id]
    expected = None
    query = next((q for p in profiles if (q := query_of(p.kind.value, p.text, p.compiled))), None)
    if query is not None:
        expected = browse.mail_days(rt, estimate(rt, Interest(query)))
    next_at = next_mail_at(rt, row)
    context = {
        "already": done == "already",
        "expected": expected if expected and expected[1] else None,
        "next_at": next_at.astimezone(door.clock_in(row.zone).tzinfo) if next_at else None,
        "manage": manage_token(rt, row, rt.clock()),
    }
    return door.answer(asked, "signup/begun.html", context)
