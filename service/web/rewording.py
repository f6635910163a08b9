"""The manage page's forms of interests looked at before they are saved; nothing changes here."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from service.errors import PaperpostError
from service.flows import manage
from service.flows.interests import InterestChange, read_form
from service.pages.forms import Form
from service.subscribers.tokens import TokenError
from service.web.door import Door, faults_of
from service.web.looked import look_at
from service.web.settings_page import read_change
from service.web.settings_shown import Trouble, ended, shown_page


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/manage/T/look`` for a new interest and ``/manage/T/interests/N/look``."""

    @routes.post("/manage/{token}/look")
    def new(request: Request, token: str, form: Annotated[Form, Depends(door.form)]) -> Response:
        return _look(door, request, token, form, None)

    @routes.post("/manage/{token}/interests/{profile_id}/look")
    def changed(
        request: Request, token: str, profile_id: int, form: Annotated[Form, Depends(door.form)]
    ) -> Response:
        return _look(door, request, token, form, profile_id)


def _look(door: Door, request: Request, token: str, form: Form, profile_id: int | None) -> Response:
    """The page again with what the words would bring; for htmx that part of it alone."""
    try:
        found = manage.open_manage(door.rt, token)
    except TokenError as error:
        return ended(door, request, token, error)
    texts, part = door.texts(request), "new" if profile_id is None else f"interest-{profile_id}"
    row = next((one for one in found.interests if one.id == profile_id), None)
    typed = form.with_value("words", form.raw("use")) if form.raw("use") else form
    is_live = "hx-request" in request.headers
    try:
        if row is not None:
            after = read_change(typed, row, found.reader.name)
        else:
            after = InterestChange(wanted=read_form(typed.raw("words")))
        looked = look_at(door, after, row, texts)
    except PaperpostError as error:
        faults, offers = faults_of({error.where or "words": error}, texts)
        trouble = Trouble(part=part, faults=faults, offers=tuple(offers), typed=typed)
        if not is_live:
            return shown_page(door, request, token, trouble, status=422)
        context: dict[str, object] = {"faults": list(faults.values()), "looked": None}
    else:
        if not is_live:
            trouble = Trouble(part=part, typed=typed, looked=looked)
            return shown_page(door, request, token, trouble)
        context = {"faults": [], "looked": looked}
    here = door.pages.links.here.manage(token)
    action = f"{here}/look" if row is None else f"{here}/interests/{row.id}/look"
    return door.answer(request, "reader/looked.html", {**context, "part": part, "action": action})
