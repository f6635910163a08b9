"""After the sign-up form: which mail to look for, having it once more, another address."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from service.delivery.i18n import Texts
from service.errors import PaperpostError
from service.flows import again as again_flow
from service.flows.caps import Answer
from service.flows.subscribe import Wish, request
from service.pages.forms import Form
from service.store import subscribers as subscribers_store
from service.subscribers.address import probably_meant
from service.subscribers.cadence import known_zones, read_hour, read_zone
from service.subscribers.tokens import TokenError
from service.web.door import Door, spoken
from service.web.mailed import full, when
from service.web.typed import Typed, typed_of


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/asked/again``; ``/asked/change`` is beside the form (``signup``)."""

    @routes.post("/asked/again")
    def once_more(request: Request, form: Annotated[Form, Depends(door.form)]) -> Response:
        typed = typed_of(form)
        try:
            done = again_flow.send_again(
                door.rt,
                typed.request,
                typed.email,
                network=door.network(request),
                agent=door.agent(request),
            )
        except TokenError:
            return _is_over(door, request)
        if done.answer.full:
            return full(door, request)
        return _page(
            door, request, typed, form, done.answer,
            wait_s=done.wait_s, is_copy=not done.wait_s, token=typed.request,
        )  # fmt: skip


def asked_page(
    door: Door, asked: Request, typed: Typed, wish: Wish, *, is_trapped: bool
) -> Response:
    """Take the sign-up and say what follows; a trapped one reads the same and stores nothing."""
    answer = Answer(delayed=False)
    if not is_trapped:
        answer = request(door.rt, wish, network=door.network(asked), agent=door.agent(asked))
    if answer.full:  # nothing was asked for in place of an earlier request
        return full(door, asked)
    if typed.request and not is_trapped:
        again_flow.withdraw(door.rt, typed.request, instead_of=wish.address.email)
    token = again_flow.page_token(door.rt, answer.number)
    shown = [spoken(one.query, door.texts(asked)) if one.query else "" for one in wish.wanted]
    return _page(door, asked, typed, None, answer, token=token, shown=shown)


def _page(
    door: Door,
    asked: Request,
    typed: Typed,
    form: Form | None,
    answer: Answer,
    *,
    token: str,
    wait_s: int = 0,
    is_copy: bool = False,
    shown: list[str] | None = None,
) -> Response:
    texts, rt = door.texts(asked), door.rt
    _ = texts.gettext
    limits = rt.defaults()
    is_down = not door.relay.answers()
    context = {
        "typed": typed,
        "token": token,
        "asked_words": form.raw("asked_words").split("\n") if form is not None else shown or [],
        "schedule": _schedule(door, typed, texts),
        "sender": rt.site.sender,
        "subject": _("Confirm your subscription to %(site)s", site=rt.site.name),
        "until": texts.long_day(door.today() + timedelta(days=limits.confirm_days)),
        "delayed": when(texts, answer) if answer.delayed else "",
        "is_down": is_down,
        "tried_until": _tried_until(door, typed, answer, texts),
        "is_copy": is_copy,
        "wait": texts.ngettext("%(num)s second", "%(num)s seconds", wait_s) if wait_s else "",
        # what has not gone yet needs no copy
        "may_again": not (is_copy or answer.delayed or is_down),
        "replaced": bool(typed.request) and form is None,
        "meant": probably_meant(typed.email.strip().lower()),
    }
    status = 429 if wait_s else 200
    headers = {"Retry-After": str(wait_s)} if wait_s else None
    return door.answer(asked, "signup/asked.html", context, status=status, headers=headers)


def _schedule(door: Door, typed: Typed, texts: Texts) -> str:
    """When mail was asked for; "" where a page that was altered says no hour or zone."""
    limits = door.rt.defaults()
    try:
        hour = read_hour(typed.hour) if typed.hour.strip() else limits.hour
        zone = read_zone(typed.zone) if typed.zone.strip() else door.rt.zone
    except PaperpostError:
        return ""
    return texts.schedule(subscribers_store.days_of(limits.weekdays), hour, zone)


def _tried_until(door: Door, typed: Typed, answer: Answer, texts: Texts) -> str:
    """Until when a mail that does not go is tried: "Sunday 22 November, 14:05", on walls in the
    zone that was asked for."""
    hours = door.rt.defaults().notice_deadline_hours + answer.hours
    zone = typed.zone if typed.zone in known_zones() else door.rt.zone
    at = door.clock_in(zone) + timedelta(hours=hours)
    day, time = texts.day(at.date()), texts.hour(at.hour, at.minute)
    return texts.gettext("%(day)s at %(time)s", day=day, time=time)


def _is_over(door: Door, asked: Request) -> Response:
    _ = door.texts(asked).gettext
    return door.say(
        asked,
        _("This page is over."),
        _("A mail can be had once more on the day it was asked for. Nothing was sent."),
        link=(door.pages.links_of(asked).home(), _("Sign up again")),
        status=410,
    )
