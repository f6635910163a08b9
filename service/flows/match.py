"""New papers meet the stored profiles; a changed profile meets the papers that are still new.

Whichever commits last sees the other, so no pair is missed: a paper is stored before its match
run starts, and a profile that is stored later looks back over the stored papers itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from service.errors import PaperpostError
from service.flows.live import document_of, query_of
from service.flows.runtime import Runtime
from service.matching.document import Document
from service.matching.evaluate import Hit
from service.matching.index import Index
from service.matching.query import Query
from service.matching.score import score
from service.store import matches as matches_store
from service.store import sightings as sightings_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.tables import PaperRow

CHUNK = 200
PROFILES = 500
LOOK_BACK = 60  # days: the longest time a paper can count as new


@dataclass(kw_only=True)
class MatchReport:
    """papers: new papers compared · profiles: in the index · matches: pairs that fit ·
    candidates: pairs that reached exact evaluation · quarantined: papers that could not be read."""

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
    rt.db.read(rt.index.sync)
    report.profiles = len(rt.index)
    before = rt.index.candidates
    while papers := rt.db.read(lambda s: matches_store.list_unmatched(s, CHUNK)):
        rows: list[dict[str, Any]] = []
        bad: list[tuple[int, str]] = []
        for paper in papers:
            assert paper.id is not None
            try:
                rows += _match_one(rt, paper)
            except PaperpostError as error:
                bad.append((paper.id, str(error)))
            except (ValueError, RecursionError, MemoryError, IndexError, KeyError) as error:
                bad.append((paper.id, f"{type(error).__name__}: {error}"))
        rt.db.write(lambda s, r=rows, p=papers, b=bad: _record(rt, s, r, p, b), Priority.BULK)  # type: ignore[misc]
        report.papers += len(papers)
        report.matches += len(rows)
        report.quarantined += len(bad)
    report.candidates = rt.index.candidates - before
    if report.papers:
        rt.log("match", papers=report.papers, matches=report.matches, profiles=report.profiles)
    return report


def _match_one(rt: Runtime, paper: PaperRow) -> list[dict[str, Any]]:
    document = document_of(paper)
    rows = []
    for profile_id, query, hits in rt.index.match(document):
        made = _score(rt, query, document, hits, paper)
        rows.append({"profile_id": profile_id, "paper_id": paper.id, "score": made})
    return rows


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
    alive = subscribers_store.list_profile_ids(session)
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
    while rows := rt.db.read(lambda s: subscribers_store.list_unmatched_profiles(s, PROFILES)):
        queries = {
            row.id: query
            for row in rows
            if row.id is not None
            and (query := query_of(row.kind, row.text, row.compiled, row.options))
        }
        index = Index()
        for profile_id, query in queries.items():
            index.add(profile_id, query)
        matches = []
        for paper in _still_new(rt):
            document = document_of(paper)
            for profile_id, hits in index.match(document).items():
                made = _score(rt, queries[profile_id], document, hits, paper)
                matches.append({"profile_id": profile_id, "paper_id": paper.id, "score": made})
        seen = [(row.id, row.changed_at) for row in rows if row.id is not None]
        rt.db.write(lambda s, m=matches, k=seen: _record_profiles(rt, s, m, k), Priority.BULK)  # type: ignore[misc]
        found += len(matches)
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


def _record_profiles(
    rt: Runtime,
    session: Session,
    matches: Sequence[dict[str, Any]],
    seen: Sequence[tuple[int, datetime]],
) -> None:
    for profile_id, _ in seen:
        matches_store.delete_matches(session, profile_id=profile_id)
    alive = subscribers_store.list_profile_ids(session)
    matches_store.add_matches(session, [m for m in matches if m["profile_id"] in alive])
    subscribers_store.set_profiles_matched(session, seen, rt.clock())


def _score(
    rt: Runtime, query: Query, document: Document, hits: tuple[Hit, ...], paper: PaperRow
) -> float:
    return score(
        query,
        document,
        hits,
        rt.corpus.statistics,
        votes=paper.votes,
        comments=paper.comments,
        age_days=0.0,
    ).total


def learn(rt: Runtime, days: int | None = None) -> None:
    """Bring the corpus (and the rarity of words learned from it) up to date."""
    wanted = days or rt.defaults().estimate_days
    today = rt.clock().date()
    newest = rt.db.read(lambda s: sightings_store.list_days(s, limit=1))
    last = min(newest[0], today) if newest else today
    rt.db.read(lambda s: rt.corpus.sync(s, last - timedelta(days=max(wanted * 2, 60))))
