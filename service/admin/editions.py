"""One edition: how it goes, the hand on the brake, and what can be done about what was refused."""

from asyncio import to_thread
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from service.admin.desk import Desk, fault_at, fault_of
from service.admin.news import news_of, tenth
from service.errors import PaperpostError
from service.flows import canary, late, ledger, manual, move_send, progress
from service.flows import editions as flow
from service.flows.staff import Member
from service.pages.chart import Counts, Point, counts
from service.pages.forms import FieldError, Form, RowNumber

MOST_MINUTES = 180
"""A longer time is drawn in steps of several minutes."""

TIMES = ("when", "at", "on")
"""Fields of the form that moves a send."""


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin/editions/ID."""
    rt = desk.rt

    def watched(request: Request, edition_id: int, who: Member, *, whole: bool) -> dict[str, Any]:
        dead, now = ledger.gone_owners(rt), rt.clock()
        facts = rt.db.read(lambda s: progress.watch(s, edition_id, dead=dead, now=now, whole=whole))
        refused = facts["refused"]
        return {
            "edition": facts,
            "first": facts["first"],
            "acts_changed": False,
            "acts": _acts(facts) if who.may("sender") else [],
            "resendable": sum(r["again"] for r in refused),
            "not_resendable": sum(r["count"] - r["again"] - r["done"] for r in refused),
            "movable": facts["movable"] and who.may("sender"),
            "timeline": _timeline(facts.get("minutes", []), rt.zone),
            **_news(request, facts),
        }

    def page(
        request: Request,
        who: Member,
        edition_id: int,
        errors: dict[str, FieldError] | None = None,
        form: Form | None = None,
    ) -> Response:
        """form: what was sent to move it; else what is asked about by the address."""
        context = watched(request, edition_id, who, whole=True)
        asked = request.query_params
        typed = {name: form.raw(name) if form else asked.get(name, "") for name in TIMES}
        context |= {"typed": typed, "moved": None, "limits": rt.defaults()}
        refused = 409
        if typed["when"] and context["movable"] and not errors:
            try:
                context["moved"] = move_send.look(rt, edition_id, when_of(typed))
                context["was"] = move_send.mark_of(context["moved"])
            except PaperpostError as error:
                errors, refused = fault_of(error, TIMES, "act"), 422
        return desk.answer(
            request, "edition.html", context, who=who, errors=errors, refused=refused
        )

    def when_of(typed: Mapping[str, str]) -> move_send.When:
        """Raises TimingError."""
        is_own = typed["when"] == "own"
        at, on = ("", typed["on"]) if is_own else (typed["at"], "")
        return move_send.read_when(rt, at, is_own, on)

    @routes.get("/editions/{edition_id}")
    def one(request: Request, edition_id: RowNumber) -> Response:
        return page(request, desk.member(request), edition_id)

    @routes.get("/editions/{edition_id}/progress")
    def moving(request: Request, edition_id: RowNumber) -> Response:
        """What moves, for the page that asks every 2 seconds. acts: the buttons that it shows."""
        who = desk.member(request)
        context = watched(request, edition_id, who, whole=False)
        shown = request.query_params.get("acts", "")
        context["acts_changed"] = shown != _named(context["acts"])
        return desk.answer(request, "progress.html", context, who=who)

    @routes.get("/editions/{edition_id}/after")
    def after(request: Request, edition_id: RowNumber) -> Response:
        """What takes longer to read: minute by minute, and who came later."""
        who = desk.member(request)
        context = watched(request, edition_id, who, whole=True)
        return desk.answer(request, "edition_after.html", context, who=who)

    @routes.get("/editions/{edition_id}/{act}")
    def look_again(request: Request, edition_id: RowNumber, act: str) -> Response:
        """An act that was refused answers under its own address; whoever asks for it again comes
        back to the edition."""
        desk.member(request)
        if act not in SAID:
            raise HTTPException(404)
        return desk.go(f"editions/{edition_id}")

    @routes.post("/editions/{edition_id}/late")
    async def to_late(request: Request, edition_id: RowNumber) -> Response:
        """Compose the same for who came later; it is looked at before it goes."""
        back = desk.here.admin(f"editions/{edition_id}")
        sent = await desk.sent(request, "editor", back=back)
        try:
            key = await to_thread(late.compose_late, rt, edition_id, sent.who.name)
        except PaperpostError as error:
            errors = fault_at("act", error)
            return await to_thread(page, request, sent.who, edition_id, errors)
        return desk.go(f"send/{key}")

    @routes.post("/editions/{edition_id}/{act}")
    async def change(request: Request, edition_id: RowNumber, act: str) -> Response:
        back = desk.here.admin(f"editions/{edition_id}")
        if act == "move" and desk.signed_in(request) is None:  # what was chosen waits meanwhile
            back += "?" + urlencode(await desk.typed(request, TIMES))
            desk.member(request, "sender", back)
        sent = await desk.sent(request, "sender", back=back)
        who, address, form = sent.who.name, sent.address, sent.form
        acts = {
            "pause": lambda: flow.pause(rt, edition_id, who, address),
            "resume": lambda: flow.resume(rt, edition_id, who, address),
            "cancel": lambda: flow.cancel(rt, edition_id, who, address),
            "rest": lambda: canary.go_on(rt, edition_id, by=who, address=address),
            "undo": lambda: manual.undo_daily(
                rt, edition_id, form.raw("key"), by=who, address=address
            ),
            "move": lambda: move_send.move(
                rt, edition_id, when_of({name: form.raw(name) for name in TIMES}),
                by=who, address=address, was=form.raw("was"),
            ),
        }  # fmt: skip
        if act not in acts:
            raise HTTPException(404)
        try:
            await to_thread(acts[act])
        except PaperpostError as error:
            errors = fault_of(error, TIMES, "act")
            return await to_thread(page, request, sent.who, edition_id, errors, form)
        if act == "cancel" and await to_thread(went_not, edition_id):
            act = "undo"
        return desk.go(f"editions/{edition_id}", SAID[act])

    def went_not(edition_id: int) -> bool:
        """Whether all mails of a cancelled edition are."""
        facts = rt.db.read(lambda s: flow.details(s, edition_id))
        return bool(facts["cancelled"] == facts["mails"])


SAID = {
    "pause": "paused",
    "resume": "resumed",
    "cancel": "cancelled",
    "undo": "undone",
    "move": "moved",
    "rest": "rest",
    "late": "",
}
"""What is told after each act; the words stand in ``desk.SAID``."""


def _acts(facts: dict[str, Any]) -> list[str]:
    """What a person may do to an edition now."""
    if facts["state"] in ("done", "cancelled"):
        return []
    if facts["planning"]:
        return ["cancel"]
    acts = []
    if facts["undo_s"]:
        acts.append("undo" if facts["undo_key"] else "take back")
    first = facts["first"]
    asks = bool(first and first["is_over"])
    if not (asks and facts["paused_why"]):  # going on alone would send none of the others
        acts.append("resume" if facts["state"] == "paused" else "pause")
    if "take back" not in acts:
        acts.append("cancel")
    if asks:
        acts.append("rest")
    return acts


def _news(request: Request, facts: dict[str, Any]) -> dict[str, Any]:
    """What is told to the ear: the state, each tenth, and what stands in the way."""
    plans, state = facts["planning"], facts["state"]
    done = (
        tenth(plans["rows"], plans["readers"]) if plans else tenth(facts["ended"], facts["planned"])
    )
    word = "being planned" if plans else state
    more = (facts["paused_why"] if state == "paused" else "", facts["uneven"])
    says = ". ".join([f"{word}, {done} %", *filter(None, more)])
    return news_of(request, f"{word}-{done}-{bool(facts['uneven'])}".replace(" ", ""), says)


def _named(acts: list[str]) -> str:
    return "-".join(acts).replace(" ", "")


def _timeline(minutes: list[list[Any]], zone: str) -> Counts | None:
    """Mails by minute on the house's wall, from the first to the last; None without one."""
    if not minutes:
        return None
    found = {datetime.fromisoformat(at): n for at, n in minutes}
    first, last = min(found), max(found)
    length = int((last - first).total_seconds() // 60) + 1
    step = -(-length // MOST_MINUTES)
    points = []
    for start in range(0, length, step):
        at = first + timedelta(minutes=start)
        n = sum(found.get(at + timedelta(minutes=k), 0) for k in range(step))
        points.append(Point(f"{at.astimezone(ZoneInfo(zone)):%d %b %H:%M}", n))
    return counts(points)
