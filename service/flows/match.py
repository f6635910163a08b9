"""New papers meet the stored profiles; a changed profile meets the papers that are still new.

Whichever commits last sees the other, so no pair is missed: a paper is stored before its match
run starts, and a profile that is stored later looks back over the stored papers itself.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

from service.errors import PaperpostError
from service.flows.live import document_of
from service.flows.live_index import stored_root
from service.flows.runtime import Runtime
from service.matching.block import Ids
from service.matching.block_score import Scores
from service.matching.document import Document
from service.matching.index import Index
from service.matching.wording import MOST_PAPERS
from service.store import matches as matches_store
from service.store import sightings as sightings_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.tables import PaperRow, ProfileRow

CHUNK = 192
PROFILES = 5_000  # that meet the papers together: each time all of these are read
MOST_ROWS = 20_000  # of matches in one transaction, or one paper's
LOOK_BACK = 60  # days: the longest time a paper can count as new

_HARMFUL = (PaperpostError, ValueError, RecursionError, MemoryError, IndexError, KeyError)
"""What a paper of strange make may cause."""


@dataclass(kw_only=True)
class MatchReport:
    """papers: new papers compared · profiles: in the index · matches: pairs that fit ·
    candidates: pairs that were looked at one by one · quarantined: papers that could not be
    read."""

    papers: int = 0
    profiles: int = 0
    matches: int = 0
    candidates: int = 0
    quarantined: int = 0


def match_new(rt: Runtime) -> MatchReport:
    """Compare every paper that is new and unmatched with every profile; one run at a time."""
    with rt.index.turn:
        return _match_new(rt)


def _match_new(rt: Runtime) -> MatchReport:
    report = MatchReport()
    learn(rt)
    match_profiles(rt)
    rt.index.restore(rt.data_dir)
    rt.db.read(rt.index.sync)
    report.profiles = len(rt.index)
    before = rt.index.candidates
    while papers := rt.db.read(lambda s: matches_store.list_unmatched(s, CHUNK)):
        scored = partial(rt.index.score_many, statistics=rt.corpus.statistics)
        for some, rows, bad in _portions(_compared(scored, papers)):
            rt.db.write(lambda s, r=rows, p=some, b=bad: _record(rt, s, r, p, b), Priority.BULK)  # type: ignore[misc]
            report.papers += len(some)
            report.matches += len(rows)
            report.quarantined += len(bad)
    report.candidates = rt.index.candidates - before
    if report.papers:
        rt.log("match", papers=report.papers, matches=report.matches, profiles=report.profiles)
    rt.index.save(rt.data_dir)
    return report


_Scored = tuple[Ids, Scores]
"""Profiles that want a paper, and their scores."""

_Score = Callable[[Sequence[Document]], Iterator[_Scored]]


def _compared(
    score: _Score, papers: Iterable[PaperRow]
) -> Iterator[tuple[PaperRow, _Scored | str]]:
    """Each paper with who wants it, or with the reason why it cannot be compared."""
    rest = iter(papers)
    while some := list(islice(rest, MOST_PAPERS)):
        ready: list[tuple[PaperRow, Document]] = []
        for paper in some:
            try:
                ready.append((paper, document_of(paper)))
            except _HARMFUL as error:
                yield paper, _reason(error)
        try:
            found: list[_Scored | str] = list(score([document for _, document in ready]))
        except _HARMFUL:
            found = [_scored_alone(score, document) for _, document in ready]
        yield from zip((paper for paper, _ in ready), found, strict=True)


def _scored_alone(score: _Score, document: Document) -> _Scored | str:
    """One of several papers harms: it is found by comparing each by itself."""
    try:
        return next(score([document]))
    except _HARMFUL as error:
        return _reason(error)


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, PaperpostError) else f"{type(error).__name__}: {error}"


_Portion = tuple[list[PaperRow], list[dict[str, Any]], list[tuple[int, str]]]
"""Papers, rows of their matches, and those of them that harm with the reason."""


def _portions(compared: Iterable[tuple[PaperRow, _Scored | str]]) -> Iterator[_Portion]:
    """As many papers at a time as make some thousands of rows, one at least."""
    papers: list[PaperRow] = []
    rows: list[dict[str, Any]] = []
    bad: list[tuple[int, str]] = []
    for paper, answer in compared:
        assert paper.id is not None
        papers.append(paper)
        if isinstance(answer, str):
            bad.append((paper.id, answer))
        else:
            rows += _rows(paper.id, answer)
        if len(rows) >= MOST_ROWS:
            yield papers, rows, bad
            papers, rows, bad = [], [], []
    if papers:
        yield papers, rows, bad


def _rows(paper_id: int, scored: _Scored) -> Iterator[dict[str, Any]]:
    ids, scores = scored
    for profile_id, made in zip(ids.tolist(), scores.tolist(), strict=True):
        yield {"profile_id": profile_id, "paper_id": paper_id, "score": made}


def _record(
    rt: Runtime,
    session: Session,
    rows: Sequence[dict[str, Any]],
    papers: Sequence[PaperRow],
    bad: Sequence[tuple[int, str]],
) -> None:
    """Write down what fits. A paper that was refreshed or merged since it was read is left as it
    is, and compared again."""
    now = rt.clock()
    ids = matches_store.list_unchanged(session, papers)
    matches_store.delete_matches(session, paper_ids=ids)
    alive = subscribers_store.list_living(session, {r["profile_id"] for r in rows})
    matches_store.add_matches(
        session, [r for r in rows if r["profile_id"] in alive and r["paper_id"] in ids]
    )
    matches_store.set_matched(session, ids, now)
    for paper_id, reason in bad:
        if paper_id in ids:
            matches_store.set_quarantined(session, paper_id, reason, now)


def match_profiles(rt: Runtime) -> int:
    """Profiles that are new or changed meet the papers that are still new; returns pairs found."""
    found = 0
    while profiles := rt.db.read(lambda s: subscribers_store.list_unmatched_profiles(s, PROFILES)):
        found += _meet(rt, profiles)
    return found


def _meet(rt: Runtime, profiles: Sequence[ProfileRow]) -> int:
    """The papers are read once for all of them; one that harms is put aside by the run of new
    papers. Profiles of many matches are done when the last of these is written."""
    index = Index()
    index.fill((row.id, 0, stored_root(row)) for row in profiles if row.id is not None)
    seen = [(row.id, row.changed_at) for row in profiles if row.id is not None]
    score = partial(index.score_many, statistics=rt.corpus.statistics)
    before: list[dict[str, Any]] = []
    found, is_first = 0, True
    for _, rows, _ in _portions(_compared(score, _still_new(rt))):
        if before:
            _write(rt, before, seen, is_first=is_first, is_last=False)
            is_first = False
        before = rows
        found += len(rows)
    _write(rt, before, seen, is_first=is_first, is_last=True)
    return found


def _still_new(rt: Runtime) -> Iterator[PaperRow]:
    newest = rt.db.read(matches_store.newest_eligible)
    if newest is None:
        return
    start = newest - timedelta(days=LOOK_BACK)
    after = 0
    while rows := rt.db.read(
        lambda s, a=after: matches_store.list_eligible_after(s, start, a, CHUNK)  # type: ignore[misc]
    ):
        yield from rows
        after = rows[-1].id or 0


def _write(
    rt: Runtime,
    rows: Sequence[dict[str, Any]],
    seen: Sequence[tuple[int, datetime]],
    *,
    is_first: bool,
    is_last: bool,
) -> None:
    """Write down what profiles want: first the old matches go, last they have met the papers."""

    def record(session: Session) -> None:
        if is_first:
            matches_store.delete_matches(session, profile_ids=[one for one, _ in seen])
        alive = subscribers_store.list_living(session, {r["profile_id"] for r in rows})
        matches_store.add_matches(session, [r for r in rows if r["profile_id"] in alive])
        if is_last:
            subscribers_store.set_profiles_matched(session, seen, rt.clock())

    rt.db.write(record, Priority.BULK)


def learn(rt: Runtime, days: int | None = None) -> None:
    """Bring the corpus (and the rarity of words learned from it) up to date."""
    wanted = days or rt.defaults().estimate_days
    today = rt.clock().date()
    newest = rt.db.read(lambda s: sightings_store.list_days(s, limit=1))
    last = min(newest[0], today) if newest else today
    rt.db.read(lambda s: rt.corpus.sync(s, last - timedelta(days=max(wanted * 2, 60))))
