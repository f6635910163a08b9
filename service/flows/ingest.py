"""Sightings to stored papers: who is new, who is known, what was refreshed.

load (aliases) -> decide (papers/identity, sources/novelty) -> record (short transactions). One bad
item harms only itself: it comes back as a problem with its position.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from service.errors import PaperpostError
from service.flows.filing import Desk, Item, belonging_ids, words_of
from service.flows.runtime import Runtime
from service.papers.model import Paper, Sighting
from service.sources.adapter import CaptureError, Parsed, Problem
from service.sources.novelty import Verdict
from service.sources.parse_pool import parse_here
from service.sources.registry import adapter
from service.store import sources as sources_store
from service.store.db import DOUBTFUL, REFUSED, Priority, Session
from service.store.tables import PaperRow
from service.subscribers.cadence import local_date

CHUNK = 100


@dataclass(kw_only=True)
class IngestReport:
    """items: entries read · new: papers never seen before that count as new · known: stored, never
    new · refreshed: seen before · held: waits for an admin · problems: items not taken · unread:
    (file, why) of files of which nothing was taken · changed_ids: those seen before that are
    stored with other facts now."""

    items: int = 0
    new: int = 0
    known: int = 0
    refreshed: int = 0
    held: int = 0
    problems: list[Problem] = field(default_factory=list)
    unread: list[tuple[str, PaperpostError]] = field(default_factory=list)
    new_ids: list[int] = field(default_factory=list)
    changed_ids: list[int] = field(default_factory=list)

    @property
    def papers(self) -> int:
        """How many were taken, whatever became of them."""
        return self.new + self.known + self.refreshed + self.held

    def add(self, other: "IngestReport") -> None:
        """Sum two reports."""
        self.items += other.items
        self.new += other.new
        self.known += other.known
        self.refreshed += other.refreshed
        self.held += other.held
        self.problems += other.problems
        self.unread += other.unread
        self.new_ids += other.new_ids
        self.changed_ids += other.changed_ids


@dataclass(frozen=True, slots=True)
class Arrival:
    """When sightings count as arrived. at: the instant of first sight · listed_on: overrides the
    capture's own list day (replay), else the day of sightings that name none · fallback_on."""

    at: datetime
    fallback_on: date
    listed_on: date | None = None


def arrival_on(now: datetime, today: date, on: date | None) -> Arrival:
    """Replay: midday UTC of ``on`` (its day label); today and live: now."""
    if on is None or on == today:
        return Arrival(now, today, on)
    return Arrival(datetime.combine(on, time(12), UTC), on, on)


def ingest_files(
    rt: Runtime, kind: str, files: Sequence[Path], *, on: date | None = None, history: bool = False
) -> IngestReport:
    """Take captured responses as if first seen and listed on ``on`` (default today).

    Needs no source: where none of the kind exists a paused one is made, which asks nothing from
    the network; files of which nothing could be taken make none. A file that is missing, of
    another kind, or of which nothing could be taken is in ``unread``; the others are taken.
    Raises ParameterError: no such kind.
    """
    chosen = adapter(kind)
    now = rt.clock()
    today = local_date(now, rt.zone)
    when = arrival_on(now, today, on or today)
    source_id: int | None = None
    report = IngestReport()
    for file in files:
        try:
            parsed = parse_here(kind, _bytes_of(file), day=on)
        except PaperpostError as error:
            report.unread.append((str(file), error))
            continue
        verdicts: tuple[Verdict, ...] = tuple(
            "refresh" if s.is_replacement else ("known" if history else "new")
            for s in parsed.sightings
        )
        taken = IngestReport(items=parsed.items, problems=list(parsed.problems))
        if parsed.sightings or not parsed.problems:
            if source_id is None:
                source_id = rt.db.write(
                    lambda s: _source_for(s, kind, chosen.title, now), Priority.BULK
                )
            taken = take(rt, source_id, parsed, verdicts, when)
        report.add(taken)
        if taken.problems and not taken.papers:
            report.unread.append((str(file), _nothing_of(taken)))
    rt.log("ingest", kind=kind, items=report.items, new=report.new, problems=len(report.problems))
    return report


