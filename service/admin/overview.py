"""The first page: alarms, what to do first, today at a glance, sources, charts, what was sent."""

from asyncio import to_thread
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.admin.desk import Desk, fault_of
from service.admin.reader_choices import read_day
from service.errors import PaperpostError
from service.flows import desk_overview, edition_lists, ledger
from service.flows.note import NOTE_CHARS, NoteError, set_note
from service.flows.source_health import STRIP_DAYS, read_sources
from service.flows.staff import Member
from service.pages.chart import Counts, Point, counts
from service.pages.forms import FieldError, Form
from service.store import editions as editions_store
from service.store.db import Session

NEWEST = 5
"""Editions at the end of the page."""


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin, /admin/overview/now and /admin/note."""
    rt = desk.rt

    def page(
        request: Request,
        who: Member,
        form: Form | None = None,
        errors: dict[str, FieldError] | None = None,
    ) -> Response:
        found = desk_overview.read_page(rt)
        dead = ledger.gone_owners(rt)

        def more(session: Session) -> dict[str, Any]:
            wanted = edition_lists.read_wanted()
            newest = edition_lists.list_page(
                session, wanted, dead=dead, now=rt.clock(), limit=NEWEST
            )
            return {"newest": newest, "note": editions_store.note_of(session, desk.today())}

        context: dict[str, Any] = {
            **found,
            **rt.db.read(more),
            **_now(desk, found),
            "tells": False,
            "today": desk.today(),
            "sources": read_sources(rt, days=STRIP_DAYS),
            "strip_days": STRIP_DAYS,
            "chart_days": desk_overview.CHART_DAYS,
            "charts": _charts(desk, found["days"]),
            "note_on": desk.today().isoformat(),
            "note_most": NOTE_CHARS,
        }
        if form is not None:
            context |= {"note": form.raw("note"), "note_on": form.raw("on")}
        return desk.answer(request, "overview.html", context, who=who, errors=errors)

    @routes.get("")
    def overview(request: Request) -> Response:
        return page(request, desk.member(request))

    @routes.get("/overview/now")
    def now(request: Request) -> Response:
        who = desk.member(request)
        told = request.query_params.get("told", "")
        context = _now(desk, desk_overview.read_moving(rt))
        return desk.answer(
            request, "overview_now.html", context | {"tells": told != context["told"]}, who=who
        )

    @routes.post("/note")
    async def note(request: Request) -> Response:
        sent = await desk.sent(request, "editor")
        on = read_day(sent.form.raw("on"))
        try:
            if on is None:
                example = f"Write it like {desk.today().isoformat()}."
                raise NoteError("This is no day.", "--on", example)
            words, who = sent.form.raw("note"), sent.who.name
            await to_thread(set_note, rt, on, words, by=who, address=sent.address)
        except PaperpostError as error:
            errors = fault_of(error, ("note",), "on")
            return await to_thread(page, request, sent.who, sent.form, errors)
        return desk.go("", "saved")


def _now(desk: Desk, found: Mapping[str, Any]) -> dict[str, Any]:
    """What the moving part shows. told: the key of the words; new ones come
    with each tenth of an edition, and with its end."""
    editions = found["editions"]
    tenths = [(one, one["percent"] // 10 * 10) for one in editions if one["is_moving"]]
    key = ".".join(f"{one['id']}-{tenth}" for one, tenth in tenths)
    says = ". ".join(f"{desk.name_of(one)}: {tenth} %" for one, tenth in tenths)
    return {"now": found, "told": key or "rest", "says": says or "Nothing is under way."}


def _charts(desk: Desk, days: Sequence[Mapping[str, Any]]) -> dict[str, Counts]:
    texts = desk.pages.catalogs.texts("en")

    def of(name: str, below: str = "") -> Counts:
        return counts(
            [
                Point(
                    texts.short_day(date.fromisoformat(day["day"])),
                    day.get(name),
                    day.get(below) if below else None,
                )
                for day in days
            ]
        )

    plain = {name: of(name) for name in ("accepted", "refused", "papers")}
    return plain | {"readers": of("joined", "left")}
