"""The day by an editor's hand: its papers, the note on top, picks, the release of its digests."""

from asyncio import to_thread
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.admin.desk import Desk, fault_of
from service.admin.reader_choices import read_day
from service.errors import PaperpostError
from service.flows import browse, picks
from service.flows.note import NOTE_CHARS, NoteError, set_note
from service.flows.release import release, standing_of
from service.flows.staff import Member
from service.pages.entry import entry_of
from service.pages.forms import FieldError, Form
from service.pages.paging import address_of_page, paging_of
from service.store import editions as editions_store
from service.store import picks as picks_store
from service.store import submissions as submissions_store

_ORDERS = ("trending", "newest", "here")


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/papers and the acts below it."""
    rt = desk.rt

    @routes.get("/papers")
    def day(request: Request) -> Response:
        who = desk.member(request)
        return _page(desk, request, who, _day_of(desk, request.query_params.get("day", "")))

    @routes.post("/papers/note")
    async def note(request: Request) -> Response:
        sent = await desk.sent(request, "editor")
        on = read_day(sent.form.raw("day"))
        try:
            if on is None:
                example = f"Write it like {desk.today().isoformat()}."
                raise NoteError("This is no day.", "day", example)
            words, who = sent.form.raw("note"), sent.who.name
            await to_thread(set_note, rt, on, words, by=who, address=sent.address)
        except PaperpostError as error:
            errors = fault_of(error, ("note",), "note")
            shown = on or desk.today()
            return await to_thread(_page, desk, request, sent.who, shown, sent.form, errors)
        return desk.go("papers", "saved", day=on.isoformat())

    @routes.post("/papers/picks")
    async def pick(request: Request) -> Response:
        sent = await desk.sent(request, "editor")
        on = _day_of(desk, sent.form.raw("day"))
        typed, act = sent.form.raw("paper").strip(), sent.form.raw("act")
        try:
            await to_thread(_change, desk, on, typed, act, sent.who.name, sent.address)
        except PaperpostError as error:
            errors = fault_of(error, (), "paper")
            return await to_thread(_page, desk, request, sent.who, on, sent.form, errors)
        return desk.go("papers", "saved", day=on.isoformat())

    @routes.post("/papers/release")
    async def let_go(request: Request) -> Response:
        sent = await desk.sent(request, "editor")
        on = _day_of(desk, sent.form.raw("day"))
        try:
            await to_thread(release, rt, on, by=sent.who.name, address=sent.address)
        except PaperpostError as error:
            errors = fault_of(error, (), "release")
            return await to_thread(_page, desk, request, sent.who, on, sent.form, errors)
        return desk.go("papers", "released", day=on.isoformat())


def _day_of(desk: Desk, text: str) -> date:
    return read_day(text) or desk.today()


def _change(desk: Desk, on: date, paper: str, act: str, by: str, address: str) -> None:
    """One press: a paper is picked, unpicked, or moved. A paper that is not picked is named by its
    number or as it is typed."""
    ids = desk.rt.db.read(lambda s: picks_store.list_picks(s, on))
    if act in ("unpick", "up", "down") and paper.isdecimal():
        wanted = [str(one) for one in picks.moved(ids, int(paper), act)]
    else:
        wanted = [*map(str, ids), paper]
    picks.set_picks(desk.rt, on, wanted, by=by, address=address)


def _page(
    desk: Desk,
    request: Request,
    who: Member,
    on: date,
    form: Form | None = None,
    errors: dict[str, FieldError] | None = None,
) -> Response:
    rt = desk.rt
    asked = request.query_params.get("order", "")
    order: Any = asked if asked in _ORDERS else "trending"
    wanted = paging_of(request, browse.WHOLE_DAY * 100, browse.PAGE_SIZE)
    page = browse.read_day(rt, on, order=order, offset=wanted.offset)
    picked = picks.read_picks(rt, on)
    places = {number: place for place, (number, _, _) in enumerate(picked.papers, 1)}
    standing, note, waiting = rt.db.read(
        lambda s: (
            standing_of(rt, s, on),
            editions_store.note_of(s, on),
            submissions_store.count_submissions(s, submissions_store.Wanted("waiting")),
        )
    )
    rows = [
        {
            "id": one.paper.id,
            "entry": entry_of(
                one.paper, desk.here, near=desk.today(), place=one.place,
                submitted_by=one.submitted_by, here=one.here,
            ),
            "place": places.get(one.paper.id or 0),
        }
        for one in page.papers
    ]  # fmt: skip
    context = {
        "on": on,
        "today": desk.today(),
        "page": page,
        "rows": rows,
        "order": order,
        "votes": browse.votes_are_on(rt),
        "picked": picked.papers,
        "most_picks": picks.MOST_PICKS,
        "standing": standing,
        "note": form.raw("note") if form is not None and "note" in form else note,
        "note_most": NOTE_CHARS,
        "typed_paper": form.raw("paper") if form is not None and "paper" in (errors or {}) else "",
        "proposals": rt.defaults().proposals == "on" or waiting,
        "waiting": waiting,
        "paging": paging_of(request, page.total, browse.PAGE_SIZE),
        "address_of_page": lambda number: address_of_page(request, number),
    }
    return desk.answer(request, "day.html", context, who=who, errors=errors)
