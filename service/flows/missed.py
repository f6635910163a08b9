"""Announcements of a batch source that an outage swallowed: brought in as new papers."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import date, datetime

from service.flows.announcements import Announced, ask_announced
from service.flows.asking import Sleep
from service.flows.ingest import Arrival, IngestReport, take
from service.flows.kept import keep
from service.flows.runtime import Runtime
from service.flows.taking import PollReport, known_of
from service.flows.watch import missed_days, record_day
from service.papers.model import Sighting
from service.sources.adapter import Parsed
from service.sources.calendar import source_day
from service.sources.fetch import Fetcher
from service.sources.novelty import Verdict
from service.sources.registry import adapter
from service.store.db import Priority, Session
from service.store.tables import SourceRow


async def catch_up(
    rt: Runtime, fetcher: Fetcher, source: SourceRow, report: PollReport, sleep: Sleep
) -> None:
    """Bring the announcements of days whose batch never came; they count as new.

    A day is over when arXiv's records have answered; until then each poll asks again.
    """
    today = source_day(source.kind, rt.clock())
    most = rt.defaults().catchup_days
    days = await rt.db.aread(lambda s: missed_days(s, source, today, most))
    own = adapter(source.kind)
    if not days or not (own.missed_kind or own.history_kind):
        return
    found = await ask_announced(rt, fetcher, source, days, sleep)
    if found.error:
        report.error = f"missed days are still missing: {found.error}"
    now = rt.clock()
    taken = await asyncio.to_thread(take_announced, rt, source, found, now)
    report.new += sum(one.new for one in taken.values())
    if found.is_whole:
        await rt.db.awrite(lambda s: _note(s, source, found, taken, now), Priority.BULK)
    if any(found.by_day.values()) or found.replaced:
        await asyncio.to_thread(
            keep, rt, source.id or 0, found.pages, now, use=found.use, days=days
        )


def take_announced(
    rt: Runtime,
    source: SourceRow,
    found: Announced,
    at: datetime,
    was_there: Callable[[Sighting], bool] = lambda sighting: False,
) -> dict[date, IngestReport]:
    """Take each day as if it had come then. was_there: of a paper that the store does not hold,
    whether it was shown before all the same."""
    made: dict[date, IngestReport] = {}
    for day, sightings in sorted(found.by_day.items()):
        again = found.replaced.get(day, [])
        both = [*sightings, *again]
        known, _ = rt.db.read(lambda s, x=both: known_of(s, source.id or 0, x))  # type: ignore[misc]
        verdicts: list[Verdict] = [
            "refresh" if here or number >= len(sightings) else "known" if was_there(one) else "new"
            for number, (one, here) in enumerate(zip(both, known, strict=True))
        ]
        made[day] = take(
            rt, source.id or 0, Parsed(len(both), tuple(both)), verdicts, Arrival(at, day)
        )
    return made


def _note(
    session: Session,
    source: SourceRow,
    found: Announced,
    taken: Mapping[date, IngestReport],
    now: datetime,
) -> None:
    """Write the days into the ledger, now that nothing of them can be missing."""
    for day, report in taken.items():
        announced = len(found.by_day[day])
        row = record_day(
            session,
            source,
            day,
            now=now,
            items=report.items,
            new=report.new,
            known=report.known + report.refreshed,
            state="complete" if announced else "none",
        )
        row.announced, row.crosschecked_at = announced, now
        session.add(row)
