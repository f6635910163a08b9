"""The confirmation page: what begins, when, and one button; and "never again"."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from service.delivery.i18n import Texts
from service.digest.model import Asks
from service.errors import PaperpostError
from service.flows.begin import (
    Asked,
    Over,
    confirm,
    ended_request,
    never,
    read_confirm,
    read_over,
)
from service.flows.expected import expect
from service.flows.interests import read_kind
from service.flows.live import query_of
from service.flows.manage_link import manage_token
from service.flows.next_mail import next_mail_at
from service.flows.subscribe import SignupError, Wish, check_signup
from service.flows.welcome import First, first_of
from service.matching.query import has_words
from service.pages.forms import FieldError, Form
from service.store import subscribers as subscribers_store
from service.subscribers.address import Address
from service.subscribers.cadence import next_slot, read_hour, read_zone
from service.subscribers.tokens import TokenError
from service.web.asked import asked_page
from service.web.door import Door, faults_of, spoken
from service.web.reading import rate_of
from service.web.typed import Typed


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What the form of the page says. hour, zone: None = as asked for · first: the tick."""

    hour: int | None = None
    zone: str | None = None
    first: bool = True
    errors: Mapping[str, PaperpostError]


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/confirm/T``, ``/confirm/T/again`` and ``/never/T``."""

    @routes.get("/confirm/{token}")
    def confirm_page(request: Request, token: str) -> Response:
        try:
            asked = read_confirm(door.rt, token)
        except TokenError as error:
            return _over_page(door, request, token, error)
        if asked.begun:
            return _begun(door, request, asked, "already")
        query = request.query_params
        chosen = _chosen(query.get("hour", ""), query.get("zone", ""))
        if "hx-request" in request.headers:
            return door.answer(request, "signup/next.html", _schedule(door, request, asked, chosen))
        return _confirm_page(
            door, request, token, asked, chosen if not chosen.errors else _AS_ASKED
        )

    @routes.post("/confirm/{token}")
    def begin(
        request: Request, token: str, form: Annotated[Form, Depends(door.any_form)]
    ) -> Response:
        chosen = _chosen(form.raw("hour"), form.raw("zone"))
        chosen = replace(chosen, first=form.flag("first") if "asked" in form else True)
        try:
            asked = read_confirm(door.rt, token)
            if chosen.errors and not asked.begun:
                return _confirm_page(door, request, token, asked, chosen)
            done = confirm(
                door.rt,
                token,
                first_now=chosen.first,
                hour=chosen.hour,
                zone=chosen.zone,
                network=door.network(request),
                agent=door.agent(request),
            )
            asked = read_confirm(door.rt, token)
        except TokenError as error:
            return _over_page(door, request, token, error)
        return _begun(door, request, asked, done, wanted_first=chosen.first)

    @routes.get("/confirm/{token}/again")
    def to_page(token: str) -> RedirectResponse:
        return RedirectResponse(door.pages.links.here.confirm(token), 303)

    @routes.post("/confirm/{token}/again")
    def ask_again(request: Request, token: str) -> Response:
        found = ended_request(door.rt, token)
        if found is None:
            return confirm_page(request, token)
        row, again = found
        address = Address(row.email, row.email_key)
        try:
            check_signup(door.rt.signup, address)
        except SignupError as error:
            said = door.texts(request).said
            return door.say(request, said(error.what), said(error.next_step), status=403)
        wish = Wish(
            address=address,
            wanted=tuple(read_kind(kind, text) for kind, text in again.interests),
            hour=again.hour,
            zone=again.zone,
            locale=again.locale,
        )
        words = "" if again.kind == "follow" else again.text
        people = again.text if again.kind == "follow" else again.people
        typed = Typed(
            email=row.email, words=words, people=people, hour=f"{again.hour:02}", zone=again.zone
        )
        return asked_page(door, request, typed, wish, is_trapped=False)

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
            never(door.rt, token, network=door.network(request), agent=door.agent(request))
        except TokenError as error:
            return door.ended(request, error)
        return door.say(
            request,
            _("You will get no such request again."),
            _("The address was forgotten; only a code made from it is kept, to recognise it."),
        )


_AS_ASKED = Chosen(errors={})

_NEWS = timedelta(days=1)
"""How long the first digest is news on the page."""


def _chosen(hour: str, zone: str) -> Chosen:
    """The hour and the zone as chosen on the page; "" = as asked for."""
    errors: dict[str, PaperpostError] = {}
    at, where = None, None
    try:
        at = read_hour(hour) if hour.strip() else None
    except PaperpostError as error:
        errors["hour"] = error
    try:
        where = read_zone(zone) if zone.strip() else None
    except PaperpostError as error:
        errors["zone"] = error
    return Chosen(hour=at, zone=where, errors=errors)


def _schedule(door: Door, asked: Request, found: Asked, chosen: Chosen) -> dict[str, object]:
    """When mail comes by what is chosen: the time there now, and the first regular mail."""
    texts, row = door.texts(asked), found.reader
    hour = row.hour if chosen.hour is None else chosen.hour
    zone = chosen.zone or row.zone
    there = door.clock_in(zone)
    asked_for = subscribers_store.to_subscriber(row)
    at = next_slot(replace(asked_for, hour=hour, zone=zone), door.rt.clock())[1]
    return {
        "schedule": texts.schedule(subscribers_store.days_of(row.weekdays), hour, zone),
        "now_there": texts.hour(there.hour, there.minute),
        "regular": _moment(at, zone, door, texts),
        "asks": _asks(found),
    }


def _asks(found: Asked) -> Asks:
    """What papers are compared with: words; people alone; votes alone."""
    queries = [query_of(kind, text, None) for kind, text in found.interests]
    asked = [has_words(query) for query in queries if query is not None]
    if not asked:
        return "trending"
    return "words" if any(asked) else "interests"


def _moment(at: datetime, zone: str, door: Door, texts: Texts) -> str:
    """ "Mon 23 November at 08:00", on walls in ``zone``."""
    there = at.astimezone(door.clock_in(zone).tzinfo)
    day, time = texts.day(there.date()), texts.hour(there.hour, there.minute)
    return texts.gettext("%(day)s at %(time)s", day=day, time=time)


def _confirm_page(door: Door, asked: Request, token: str, found: Asked, chosen: Chosen) -> Response:
    texts, row = door.texts(asked), found.reader
    faults: dict[str, FieldError] = faults_of(chosen.errors, texts)[0]
    sound = replace(chosen, errors={})  # what can be read of a form with a fault stays chosen
    hour = row.hour if sound.hour is None else sound.hour
    context = {
        "here": door.pages.links.here.confirm(token),
        "email": row.email,
        "interests": _interests(found, texts),
        **_expected(door, found, texts),
        **_schedule(door, asked, found, sound),
        "errors": faults,
        "days": texts.mail_days(subscribers_store.days_of(row.weekdays)),
        "hours": door.hours(texts),
        "hour": f"{hour:02}",
        "zones": door.zones(sound.zone or row.zone, texts),
        "zone": sound.zone or row.zone,
        "first": chosen.first,
        "first_papers": door.rt.defaults().first_papers,
        "first_days": door.rt.defaults().first_days,
    }
    return door.answer(asked, "signup/confirm.html", context, status=422 if faults else 200)


def _interests(found: Asked, texts: Texts) -> list[str]:
    """How each interest is read; "" for trending."""
    queries = [query_of(kind, text, None) for kind, text in found.interests]
    return [spoken(query, texts) if query is not None else "" for query in queries]


def _expected(door: Door, found: Asked, texts: Texts) -> dict[str, object]:
    """What would have come: days with mail, papers a day."""
    expected = expect(door.rt, found.interests)
    test = expected.test
    return {
        "expected": expected,
        "rate": rate_of(test, texts) if test is not None and test.estimate.total else "",
        "most": texts.number(expected.most) if expected.most else "",
    }


def _begun(
    door: Door, asked: Request, found: Asked, done: str, *, wanted_first: bool = False
) -> Response:
    rt, texts, row = door.rt, door.texts(asked), found.reader
    assert row.id is not None
    first = first_of(rt, row.id)
    at = rt.db.read(lambda s: next_mail_at(rt, s, row))
    is_new = first is not None and rt.clock() - first.planned_at < _NEWS
    context = {
        "already": done == "already",
        "email": row.email,
        **_expected(door, found, texts),
        "first": first if is_new else None,
        "no_first": wanted_first and first is None and done == "begun",
        "is_down": is_new and _waits(first) and not door.relay.answers(),
        "first_days": rt.defaults().first_days,
        "sender": rt.site.sender,
        "schedule": _schedule(door, asked, found, _AS_ASKED)["schedule"],
        "regular": _moment(at, row.zone, door, texts) if at else "",
        "asks": _asks(found),
        "manage": manage_token(rt, row, rt.clock()),
    }
    return door.answer(asked, "signup/begun.html", context)


def _waits(first: First | None) -> bool:
    return first is not None and not first.is_handed


def _over_page(door: Door, asked: Request, token: str, error: TokenError) -> Response:
    """A link that ended: why, and what to do now."""
    texts, over = door.texts(asked), read_over(door.rt, token)
    if over.on is None:
        return door.ended(asked, error)
    context = {
        "over": over,
        "title": _over_title(over, texts),
        "again": door.pages.links.here.confirm(token) + "/again",
        "days": texts.npgettext(
            "in so many", "%(num)s day", "%(num)s days", door.rt.defaults().confirm_days
        ),
    }
    return door.answer(
        asked, "signup/over.html", context, status=200 if over.why == "begun" else 410
    )


def _over_title(over: Over, texts: Texts) -> str:
    assert over.on is not None
    day = texts.long_day(over.on)
    if over.why == "begun":
        return texts.gettext("You began on %(date)s.", date=day)
    if over.why == "withdrawn":
        return texts.gettext("This request was taken back.")
    if over.why == "time":
        return texts.gettext("This link ended on %(date)s.", date=day)
    return texts.gettext("This link is over.")
