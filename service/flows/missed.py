"""Announcements of a batch source that an outage swallowed, asked of its query interface."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial

from service.flows.asking import Sleep, Visit, visit
from service.flows.history import past_sightings
from service.flows.ingest import Arrival, IngestReport, take
from service.flows.runtime import Runtime
from service.flows.taking import PollReport, known_of
from service.flows.watch import missed_days, record_day
from service.sources.calendar import expected, source_day
from service.sources.fetch import Fetcher
from service.sources.novelty import Verdict
from service.sources.outcome import Failed
from service.sources.registry import adapter
from service.store.db import Priority, Session
from service.store.tables import SourceRow


async def catch_up(
    rt: Runtime, fetcher: Fetcher, source: SourceRow, report: PollReport, sleep: Sleep
) -> None:
    """Bring the announcements missed since the last complete day; they count as new."""
    today = source_day(source.kind, rt.clock())
    most = rt.defaults().catchup_days
    days = await rt.db.aread(lambda s: missed_days(s, source, today, most))
    own = adapter(source.kind)
    if not days or not own.history_kind:
        return
    past = adapter(own.history_kind)
    before = partial(_listed_before, source.kind)
    window = (before(before(days[0])), before(days[-1]))
    requests = past.requests(own.history_params(source.params), today=today, days=window)
    seen = await visit(rt, fetcher, past, requests, sleep=sleep)
    if isinstance(seen.outcome, Failed) or seen.postponed_until is not None:
        reason = seen.outcome.reason if isinstance(seen.outcome, Failed) else "asked to wait"
        report.error = f"missed days are still missing: {reason}"
        return
    taken = await asyncio.to_thread(_take_missed, rt, source, seen, days)
    report.new += taken.new


def _listed_before(kind: str, day: date) -> date:
    day -= timedelta(days=1)
    while not expected(kind, day):
        day -= timedelta(days=1)
    return day


def _take_missed(rt: Runtime, source: SourceRow, seen: Visit, days: Sequence[date]) -> IngestReport:
    now = rt.clock()
    report = IngestReport()
    assert source.id is not None
    for page in seen.pages:
        sightings = past_sightings(source, page.parsed, days[-1])
        known, _ = rt.db.read(lambda s, x=sightings: known_of(s, source.id or 0, x))  # type: ignore[misc]
        verdicts: list[Verdict] = ["refresh" if k else "new" for k in known]
        parsed = replace(page.parsed, sightings=sightings)
        report.add(take(rt, source.id, parsed, verdicts, Arrival(now, days[-1])))

    def settle(session: Session) -> None:
        for day in days:
            new = report.new if day == days[-1] else 0
            record_day(session, source, day, now=now, new=new, state="complete")

    rt.db.write(settle, Priority.BULK)
    return report
