"""The first page: alarms, what to do first, today at a glance, sources, charts, what was sent."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.admin.desk import Desk
from service.admin.news import news_of
from service.flows import desk_overview, edition_lists, ledger
from service.flows.release import waiting_days
from service.flows.source_health import STRIP_DAYS, read_sources
from service.flows.staff import Member
from service.pages.chart import Counts, Point, counts
from service.store import submissions as submissions_store
from service.store.db import Session

NEWEST = 5
"""Editions at the end of the page."""

_STANDING = ("alarms", "steps", "readers", "came_back", "to_look_at")
"""What the page shows of ``desk_overview`` beside the part that moves."""


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """Add /admin and /admin/overview/now."""
    rt = desk.rt

    def page(request: Request, who: Member) -> Response:
        found = desk_overview.read_overview(rt)
        dead = ledger.gone_owners(rt)

        def more(session: Session) -> dict[str, Any]:
            wanted = edition_lists.read_wanted()
            newest = edition_lists.list_page(
                session, wanted, dead=dead, now=rt.clock(), limit=NEWEST
            )
            waiting = submissions_store.Wanted("waiting")
            return {
                "newest": newest,
                "unreleased": waiting_days(rt, session),
                "proposed": submissions_store.count_submissions(session, waiting),
            }

        context: dict[str, Any] = {
            **{name: found[name] for name in _STANDING},
            **rt.db.read(more),
            **_now(request, desk, found),
            "today": desk.today(),
            "sources": read_sources(rt, days=STRIP_DAYS),
            "strip_days": STRIP_DAYS,
            "chart_days": desk_overview.CHART_DAYS,
            "charts": _charts(desk, found["days"]),
        }
        return desk.answer(request, "overview.html", context, who=who)

    @routes.get("")
    def overview(request: Request) -> Response:
        return page(request, desk.member(request))

    @routes.get("/overview/now")
    def now(request: Request) -> Response:
        who = desk.member(request)
        context = _now(request, desk, desk_overview.read_moving(rt))
        return desk.answer(request, "overview_now.html", context, who=who)


def _now(request: Request, desk: Desk, found: Mapping[str, Any]) -> dict[str, Any]:
    """What the moving part shows. It tells each tenth of an edition, and its end."""
    editions = found["editions"]
    tenths = [(one, one["percent"] // 10 * 10) for one in editions if one["is_moving"]]
    key = ".".join(f"{one['id']}-{tenth}" for one, tenth in tenths)
    says = ". ".join(f"{desk.name_of(one)}: {tenth} %" for one, tenth in tenths)
    news = news_of(request, key or "rest", says or "Nothing is under way.")
    return {"now": found, **news}


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
