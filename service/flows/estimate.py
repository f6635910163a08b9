"""The back-test: what an interest would have brought, told from the stored papers.

What a day counts is what a replay of it mails to a reader with this interest alone: papers of all
sources, each once; those that were known before (a source's past) count and are told apart, since
they are searchable but never mailed as new. A cap only says how many stand in full: the rest of a
mail's papers are lines and a number, and count.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from service.flows.match import learn
from service.flows.runtime import Runtime
from service.flows.words import words_of
from service.matching import backtest
from service.matching.corpus import Estimate
from service.matching.own import without_own
from service.matching.parse import describe
from service.matching.query import Query
from service.store import papers as papers_store
from service.store import sightings as sightings_store


@dataclass(frozen=True, slots=True)
class BackTest:
    """reading: how the words were read · days: the days looked at · estimate: the figures ·
    titles: of the best papers by id · basis_known: papers of the basis that were never new ·
    known: of the found ones; no mail would have brought them.
    """

    reading: str
    days: tuple[date, ...]
    estimate: Estimate
    titles: dict[int, str]
    basis_known: int = 0
    known: int = 0


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


def estimate(
    rt: Runtime, query: Query, days: int | None = None, *, threshold: float = 0.0, own: str = ""
) -> BackTest:
    """Back-test over the ``days`` of ``days_of``.

    threshold: papers below this score do not count, as in a mail (with the votes of today).
    own: names of the reader, whose papers are left out.
    """
    learn(rt, days)
    wanted = days_of(rt, days)
    asked = without_own(query, own)
    made = backtest.estimate(rt.corpus.corpus, asked, wanted, words_of(rt).glossary)
    if threshold > 0:
        made = _above(rt, asked, made, wanted, threshold)
    known_days = rt.db.read(lambda s: papers_store.count_known_days(s, wanted[0], wanted[-1]))
    ids = [found.paper_id for found in made.best]
    return BackTest(
        reading=describe(query),
        days=wanted,
        estimate=made,
        titles=_titles(rt, ids),
        basis_known=sum(known_days.values()),
        known=_known(rt, asked, made, known_days),
    )


def _above(
    rt: Runtime, query: Query, made: Estimate, days: Sequence[date], threshold: float
) -> Estimate:
    """The same for papers of a score alone: each day as its own mail would rank it."""
    per_day, best = {}, []
    for day in days:
        found = rt.corpus.corpus.search(query, days=[day], limit=None, today=day)
        kept = [one for one in found if one.score >= threshold]
        per_day[day] = len(kept)
        best += kept
    best.sort(key=lambda one: (-one.score, -one.day.toordinal(), one.paper_id))
    total = len(best)
    mean = made.mean_per_weekday * total / made.total if made.total else 0.0
    return replace(
        made,
        per_day=per_day,
        total=total,
        mean_per_weekday=mean,
        best=tuple(best[: len(made.best)]),
        warning="none" if not total else "broad" if mean > backtest.BROAD else "",
    )


def _known(rt: Runtime, query: Query, made: Estimate, known_days: dict[date, int]) -> int:
    """How many of the found papers were never new. Most days are wholly one or the other."""
    found = 0
    asked = [day for day in known_days if made.per_day.get(day)]
    if not asked:
        return 0
    totals = rt.db.read(lambda s: papers_store.count_new_days(s, min(asked), max(asked)))
    for day in asked:
        if not totals.get(day):
            found += made.per_day[day]
            continue
        ids = [one.paper_id for one in rt.corpus.corpus.search(query, days=[day], limit=None)]
        found += len(rt.db.read(lambda s, i=ids: papers_store.list_never_new(s, i)))  # type: ignore[misc]
    return found


def compare(
    rt: Runtime,
    before: Query,
    after: Query,
    days: int | None = None,
    *,
    own: str = "",
) -> Change:
    """What ``after`` instead of ``before`` would have added and removed over the days."""
    learn(rt, days)
    wanted = days_of(rt, days)
    corpus = rt.corpus.corpus
    made = backtest.difference(corpus, without_own(before, own), without_own(after, own), wanted)
    with corpus.reading():
        basis = int((corpus.present() & corpus.on_days(wanted)).sum())
    ids = [found.paper_id for found in (*made.best_added, *made.best_removed)]
    return Change(describe(after), wanted, basis, made, _titles(rt, ids))


def _titles(rt: Runtime, ids: Sequence[int]) -> dict[int, str]:
    papers = rt.db.read(lambda s: papers_store.get_papers(s, ids))
    return {i: paper.title for i, paper in papers.items()}
