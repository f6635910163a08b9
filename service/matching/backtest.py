"""What a query would have brought: the estimate beside the words, while they are typed."""

from collections import Counter as Names
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from service.defaults import FIXED
from service.matching.abbreviations import Glossary
from service.matching.counting import Asked, Counter, number_of
from service.matching.expansions import Expansion, expand
from service.matching.own import own_people
from service.matching.parse import make_query
from service.matching.query import And, Leaf, Node, Not, Or, leaves
from service.matching.shelf import Found, Shelf
from service.matching.show import show, show_leaf
from service.matching.suggestions import Suggestion, Width, suggest

__all__ = [
    "BROAD",
    "Difference",
    "Estimate",
    "Expansion",
    "Suggestion",
    "brought_on",
    "count",
    "difference",
    "estimate",
]

BROAD = float(FIXED.broad_a_day)
"""Papers a weekday above which a query is called broad."""

RARE = FIXED.rare_a_week / 5
"""Papers a weekday below which wider words are offered."""

BEST_CHANGED = 3
"""Papers named of those that a change adds, and of those that it removes."""

_BEST = 5


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an interest would have brought.

    basis_papers, basis_days: how many papers there are, on how many of the asked days.
    per_day: papers on each asked day, 0 included; total: their sum; mean_per_weekday: the total
    by the number of asked days from Monday to Friday (at least 1).
    per_term: papers that hold each wanted term, whatever they score, as typed (with its field where
    the same words are asked for twice); dead_terms: those with none.
    removed_by_not: for each NOT, as shown, and each own name, how many papers it takes away.
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
    shelf: Shelf, asked: Asked, days: Sequence[date], glossary: Glossary | None = None
) -> Estimate:
    """The back-test of an interest over ``days`` on the papers of ``shelf``.

    glossary: abbreviations that were learned from the papers, for ``expansions``. Raises
    QueryError: the own name cannot be read.
    """
    query = asked.query
    with shelf.reading(days):
        counter = Counter(shelf, days, asked)
        brought = counter.brought(query)
        total = number_of(brought)
        basis = shelf.present() & counter.days
        per_term = _per_term(query.root, counter)
        mean = counter.mean(total)
        warning: Literal["broad", "none", ""] = "none" if not total else ""
        width: Width = "narrow" if mean < RARE else "right"
        if mean > BROAD:
            warning = width = "broad"
        return Estimate(
            basis_papers=number_of(basis),
            basis_days=sum(1 for papers in shelf.per_day(basis, days).values() if papers),
            per_day=shelf.per_day(brought, days),
            mean_per_weekday=mean,
            total=total,
            per_term=per_term,
            dead_terms=tuple(term for term, papers in per_term.items() if not papers),
            removed_by_not=dict(_left_out(shelf, asked, days, counter, total)),
            best=counter.best(query, brought, _BEST),
            warning=warning,
            suggestions=tuple(suggest(query, brought, width, counter)),
            expansions=tuple(expand(query, brought, glossary, counter)) if glossary else (),
        )


def difference(shelf: Shelf, before: Asked, after: Asked, days: Sequence[date]) -> Difference:
    """What ``after`` instead of ``before`` would have added and removed over ``days``."""
    with shelf.reading(days):
        then, now = Counter(shelf, days, before), Counter(shelf, days, after)
        old, new = then.brought(before.query), now.brought(after.query)
        added, removed = new & ~old, old & ~new
        return Difference(
            before=number_of(old),
            after=number_of(new),
            mean_before=then.mean(number_of(old)),
            mean_after=now.mean(number_of(new)),
            added=number_of(added),
            removed=number_of(removed),
            best_added=now.best(after.query, added, BEST_CHANGED),
            best_removed=then.best(before.query, removed, BEST_CHANGED),
        )


def count(shelf: Shelf, asked: Asked, days: Sequence[date]) -> int:
    """How many papers an interest would have brought over ``days``."""
    with shelf.reading(days):
        return number_of(Counter(shelf, days, asked).brought(asked.query))


def brought_on(shelf: Shelf, asked: Asked, day: date) -> list[int]:
    """The papers of a day that its mail would hold, by number."""
    with shelf.reading([day]):
        return shelf.ids(Counter(shelf, [day], asked).brought(asked.query))


def _per_term(root: Node, counter: Counter) -> dict[str, int]:
    wanted = dict.fromkeys(leaves(root, wanted_only=True))
    names = Names(leaf.text for leaf in wanted)

    def name(leaf: Leaf) -> str:
        return leaf.text if names[leaf.text] == 1 else show_leaf(leaf)

    return {name(leaf): number_of(counter.shelf.wanted(leaf) & counter.days) for leaf in wanted}


def _left_out(
    shelf: Shelf, asked: Asked, days: Sequence[date], counter: Counter, total: int
) -> Iterator[tuple[str, int]]:
    """(what is left out, as shown; papers that would come without it)."""
    query = asked.query
    for left_out in dict.fromkeys(_nots(query.root)):
        rest = make_query(_without(query.root, left_out), query.kind)
        yield show(left_out.part), number_of(counter.brought(rest)) - total
    names = own_people(asked.own) if asked.own else ()
    for name in names:
        others = "; ".join(other.text for other in names if other != name)
        also = Counter(shelf, days, replace(asked, own=others))
        yield show(name), number_of(also.brought(query)) - total


def _nots(root: Node) -> Iterator[Not]:
    """What an AND leaves out."""
    for part in root.parts if isinstance(root, (And, Or)) else ():
        if not isinstance(part, Not):
            yield from _nots(part)
        elif isinstance(root, And):
            yield part


def _without(root: Node, left_out: Not) -> Node:
    """The tree without this NOT, wherever an AND has it."""
    if isinstance(root, Or):
        return Or(tuple(_without(part, left_out) for part in root.parts))
    if not isinstance(root, And):
        return root
    parts = tuple(_without(part, left_out) for part in root.parts if part != left_out)
    return parts[0] if len(parts) == 1 else And(parts)
