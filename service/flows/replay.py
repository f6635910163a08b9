"""A past day again, from the bytes that were kept of it; nothing is fetched.

load (kept answers) -> decide (verdicts as they were then) -> record. Papers that are there are
refreshed. One that is not there becomes new on that day, unless an answer of an earlier day held
it: what was old on that day stays old.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any

from service.flows.ingest import Arrival, take
from service.flows.match import match_new
from service.flows.replay_past import read_kept, replay_past
from service.flows.runtime import Runtime
from service.flows.taking import PollReport, known_of, placed
from service.papers.identity import is_same
from service.papers.model import Alias, Sighting
from service.sources.calendar import source_day
from service.sources.novelty import Verdict, novelty
from service.store import raw_polls as raw_store
from service.store import sources as sources_store
from service.store.raw_polls import Kept
from service.store.tables import SourceRow
from service.subscribers.cadence import local_date

_EARLIER = 3
"""Answers of before the day that are looked at, of each address: a feed that flips between two
forms of itself shows half of its items in each."""


@dataclass(slots=True)
class _Day:
    """What is known of one source's day while its visits are replayed. before: names of what
    earlier days showed, by name."""

    source: SourceRow
    day: date
    report: PollReport
    before: dict[Alias, list[tuple[Alias, ...]]]
    is_first: bool
    new: int = 0

    def was_there(self, sighting: Sighting) -> bool:
        """Whether an answer of an earlier day held it."""
        names = sighting.paper.aliases
        return any(is_same(names, other) for n in names for other in self.before.get(n, ()))


def replay(rt: Runtime, day: date, source: int | None = None) -> list[dict[str, Any]]:
    """Read what was kept of a source's day again, as if it came then; one row a source.

    outcome: replayed; error: what of it could not be read. Empty when nothing is kept.
    """
    start = datetime.combine(day - timedelta(days=1), time(), UTC)
    kept = rt.db.read(lambda s: raw_store.list_kept(s, start, start + timedelta(days=3), source))
    rows = {row.id: row for row in rt.db.read(sources_store.list_sources)}
    of_day = [one for one in kept if source_day(rows[one.source_id].kind, one.at) == day]
    reports: list[PollReport] = []
    for source_id, visits in groupby(
        sorted(of_day, key=attrgetter("source_id", "at", "id")), attrgetter("source_id")
    ):
        reports.append(_replay_day(rt, rows[source_id], day, list(visits)))
    if any(report.new for report in reports):
        match_new(rt)
        rt.engine.enqueue("send")
    return [report.row() for report in reports]


def _replay_day(rt: Runtime, source: SourceRow, day: date, kept: Sequence[Kept]) -> PollReport:
    assert source.id is not None
    report = PollReport(source=source.id, title=source.title, outcome="replayed")
    first_at = kept[0].at
    polled = {one.url for one in kept if one.use == "poll"}
    earlier = rt.db.read(
        lambda s: raw_store.list_before(s, source.id or 0, polled, first_at, _EARLIER)
    )
    made = _Day(
        source=source,
        day=day,
        report=report,
        before=_by_name(rt, source, earlier, report),
        is_first=rt.db.read(lambda s: raw_store.is_first_visit(s, source.id or 0, first_at)),
    )
    for (at, use), pages in groupby(kept, attrgetter("at", "use")):
        if use == "poll":
            _replay_visit(rt, made, at, list(pages))
            made.is_first = False
        else:
            replay_past(rt, source, list(pages), report, made.was_there)
    return report


def _by_name(
    rt: Runtime, source: SourceRow, kept: Sequence[Kept], report: PollReport
) -> dict[Alias, list[tuple[Alias, ...]]]:
    found: dict[Alias, list[tuple[Alias, ...]]] = {}
    for _, parsed in read_kept(rt, source, kept, report):
        for sighting in parsed.sightings:
            for alias in sighting.paper.aliases:
                found.setdefault(alias, []).append(sighting.paper.aliases)
    return found


def _replay_visit(rt: Runtime, made: _Day, at: datetime, kept: Sequence[Kept]) -> None:
    """The pages of one visit, under the verdicts of the whole, as in a poll."""
    assert made.source.id is not None
    pages = [parsed for _, parsed in read_kept(rt, made.source, kept, made.report)]
    verdicts = iter(_verdicts(rt, made, [x for parsed in pages for x in parsed.sightings]))
    arrival = Arrival(at, local_date(at, rt.zone))
    for parsed in pages:
        chosen = [next(verdicts) for _ in parsed.sightings]
        filed = tuple(placed(x, v, made.day) for x, v in zip(parsed.sightings, chosen, strict=True))
        taken = take(rt, made.source.id, replace(parsed, sightings=filed), chosen, arrival)
        made.new += taken.new
        made.report.items += taken.items
        made.report.new += taken.new
        made.report.known += taken.known + taken.refreshed
        made.report.held += taken.held


def _verdicts(rt: Runtime, made: _Day, flat: Sequence[Sighting]) -> list[Verdict]:
    source_id = made.source.id or 0
    stored, _ = rt.db.read(lambda s: known_of(s, source_id, flat))
    old = [not here and made.was_there(x) for x, here in zip(flat, stored, strict=True)]
    habit = rt.db.read(lambda s: sources_store.get_habit(s, source_id, before=made.day))
    judged = iter(
        novelty(
            made.source.kind,
            [x for x, here, was in zip(flat, stored, old, strict=True) if not (here or was)],
            today=made.day,
            first_poll=made.is_first,
            history=False,
            catchup_days=rt.defaults().catchup_days,
            usual_per_day=habit.per_day,
            days_known=habit.days,
            earlier_today=made.new,
        )
    )
    return [
        "refresh" if here else "known" if was else next(judged)
        for here, was in zip(stored, old, strict=True)
    ]
