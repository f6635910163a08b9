"""What a batch source announced on given days, asked of the kinds that know its past.

arXiv's records (OAI-PMH) name everything, whenever it was submitted; only where they do not answer
is the query interface asked, whose windows of submission leave out what moderation held.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from service.defaults import FIXED
from service.flows.asking import Sleep, Visit, visit
from service.flows.history import past_sightings
from service.flows.runtime import Runtime
from service.papers.model import Sighting
from service.sources.arxiv_announced import announced_after, is_late_cross_list, order_of
from service.sources.calendar import clock_of, next_expected, previous_expected, source_day
from service.sources.fetch import Fetcher
from service.sources.outcome import Failed
from service.sources.registry import adapter
from service.store.announced import highest_arxiv_id
from service.store.tables import SourceRow


@dataclass(slots=True)
class Announced:
    """by_day: what was announced on each day that was asked for. replaced: of other papers,
    the new versions of those days. is_whole: nothing can be missing. error: why it is not."""

    by_day: dict[date, list[Sighting]]
    replaced: dict[date, list[Sighting]] = field(default_factory=dict)
    is_whole: bool = False
    error: str = ""


async def ask_announced(
    rt: Runtime, fetcher: Fetcher, source: SourceRow, days: Sequence[date], sleep: Sleep
) -> Announced:
    """Ask what was announced on ``days`` (expected ones, in order, not empty)."""
    own = adapter(source.kind)
    found = Announced({day: [] for day in days})
    if own.missed_kind:
        seen = await _changed_since(rt, fetcher, source, days[0], sleep)
        found.error = _why_not(seen)
        if not found.error:
            await asyncio.to_thread(_from_records, rt, source, seen, found)
            return found
        if seen.postponed_until is not None:
            return found
    if own.history_kind:
        seen = await _submitted_before(rt, fetcher, source, days, sleep)
        why = _why_not(seen)
        found.is_whole = not (why or own.missed_kind)
        found.error = found.error or why
        if not why:
            await asyncio.to_thread(_from_submissions, rt, source, seen, found)
    return found


def _why_not(seen: Visit) -> str:
    if isinstance(seen.outcome, Failed):
        return seen.outcome.reason
    return "it asks us to wait" if seen.postponed_until is not None else ""


async def _changed_since(
    rt: Runtime, fetcher: Fetcher, source: SourceRow, day: date, sleep: Sleep
) -> Visit:
    """All that changed up to now: what was announced then may have changed again since."""
    own = adapter(source.kind)
    past = adapter(own.missed_kind)
    today = source_day(past.kind, rt.clock())
    # the datestamp of a batch is the next day's in UTC; a day to either side does no harm
    window = (day - timedelta(days=1), today + timedelta(days=1))
    params = past.checked(own.missed_params(source.params))
    return await visit(
        rt, fetcher, past, past.requests(params, today=today, days=window), sleep=sleep
    )


async def _submitted_before(
    rt: Runtime, fetcher: Fetcher, source: SourceRow, days: Sequence[date], sleep: Sleep
) -> Visit:
    own = adapter(source.kind)
    past = adapter(own.history_kind)
    first = previous_expected(source.kind, days[0])
    window = (
        previous_expected(source.kind, first),
        previous_expected(source.kind, days[-1]),
    )
    requests = past.requests(
        own.history_params(source.params), today=source_day(past.kind, rt.clock()), days=window
    )
    return await visit(rt, fetcher, past, requests, sleep=sleep)


def _from_records(rt: Runtime, source: SourceRow, seen: Visit, found: Announced) -> None:
    """Sort what changed by the days of announcement."""
    own, first = adapter(source.kind), min(found.by_day)
    newest = _newest_before(rt, source, first)
    since = previous_expected(source.kind, previous_expected(source.kind, first))
    records = {
        sighting.paper.key.value: sighting
        for page in seen.pages
        for sighting in page.parsed.sightings
        if newest or (sighting.paper.published_on or date.min) >= since
    }
    days = announced_after(
        records.values(), newest, next_day=lambda day: next_expected(source.kind, day)
    )
    for name, sighting in records.items():
        if not own.wanted_of_past(source.params, sighting):
            continue
        day = max(days[name], first) if name in days else None
        if day is None and is_late_cross_list(
            sighting, own.categories(source.params), since=first, days=FIXED.old_days
        ):
            changed = sighting.listed_on or first
            day = next_expected(source.kind, changed - timedelta(days=1))
        if day in found.by_day:
            found.by_day[day].append(replace(sighting, listed_on=day, announce_type=""))
            continue
        updated = sighting.paper.updated_at
        again = next_expected(source.kind, updated.date()) if updated else None
        if again in found.by_day:  # as the feed would have shown it
            shown = replace(sighting, listed_on=again, announce_type="replace")
            found.replaced.setdefault(again, []).append(shown)
    found.is_whole = True


def _from_submissions(rt: Runtime, source: SourceRow, seen: Visit, found: Announced) -> None:
    """Each on the day after its submission; what was announced before is left out."""
    days = sorted(found.by_day)
    newest = order_of(_newest_before(rt, source, days[0]))
    for page in seen.pages:
        for sighting in past_sightings(source, page.parsed, days[-1]):
            if order_of(sighting.paper.key.value) <= newest:
                continue
            listed = sighting.listed_on or days[-1]
            day = next((day for day in days if day >= listed), days[-1])
            found.by_day[day].append(replace(sighting, listed_on=day))


def _newest_before(rt: Runtime, source: SourceRow, day: date) -> str:
    began = datetime.combine(day, time(), clock_of(source.kind))
    return rt.db.read(lambda s: highest_arxiv_id(s, day, began.astimezone(UTC)))
