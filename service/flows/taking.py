"""What a visit brought, taken in: verdicts over the whole, papers stored, the ledger filled."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from service.flows.asking import Visit
from service.flows.filing import belonging_ids
from service.flows.ingest import Arrival, IngestReport, take
from service.flows.kept import keep
from service.flows.runtime import Runtime
from service.flows.watch import find_day, listed_last, new_of_day, record_day
from service.papers.model import Sighting
from service.sources.calendar import rhythm_of, source_day
from service.sources.days import day_state
from service.sources.novelty import Verdict, novelty
from service.sources.outcome import Failed, NotModified
from service.sources.registry import adapter
from service.sources.schedule import Batch, batch_of, leaves_gap
from service.store import sources as sources_store
from service.store.db import Priority, Session
from service.store.tables import SourceRow
from service.subscribers.cadence import local_date


@dataclass(slots=True, kw_only=True)
class PollReport:
    """What became of one source; the names are those that the command prints."""

    source: int
    title: str
    outcome: str = "read"
    items: int = 0
    new: int = 0
    known: int = 0
    held: int = 0
    history: int = 0
    error: str = ""

    def row(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def take_visit(rt: Runtime, source: SourceRow, seen: Visit, report: PollReport) -> Batch:
    """Take what was read, page by page under the verdicts of the whole; fill the ledger."""
    assert source.id is not None
    now = rt.clock()
    made = adapter(source.kind)
    pages = [
        (page, tuple(x for x in page.parsed.sightings if made.wanted(source.params, x)))
        for page in seen.pages
    ]
    flat = [sighting for _, sightings in pages for sighting in sightings]
    today = _day_of(source.kind, flat, now)
    is_known, is_seen = rt.db.read(lambda s: known_of(s, source.id or 0, flat))
    last = rt.db.read(lambda s: listed_last(s, source, today)) if source.first_polled else 0
    is_gap = leaves_gap(source.kind, is_seen, last)
    verdicts = iter(verdicts_of(rt, source, flat, is_known, today))
    arrival = Arrival(now, local_date(now, rt.zone))
    per_day: dict[date, IngestReport] = {}
    for page, sightings in pages:
        chosen = [next(verdicts) for _ in sightings]
        filed = tuple(placed(x, v, today) for x, v in zip(sightings, chosen, strict=True))
        taken = take(rt, source.id, replace(page.parsed, sightings=filed), chosen, arrival)
        per_day.setdefault(page.request.day or today, IngestReport()).add(taken)
    keep(rt, source.id, seen.pages, now)
    for taken in per_day.values():
        report.items += taken.items
        report.new += taken.new
        report.known += taken.known + taken.refreshed
        report.held += taken.held
        if taken.problems:
            first = taken.problems[0]
            report.error = f"{len(taken.problems)} items were not taken: {first.what}"[:300]
    batch = _batch(rt, source, seen, today, per_day, len(flat) - sum(is_seen))
    rt.db.write(lambda s: _ledger(s, source, per_day, batch, today, now, is_gap), Priority.BULK)
    return batch


def _day_of(kind: str, sightings: Sequence[Sighting], now: datetime) -> date:
    """The source's own day to which an answer belongs: today's, but for a batch that was asked for
    before midnight and read after it. No poll begins between midnight and ``opens``."""
    rhythm, today = rhythm_of(kind), source_day(kind, now)
    if rhythm.lists != "batch" or now.astimezone(rhythm.zone).time() >= rhythm.opens:
        return today
    named = [x.listed_on for x in sightings if x.listed_on is not None]
    return min(today, max(named, default=today))


def known_of(
    session: Session, source_id: int, sightings: Sequence[Sighting]
) -> tuple[list[bool], list[bool]]:
    """Per sighting: whether the store knows the paper, and whether this source showed it before."""
    ids = belonging_ids(session, [x.paper for x in sightings])
    here: set[int] = set()
    every = sorted({i for found in ids for i in found})
    for start in range(0, len(every), 500):
        here |= sources_store.seen_paper_ids(session, source_id, every[start : start + 500])
    return [bool(found) for found in ids], [bool(here.intersection(found)) for found in ids]


def verdicts_of(
    rt: Runtime, source: SourceRow, flat: Sequence[Sighting], is_known: Sequence[bool], today: date
) -> list[Verdict]:
    """One verdict per sighting; papers that the store knows are only refreshed."""
    habit, earlier = rt.db.read(
        lambda s: (
            sources_store.get_habit(s, source.id or 0),
            new_of_day(s, source.id or 0, today),
        )
    )
    unknown = [x for x, known in zip(flat, is_known, strict=True) if not known]
    judged = iter(
        novelty(
            source.kind,
            unknown,
            today=today,
            first_poll=not source.first_polled,
            history=False,
            catchup_days=rt.defaults().catchup_days,
            usual_per_day=habit.per_day,
            days_known=habit.days,
            earlier_today=earlier,
        )
    )
    return ["refresh" if known else next(judged) for known in is_known]


def placed(sighting: Sighting, verdict: Verdict, today: date) -> Sighting:
    """Known papers of a feed without list days stand under the day they were published."""
    day = sighting.paper.announced_on or sighting.paper.published_on
    if verdict != "known" or sighting.listed_on is not None or day is None:
        return sighting
    return replace(sighting, listed_on=min(day, today))


def _batch(
    rt: Runtime,
    source: SourceRow,
    seen: Visit,
    today: date,
    per_day: dict[date, IngestReport],
    never_seen: int,
) -> Batch:
    if adapter(source.kind).is_batch:
        row = rt.db.read(lambda s: find_day(s, source.id or 0, today))
        if row is not None and row.state == "complete":
            return "complete"
        none: Batch = "none" if row is not None and row.expected and row.state == "none" else ""
        if isinstance(seen.outcome, NotModified) and not seen.pages:
            return none or "stale"
        if isinstance(seen.outcome, Failed):
            return none
        # an answer cut off may have brought the whole batch: nothing in it is unseen now
        never_seen += row.new if row is not None else 0
        if not never_seen and none:
            return none
    items = per_day[today].items if today in per_day else 0
    return batch_of(source.kind, items, never_seen)


def _ledger(
    session: Session,
    source: SourceRow,
    per_day: dict[date, IngestReport],
    batch: Batch,
    today: date,
    now: datetime,
    is_gap: bool,
) -> None:
    """One row for each day that was asked, and one for today in any case."""
    made = adapter(source.kind)
    # the first poll of a feed shows its whole window: no measure of a usual day
    counts_known = source.first_polled or made.history_kind != ""
    for day in sorted({today, *per_day}):
        taken = per_day.get(day)
        before = sources_store.get_source_day(session, source.id or 0, day)
        empty: Batch = "" if taken is not None and taken.items else "empty"
        record_day(
            session,
            source,
            day,
            now=now,
            items=taken.items if taken else None,
            new=taken.new if taken else 0,
            known=taken.known if taken and counts_known else 0,
            is_gap=is_gap and day == today,
            state=day_state(
                source.kind,
                day,
                now,
                held=batch if made.is_batch else empty,
                before=before.state,  # type: ignore[arg-type]
                announced=before.announced,
            ),
        )
