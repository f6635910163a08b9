"""A reader's own page behind the signed link: interests, hour, form, pause, leaving."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from service.defaults import FIXED
from service.digest.select import Style
from service.errors import PaperpostError, Sentence
from service.flows import manage, manage_interests
from service.flows.interests import (
    InterestChange,
    Wanted,
    change_of,
    read_cap,
    read_kind,
    read_own,
    read_people,
    read_threshold,
    read_votes,
)
from service.flows.interests import read_form as read_words_form
from service.flows.manage import ManageError
from service.pages.forms import Form
from service.store.tables import ProfileRow
from service.subscribers.cadence import read_at_least, read_hour, read_weekdays, read_zone
from service.subscribers.model import DAYS, FORMS, Cadence
from service.subscribers.tokens import TokenError
from service.web.door import Door, faults_of
from service.web.leaving import left_page
from service.web.settings_shown import Trouble, ended, shown_page

_SAID = {
    "interest": Sentence("Saved. It counts from the next mail on."),
    "removed": Sentence("Removed."),
    "schedule": Sentence("Saved."),
    "mail": Sentence("Saved."),
    "pause": Sentence("Saved."),
}


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/manage/T`` and the acts under it."""

    def act(
        request: Request,
        token: str,
        form: Form,
        part: str,
        work: Callable[[], str],
    ) -> Response:
        """Do ``work``; faults bring the page back with what was typed, else a redirect (so that
        the page can be loaded again without doing it twice)."""
        texts = door.texts(request)
        try:
            said = work()
        except TokenError as error:
            return ended(door, request, token, error)
        except PaperpostError as error:
            faults, offers = faults_of({_field(error, form): error}, texts)
            trouble = Trouble(part=part, faults=faults, offers=tuple(offers), typed=form)
            return shown_page(door, request, token, trouble, status=422)
        where = f"{door.pages.links.here.manage(token)}?saved={said}#saved"
        return RedirectResponse(where, 303)

    @routes.get("/manage/{token}")
    def page(request: Request, token: str) -> Response:
        said = _SAID.get(request.query_params.get("saved", ""), "")
        trouble = Trouble(said=door.texts(request).said(said))
        wider = request.query_params.get("words", "")
        if wider:  # offered by a mail: filled in, saved only by the button
            interest = request.query_params.get("interest", "")
            part = "new" if interest == "new" else f"interest-{interest}"
            trouble = Trouble(part=part, typed=Form({"words": [wider[:2000]]}))
        return shown_page(door, request, token, trouble)

    @routes.post("/manage/{token}/interests")
    def add(request: Request, token: str, form: Annotated[Form, Depends(door.form)]) -> Response:
        def work() -> str:
            name = manage.open_manage(door.rt, token).reader.name
            changes = [_read_new(form, wanted, name) for wanted in _read_two(form)]
            manage_interests.add_wanted(door.rt, token, *changes)
            return "interest"

        return act(request, token, form, "new", work)

    @routes.post("/manage/{token}/interests/{profile_id}")
    def change(
        request: Request, token: str, profile_id: int, form: Annotated[Form, Depends(door.form)]
    ) -> Response:
        def work() -> str:
            match form.raw("act"):
                case "remove":
                    manage_interests.remove_wanted(door.rt, token, profile_id)
                    return "removed"
                case "pause" | "resume" as wish:
                    paused = wish == "pause"
                    manage_interests.pause_wanted(door.rt, token, profile_id, paused=paused)
                case _:
                    name = manage.open_manage(door.rt, token).reader.name
                    manage_interests.change_wanted(
                        door.rt, token, profile_id, lambda row: read_change(form, row, name)
                    )
            return "interest"

        return act(request, token, form, f"interest-{profile_id}", work)

    @routes.post("/manage/{token}/schedule")
    def schedule(
        request: Request, token: str, form: Annotated[Form, Depends(door.form)]
    ) -> Response:
        def work() -> str:
            manage.set_schedule(
                door.rt,
                token,
                hour=read_hour(form.raw("hour")),
                zone=read_zone(form.raw("zone")),
                weekdays=read_weekdays(list(form.choices("weekdays", DAYS))),
                on_time=form.flag("on_time"),
                at_least=read_at_least(form.raw("at_least")) if "at_least" in form else None,
                tell_anyway=form.flag("tell_anyway"),
            )
            return "schedule"

        return act(request, token, form, "schedule", work)

    @routes.post("/manage/{token}/mail")
    def mail(request: Request, token: str, form: Annotated[Form, Depends(door.form)]) -> Response:
        def work() -> str:
            manage.set_mail(
                door.rt,
                token,
                locale=form.choice("locale", door.pages.catalogs.languages, "en"),
                format=form.choice("format", FORMS, "html"),
                style=form.choice("style", get_args(Style), "short"),
                trending=form.flag("trending"),
            )
            return "mail"

        return act(request, token, form, "mail", work)

    @routes.post("/manage/{token}/pause")
    def pause(request: Request, token: str, form: Annotated[Form, Depends(door.form)]) -> Response:
        def work() -> str:
            until = None if form.raw("act") == "end" else _read_date(form.raw("until"))
            manage.pause(door.rt, token, until)
            return "pause"

        return act(request, token, form, "pause", work)

    @routes.post("/manage/{token}/leave")
    def leave(request: Request, token: str) -> Response:
        try:
            reader = manage.open_manage(door.rt, token).reader
            left = manage.leave_by_link(
                door.rt, token, network=door.network(request), agent=door.agent(request)
            )
        except TokenError as error:
            return ended(door, request, token, error)
        return left_page(door, request, reader.unsubscribe_token, left)