def _nothing_of(taken: IngestReport) -> CaptureError:
    first = taken.problems[0]
    where = f"item {first.item}: " if first.item else ""
    return CaptureError(
        f"Nothing of it could be taken: {where}{first.what}.", "", "Fetch it again, whole."
    )


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise PaperpostError(
            f"It cannot be read: {error.strerror}.", str(file), "Check the path."
        ) from None


def _source_for(session: Session, kind: str, title: str, now: datetime) -> int:
    there = sources_store.list_sources(session, kind)
    row = (
        there[0]
        if there
        else sources_store.add_source(
            session, kind=kind, params={}, title=title, now=now, state="paused"
        )
    )
    assert row.id is not None
    return row.id


def take(
    rt: Runtime, source_id: int, parsed: Parsed, verdicts: Sequence[Verdict], when: Arrival
) -> IngestReport:
    """Store the sightings of one capture and return what became of each."""
    report = IngestReport(items=parsed.items, problems=list(parsed.problems))
    pairs = list(zip(parsed.sightings, verdicts, strict=True))
    for start in range(0, len(pairs), CHUNK):
        items = rt.db.read(
            lambda s, part=pairs[start : start + CHUNK]: _items(s, source_id, part, when)  # type: ignore[misc]
        )
        report.add(
            rt.db.write(
                lambda s, i=items, n=start: take_chunk(s, source_id, i, n, when.at),  # type: ignore[misc]
                Priority.BULK,
            )
        )
    rt.corpus.forget(report.changed_ids)
    return report


def _items(
    session: Session, source_id: int, part: Sequence[tuple[Sighting, Verdict]], when: Arrival
) -> list[Item]:
    """Make a chunk ready; papers that seem to be new are folded here, not while others wait for
    the writer."""
    source = sources_store.get_source(session, source_id)
    assert source is not None
    known = belonging_ids(session, [sighting.paper for sighting, _ in part])
    return [
        Item(
            sighting=sighting,
            verdict=verdict,
            listed_on=when.listed_on or sighting.listed_on or when.fallback_on,
            words=None if ids else _words(sighting.paper, (source.kind, source.title)),
        )
        for (sighting, verdict), ids in zip(part, known, strict=True)
    ]


def _words(paper: Paper, source: tuple[str, str]) -> dict[str, Any] | None:
    try:
        return words_of(paper, [source])
    except Exception:  # it is told with the item's number when the item is put away
        return None


def take_chunk(
    session: Session, source_id: int, items: Sequence[Item], start: int, now: datetime
) -> IngestReport:
    """Put a chunk away: all at once; where that fails, one by one, so that a bad item harms itself
    alone. start: items of the capture before these."""
    try:
        with session.begin_nested():
            return _put_away(session, source_id, items, start, now)
    except DOUBTFUL:
        raise
    except Exception:  # found and told below
        report = IngestReport()
    for number, item in enumerate(items, start):
        try:
            with session.begin_nested():
                report.add(_put_away(session, source_id, [item], number, now))
        except DOUBTFUL:
            raise
        except Exception as error:
            report.problems.append(_problem(number + 1, item, error))
    return report


def _put_away(
    session: Session, source_id: int, items: Sequence[Item], start: int, now: datetime
) -> IngestReport:
    report = IngestReport()
    source = sources_store.get_source(session, source_id)
    assert source is not None
    desk = Desk(session, source, now)
    desk.load(items)
    new: list[PaperRow] = []
    for number, item in enumerate(items, start + 1):
        try:
            row, fate = desk.put(item)
        except REFUSED:
            raise
        except Exception as error:  # whatever a source can send harms this item alone
            report.problems.append(_problem(number, item, error))
            continue
        setattr(report, fate, getattr(report, fate) + 1)
        if fate == "new":
            new.append(row)
    desk.write()
    report.new_ids = [row.id for row in new if row.id is not None]
    report.changed_ids = [row.id for row in desk.changed if row.id is not None]
    return report


def _problem(number: int, item: Item, error: Exception) -> Problem:
    return Problem(number, item.paper.title[:120], f"{type(error).__name__}: {error}"[:300])
