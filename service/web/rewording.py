"""The manage page's forms of interests looked at before they are saved; nothing changes here."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from service.errors import PaperpostError
from service.flows import manage
from service.flows.interests import InterestChange, read_form
from service.pages.forms import Form, RowNumber, SeveralError
from service.store.tables import ProfileRow
from service.subscribers.tokens import TokenError
from service.web.door import Door, faults_of
from service.web.following import read_names_back
from service.web.looked import look_at
from service.web.settings_kept import kept_text, read_kept
from service.web.settings_read import read_change
from service.web.settings_shown import Trouble, ended, shown_page


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/manage/T/look`` for a new interest and ``/manage/T/interests/N/look``."""

    @routes.post("/manage/{token}/look")
    def new(request: Request, token: str, form: Annotated[Form, Depends(door.form)]) -> Response:
        return _look(door, request, token, form, None)

    @routes.post("/manage/{token}/interests/{profile_id}/look")
    def changed(
        request: Request,
        token: str,
        profile_id: RowNumber,
        form: Annotated[Form, Depends(door.form)],
    ) -> Response:
        return _look(door, request, token, form, profile_id)


def _look(door: Door, request: Request, token: str, form: Form, profile_id: int | None) -> Response:
    """The page again with what words and names would bring; for htmx the part of words alone."""
    try:
        found = manage.open_manage(door.rt, token)
    except TokenError as error:
        return ended(door, request, token, error)
    texts, part = door.texts(request), "new" if profile_id is None else f"interest-{profile_id}"
    row = next((one for one in found.interests if one.id == profile_id), None)
    is_live = "hx-request" in request.headers
    words, people = (
        ("", "words") if row is not None and row.kind == "follow" else ("words", "people")
    )
    for choice, field in (("use", words or people), ("use_people", people)):
        if form.raw(choice):
            form = form.with_value(field, form.raw(choice))
    trouble = Trouble(part=part, typed=form, kept=read_kept(form, part))
    here = door.pages.links.here.manage(token)
    field = people
    try:
        if not is_live:
            names = read_names_back(door, form.raw(people), texts, words=form.raw(words))
            trouble = replace(trouble, names=names)
        if words and (row is not None or is_live or form.raw(words).strip() or not trouble.names):
            field = words
            after = _typed(form, row, found.reader.name)
            looked = look_at(door, after, row, texts)
            trouble = replace(trouble, looked=replace(looked, words_at=f"{here}/words"))
    except PaperpostError as error:
        several = error.errors if isinstance(error, SeveralError) else {error.where or field: error}
        faults, offers = faults_of(several, texts)
        trouble = replace(trouble, faults=faults, offers=tuple(offers))
    if not is_live:
        return shown_page(door, request, token, trouble, status=422 if trouble.faults else 200)
    context = {
        "faults": list((trouble.faults or {}).values()),
        "offers": trouble.offers,
        "looked": trouble.looked,
        "part": part,
        "kept": kept_text(part, form),
        "action": f"{here}/look" if row is None else f"{here}/interests/{row.id}/look",
    }
    return door.answer(request, "reader/looked.html", context)


def _typed(form: Form, row: ProfileRow | None, reader_name: str) -> InterestChange:
    if row is not None:
        return read_change(form, row, reader_name)
    return InterestChange(wanted=read_form(form.raw("words")))
