"""After an upgrade: stored words of an older folding are made anew, a chunk at a time.

Matching never waits for it: whoever meets an old row folds its text on the fly, from the same
facts. What comes out differently meets the other side once more, and replaces its matches; what a
reader had stays had. A chunk is one short write, so that a kill loses at most its work; the next
start goes on where rows are still old. A newer version's rows are left alone.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from service.flows.live import document_of, query_of
from service.flows.match import LOOK_BACK
from service.flows.runtime import Runtime
from service.matching.categories import know
from service.matching.compiled import COMPILED_VERSION, compile_query
from service.matching.document import dump, prepare
from service.store import arrivals as arrivals_store
from service.store import foldings as foldings_store
from service.store import matches as matches_store
from service.store import papers as papers_store
from service.store.db import Priority, Session
from service.store.foldings import Stale
from service.store.tables import PaperRow, ProfileRow
from service.text.fold import FOLD_VERSION

CHUNK = 100
"""Rows of one write: a reader's click waits behind one of them at most."""


@dataclass(kw_only=True)
class RefoldReport:
    """papers, profiles: rows brought to this version · changed: of them those with other words ·
    unreadable: interests whose text this version reads no more, and papers whose text cannot be
    folded; they rest as they are · after, before: how far it has come, by profile and paper."""

    papers: int = 0
    profiles: int = 0
    changed: int = 0
    unreadable: int = 0
    after: int = 0
    before: int | None = None


def count_stale(rt: Runtime) -> Stale:
    """How much is still of an older version."""
    return rt.db.read(lambda s: foldings_store.count_stale(s, FOLD_VERSION, COMPILED_VERSION))


def learn_categories(rt: Runtime) -> None:
    """What stored papers carry are known categories in this process: none of them is refused."""
    know(rt.db.read(papers_store.list_categories))


def refold(rt: Runtime) -> RefoldReport:
    """Bring everything to this version; safe beside everything else, and to be killed."""
    report = RefoldReport()
    while refold_some(rt, report):
        pass
    return report


def refold_some(rt: Runtime, report: RefoldReport) -> bool:
    """One chunk: interests first, then papers, the newest first. False when nothing is left."""
    if profiles := rt.db.read(lambda s: _stale_profiles(s, report)):
        _refold_profiles(rt, profiles, report)
        return True
    if papers := rt.db.read(lambda s: _stale_papers(s, report)):
        _refold_papers(rt, papers, report)
        return True
    if report.papers or report.profiles or report.unreadable:
        rt.log(
            "refold",
            papers=report.papers,
            profiles=report.profiles,
            changed=report.changed,
            unreadable=report.unreadable,
        )
    return False


def _stale_profiles(session: Session, report: RefoldReport) -> list[ProfileRow]:
    return foldings_store.list_stale_profiles(session, COMPILED_VERSION, CHUNK, report.after)


def _stale_papers(session: Session, report: RefoldReport) -> list[PaperRow]:
    return foldings_store.list_stale_papers(session, FOLD_VERSION, CHUNK, report.before)


def _refold_profiles(rt: Runtime, rows: list[ProfileRow], report: RefoldReport) -> None:
    made: list[tuple[ProfileRow, dict[str, Any]]] = []
    for row in rows:
        assert row.id is not None
        report.after = row.id
        query = query_of(row.kind, row.text, None, row.options)
        if query is None:
            report.unreadable += 1
        else:
            made.append((row, compile_query(query)))

    def store(session: Session) -> tuple[int, int]:
        done = changed = 0
        for row, compiled in made:
            again = _without_versions(row.compiled) != _without_versions(compiled)
            if foldings_store.set_profile_words(
                session, row, compiled, COMPILED_VERSION, again=again
            ):
                done, changed = done + 1, changed + again
        return done, changed

    done, changed = rt.db.write(store, Priority.BULK)
    report.profiles += done
    report.changed += changed


def _refold_papers(rt: Runtime, rows: list[PaperRow], report: RefoldReport) -> None:
    bare = [row.id for row in rows if row.folded is None and row.id is not None]
    facts = rt.db.read(lambda s: _facts(s, bare))
    newest = rt.db.read(matches_store.newest_eligible)
    still_new = newest - timedelta(days=LOOK_BACK) if newest else None
    made: list[tuple[PaperRow, dict[str, Any]]] = []
    for row in rows:
        assert row.id is not None
        report.before = row.id
        try:
            made.append((row, facts.get(row.id) or dump(document_of(row))))
        except (ValueError, RecursionError, MemoryError, IndexError, KeyError):
            report.unreadable += 1  # as it was: the match run says what is wrong with it

    def store(session: Session) -> tuple[int, int]:
        done = changed = 0
        for row, words in made:
            is_new = bool(still_new and row.eligible_at and row.eligible_at >= still_new)
            again = is_new and _without_versions(row.folded) != _without_versions(words)
            if foldings_store.set_paper_words(session, row, words, FOLD_VERSION, again=again):
                done, changed = done + 1, changed + again
        return done, changed

    done, changed = rt.db.write(store, Priority.BULK)
    report.papers += done
    report.changed += changed


def _facts(session: Session, ids: list[int]) -> dict[int, dict[str, Any]]:
    """Words of papers that have none yet, with their names and the sources that showed them."""
    if not ids:
        return {}
    shown: dict[int, list[str]] = {}
    for paper_id, _, kind, title in arrivals_store.list_showers(session, ids):
        shown.setdefault(paper_id, []).extend((kind, title))
    return {
        paper_id: dump(prepare(papers_store.to_paper(row, names), sources=shown.get(paper_id, ())))
        for paper_id, (row, names) in papers_store.get_rows(session, ids).items()
    }


def _without_versions(stored: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (stored or {}).items() if name not in ("fold", "form")}
