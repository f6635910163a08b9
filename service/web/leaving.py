"""Leaving: a page with one button, RFC 8058's one click, undo, and a reason if one likes."""

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from service.flows.leave import Left, LinkError, look, undo, unsubscribe
from service.flows.letter import HARMLESS
from service.flows.manage import note_reason
from service.pages.forms import Form
from service.subscribers.address import mask
from service.subscribers.cadence import local_date
from service.web.door import Door

SHAPE = re.compile(r"[A-Za-z0-9_-]{22}")
"""An unsubscribe token as the store makes it (16 random bytes)."""


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/u/T`` and what lies under it."""

    @routes.get("/u/{token}")
    def leave_page(request: Request, token: str) -> Response:
        if token == HARMLESS:
            return _of_a_test(door, request)
        try:
            found = look(door.rt, token)
        except LinkError:
            return _nobody(door, request)
        if found.state == "left":
            return left_page(door, request, token, found)
        return door.answer(request, "reader/leave.html", {"email": mask(found.email)})

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
                _("Everything is as it was; nothing was lost."),
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
        note_reason(door.rt, token, form.text("reason", most=500), network=door.network(request))
        return door.say(request, _("Noted. Thank you."))


def left_page(door: Door, request: Request, token: str, found: Left) -> Response:
    """What somebody who left sees: until when it can be undone."""
    texts = door.texts(request)
    until = found.undo_until
    open_until = until if until is not None and door.rt.clock() < until else None
    context = {
        "email": mask(found.email),
        "token": token,
        "undo_until": texts.long_day(local_date(open_until, door.rt.zone)) if open_until else "",
    }
    return door.answer(request, "reader/left.html", context)


def _of_a_test(door: Door, request: Request) -> Response:
    """The link of a test mail: it works, and belongs to nobody."""
    _ = door.texts(request).gettext
    return door.say(
        request,
        _("This was a test mail."),
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
