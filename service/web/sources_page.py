"""Where the papers come from: each source, its days, what is wrong, how often it is asked."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.delivery.i18n import Texts
from service.flows.source_health import SourceHealth, read_sources
from service.subscribers.cadence import known_zones
from service.web.door import Door

KEPT_FOR = timedelta(seconds=20)
"""Everybody may open the page, and it counts all that every source has listed."""


def add_routes(routes: APIRouter, door: Door) -> None:
    """Add ``/sources``."""
    kept: list[tuple[datetime, list[SourceHealth]]] = []

    def health() -> list[SourceHealth]:
        now = door.rt.clock()
        if not kept or abs(now - kept[0][0]) > KEPT_FOR:
            kept[:] = [(now, read_sources(door.rt))]
        return kept[0][1]

    @routes.get("/sources")
    def sources(request: Request) -> Response:
        texts = door.texts(request)
        asked = request.query_params.get("zone", "")
        chosen = asked if asked in known_zones() else door.rt.zone
        zone = ZoneInfo(chosen)

        def moment(at: datetime, on: date | None = None) -> str:
            """The day and the time; the time alone where it was on the day ``on``."""
            there = at.astimezone(zone)
            time = texts.hour(there.hour, there.minute)
            return time if there.date() == on else f"{texts.short_day(there.date())}, {time}"

        context = {
            "sources": [
                (source, usual_words(source, zone, texts))
                for source in health()
                if source.state != "gone"
            ],
            "moment": moment,
            "zone": chosen,
            # the browser's own zone is put in only where nobody chose one
            "home_zone": "" if asked else chosen,
            "zones": door.zones(chosen, texts),
        }
        return door.answer(request, "site/sources.html", context)


def usual_words(source: SourceHealth, zone: ZoneInfo, texts: Texts) -> str:
    """When the source's list of a day is usually complete on walls in ``zone``, "" without a
    habit."""
    if source.usual_end is None:
        return ""
    there = source.usual_end.astimezone(zone)
    on: date = source.days[-1].day if source.days else there.date()
    time, _ = texts.hour(there.hour, there.minute), texts.gettext
    if there.date() < on:
        return _("A day's list is usually complete by %(time)s the evening before, your time.",
                 time=time)  # fmt: skip
    if there.date() > on:
        return _("A day's list is usually complete by %(time)s the next day, your time.",
                 time=time)  # fmt: skip
    return _("A day's list is usually complete by %(time)s in your zone.", time=time)
