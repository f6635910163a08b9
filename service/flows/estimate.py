"""The back-test: what an interest would have brought, told from the stored papers.

What a day counts is what a replay of it mails to a reader with this interest alone: papers of all
sources, each once; those that were known before (a source's past) count and are told apart, since
they are searchable but never mailed as new. A cap only says how many stand in full: the rest of a
mail's papers are lines and a number, and count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from service.defaults import FIXED
from service.flows.learned import DayCounts
from service.flows.live import document_of
from service.flows.match import learn
from service.flows.runtime import Runtime
from service.flows.words import words_of
from service.matching import backtest
from service.matching.corpus import Estimate
from service.matching.counting import Asked, Likings
from service.matching.parse import describe
from service.matching.query import Query
from service.matching.taste import Taste
from service.store import listing
from service.store import papers as papers_store
from service.store import sightings as sightings_store
from service.store.db import Session

_COUNTED_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class BackTest:
    """reading: how the words were read · days: the days looked at · estimate: the figures ·
    titles: of the best papers by id · basis_known: papers of the basis that were never new ·
    known: of the found ones; no mail would have brought them · unread: papers of the days that
    could not be looked at yet.
    """

    reading: str
    days: tuple[date, ...]
    estimate: Estimate
    titles: dict[int, str]
    basis_known: int = 0
    known: int = 0
    unread: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """What other words would have changed. days: the days looked at · basis: papers of them ·
    difference: the figures · titles: of the papers it names, by id."""

    reading: str
    days: tuple[date, ...]
    basis: int
    difference: backtest.Difference
    titles: dict[int, str]


def days_of(rt: Runtime, days: int | None = None) -> tuple[date, ...]:
    """The ``days`` up to the newest day that has papers (not after today).

    Days before the first paper of this installation are no days without a hit: left out.
    """
    span = days or rt.defaults().estimate_days
    newest = rt.db.read(lambda s: sightings_store.list_days(s, limit=1))
    today = rt.clock().date()
    last = min(newest[0], today) if newest else today
    first = rt.db.read(sightings_store.first_day) or last
    since = max(first, last - timedelta(days=span - 1))
    return tuple(since + timedelta(days=n) for n in range((last - since).days + 1))


def estimate(rt: Runtime, asked: Asked, days: int | None = None) -> BackTest:
    """Back-test over the ``days`` of ``days_of``. Raises QueryError: the own name."""
    learn(rt, days)
    wanted = days_of(rt, days)
    made = backtest.estimate(rt.corpus.corpus, asked, wanted, words_of(rt).glossary)
    counts = _day_counts(rt, wanted)
    return BackTest(
        reading=describe(asked.query),
        days=wanted,
        estimate=made,
        titles=_titles(rt, [found.paper_id for found in made.best]),
        basis_known=sum(counts.known.values()),
        known=_known(rt, asked, made, counts),
        unread=rt.corpus.unread(wanted[0]),
    )


def count_each(rt: Runtime, queries: Sequence[Query]) -> list[int]:
    """Papers that each query finds among those of ``days_of``."""
    learn(rt)
    days = days_of(rt)
    return [backtest.count(rt.corpus.corpus, Asked(query), days) for query in queries]


def _day_counts(rt: Runtime, days: Sequence[date]) -> DayCounts:
    """Counted anew when papers came, and every ten minutes: who types waits for it once."""
    now, known = rt.clock(), rt.words.counts
    newest, first, last = rt.db.read(papers_store.newest_id), days[0], days[-1]
    if (
        known is None
        or (known.first, known.last, known.newest) != (first, last, newest)
        or abs(now - known.at) > _COUNTED_FOR
    ):
        rt.words.counts = known = rt.db.read(
            lambda s: DayCounts(
                first,
                last,
                newest,
                now,
                known=papers_store.count_known_days(s, first, last),
                new=papers_store.count_new_days(s, first, last),
            )
        )
    return known


def _known(rt: Runtime, asked: Asked, made: Estimate, counts: DayCounts) -> int:
    """How many of the found papers were never new. Most days are wholly one or the other."""
    found = 0
    for day in counts.known:
        if not made.per_day.get(day):
            continue
        if not counts.new.get(day):
            found += made.per_day[day]
            continue
        ids = backtest.brought_on(rt.corpus.corpus, asked, day)
        found += len(rt.db.read(lambda s, i=ids: papers_store.list_never_new(s, i)))  # type: ignore[misc]
    return found


def compare(rt: Runtime, before: Asked, after: Asked, days: int | None = None) -> Change:
    """What ``after`` instead of ``before`` would have added and removed over the days."""
    learn(rt, days)
    wanted, corpus = days_of(rt, days), rt.corpus.corpus
    made = backtest.difference(corpus, before, after, wanted)
    with corpus.reading():
        basis = int((corpus.present() & corpus.on_days(wanted)).sum())
    ids = [found.paper_id for found in (*made.best_added, *made.best_removed)]
    return Change(describe(after.query), wanted, basis, made, _titles(rt, ids))


def likings_of(rt: Runtime, reader_id: int) -> Likings:
    """What a reader said of papers, more and less like this, as their mails obey it."""

    def read(session: Session) -> Likings:
        marks = listing.list_feedback(session, [reader_id], FIXED.feedback_marks)
        of_reader = marks.get(reader_id, [])
        rows = papers_store.get_rows(session, [paper_id for paper_id, _ in of_reader])
        documents = {paper_id: document_of(row) for paper_id, (row, _) in rows.items()}
        return Likings(Taste.of_marks(of_reader, documents, rt.corpus.statistics))

    return rt.db.read(read)


def _titles(rt: Runtime, ids: Sequence[int]) -> dict[int, str]:
    papers = rt.db.read(lambda s: papers_store.get_papers(s, ids))
    return {i: paper.title for i, paper in papers.items()}
