"""Which papers of a poll are news, and which are only known from now on. Pure.

A reader must never be flooded by a source's past: not by its first poll, not by history that
somebody asks for, not by a feed that lists its whole archive again.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal

from service.defaults import FIXED, Defaults
from service.papers.model import Sighting
from service.sources.calendar import rhythm_of
from service.sources.registry import adapter

Verdict = Literal["new", "known", "held", "refresh"]
"""new: mailed when it matches · known: searchable, never new · held: waits for the admin ("take as
new" or "take as known") · refresh: only metadata of a paper that is there."""

_USUAL = Defaults()


def novelty(
    kind: str,
    sightings: Sequence[Sighting],
    *,
    today: date,
    first_poll: bool,
    history: bool,
    catchup_days: int = _USUAL.catchup_days,
    usual_per_day: float | None = None,
    days_known: int = 0,
    earlier_today: int = 0,
) -> tuple[Verdict, ...]:
    """Return one verdict for each sighting of one poll (all its pages and days together).

    sightings: of papers that the store does not know yet. today: the source's own day. history:
    asked for as the past. catchup_days: list days before today that still count as new.
    usual_per_day: items of a usual day among the days with items;
    days_known: how many of those there are. earlier_today: what was new in the day's other polls.
    """
    if history:
        return tuple(_unless_replaced(sighting, "known") for sighting in sightings)
    if first_poll:
        newest = _newest_day(sightings, today)
        return tuple(
            _unless_replaced(sighting, "new" if newest and _day(sighting) == newest else "known")
            for sighting in sightings
        )
    if rhythm_of(kind).lists:
        oldest = today - timedelta(days=catchup_days)
        return tuple(
            _unless_replaced(sighting, "known" if _before(sighting.listed_on, oldest) else "new")
            for sighting in sightings
        )
    old = today - timedelta(days=FIXED.old_days)
    if adapter(kind).history_kind:  # a query, whose past is known: never a burst
        return tuple(_unless_old(sighting, old, "known", "new") for sighting in sightings)
    recent = sum(_unless_old(x, old, "known", "new") == "new" for x in sightings)
    burst = recent > 0 and is_burst(earlier_today + recent, usual_per_day, days_known)
    return tuple(
        _unless_old(sighting, old, "held", "held" if burst else "new") for sighting in sightings
    )


def _unless_old(sighting: Sighting, old: date, when_old: Verdict, else_: Verdict) -> Verdict:
    """What becomes of a paper outside lists. A source that names only years takes up the past all
    the time (DBLP): what was surely published long ago is known, and waits for nobody."""
    if sighting.paper.published_on is None and _before(sighting.latest_on, old):
        return "known"
    return when_old if _before(sighting.paper.published_on, old) else else_


def is_burst(items: int, usual_per_day: float | None, days_known: int) -> bool:
    """Say whether a feed brings more than three usual days at once (never fewer than four items:
    a feed of one paper a week may bring three)."""
    if usual_per_day is None or days_known < FIXED.burst_after_days:
        return False
    return items > FIXED.burst_times * max(usual_per_day, 1.0)


def _unless_replaced(sighting: Sighting, verdict: Verdict) -> Verdict:
    return "refresh" if sighting.is_replacement else verdict


def _day(sighting: Sighting) -> date | None:
    return sighting.listed_on or sighting.paper.announced_on or sighting.paper.published_on


def _newest_day(sightings: Sequence[Sighting], today: date) -> date | None:
    """Return the newest day that is not in the future; None when even that is long past."""
    days = [
        day
        for sighting in sightings
        if not sighting.is_replacement and (day := _day(sighting)) and day <= today
    ]
    newest = max(days, default=None)
    old = today - timedelta(days=FIXED.old_days)
    return None if newest is None or _before(newest, old) else newest


def _before(day: date | None, limit: date) -> bool:
    return day is not None and day < limit
