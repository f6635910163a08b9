"""A new source brings its past with it: as known papers, never as news.

The days that are still wanted stand in the ledger, so that a broken connection or a killed process
goes on where it stopped. Hugging Face is asked by week or date, arXiv by its query interface.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from service.flows.asking import Sleep, Visit, visit
from service.flows.ingest import Arrival, IngestReport, take
from service.flows.kept import keep
from service.flows.runtime import Runtime
from service.flows.watch import WANTED
from service.papers.model import Sighting
from service.sources.adapter import Parsed
from service.sources.arxiv_days import has_announcement
from service.sources.calendar import expected, next_expected, source_day
from service.sources.fetch import Fetcher
from service.sources.novelty import novelty
from service.sources.outcome import Failed
from service.sources.registry import adapter
from service.store import sources as sources_store
from service.store.db import Priority, Session
from service.store.tables import SourceRow


@dataclass(slots=True)
class HistoryReport:
    """papers: that were not known before · days: brought in · left: still wanted · error: why."""

    papers: int = 0
    days: int = 0
    left: int = 0
    error: str = ""


def want_history(session: Session, source: SourceRow, days: int, today: date) -> int:
    """Note the past days that a source is to bring; returns how many (0: it has no past)."""
    made = adapter(source.kind)
    if not made.history_kind or days <= 0 or source.id is None:
        return 0
    polled = {request.day for request in made.requests(source.params, today=today) if request.day}
    last = min(polled) if polled else today
    count = 0
    for back in range(1, days + 1):
        day = last - timedelta(days=back)
        if day < today - timedelta(days=days):
            break
        row = sources_store.get_source_day(session, source.id, day)
        if row.polled_at is None:
            row.state, row.expected = WANTED, expected(source.kind, day)
            session.add(row)
            count += 1
    return count


def wanted_days(session: Session, source_id: int, today: date) -> list[date]:
    """Past days that are still to be brought in, newest first."""
    rows = sources_store.list_source_days(session, today - timedelta(days=500), source_id)
    return [row.day for row in reversed(rows) if row.state == WANTED]


async def bring_wanted(
    rt: Runtime, fetcher: Fetcher, source: SourceRow, *, sleep: Sleep = asyncio.sleep
) -> HistoryReport:
    """Bring the wanted days of one source; what fails stays wanted."""
    assert source.id is not None
    report = HistoryReport()
    today = source_day(source.kind, rt.clock())
    days = await rt.db.aread(lambda s: wanted_days(s, source.id or 0, today))
    for part in adapter(source.kind).history_parts(days):
        made = await _ask(rt, fetcher, source, part, sleep)
        if isinstance(made.outcome, Failed) or made.postponed_until is not None:
            failed = made.outcome
            report.error = failed.reason if isinstance(failed, Failed) else "it asks us to wait"
            report.left = len(days) - report.days
            break
        taken = await asyncio.to_thread(_take, rt, source, part, made)
        report.papers += taken.known
        report.days += len(part)
    return report


def announced_by_now(today: date) -> date:
    """The last day of submission of which everything was in today's announcement or an earlier one.

    What is submitted until 14:00 Eastern of a working day is announced with the feed of the next;
    later days must not become known here before they were news.
    """
    day, found = today, 0
    while True:
        if has_announcement(day):
            found += 1
        if found == 2:
            return day - timedelta(days=1)
        day -= timedelta(days=1)


async def _ask(
    rt: Runtime, fetcher: Fetcher, source: SourceRow, days: Sequence[date], sleep: Sleep
) -> Visit:
    own = adapter(source.kind)
    past = adapter(own.history_kind)
    last = max(days)
    if own.is_batch:
        last = min(last, announced_by_now(source_day(source.kind, rt.clock())))
        if last < min(days):
            return Visit()
    wanted = tuple(days) if own.history_days == 1 else tuple(dict.fromkeys((min(days), last)))
    requests = past.requests(
        own.history_params(source.params), today=source_day(past.kind, rt.clock()), days=wanted
    )
    return await visit(rt, fetcher, past, requests, sleep=sleep)


def past_sightings(source: SourceRow, parsed: Parsed, newest: date) -> tuple[Sighting, ...]:
    """What a question about the past brought, each on the day it will have been listed."""
    kept, own = [], adapter(source.kind)
    for sighting in parsed.sightings:
        published = sighting.paper.published_on
        if not own.wanted_of_past(source.params, sighting):
            continue
        if own.is_batch and published is not None:
            day = min(next_expected(source.kind, published), newest)
            sighting = replace(sighting, listed_on=day)
        elif sighting.listed_on is None and published is not None:
            sighting = replace(sighting, listed_on=min(published, newest))
        kept.append(sighting)
    return tuple(kept)


def _take(rt: Runtime, source: SourceRow, days: Sequence[date], made: Visit) -> IngestReport:
    report = IngestReport()
    now = rt.clock()
    today = source_day(source.kind, now)
    assert source.id is not None
    for page in made.pages:
        sightings = past_sightings(source, page.parsed, today)
        verdicts = novelty(source.kind, sightings, today=today, first_poll=False, history=True)
        parsed = replace(page.parsed, sightings=sightings)
        report.add(take(rt, source.id, parsed, verdicts, Arrival(now, page.request.day or today)))
    per_day = {
        day: sum(s.listed_on == day for page in made.pages for s in page.parsed.sightings)
        for day in days
    }
    rt.db.write(lambda s: _settle(s, source, per_day), Priority.BULK)
    keep(rt, source.id, made.pages, now, use="history")
    return report


def _settle(session: Session, source: SourceRow, per_day: dict[date, int]) -> None:
    """These days are there; ``polled_at`` stays empty: they were not asked on their day."""
    for day, items in sorted(per_day.items()):
        assert source.id is not None
        row = sources_store.get_source_day(session, source.id, day)
        if row.state == WANTED:
            row.state, row.items = "history", items
            session.add(row)
