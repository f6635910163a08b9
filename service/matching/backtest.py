"""What a query would have brought: the estimate beside the words, while they are typed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from service.defaults import FIXED
from service.matching.abbreviations import Glossary
from service.matching.expansions import Expansion, expand
from service.matching.query import And, Node, Not, Or, Query, leaves
from service.matching.segment import Flags
from service.matching.shelf import Found, Shelf
from service.matching.show import show
from service.matching.suggestions import Counter, Suggestion, Width, suggest

__all__ = ["BROAD", "Difference", "Estimate", "Expansion", "Suggestion", "difference", "estimate"]

BROAD = float(FIXED.broad_a_day)
"""Papers a weekday above which a query is called broad."""

RARE = FIXED.rare_a_week / 5
"""Papers a weekday below which wider words are offered."""

BEST_CHANGED = 3
"""Papers named of those that a change adds, and of those that it removes."""

_BEST = 5


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a query would have brought.

    basis_papers, basis_days: how many papers there are, on how many of the asked days.
    per_day: papers on each asked day, 0 included; total: their sum; mean_per_weekday: the total
    by the number of asked days from Monday to Friday (at least 1).
    per_term: papers for each wanted term alone, as typed; dead_terms: those with none.
    removed_by_not: for each NOT, as shown, how many papers it takes away.
    best: the best five, best first.
    warning: "broad" above 20 a weekday, "none" when there is nothing.
    suggestions: narrower ones after "broad"; wider ones after "none" and where there is less than
    a paper a week. expansions: other forms of the words that bring further papers.
    """

    basis_papers: int
    basis_days: int
    per_day: Mapping[date, int]
    mean_per_weekday: float
    total: int
    per_term: Mapping[str, int]
    dead_terms: tuple[str, ...]
    removed_by_not: Mapping[str, int]
    best: tuple[Found, ...]
    warning: Literal["broad", "none", ""]
    suggestions: tuple[Suggestion, ...]
    expansions: tuple[Expansion, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """What other words would have changed, in papers over the asked days.

    before, after: papers of the old and of the new words, mean_...: of a weekday; added, removed:
    those that only the new, only the old ones find; best_...: the best of them, best first.
    """

    before: int
    after: int
    mean_before: float
    mean_after: float
    added: int
    removed: int
    best_added: tuple[Found, ...]
    best_removed: tuple[Found, ...]


def estimate(
    shelf: Shelf, query: Query, days: Sequence[date], glossary: Glossary | None = None
) -> Estimate:
    """The back-test of ``query`` over ``days`` on the papers of ``shelf``.

    glossary: abbreviations that were learned from the papers, for ``expansions``.
    """
    with shelf.reading(days):
        counter = Counter(shelf, days)
        wanted = counter.wanted(query.root)
        total = _count(wanted)
        basis = shelf.present() & counter.asked
        per_term: dict[str, int] = {}
        for leaf in leaves(query.root, wanted_only=True):
            per_term[leaf.text] = max(per_term.get(leaf.text, 0), counter.count(leaf))
        mean = counter.mean(total)
        warning: Literal["broad", "none", ""] = "none" if not total else ""
        width: Width = "narrow" if mean < RARE else "right"
        if mean > BROAD:
            warning = width = "broad"
        return Estimate(
            basis_papers=_count(basis),
            basis_days=sum(1 for papers in shelf.per_day(basis, days).values() if papers),
            per_day=shelf.per_day(wanted, days),
            mean_per_weekday=mean,
            total=total,
            per_term=per_term,
            dead_terms=tuple(term for term, papers in per_term.items() if not papers),
            removed_by_not={
                show(part): counter.count(without) - total
                for part, without in _without_each_not(query.root)
            },
            best=tuple(shelf.best(query, wanted, _BEST)),
            warning=warning,
            suggestions=tuple(suggest(query, wanted, width, counter)),
            expansions=tuple(expand(query, wanted, glossary, counter)) if glossary else (),
        )


def difference(shelf: Shelf, before: Query, after: Query, days: Sequence[date]) -> Difference:
    """What ``after`` instead of ``before`` would have added and removed over ``days``."""
    with shelf.reading(days):
        counter = Counter(shelf, days)
        old, new = counter.wanted(before.root), counter.wanted(after.root)
        added, removed = new & ~old, old & ~new
        return Difference(
            before=_count(old),
            after=_count(new),
            mean_before=counter.mean(_count(old)),
            mean_after=counter.mean(_count(new)),
            added=_count(added),
            removed=_count(removed),
            best_added=tuple(shelf.best(after, added, BEST_CHANGED)),
            best_removed=tuple(shelf.best(before, removed, BEST_CHANGED)),
        )


def _count(flags: Flags) -> int:
    return int(np.count_nonzero(flags))


def _without_each_not(root: Node) -> Iterator[tuple[Node, Node]]:
    """(what is left out, the tree without that NOT), for each NOT that stands in an AND."""
    if isinstance(root, And):
        for at, part in enumerate(root.parts):
            rest = root.parts[:at] + root.parts[at + 1 :]
            if isinstance(part, Not):
                yield part.part, rest[0] if len(rest) == 1 else And(rest)
            else:
                for left_out, inner in _without_each_not(part):
                    yield left_out, And((*root.parts[:at], inner, *root.parts[at + 1 :]))
    elif isinstance(root, Or):
        for at, part in enumerate(root.parts):
            for left_out, inner in _without_each_not(part):
                yield left_out, Or((*root.parts[:at], inner, *root.parts[at + 1 :]))
