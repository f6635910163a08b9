"""What was brought of a source's past, again from the bytes that were kept: days of before it was
added, and announcements that it had missed. Kept answers are opened here."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby
from operator import attrgetter

from service.errors import PaperpostError
from service.flows.announcements import announced_in
from service.flows.asking import Page
from service.flows.history import past_sightings
from service.flows.ingest import Arrival, IngestReport, take
from service.flows.missed import take_announced
from service.flows.runtime import Runtime
from service.flows.taking import PollReport
from service.papers.model import Sighting
from service.sources.adapter import Adapter, Parsed, Request
from service.sources.calendar import source_day
from service.sources.novelty import novelty
from service.sources.registry import adapter
from service.store import raw_polls as raw_store
from service.store.raw_polls import Kept
from service.store.tables import SourceRow


def read_kept(
    rt: Runtime, source: SourceRow, kept: Sequence[Kept], report: PollReport
) -> Iterator[tuple[Kept, Parsed]]:
    """Open one answer after the other; what cannot be read is told, the others go on."""
    own = adapter(source.kind)
    for one in kept:
        made = _asked(own, one)
        body = rt.db.read(lambda s, i=one.id: raw_store.get_body(s, i))  # type: ignore[misc]
        try:
            parsed = rt.parse(made.kind, body, made.day_of(one.url))
        except PaperpostError as error:
            report.error = str(error)
            continue
        yield one, replace(parsed, sightings=tuple(_taken(own, source, one, parsed)))


def _asked(own: Adapter, one: Kept) -> Adapter:
    """The kind that gave an answer."""
    kinds = {"history": own.history_kind, "submitted": own.history_kind, "records": own.missed_kind}
    return adapter(kinds.get(one.use) or own.kind)


def _taken(own: Adapter, source: SourceRow, one: Kept, parsed: Parsed) -> Iterator[Sighting]:
    """What was taken of an answer then: a week's list may hold days that were asked otherwise."""
    for sighting in parsed.sightings:
        if one.use == "poll" and not own.wanted(source.params, sighting):
            continue
        if one.use in ("poll", "history") and one.days and sighting.listed_on not in one.days:
            continue
        yield sighting


def replay_past(
    rt: Runtime,
    source: SourceRow,
    kept: Sequence[Kept],
    report: PollReport,
    was_there: Callable[[Sighting], bool],
) -> None:
    """Take again what one question about the past brought. was_there: whether a paper had been
    shown before that day."""
    for days, part in groupby(kept, attrgetter("days")):
        group = list(part)
        pages = list(read_kept(rt, source, group, report))
        if group[0].use == "history":
            made = [_take_history(rt, source, one, parsed) for one, parsed in pages]
        else:
            made = list(_take_missed(rt, source, pages, days, was_there))
        for taken in made:
            report.items += taken.items
            report.new += taken.new
            report.history += taken.known
            report.known += taken.refreshed


def _take_history(rt: Runtime, source: SourceRow, one: Kept, parsed: Parsed) -> IngestReport:
    today = source_day(source.kind, one.at)
    sightings = past_sightings(source, parsed, today)
    verdicts = novelty(source.kind, sightings, today=today, first_poll=False, history=True)
    day = _asked(adapter(source.kind), one).day_of(one.url) or today
    return take(
        rt, source.id or 0, replace(parsed, sightings=sightings), verdicts, Arrival(one.at, day)
    )


def _take_missed(
    rt: Runtime,
    source: SourceRow,
    pages: Sequence[tuple[Kept, Parsed]],
    days: Sequence[date],
    was_there: Callable[[Sighting], bool],
) -> Iterator[IngestReport]:
    if not pages:
        return
    first = pages[0][0]
    found = announced_in(
        rt, source, first.use, [Page(Request(x.url), b"", p) for x, p in pages], days
    )
    yield from take_announced(rt, source, found, first.at, was_there).values()