_SCHEDULE = ("hour", "zone", "weekdays", "until", "at_least")
_FIELDS = frozenset(
    (*_SCHEDULE, "name", "cap", "words", "people", "threshold", "own_name", "votes")
)


def _field(error: PaperpostError, form: Form) -> str:
    """The field a fault stands at: where it says so, else the form's words."""
    if error.where in _FIELDS:
        return error.where
    return "words" if "words" in form else "act"


def _read_date(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        what = Sentence("This is no date.") if text.strip() else Sentence("The date is missing.")
        step = Sentence("Write it like %(example)s.", example="2026-11-20")
        raise ManageError(what, "until", step) from None


def _text(form: Form, field: str) -> str:
    return form.raw(field).replace("\r\n", "\n").strip()


def _read_two(form: Form) -> list[Wanted]:
    """The fields of words and of people, an interest each; neither = trending."""
    words = _text(form, "words")
    try:
        followed = read_people(_text(form, "people"))
    except PaperpostError as error:
        error.where = "people"
        raise
    wanted = [read_words_form(words)] if words or followed is None else []
    return [*wanted, followed] if followed is not None else wanted


def _read_new(form: Form, wanted: Wanted, reader_name: str) -> InterestChange:
    change = InterestChange(wanted=wanted, name=form.raw("name"), **_read_days(form))
    return replace(change, **_read_choices(form, reader_name))


def read_change(form: Form, row: ProfileRow, reader_name: str) -> InterestChange:
    """What the form says; a form without a cap or the ticks leaves these as they are."""
    kind, words = form.raw("kind"), _text(form, "words")
    wanted = read_kind(kind, words) if kind == "follow" else read_words_form(words)
    change = replace(change_of(row, wanted), name=form.raw("name"), **_read_days(form))
    return replace(change, **_read_choices(form, reader_name))


def _read_days(form: Form) -> dict[str, Any]:
    return {
        "cadence": Cadence(form.choice("cadence", tuple(c.value for c in Cadence), "daily")),
        "weekday": DAYS.index(form.choice("weekday", DAYS, FIXED.weekly_day)),
    }


def _read_choices(form: Form, reader_name: str) -> dict[str, Any]:
    """Cap, least score, own papers, later news. reader_name: taken where no name is typed."""
    if "choices" not in form:
        return {"cap": read_cap(form.raw("cap"))} if "cap" in form else {}
    return {
        "cap": read_cap(form.raw("cap")),
        "threshold": read_threshold(form.raw("threshold")),
        "own": read_own(form.raw("own_name"), reader_name) if form.flag("own") else "",
        "signals": form.flag("signals"),
        "votes": read_votes(form.raw("votes")),
    }
