"""What a reader wanted more or less of, in one list, where it is taken back."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from service.flows.browse import NotHereError
from service.flows.marks import PAGE_SIZE, forget_marks, read_marks, set_mark
from service.pages.forms import Form
from service.pages.paging import address_of_page, paging_of
from service.web.door import Door
from service.web.mails import not_here, reader_of

_SIGNS = {"more": 1, "less": -1, "none": 0}
_MOST_ID = 2**31


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/history/T/marks``; T as of the history."""

    @routes.get("/history/{token}/marks")
    def page(request: Request, token: str) -> Response:
        try:
            return _page(door, request, token, reader_of(door, token))
        except NotHereError as error:
            return not_here(door, request, error)

    @routes.post("/history/{token}/marks")
    def act(request: Request, token: str, form: Annotated[Form, Depends(door.form)]) -> Response:
        texts = door.texts(request)
        _ = texts.gettext
        try:
            reader_id = reader_of(door, token)
        except NotHereError as error:
            return not_here(door, request, error)
        if form.raw("sign") == "all":
            count = forget_marks(door.rt, reader_id)
            said = texts.ngettext("%(num)s taken back.", "%(num)s taken back.", count)
            return _page(door, request, token, reader_id, said)
        sign = _SIGNS[form.choice("sign", tuple(_SIGNS))]
        paper = form.whole("paper", low=0, high=_MOST_ID, default=0)
        if not form.ok:
            return _page(door, request, token, reader_id, status=422)
        before = {one.paper_id: one for one in read_marks(door.rt, reader_id, limit=None).marks}
        if paper in before and sign == 0:
            set_mark(door.rt, reader_id, paper, 0)
            back = "more" if before[paper].sign > 0 else "less"
            said = _("Taken back: %(title)s", title=before[paper].title)
            return _page(door, request, token, reader_id, said, undo=(paper, back))
        if not set_mark(door.rt, reader_id, paper, sign):
            return _page(door, request, token, reader_id, status=422)
        return _page(door, request, token, reader_id, _("Noted."))


def _page(
    door: Door,
    request: Request,
    token: str,
    reader_id: int,
    said: str = "",
    undo: tuple[int, str] | None = None,
    status: int = 200,
) -> Response:
    history = door.pages.links.here.history(token)
    paging = paging_of(request, read_marks(door.rt, reader_id, limit=0).total, PAGE_SIZE)
    found = read_marks(door.rt, reader_id, offset=paging.offset, limit=PAGE_SIZE)
    context = {
        "here": f"{history}/marks",
        "history": history,
        "marks": found.marks,
        "said": said,
        "undo": undo,
        "paging": paging,
        "address_of_page": lambda number: address_of_page(request, number),
        "today": door.today(),
    }
    return door.answer(request, "reader/marks.html", context, status=status)
