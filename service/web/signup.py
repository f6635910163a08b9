"""Signing up: the form with its back-test. What follows it is in ``confirming``."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from service.defaults import FIXED
from service.delivery.i18n import Texts
from service.errors import PaperpostError, Sentence, SpokenError
from service.flows import browse
from service.flows.subscribe import allowed_domains, check_signup, read_wish
from service.matching.query import QueryError
from service.pages.forms import FieldError, Form
from service.pages.guard import SignUpVerdict
from service.subscribers.address import AddressError, probably_meant, read_address
from service.subscribers.cadence import known_zones
from service.web.asked import asked_page
from service.web.door import Door, Offer, faults_of
from service.web.following import NameLine, read_names_back
from service.web.reading import Reading, read_words_back
from service.web.typed import LONGEST, Typed, typed_of, whole_words

_FILLED = ("words", "people")
"""Fields that an address may fill: ``/?words=...``."""


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/``, ``/estimate`` and ``/asked/change``: the form again, with what was typed; opened
    as pages (a tab that was put aside, a link from the history) the latter lead to it."""

    @routes.get("/")
    def home(request: Request) -> Response:
        words, people = (request.query_params.get(name, "")[:LONGEST] for name in _FILLED)
        asked = bool(words.strip() or people.strip())
        return _form_page(door, request, Typed(words=words, people=people), estimated=asked)

    @routes.get("/estimate")
    @routes.get("/asked/change")
    @routes.get("/asked/again")
    def to_form() -> RedirectResponse:
        return RedirectResponse(door.pages.links.here.home(), 303)

    @routes.post("/estimate")
    def show_estimate(request: Request, form: Annotated[Form, Depends(door.form)]) -> Response:
        typed, texts = typed_of(form), door.texts(request)
        if "hx-request" in request.headers:
            name, context = _live(door, typed, texts, request.headers.get("hx-target", ""))
            return door.answer(request, name, context)
        return _form_page(door, request, typed, estimated=True)

    @routes.post("/asked/change")
    def change(request: Request, form: Annotated[Form, Depends(door.form)]) -> Response:
        return _form_page(door, request, typed_of(form))

    @routes.post("/")
    def subscribe(request: Request, form: Annotated[Form, Depends(door.form)]) -> Response:
        return _subscribe(door, request, form)


def _subscribe(door: Door, asked: Request, form: Form) -> Response:
    texts, typed = door.texts(asked), typed_of(form)
    _ = texts.gettext
    verdict = door.check.verdict(form.raw(door.check.TRAP), form.raw(door.check.TIME))
    whole, unread = whole_words(typed)
    wish, errors = read_wish(
        door.rt,
        email=typed.email,
        words=whole.words,
        people=typed.people,
        hour=typed.hour,
        zone=typed.zone,
        locale=door.pages.mail_language(asked),
    )
    if wish is None or unread:
        return _form_page(door, asked, typed, errors={**errors, **unread}, status=422)
    if verdict is SignUpVerdict.TOO_FAST:
        slow = SpokenError(
            Sentence("This came within 2 seconds of opening the page, faster than people type."),
            "email",
            Sentence("Press Subscribe once more."),
        )
        return _form_page(door, asked, typed, errors={"email": slow}, status=422)
    return asked_page(door, asked, whole, wish, is_trapped=verdict is SignUpVerdict.TRAPPED)


def _live(door: Door, typed: Typed, texts: Texts, target: str) -> tuple[str, dict[str, object]]:
    """The part of the page that a field asks for while one types, and its values."""
    if target == "usual":
        zone = _known(typed.zone, door.rt.zone)
        return "signup/usual.html", {"usual": door.usually_complete(zone, texts)}
    if target == "meant":
        faults: dict[str, FieldError] = {}
        if typed.email:
            try:
                check_signup(door.rt.signup, read_address(typed.email))
            except SpokenError as error:
                faults, _offers = faults_of({"email": error}, texts)
        meant = {"meant": _meant(typed.email), "errors": faults, "alone": True}
        return "signup/meant.html", meant
    if target == "names":
        names, faults, offers = _names(door, typed, texts)
        return "signup/names.html", {"names": names, "errors": faults, "offers": offers}
    reading, faults, offers = _reading(door, typed, texts)
    return "signup/live.html", {"reading": reading, "errors": faults, "offers": offers}


def _reading(
    door: Door, typed: Typed, texts: Texts
) -> tuple[Reading | None, dict[str, FieldError], list[Offer]]:
    whole, unread = whole_words(typed)
    if unread:
        return None, *faults_of(unread, texts)
    try:
        return read_words_back(door, whole.words, texts), {}, []
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
        "zone": _known(zone, door.rt.zone),
        "zones": door.zones(_known(zone, door.rt.zone), texts),
        "starts": door.starts.of(door.rt),
        "home_zone": door.rt.zone,
        "usual": door.usually_complete(_known(zone, door.rt.zone), texts),
        "sources": browse.read_names(door.rt),
        "closed": door.rt.signup == "closed",
        "domains": allowed_domains(door.rt.signup),
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
