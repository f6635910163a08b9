"""Sightings to stored papers: who is new, who is known, what was refreshed.

load (aliases) -> decide (papers/identity, sources/novelty) -> record (short transactions). One bad
item harms only itself: it comes back as a problem with its position.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Literal

from service.errors import PaperpostError
from service.flows.runtime import Runtime
from service.matching.document import dump, prepare
from service.papers.identity import is_same
from service.papers.model import Paper, Sighting
from service.papers.refresh import refresh
from service.sources.adapter import CaptureError, Parsed, Problem
from service.sources.novelty import Verdict
from service.sources.parse_pool import parse_here
from service.sources.registry import adapter
from service.store import papers as papers_store
from service.store import sightings as sightings_store
from service.store import sources as sources_store
from service.store.db import Priority, Session
from service.store.tables import PaperRow
from service.subscribers.cadence import local_date
from service.text.fold import FOLD_VERSION

CHUNK = 50
Fate = Literal["new", "known", "refreshed", "held"]


@dataclass(kw_only=True)
class IngestReport:
    """items: entries read · new: papers never seen before that count as new · known: stored, never
    new · refreshed: seen before · held: waits for an admin · problems: items not taken · unread:
    (file, why) of files of which nothing was taken."""

    items: int = 0
    new: int = 0
    known: int = 0
    refreshed: int = 0
    held: int = 0
    problems: list[Problem] = field(default_factory=list)
    unread: list[tuple[str, PaperpostError]] = field(default_factory=list)
    new_ids: list[int] = field(default_factory=list)

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
        part = pairs[start : start + CHUNK]
        report.add(
            rt.db.write(
                lambda s, part=part, start=start: _take_chunk(s, source_id, part, start, when),  # type: ignore[misc]
                Priority.BULK,
            )
        )
    if report.refreshed:
        rt.corpus.forget()
    return report


def _take_chunk(
    session: Session,
    source_id: int,
    part: Sequence[tuple[Sighting, Verdict]],
    start: int,
    when: Arrival,
) -> IngestReport:
    report = IngestReport()
    source = sources_store.get_source(session, source_id)
    assert source is not None
    for number, (sighting, verdict) in enumerate(part, start + 1):
        try:
            with session.begin_nested():
                paper_id, fate = _take_one(
                    session, source_id, (source.kind, source.title), sighting, verdict, when
                )
        except Exception as error:  # whatever a source can send harms this item alone
            report.problems.append(
                Problem(
                    number, sighting.paper.title[:120], f"{type(error).__name__}: {error}"[:300]
                )
            )
            continue
        setattr(report, fate, getattr(report, fate) + 1)
        if fate == "new":
            report.new_ids.append(paper_id)
    return report


def _take_one(
    session: Session,
    source_id: int,
    source_names: tuple[str, str],
    sighting: Sighting,
    verdict: Verdict,
    when: Arrival,
) -> tuple[int, Fate]:
    paper = sighting.paper
    ids = _same_ids(session, paper)
    listed_on = when.listed_on or sighting.listed_on or when.fallback_on
    fate: Fate
    if ids:
        paper_id = ids[0]
        for twin in ids[1:]:
            papers_store.merge_papers(session, paper_id, twin, when.at)
        fate = _refresh(session, paper_id, sighting, source_names, when.at)
    else:
        eligible = when.at if verdict == "new" else None
        row = PaperRow(
            first_seen_at=when.at, eligible_at=eligible, listed_on=listed_on, title=paper.title
        )
        papers_store.set_paper(row, paper)
        row.folded = dump(prepare(paper, sources=source_names))
        row.fold_version = FOLD_VERSION
        session.add(row)
        session.flush()
        assert row.id is not None
        paper_id = row.id
        fate = {"new": "new", "held": "held"}.get(verdict, "known")  # type: ignore[assignment]
    papers_store.add_aliases(session, paper_id, paper.aliases)
    sources_store.add_sighting(
        session,
        source_id=source_id,
        paper_id=paper_id,
        listed_on=listed_on,
        now=when.at,
        announce_type=sighting.announce_type,
        submitter=sighting.submitter,
        author_takes_part=sighting.author_takes_part,
        held=verdict == "held" and not ids,
    )
    return paper_id, fate


def _same_ids(session: Session, paper: Paper) -> list[int]:
    """Stored papers that are this one, oldest first: a common name is a candidate, two different
    arXiv ids or DOIs are two papers whatever else agrees."""
    ids = papers_store.find_ids(session, paper.aliases)
    known = papers_store.get_rows(session, ids)
    return [i for i in ids if i in known and is_same(known[i][1], paper.aliases)]


def _refresh(
    session: Session,
    paper_id: int,
    sighting: Sighting,
    source_names: tuple[str, str],
    now: datetime,
) -> Fate:
    """A paper seen before: better facts are taken, what changed is kept as events."""
    row, names = papers_store.get_rows(session, [paper_id])[paper_id]
    old = papers_store.to_paper(row, names)
    better = refresh(old, sighting.paper)
    if better.paper == old:
        return "refreshed"
    papers_store.set_paper(row, better.paper)
    if (old.title, old.abstract, old.authors) != (
        better.paper.title,
        better.paper.abstract,
        better.paper.authors,
    ):
        row.folded = dump(prepare(better.paper, sources=source_names))
        row.fold_version = FOLD_VERSION
        row.matched_at = None
    session.add(row)
    for change in better.changes:
        if change.kind != "metadata":
            papers_store.add_event(session, paper_id, change.kind, now, str(change.after)[:500])
    return "refreshed"


def release_held(rt: Runtime, source_id: int, *, as_new: bool) -> int:
    """An admin's word on a held burst: its papers become new, or stay known. Returns how many."""
    from service.flows import match

    now = rt.clock()
    count = rt.db.write(
        lambda s: sightings_store.release_held(s, source_id, now if as_new else None), Priority.WEB
    )
    if as_new and count:
        match.match_new(rt)
    return count
