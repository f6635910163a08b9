"""The link itself: asked for, renewed; and what only a fresh one may do."""

import re
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from service.errors import PaperpostError, Sentence, SpokenError
from service.flows import address as address_flow
from service.flows import own_link
from service.flows.manage import ManageError, open_manage
from service.pages.forms import Form
from service.subscribers.address import AddressError, mask
from service.subscribers.cadence import local_date
from service.subscribers.tokens import TokenError
from service.web.door import Door, faults_of
from service.web.mailed import full, link_mailed, link_told, when
from service.web.settings_kept import read_kept
from service.web.settings_shown import Trouble, ended, shown_page

_LONGEST = 2000


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/manage``, renewing, and change of address, export and erasure under it."""
    _link_routes(routes, door)
    _address_routes(routes, door)


def _link_routes(routes: APIRouter, door: Door) -> None:
    @routes.get("/manage")
    def ask_page(request: Request) -> Response:
        words = request.query_params.get("words", "").strip()[:_LONGEST]
        return door.answer(request, "reader/ask.html", _asked({"words": words}))

    @routes.post("/manage")
    def ask(request: Request, form: Annotated[Form, Depends(door.form)]) -> Response:
        if "link" in form:
            return _take_words(door, request, form)
        email, words = form.raw("email").strip()[:300], form.raw("words").strip()[:_LONGEST]
        try:
            answer = own_link.ask_link(door.rt, email, network=door.network(request))
        except AddressError as error:
            faults, _offers = faults_of({"email": error}, door.texts(request))
            context = _asked({"email": email, "words": words, "errors": faults})
            return door.answer(request, "reader/ask.html", context, status=422)
        if words and not answer.full:  # what a stranger types stands in no mail: it waits here
            sent = link_told(door, request, answer)
            return door.answer(request, "reader/ask.html", _asked({"words": words, "sent": sent}))
        return link_mailed(door, request, answer)

    @routes.post("/manage/{token}/link")
    def renew(request: Request, token: str) -> Response:
        try:
            answer = own_link.renew_link(door.rt, token, network=door.network(request))
        except TokenError as error:
            return door.ended(request, error)
        return link_mailed(door, request, answer, _masked(door, token))


def _masked(door: Door, token: str) -> str:
    """The reader's address for who holds a link that works; nothing by one that ended."""
    try:
        return mask(open_manage(door.rt, token).reader.email)
    except TokenError:
        return ""


def _asked(values: dict[str, object]) -> dict[str, object]:
    return {"email": "", "words": "", "pasted": "", "sent": (), "errors": {}} | values


def _take_words(door: Door, request: Request, form: Form) -> Response:
    """To the own page whose link was pasted, with words for a new interest; nothing is stored."""
    words, pasted = form.raw("words").strip()[:_LONGEST], form.raw("link").strip()[:1000]
    found = re.search(r"/manage/([\w.~-]+)", pasted)
    if found is None:
        error = SpokenError(
            Sentence("This is not the link to your settings."),
            "link",
            Sentence("In a mail of ours it reads “Change or pause”: copy its address."),
        )
        faults, _offers = faults_of({"link": error}, door.texts(request))
        context = _asked({"words": words, "pasted": pasted, "errors": faults})
        return door.answer(request, "reader/ask.html", context, status=422)
    query = urlencode({"words": words, "interest": "new"})
    own = door.pages.links.here.manage(found[1])
    return RedirectResponse(f"{own}?{query}#interests", 303)


def _address_ended(door: Door, request: Request, error: TokenError) -> Response:
    """A new one is asked for where the change was asked for: on the reader's own page."""
    if error.ended_at is None:
        return door.ended(request, error)
    texts = door.texts(request)
    day = texts.long_day(local_date(error.ended_at, door.rt.zone))
    again = (door.pages.links.here.manage(), texts.gettext("Mail me a new one"))
    title = texts.gettext("This link ended on %(date)s.", date=day)
    said = texts.gettext("Nothing was changed.")
    return door.say(request, title, said, link=again, status=410)


def _address_routes(routes: APIRouter, door: Door) -> None:
    @routes.get("/manage/address/{token}")
    def new_address(request: Request, token: str) -> Response:
        try:
            reader, address = address_flow.read_address_change(door.rt, token)
        except TokenError as error:
            return _address_ended(door, request, error)
        context = {
            "old": mask(reader.email),
            "new": address.email,
            "done": reader.email_key == address.key,
        }
        return door.answer(request, "reader/address.html", context)

    @routes.post("/manage/address/{token}")
    def take_address(request: Request, token: str) -> Response:
        texts = door.texts(request)
        _ = texts.gettext
        try:
            address_flow.change_address(
                door.rt, token, network=door.network(request), agent=door.agent(request)
            )
        except TokenError as error:
            return _address_ended(door, request, error)
        except ManageError as error:
            return door.say(request, texts.said(error.what), _("Nothing was changed."), status=409)
        return door.say(
            request,
            _("Your papers come here from now on."),
            _("The old address gets one last mail that says so."),
        )

    @routes.post("/manage/{token}/address")
    def ask_address(
        request: Request, token: str, form: Annotated[Form, Depends(door.form)]
    ) -> Response:
        texts = door.texts(request)
        _ = texts.gettext
        try:
            answer = address_flow.ask_address(
                door.rt, token, form.raw("email"), network=door.network(request)
            )
        except TokenError as error:
            return ended(door, request, token, error)
        except PaperpostError as error:
            faults, _offers = faults_of({"email": error}, texts)
            kept = read_kept(form, "address")
            trouble = Trouble(part="address", faults=faults, typed=form, kept=kept)
            return shown_page(door, request, token, trouble, status=422)
        if answer.full:
            return full(door, request)
        return door.say(
            request,
            _("Look in the new mailbox"),
            _("A link was mailed there. Nothing changes before its button is pressed."),
            *([when(texts, answer)] if answer.hours else []),
        )
