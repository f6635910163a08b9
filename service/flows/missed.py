"""Announcements of a batch source that an outage swallowed: brought in as new papers."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime

from service.flows.announcements import Announced, ask_announced
from service.flows.asking import Sleep
from service.flows.ingest import Arrival, IngestReport, take
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
    report.new += await asyncio.to_thread(_take_missed, rt, source, found)


def _take_missed(rt: Runtime, source: SourceRow, found: Announced) -> int:
    """Take each day as if it had come then; returns how many papers are new."""
    new = 0
    for day, sightings in sorted(found.by_day.items()):
        taken = _take_day(rt, source, day, sightings, "new")
        taken.add(_take_day(rt, source, day, found.replaced.get(day, ()), "refresh"))
        new += taken.new
        if found.is_whole:
            rt.db.write(
                lambda s, d=day, x=sightings, t=taken: _note(s, source, d, len(x), t, rt.clock()),  # type: ignore[misc]
                Priority.BULK,
            )
    return new


def _take_day(
    rt: Runtime, source: SourceRow, day: date, sightings: Sequence[Sighting], fresh: Verdict
) -> IngestReport:
    """Take what was announced on a day. fresh: what papers are that nobody has shown yet."""
    assert source.id is not None
    known, _ = rt.db.read(lambda s: known_of(s, source.id or 0, sightings))
    verdicts: list[Verdict] = ["refresh" if k else fresh for k in known]
    parsed = Parsed(len(sightings), tuple(sightings))
    return take(rt, source.id, parsed, verdicts, Arrival(rt.clock(), day))


def _note(
    session: Session,
    source: SourceRow,
    day: date,
    announced: int,
    taken: IngestReport,
    now: datetime,
) -> None:
    """Write a day into the ledger, now that nothing of it can be missing."""
    row = record_day(
        session,
        source,
        day,
        now=now,
        items=taken.items,
        new=taken.new,
        known=taken.known + taken.refreshed,
        state="complete" if announced else "none",
    )
    row.announced, row.crosschecked_at = announced, now
    session.add(row)
