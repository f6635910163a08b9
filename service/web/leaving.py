"""Leaving: a page with one button, RFC 8058's one click, undo, and a reason if one likes.

Below the button stand the smaller steps: one interest alone, or a pause.
"""

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from service.delivery.i18n import Texts
from service.errors import Sentence
from service.flows.leave import Left, LinkError, look, undo, unsubscribe
from service.flows.leave_part import (
    PAUSES,
    Leaving,
    Part,
    leave_one,
    look_at_parts,
    note_reason,
    put_off,
    take_back,
)
from service.flows.letter import HARMLESS
from service.flows.own_link import ask_by_leaving
from service.pages.forms import Form, RowNumber
from service.subscribers.address import mask
from service.subscribers.cadence import local_date
from service.web.door import Door
from service.web.mailed import link_mailed

SHAPE = re.compile(r"[A-Za-z0-9_-]{22}")
"""An unsubscribe token as the store makes it (16 random bytes)."""

_REASONS: dict[str, Sentence] = {
    "many": Sentence("Too many mails"),
    "unfit": Sentence("The papers do not fit me"),
    "elsewhere": Sentence("I read new papers elsewhere"),
    "asked": Sentence("I never asked for this"),
    "other": Sentence("Something else"),
}


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/u/T`` and what lies under it."""

    @routes.get("/u/{token}")
    def leave_page(request: Request, token: str) -> Response:
        if token == HARMLESS:
            return _of_a_test(door, request)
        try:
            found = look(door.rt, token)
            if found.state == "left":
                return left_page(door, request, token, found)
            return _page(door, request, token, look_at_parts(door.rt, token))
        except LinkError:
            return _nobody(door, request)

    @routes.post("/u/{token}")
    def leave(
        request: Request, token: str, form: Annotated[Form, Depends(door.any_form)]
    ) -> Response:
        if token == HARMLESS:
            return _of_a_test(door, request)
        # RFC 8058: answers 200 without a redirect, needs no cookie, counts as often as it comes
        one_click = form.raw("List-Unsubscribe") == "One-Click"
        try:
            found = unsubscribe(
                door.rt,
                token,
                network=door.network(request),
                agent=door.agent(request),
                reason="one click of the mail program" if one_click else "",
            )
        except LinkError:
            # who was erased meanwhile is gone as wanted: the mail program must not read a failure
            return _nobody(door, request, status=200 if SHAPE.fullmatch(token) else 404)
        return left_page(door, request, token, found)

    @routes.post("/u/{token}/undo")
    def come_back(request: Request, token: str) -> Response:
        _ = door.texts(request).gettext
        try:
            found = look(door.rt, token)
        except LinkError:
            return _nobody(door, request)
        here = door.pages.links.here
        back = undo(door.rt, token, network=door.network(request), agent=door.agent(request))
        if back or found.state == "active":
            return door.say(
                request,
                _("You are back."),
                *_back(door, look_at_parts(door.rt, token), door.texts(request)),
                link=(here.papers(), _("Today's papers")),
            )
        return door.say(
            request,
            _("This can no longer be undone."),
            _("You can subscribe again at any time."),
            link=(here.home(), _("Subscribe")),
        )

    @routes.post("/u/{token}/reason")
    def reason(
        request: Request, token: str, form: Annotated[Form, Depends(door.any_form)]
    ) -> Response:
        _ = door.texts(request).gettext
        words, code = form.text("reason", most=500), form.raw("why")
        noted = note_reason(door.rt, token, code, words, network=door.network(request))
        said = (
            _("Noted. Your own words are erased with the rest of your data.")
            if noted
            else _("Nothing was said, so nothing is kept.")
        )
        try:
            found = look(door.rt, token)
        except LinkError:
            return _nobody(door, request)
        if found.state != "left":
            return _page(door, request, token, look_at_parts(door.rt, token))
        return left_page(door, request, token, found, said=said, asks=not noted)

    @routes.post("/u/{token}/link")
    def link(request: Request, token: str) -> Response:
        answer = ask_by_leaving(door.rt, token, network=door.network(request))
        try:
            found = look(door.rt, token)
        except LinkError:
            return _nobody(door, request)
        return link_mailed(door, request, answer, mask(found.email))

    _part_routes(routes, door)


def _part_routes(routes: APIRouter, door: Door) -> None:
    @routes.post("/u/{token}/interests/{part}")
    def one(
        request: Request, token: str, part: RowNumber, form: Annotated[Form, Depends(door.any_form)]
    ) -> Response:
        is_undone = form.raw("act") == "undo"
        act = take_back if is_undone else leave_one
        texts = door.texts(request)
        try:
            if look(door.rt, token).state == "left":
                return left_page(door, request, token, look(door.rt, token))
            found, done = act(
                door.rt, token, part,
                network=door.network(request), agent=door.agent(request),
            )  # fmt: skip
        except LinkError as error:
            return door.say(
                request, texts.said(error.what), texts.said(error.next_step), status=409
            )
        return _page(door, request, token, found, _said_of(found, done, is_undone, texts))

    @routes.post("/u/{token}/pause")
    def pause(
        request: Request, token: str, form: Annotated[Form, Depends(door.any_form)]
    ) -> Response:
        days = form.raw("days")
        wanted = int(days) if days in {str(one) for one in (0, *PAUSES)} else -1
        texts = door.texts(request)
        _ = texts.gettext
        try:
            if look(door.rt, token).state == "left":
                return left_page(door, request, token, look(door.rt, token))
            if wanted < 0:
                return _page(door, request, token, look_at_parts(door.rt, token))
            found = put_off(door.rt, token, wanted)
        except LinkError:
            return _nobody(door, request)
        if found.paused_until is None:
            return _page(door, request, token, found, _("The pause is over: mail comes again."))
        until = texts.long_day(found.paused_until)
        return _page(door, request, token, found, _("No mail comes before %(date)s.", date=until))


def _page(door: Door, request: Request, token: str, found: Leaving, said: str = "") -> Response:
    texts = door.texts(request)
    parts = [(part, _name(part, texts)) for part in found.parts]
    context = {
        "email": mask(found.email),
        "is_barred": found.state == "bounced",
        "here": door.pages.links.here.unsubscribe(token),
        "by_mail": door.rt.site.leave_mail(token),
        "inbox": door.rt.site.inbox,
        "said": said,
        "awake": [(part, name) for part, name in parts if not part.rests],
        "resting": [(part, name) for part, name in parts if part.rests and part.undo],
        "count": len(found.parts),
        "pauses": [(days, texts.day(until)) for days, until in found.pauses],
        "paused_until": found.paused_until,
        "undo_days": door.rt.defaults().undo_days,
    }
    return door.answer(request, "reader/leave.html", context)


def _name(part: Part, texts: Texts) -> str:
    return texts.gettext("The day's most-voted papers") if part.is_ours else part.name


def _said_of(found: Leaving, done: Part, is_undone: bool, texts: Texts) -> str:
    _ = texts.gettext
    name = texts.quoted(_name(done, texts))
    if is_undone:
        return _("%(name)s is back, with the papers that came meanwhile.", name=name)
    if not found.awake:
        return _("%(name)s brings no more papers. Nothing is left that would bring any.", name=name)
    return _("%(name)s brings no more papers. The rest comes as before.", name=name)


def _back(door: Door, found: Leaving, texts: Texts) -> list[str]:
    """What undoing brought back, in sentences."""
    _ = texts.gettext
    names = texts.commas(_name(part, texts) for part in found.awake)
    when = texts.schedule(found.weekdays, found.hour, found.zone)
    lines = [_("As before: %(names)s. %(schedule)s.", names=names, schedule=when)]
    if found.paused_until is not None:
        until = texts.long_day(found.paused_until)
        lines.append(_("Your pause until %(date)s stands, too.", date=until))
    if found.next_at is not None and found.next_at <= door.rt.clock():
        lines.append(_("Next mail: in a few minutes."))
    elif found.next_at is not None:
        there = found.next_at.astimezone(door.clock_in(found.zone).tzinfo)
        day, time = texts.day(there.date()), texts.hour(there.hour, there.minute)
        lines.append(
            _("Next mail: %(day)s at %(time)s. It brings what came since, too.", day=day, time=time)
        )
    return lines


def left_page(
    door: Door,
    request: Request,
    token: str,
    found: Left,
    *,
    said: str = "",
    asks: bool = True,
    data: str = "",
) -> Response:
    """What somebody who left sees: until when it can be undone, and what that brings back. said: of
    what was just done · asks: why they left · data: the page where all is erased, for a link that
    may do that."""
    texts = door.texts(request)
    until = found.undo_until
    open_until = until if until is not None and door.rt.clock() < until else None
    keep = door.rt.defaults().keep_left_days
    context = {
        "email": mask(found.email),
        "token": token,
        "undo_until": texts.long_day(local_date(open_until, door.rt.zone)) if open_until else "",
        "erased_after": keep,
        "said": said,
        "asks": asks,
        "data": data,
        "reasons": [(code, texts.said(words)) for code, words in _REASONS.items()],
    }
    if open_until:
        parts = look_at_parts(door.rt, token)
        context["names"] = texts.commas(_name(part, texts) for part in parts.awake)
        context["schedule"] = texts.schedule(parts.weekdays, parts.hour, parts.zone)
    return door.answer(request, "reader/left.html", context)


def _of_a_test(door: Door, request: Request) -> Response:
    """The link of a test mail: it works, and belongs to nobody."""
    _ = door.texts(request).gettext
    return door.of_a_test(
        request,
        _("Its links belong to nobody, so nobody was unsubscribed."),
        _("In a reader's mail this link opens the page with the button."),
    )


def _nobody(door: Door, request: Request, status: int = 404) -> Response:
    _ = door.texts(request).gettext
    return door.say(
        request,
        _("This link belongs to nobody here."),
        _("Nothing is mailed because of it. A link in a mail may have been cut: copy all of it."),
        status=status,
    )
