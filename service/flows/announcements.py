"""What a batch source announced on given days, asked of the kinds that know its past.

arXiv's records (OAI-PMH) name everything, whenever it was submitted; only where they do not answer
is the query interface asked, whose windows of submission leave out what moderation held.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from service.defaults import FIXED
from service.flows.asking import Page, Sleep, Visit, visit
from service.flows.history import past_sightings
from service.flows.runtime import Runtime
from service.papers.model import Sighting
from service.sources.adapter import Parsed
from service.sources.arxiv_announced import announced_after, is_late_cross_list, order_of
from service.sources.calendar import clock_of, next_expected, previous_expected, source_day
from service.sources.fetch import Fetcher
from service.sources.outcome import Failed
from service.sources.registry import adapter
from service.store.announced import highest_arxiv_id
from service.store.raw_polls import Use
from service.store.tables import SourceRow


@dataclass(slots=True)
class Announced:
    """by_day: what was announced on each day that was asked for. replaced: of other papers,
    the new versions of those days. is_whole: nothing can be missing. error: why it is not.
    use, pages: what it was taken from."""

    by_day: dict[date, list[Sighting]]
    replaced: dict[date, list[Sighting]] = field(default_factory=dict)
    is_whole: bool = False
    error: str = ""
    use: Use = "records"
    pages: Sequence[Page] = ()


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
            return await asyncio.to_thread(announced_in, rt, source, "records", seen.pages, days)
        if seen.postponed_until is not None:
            return found
    if own.history_kind:
        seen = await _submitted_before(rt, fetcher, source, days, sleep)
        why, error = _why_not(seen), found.error
        if not why:
            found = await asyncio.to_thread(announced_in, rt, source, "submitted", seen.pages, days)
        found.is_whole = not (why or own.missed_kind)
        found.error = error or why
    return found


def announced_in(
    rt: Runtime,
    source: SourceRow,
    use: Use,
    pages: Sequence[Page],
    days: Sequence[date],
) -> Announced:
    """Sort what was answered by ``days``."""
    found = Announced({day: [] for day in days}, use=use, pages=pages)
    newest = _newest_before(rt, source, min(days))
    take = _from_records if use == "records" else _from_submissions
    take(source, [page.parsed for page in pages], found, newest)
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


def _from_records(
    source: SourceRow, pages: Sequence[Parsed], found: Announced, newest: str
) -> None:
    """Sort what changed by the days of announcement."""
    own, first = adapter(source.kind), min(found.by_day)
    since = previous_expected(source.kind, previous_expected(source.kind, first))
    records = {
        sighting.paper.key.value: sighting
        for parsed in pages
        for sighting in parsed.sightings
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


def _from_submissions(
    source: SourceRow, pages: Sequence[Parsed], found: Announced, newest: str
) -> None:
    """Each on the day after its submission; what was announced before is left out."""
    days = sorted(found.by_day)
    for parsed in pages:
        for sighting in past_sightings(source, parsed, days[-1]):
            if order_of(sighting.paper.key.value) <= order_of(newest):
                continue
            listed = sighting.listed_on or days[-1]
            day = next((day for day in days if day >= listed), days[-1])
            found.by_day[day].append(replace(sighting, listed_on=day))


def _newest_before(rt: Runtime, source: SourceRow, day: date) -> str:
    began = datetime.combine(day, time(), clock_of(source.kind))
    return rt.db.read(lambda s: highest_arxiv_id(s, day, began.astimezone(UTC)))
