"""The first page: what to do first, today's numbers, an editor's note, what waits."""

from asyncio import to_thread
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.admin.desk import Desk, fault_of
from service.admin.reader_choices import read_day
from service.errors import PaperpostError
from service.flows import bounces, editions
from service.flows.deferred import deferrals
from service.flows.ledger import gone_owners
from service.flows.note import NOTE_CHARS, NoteError, set_note
from service.flows.runtime import Runtime
from service.flows.staff import Member
from service.pages.forms import FieldError, Form
from service.reports.model import Kind
from service.store import alarms as alarms_store
from service.store import audience as audience_store
from service.store import deliveries as deliveries_store
from service.store import editions as editions_store
from service.store import papers as papers_store
from service.store import sources as sources_store
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.subscribers.cadence import day_bounds


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin and /admin/note."""

    def page(
        request: Request,
        who: Member,
        form: Form | None = None,
        errors: dict[str, FieldError] | None = None,
    ) -> Response:
        dead = gone_owners(desk.rt)
        context = desk.rt.db.read(lambda s: _numbers(desk, s, dead))
        if form is not None:
            context |= {"note": form.raw("note"), "note_on": form.raw("on")}
        return desk.answer(request, "overview.html", context, who=who, errors=errors)

    @routes.get("")
    def overview(request: Request) -> Response:
        return page(request, desk.member(request))

    @routes.post("/note")
    async def note(request: Request) -> Response:
        sent = await desk.sent(request, "editor")
        on = read_day(sent.form.raw("on"))
        try:
            if on is None:
                example = f"Write it like {desk.today().isoformat()}."
                raise NoteError("This is no day.", "--on", example)
            words, who = sent.form.raw("note"), sent.who.name
            await to_thread(set_note, desk.rt, on, words, by=who, address=sent.address)
        except PaperpostError as error:
            errors = fault_of(error, ("note",), "on")
            return await to_thread(page, request, sent.who, sent.form, errors)
        return desk.go("", "saved")


def _numbers(desk: Desk, session: Session, dead: list[int]) -> dict[str, Any]:
    rt = desk.rt
    today = desk.today()
    midnight = datetime.combine(today, time(), ZoneInfo(rt.zone))
    readers = subscribers_store.count_subscribers(session)
    sources = sources_store.summary(session)
    stored = sources_store.count_papers(session)
    found = editions.overview(session, dead=dead, now=rt.clock())
    waiting = deliveries_store.count_waiting(session)
    return {
        "today": today,
        "readers": readers,
        "sources": sources,
        "late": [
            s for s in sources if s["state"] in ("late", "stale", "failing", "silent", "gone")
        ],
        "unread": [s for s in sources if not s["was_read"] and s["state"] != "gone"],
        "papers": stored["papers"],
        "new_today": papers_store.count_new(session, *day_bounds(today, today)),
        "sent_today": audience_store.count_since(session, midnight),
        "waiting": sum(n for state, n in waiting.items() if state != "unknown")
        - sum(deliveries_store.count_left(session, dead).values()),
        "held": audience_store.count_deliveries(session, held_by=dead),
        "put_off": deferrals(session)[:3],
        "came_back": _came_back(session, midnight),
        "to_look_at": bounces.count_by_state(session).get("review", 0),
        "alarms": alarms_store.list_open(session),
        "editions": found[:5],
        "note": editions_store.note_of(session, today),
        "note_on": today.isoformat(),
        "note_most": NOTE_CHARS,
        "steps": _steps(rt, sources, stored["papers"], readers, found),
    }


def _came_back(session: Session, since: datetime) -> list[tuple[str, int]]:
    """(kind, number of reports) of those that came in since, where there are some."""
    counts = [
        (str(kind), bounces.count_reports(session, bounces.Filter(kind=kind, since=since)))
        for kind in (Kind.HARD, Kind.SOFT, Kind.POLICY, Kind.COMPLAINT)
    ]
    return [(kind, n) for kind, n in counts if n]


def _steps(
    rt: Runtime,
    sources: list[dict[str, Any]],
    papers: int,
    readers: dict[str, int],
    found: list[dict[str, Any]],
) -> list[tuple[bool, str, str]]:
    """Getting started: (done, words, address under /admin)."""
    active = readers.get("active", 0)
    sent = any(e["accepted"] for e in found)
    sender = rt.site.sender
    is_here = sender.endswith("@localhost")
    return [
        (bool(sources), f"Sources: {len(sources)}" if sources else "Add a source", "sources"),
        (
            papers > 0,
            f"Papers: {papers:,} stored" if papers else "Papers come when a source has answered",
            "sources",
        ),
        (
            active > 0,
            f"Readers: {active:,} active" if active else "Invite readers, or import a list",
            "readers" if active else "import",
        ),
        (
            not is_here,
            f"Mails come from {sender}"
            + (": set PAPERPOST_MAIL_FROM and PAPERPOST_SMTP_URL" if is_here else ""),
            "settings",
        ),
        (sent, "The first mails are sent" if sent else "Send the first mails", "send"),
    ]
