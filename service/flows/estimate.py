"""The back-test: what an interest would have brought, told from the stored papers.

What a day counts is what a replay of it mails to a reader with this interest alone: papers of all
sources, each once; those that were known before (a source's past) count and are told apart, since
they are searchable but never mailed as new. A cap only says how many stand in full: the rest of a
mail's papers are lines and a number, and count.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from service.flows.learned import DayCounts
from service.flows.match import learn
from service.flows.runtime import Runtime
from service.flows.words import words_of
from service.matching import backtest
from service.matching.corpus import Estimate, Found
from service.matching.own import without_own
from service.matching.parse import describe
from service.matching.query import Query
from service.store import papers as papers_store
from service.store import sightings as sightings_store

_COUNTED_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Asked:
    """An interest. threshold: papers below this score do not count, as in a mail (with the votes
    of today) · own: names of the reader, whose papers are left out."""

    query: Query
    threshold: float = 0.0
    own: str = ""

    @property
    def whole(self) -> Query:
        """The query with the own papers left out. Raises QueryError: no name."""
        return without_own(self.query, self.own)


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
    """Back-test over the ``days`` of ``days_of``. threshold, own: as in ``Asked``."""
    learn(rt, days)
    wanted = days_of(rt, days)
    asked = Asked(query, threshold, own)
    made = backtest.estimate(rt.corpus.corpus, asked.whole, wanted, words_of(rt).glossary)
    if threshold > 0:
        made = _above(rt, asked, made)
    counts = _day_counts(rt, wanted)
    return BackTest(
        reading=describe(query),
        days=wanted,
        estimate=made,
        titles=_titles(rt, [found.paper_id for found in made.best]),
        basis_known=sum(counts.known.values()),
        known=_known(rt, asked, made, counts),
    )


def _above(rt: Runtime, asked: Asked, made: Estimate) -> Estimate:
    """The same for papers of a score alone."""
    found = {day: _of_day(rt, asked, day) for day in made.per_day}
    best = sorted((one for of_day in found.values() for one in of_day), key=_best_first)
    mean = made.mean_per_weekday * len(best) / made.total if made.total else 0.0
    return replace(
        made,
        per_day={day: len(of_day) for day, of_day in found.items()},
        total=len(best),
        mean_per_weekday=mean,
        best=tuple(best[: len(made.best)]),
        warning="none" if not best else "broad" if mean > backtest.BROAD else "",
    )


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
        ids = [one.paper_id for one in _of_day(rt, asked, day)]
        found += len(rt.db.read(lambda s, i=ids: papers_store.list_never_new(s, i)))  # type: ignore[misc]
    return found


def compare(rt: Runtime, before: Asked, after: Asked, days: int | None = None) -> Change:
    """What ``after`` instead of ``before`` would have added and removed over the days."""
    learn(rt, days)
    wanted, corpus = days_of(rt, days), rt.corpus.corpus
    if before.threshold or after.threshold:
        made = _compare_scores(rt, before, after, wanted)
    else:
        made = backtest.difference(corpus, before.whole, after.whole, wanted)
    with corpus.reading():
        basis = int((corpus.present() & corpus.on_days(wanted)).sum())
    ids = [found.paper_id for found in (*made.best_added, *made.best_removed)]
    return Change(describe(after.query), wanted, basis, made, _titles(rt, ids))


def _compare_scores(
    rt: Runtime, before: Asked, after: Asked, days: Sequence[date]
) -> backtest.Difference:
    """The same where papers below a score do not count."""
    old, new = (
        {one.paper_id: one for day in days for one in _of_day(rt, asked, day)}
        for asked in (before, after)
    )
    added = [one for i, one in new.items() if i not in old]
    removed = [one for i, one in old.items() if i not in new]
    weekdays = max(1, sum(day.weekday() < 5 for day in days))
    return backtest.Difference(
        before=len(old),
        after=len(new),
        mean_before=len(old) / weekdays,
        mean_after=len(new) / weekdays,
        added=len(added),
        removed=len(removed),
        best_added=tuple(sorted(added, key=_best_first)[: backtest.BEST_CHANGED]),
        best_removed=tuple(sorted(removed, key=_best_first)[: backtest.BEST_CHANGED]),
    )


def _of_day(rt: Runtime, asked: Asked, day: date) -> list[Found]:
    """The papers of a day that its mail would hold, ranked as that mail ranks them."""
    found = rt.corpus.corpus.search(asked.whole, days=[day], limit=None, today=day)
    return [one for one in found if one.score >= asked.threshold]


def _best_first(one: Found) -> tuple[float, int, int]:
    return -one.score, -one.day.toordinal(), one.paper_id


def _titles(rt: Runtime, ids: Sequence[int]) -> dict[int, str]:
    papers = rt.db.read(lambda s: papers_store.get_papers(s, ids))
    return {i: paper.title for i, paper in papers.items()}
