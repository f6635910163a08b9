"""A reader's own page behind the signed link: interests, when, how, pause, a feed, leaving."""

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from service.errors import PaperpostError
from service.flows import bounces, manage, manage_interests, own_feed
from service.pages.forms import Form, RowNumber, SeveralError
from service.store.tables import ProfileRow
from service.subscribers.cadence import local_date
from service.subscribers.tokens import TokenError
from service.web.door import Door, faults_of
from service.web.leaving import left_page
from service.web.places import PlaceError
from service.web.settings_kept import kept_text, read_kept
from service.web.settings_read import (
    read_change,
    read_choices,
    read_new,
    read_until,
)
from service.web.settings_shown import Trouble, ended, shown_page

_FIELDS = frozenset(
    ("name", "cap", "words", "people", "threshold", "own_name", "votes", "until", "stale")
)


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/manage/T`` and the acts under it."""
    _interest_routes(routes, door)
    _choice_routes(routes, door)

    @routes.get("/manage/{token}")
    def page(request: Request, token: str) -> Response:
        trouble = Trouble(saved=request.query_params.get("saved", ""))
        wider = request.query_params.get("words", "")
        if wider:  # offered by a mail: filled in, saved only by the button
            interest = request.query_params.get("interest", "")
            part = "new" if interest == "new" else f"interest-{interest}"
            trouble = Trouble(part=part, typed=Form({"words": [wider[:2000]]}))
        return shown_page(door, request, token, trouble)

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


def _act(
    door: Door, request: Request, token: str, form: Form, part: str, work: Callable[[], str]
) -> Response:
    """Do ``work``; faults bring the page back with what was typed, else a redirect (so that the
    page can be loaded again without doing it twice) to the words that say what was saved."""
    texts, kept = door.texts(request), read_kept(form, part)
    try:
        said = work()
    except TokenError as error:
        return ended(door, request, token, error)
    except SeveralError as error:
        faults, offers = faults_of(error.errors, texts)
        places = next(
            (one.zones for one in error.errors.values() if isinstance(one, PlaceError)), ()
        )
        trouble = Trouble(
            part=part, faults=faults, offers=tuple(offers), typed=form, places=places, kept=kept
        )
        return shown_page(door, request, token, trouble, status=422)
    except PaperpostError as error:
        faults, offers = faults_of({_field(error, form): error}, texts)
        trouble = Trouble(part=part, faults=faults, offers=tuple(offers), typed=form, kept=kept)
        return shown_page(door, request, token, trouble, status=422)
    if kept:  # stands in this page alone
        return shown_page(door, request, token, Trouble(saved=said, kept=kept))
    return RedirectResponse(f"{door.pages.links.here.manage(token)}?saved={said}#saved", 303)


def _interest_routes(routes: APIRouter, door: Door) -> None:
    @routes.post("/manage/{token}/interests")
    def add(request: Request, token: str, form: Annotated[Form, Depends(door.form)]) -> Response:
        def work() -> str:
            name = manage.open_manage(door.rt, token).reader.name
            first = manage_interests.add_wanted(door.rt, token, *read_new(form, name))
            return f"added-{first}"

        return _act(door, request, token, form, "new", work)

    @routes.post("/manage/{token}/interests/{profile_id}")
    def change(
        request: Request,
        token: str,
        profile_id: RowNumber,
        form: Annotated[Form, Depends(door.form)],
    ) -> Response:
        removed: list[ProfileRow | None] = []

        def work() -> str:
            match form.raw("act"):
                case "remove":
                    removed.append(manage_interests.remove_wanted(door.rt, token, profile_id))
                    return "removed"
                case "pause" | "resume" as wish:
                    paused = wish == "pause"
                    manage_interests.pause_wanted(door.rt, token, profile_id, paused=paused)
                    return f"{'rests' if paused else 'resumed'}-{profile_id}"
                case _:
                    name = manage.open_manage(door.rt, token).reader.name
                    manage_interests.change_wanted(
                        door.rt, token, profile_id, lambda row: read_change(form, row, name)
                    )
            return f"interest-{profile_id}"

        answer = _act(door, request, token, form, f"interest-{profile_id}", work)
        if any(removed):  # its words stand in the page alone, for a press that brings it back
            kept = read_kept(form, f"interest-{profile_id}")
            trouble = Trouble(saved="removed", removed=removed[0], kept=kept)
            return shown_page(door, request, token, trouble)
        return answer


def _choice_routes(routes: APIRouter, door: Door) -> None:
    @routes.post("/manage/{token}/kept/{part}")
    def keep(
        request: Request,
        token: str,
        part: Literal["choices", "pause", "address"],
        form: Annotated[Form, Depends(door.form)],
    ) -> Response:
        """What is typed in one of these forms, as a field of all others; nothing is stored."""
        try:
            manage.open_manage(door.rt, token)
        except TokenError as error:
            return ended(door, request, token, error)
        context = {"part": part, "kept": kept_text(part, form)}
        return door.answer(request, "reader/kept.html", context)

    def save(request: Request, token: str, form: Form, part: str) -> Response:
        def work() -> str:
            spoken = [door.pages.catalogs.texts(one) for one in door.pages.catalogs.languages]
            choices = read_choices(form, part, spoken, door.rt.defaults())
            manage.choose(door.rt, token, choices)
            return part

        return _act(door, request, token, form, "choices", work)

    @routes.post("/manage/{token}/schedule")
    def schedule(
        request: Request, token: str, form: Annotated[Form, Depends(door.form)]
    ) -> Response:
        return save(request, token, form, "schedule")

    @routes.post("/manage/{token}/alerts")
    def alerts(request: Request, token: str, form: Annotated[Form, Depends(door.form)]) -> Response:
        return save(request, token, form, "alerts")

    @routes.post("/manage/{token}/mail")
    def mail(request: Request, token: str, form: Annotated[Form, Depends(door.form)]) -> Response:
        return save(request, token, form, "mail")

    @routes.post("/manage/{token}/pause")
    def pause(request: Request, token: str, form: Annotated[Form, Depends(door.form)]) -> Response:
        def work() -> str:
            reader = manage.open_manage(door.rt, token).reader
            today = local_date(door.rt.clock(), reader.zone)
            manage.pause(door.rt, token, read_until(form, today))
            return "pause"

        return _act(door, request, token, form, "pause", work)

    @routes.post("/manage/{token}/bounces")
    def come_back(
        request: Request, token: str, form: Annotated[Form, Depends(door.form)]
    ) -> Response:
        def work() -> str:
            reader = manage.open_manage(door.rt, token).reader
            network, agent = door.network(request), door.agent(request)
            made = bounces.come_back(door.rt, reader.id or 0, network=network, agent=agent)
            return "back" if made == "resumed" else "stays"

        return _act(door, request, token, form, "bounces", work)

    @routes.post("/manage/{token}/feed")
    def feed(request: Request, token: str, form: Annotated[Form, Depends(door.form)]) -> Response:
        def work() -> str:
            act = form.raw("act")
            wish: own_feed.FeedAct = "close" if act == "close" else "open"
            own_feed.change_feed(door.rt, token, "renew" if act == "renew" else wish)
            return {"close": "feed-closed", "renew": "feed-renewed"}.get(act, "feed")

        return _act(door, request, token, form, "feed", work)


def _field(error: PaperpostError, form: Form) -> str:
    """The field a fault stands at: where it says so, else the form's words."""
    if error.where in _FIELDS:
        return error.where
    return "words" if "words" in form else "act"
