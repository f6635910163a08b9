"""Signing up: the form with its back-test, the confirmation page, and "never again"."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from service.defaults import FIXED
from service.delivery.i18n import Texts
from service.errors import PaperpostError, Sentence, SpokenError
from service.flows import browse
from service.flows.estimate import estimate
from service.flows.live import query_of
from service.flows.manage import next_mail_at
from service.flows.manage_link import manage_token
from service.flows.subscribe import Asked, confirm, never, read_confirm, read_wish, request
from service.matching.counting import Asked as Interest
from service.matching.query import QueryError
from service.pages.forms import FieldError, Form
from service.pages.guard import SignUpVerdict
from service.store import subscribers as subscribers_store
from service.store.tables import SubscriberRow
from service.subscribers.address import AddressError, probably_meant, read_address
from service.subscribers.cadence import known_zones
from service.subscribers.tokens import TokenError
from service.web.door import Door, Offer, faults_of, spoken
from service.web.following import NameLine, read_names_back
from service.web.reading import Reading, read_words_back

_LONGEST = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What stands in the form."""

    email: str = ""
    words: str = ""
    people: str = ""
    hour: str = ""
    zone: str = ""
    shown: str = ""


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/``, ``/estimate``, ``/confirm/T`` and ``/never/T``."""

    @routes.get("/")
    def home(request: Request) -> Response:
        words = request.query_params.get("words", "")[:_LONGEST]
        return _form_page(door, request, Typed(words=words), estimated=bool(words.strip()))

    @routes.post("/estimate")
    def show_estimate(request: Request, form: Annotated[Form, Depends(door.form)]) -> Response:
        typed = _typed(form)
        if request.headers.get("hx-target") == "usual":
            usual = door.usually_complete(_known(typed.zone, door.rt.zone), door.texts(request))
            return door.answer(request, "signup/usual.html", {"usual": usual})
        if request.headers.get("hx-target") == "names":
            names, faults, offers = _names(door, typed, door.texts(request))
            names_read = {"names": names, "errors": faults, "offers": offers}
            return door.answer(request, "signup/names.html", names_read)
        if "hx-request" in request.headers:
            reading, faults, offers = _reading(door, typed, door.texts(request))
            context = {"reading": reading, "errors": faults, "offers": offers}
            return door.answer(request, "signup/live.html", context)
        return _form_page(door, request, typed, estimated=True)

    @routes.post("/")
    def subscribe(request: Request, form: Annotated[Form, Depends(door.form)]) -> Response:
        return _subscribe(door, request, form)

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


def _typed(form: Form) -> Typed:
    used = form.raw("use")
    words = used or form.raw("words")
    return Typed(
        email=form.raw("email").strip()[:300],
        words=words.replace("\r\n", "\n")[:_LONGEST],
        people=(form.raw("use_people") or form.raw("people")).replace("\r\n", "\n")[:_LONGEST],
        hour=form.raw("hour")[:10],
        zone=form.raw("zone")[:80],
        shown=form.raw("shown")[:200],
    )


def _subscribe(door: Door, asked: Request, form: Form) -> Response:
    texts, typed = door.texts(asked), _typed(form)
    _ = texts.gettext
    verdict = door.check.verdict(form.raw(door.check.TRAP), form.raw(door.check.TIME))
    wish, errors = read_wish(
        door.rt,
        email=typed.email,
        words=typed.words,
        people=typed.people,
        hour=typed.hour,
        zone=typed.zone,
        locale=door.pages.mail_language(asked),
    )
    if wish is None:
        return _form_page(door, asked, typed, errors=errors, status=422)
    if verdict is SignUpVerdict.TOO_FAST:
        slow = SpokenError(
            Sentence("This came within 2 seconds of opening the page, faster than people type."),
            "email",
            Sentence("Press Subscribe once more."),
        )
        return _form_page(door, asked, typed, errors={"email": slow}, status=422)
    delayed = False
    if verdict is not SignUpVerdict.TRAPPED:
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


def _reading(
    door: Door, typed: Typed, texts: Texts
) -> tuple[Reading | None, dict[str, FieldError], list[Offer]]:
    try:
        return read_words_back(door, typed.words, texts), {}, []
    except QueryError as error:
        return None, *faults_of({"words": error}, texts)


def _names(
    door: Door, typed: Typed, texts: Texts
) -> tuple[tuple[NameLine, ...], dict[str, FieldError], list[Offer]]:
    try:
        return read_names_back(door, typed.people, texts, words=typed.words), {}, []
    except QueryError as error:
        return (), *faults_of({"people": error}, texts)


def _form_page(
    door: Door,
    asked: Request,
    typed: Typed,
    *,
    errors: Mapping[str, PaperpostError] | None = None,
    estimated: bool = False,
    status: int = 200,
) -> Response:
    texts = door.texts(asked)
    faults, offers = faults_of(errors or {}, texts)
    reading = None
    names: tuple[NameLine, ...] = ()
    if estimated and "people" not in faults:
        names, more, offers = _names(door, typed, texts)
        faults.update(more)
        status = 422 if more else status
    is_words = bool(typed.words.strip()) or not typed.people.strip()
    if estimated and is_words and "words" not in faults:
        reading, more, meant = _reading(door, typed, texts)
        faults.update(more)
        offers = [*offers, *meant]
        status = 422 if more else status
    zone = typed.zone if "zone" not in faults and typed.zone else door.rt.zone
    on = browse.newest_day(door.rt)
    today = browse.read_day(door.rt, on, limit=FIXED.signup_papers) if on else None
    context = {
        "typed": typed,
        "errors": faults,
        "offers": offers,
        "reading": reading,
        "names": names,
        "meant": _meant(typed.email) if estimated else "",
        "hours": door.hours(texts),
        "hour": typed.hour if "hour" not in faults and typed.hour else _hour(door),
        "zones": door.zones(_known(zone, door.rt.zone), texts),
        "home_zone": door.rt.zone,
        "usual": door.usually_complete(_known(zone, door.rt.zone), texts),
        "sources": browse.read_names(door.rt),
        "closed": door.rt.signup == "closed",
        "has_votes": door.has_votes(),
        "trap": door.check.TRAP,
        "time": door.check.TIME,
        "shown": typed.shown or door.check.shown(),
        "today": today,
        "entries": door.entries(today.papers, asked) if today else [],
        "is_today": on is not None and on >= door.today(),
    }
    return door.answer(asked, "signup/home.html", context, status=status)


def _known(zone: str, otherwise: str) -> str:
    return zone if zone in known_zones() else otherwise


def _hour(door: Door) -> str:
    return f"{door.rt.defaults().hour:02}"


def _meant(email: str) -> str:
    try:
        return probably_meant(read_address(email).key)
    except AddressError:
        return ""


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
