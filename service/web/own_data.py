"""A reader's data behind a link that was mailed on request: taken along, and erased."""

from collections.abc import Callable, Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse
from starlette.exceptions import HTTPException

from service.errors import Sentence
from service.flows import address as address_flow
from service.flows import own_data
from service.flows.manage import ManageError, fresh_reader
from service.pages.forms import FieldError, Form
from service.pages.references import FILES
from service.store import own_rows
from service.store.tables import SubscriberRow
from service.subscribers.tokens import TokenError
from service.web.door import Door, faults_of
from service.web.kept import kept_after_erasing, said_rows
from service.web.settings_shown import Trouble, ended, shown_page

_TYPES = {"csv": "text/csv", **{kind: media for kind, (_write, media) in FILES.items()}}
_NAMES = {"csv": "CSV", "bib": "BibTeX", "ris": "RIS"}


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/manage/T/data``, the files, and erasing."""

    def of_reader(
        request: Request, token: str, answer: Callable[[SubscriberRow], Response]
    ) -> Response:
        try:
            row = door.rt.db.read(lambda s: fresh_reader(door.rt, s, token))
            return answer(row)
        except TokenError as error:
            return ended(door, request, token, error)
        except ManageError as error:
            faults, _offers = faults_of({"stale": error}, door.texts(request))
            trouble = Trouble(part="stale", faults=faults)
            return shown_page(door, request, token, trouble, status=403)

    @routes.get("/manage/{token}/data")
    def page(request: Request, token: str) -> Response:
        return of_reader(request, token, lambda row: _page(door, request, token, row))

    @routes.get("/manage/{token}/export")
    def export(request: Request, token: str) -> Response:
        return of_reader(
            request,
            token,
            lambda row: _file(
                own_data.export_text(door.rt, row.id or 0), "application/json", "paperpost.json"
            ),
        )

    @routes.get("/manage/{token}/papers.{kind}")
    def papers(request: Request, token: str, kind: str) -> Response:
        if kind not in _TYPES:
            raise HTTPException(404)
        liked = request.query_params.get("only") == "liked"

        def answer(row: SubscriberRow) -> Response:
            rt, reader_id = door.rt, row.id or 0
            if kind == "csv":
                pieces = own_data.papers_csv(rt, reader_id, liked=liked)
            else:
                pieces = own_data.papers_cited(rt, reader_id, kind, liked=liked)
            name = f"papers-liked.{kind}" if liked else f"papers.{kind}"
            return _file(pieces, f"{_TYPES[kind]}; charset=utf-8", name)

        return of_reader(request, token, answer)

    @routes.post("/manage/{token}/erase")
    def erase(request: Request, token: str, form: Annotated[Form, Depends(door.form)]) -> Response:
        texts = door.texts(request)

        def answer(row: SubscriberRow) -> Response:
            if not form.flag("sure"):
                what = texts.said(Sentence("Tick this first: erasing cannot be undone."))
                fault = FieldError(what, "sure")
                return _page(door, request, token, row, fault)
            address_flow.erase(door.rt, token)
            remains = said_rows(kept_after_erasing(), texts)
            return door.answer(request, "reader/erased.html", {"remains": remains})

        return of_reader(request, token, answer)


def _page(
    door: Door, request: Request, token: str, row: SubscriberRow, error: FieldError | None = None
) -> Response:
    assert row.id is not None
    reader_id = row.id
    had, marks = door.rt.db.read(
        lambda s: (own_rows.count_had(s, reader_id), own_rows.list_marks(s, reader_id))
    )
    context = {
        "here": door.pages.links.here.manage(token),
        "email": row.email,
        "had": had,
        "liked": any(mark.sign > 0 for mark in marks),
        "files": list(_NAMES.items()),
        "is_left": row.state == "left",
        "remains": said_rows(kept_after_erasing(), door.texts(request)),
        "error": error,
        "errors": {"sure": error} if error else {},
    }
    return door.answer(request, "reader/data.html", context, status=422 if error else 200)


def _file(pieces: Iterator[str], media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(
        (piece.encode() for piece in pieces), media_type=media_type, headers=headers
    )
