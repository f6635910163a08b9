"""What a query would have brought: the estimate beside the words, while they are typed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import numpy as np

from service.defaults import FIXED
from service.errors import Sentence
from service.matching.parse import make_query
from service.matching.query import And, Leaf, Near, Node, Not, Or, Query, Term, leaves
from service.matching.segment import Flags
from service.matching.shelf import Found, Shelf
from service.matching.show import show, to_text
from service.matching.terms import make_leaf
from service.text.fold import fold
from service.text.tokens import NOT_JOINED

BROAD = float(FIXED.broad_a_day)
"""Papers a weekday above which a query is called broad."""

_BEST = 5
_GOOD = 10.0
"""Papers a weekday that a narrower suggestion aims at."""

_MOST_SUGGESTIONS = 3


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Another query. label: what to press ("title only", "Use LoRA"); text: it written out, to
    be read by ``read_words``; per_day: papers a weekday."""

    label: Sentence
    text: str
    per_day: float


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
    suggestions: narrower ones after "broad", wider ones after "none".
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


class _Counter:
    """Counts on the asked days."""

    def __init__(self, shelf: Shelf, days: Sequence[date]) -> None:
        self.shelf = shelf
        self.asked = shelf.on_days(days)
        self.weekdays = max(1, sum(day.weekday() < 5 for day in days))

    def wanted(self, node: Node) -> Flags:
        return self.shelf.wanted(node) & self.asked

    def count(self, node: Node) -> int:
        return int(np.count_nonzero(self.wanted(node)))

    def mean(self, count: int) -> float:
        return count / self.weekdays


def estimate(shelf: Shelf, query: Query, days: Sequence[date]) -> Estimate:
    """The back-test of ``query`` over ``days`` on the papers of ``shelf``."""
    with shelf.reading():
        counter = _Counter(shelf, days)
        wanted = counter.wanted(query.root)
        total = int(np.count_nonzero(wanted))
        basis = shelf.present() & counter.asked
        per_term: dict[str, int] = {}
        for leaf in leaves(query.root, wanted_only=True):
            per_term[leaf.text] = max(per_term.get(leaf.text, 0), counter.count(leaf))
        mean = counter.mean(total)
        warning: Literal["broad", "none", ""] = "none" if not total else ""
        if mean > BROAD:
            warning = "broad"
        return Estimate(
            basis_papers=int(np.count_nonzero(basis)),
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
            suggestions=tuple(_suggest(query, wanted, warning, counter)),
        )


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


def _suggest(query: Query, wanted: Flags, warning: str, counter: _Counter) -> Iterator[Suggestion]:
    if warning == "broad":
        yield from _narrower(query, wanted, counter)
    elif warning == "none":
        yield from _wider(query, counter)


def _narrower(query: Query, wanted: Flags, counter: _Counter) -> Iterator[Suggestion]:
    before = int(np.count_nonzero(wanted))
    titles = _in_titles(query.root)
    if titles != query.root:
        yield _suggestion(Sentence("title only"), titles, counter)
    word = _best_companion(query, wanted, counter)
    if word:
        companion = make_leaf(word, "", exact=False, distance=None, position=1)
        label = Sentence("and '%(word)s'", word=word)
        yield _suggestion(label, _conjunction(query.root, companion), counter)
    broadest, rest = _without_broadest(query.root, counter)
    if broadest is not None and rest is not None and 0 < counter.count(rest) < before:
        label = Sentence("without '%(word)s'", word=broadest.text)
        yield _suggestion(label, rest, counter, query)


def _best_companion(query: Query, wanted: Flags, counter: _Counter) -> str:
    """A word of the found titles that leaves about ten papers a day."""
    used = {stem for leaf in leaves(query.root) for stem in fold(leaf.text).stems}
    choices = []
    for word, _ in counter.shelf.title_words(wanted, 60):
        folded = fold(word)
        if len(folded) != 1 or folded.stems[0] in used or len(word) < 4:
            continue
        if folded.keys[0] in NOT_JOINED or folded.keys[0].isdigit():
            continue
        leaf = make_leaf(word, "", exact=False, distance=None, position=1)
        papers = counter.mean(int(np.count_nonzero(counter.wanted(leaf) & wanted)))
        if papers:
            choices.append((abs(papers - _GOOD), word))
        if len(choices) == 12:
            break
    return min(choices)[1] if choices else ""


def _conjunction(root: Node, leaf: Leaf) -> Node:
    return And((*root.parts, leaf)) if isinstance(root, And) else And((root, leaf))


def _in_titles(node: Node) -> Node:
    if isinstance(node, And):
        return And(tuple(map(_in_titles, node.parts)))
    if isinstance(node, Or):
        return Or(tuple(map(_in_titles, node.parts)))
    if isinstance(node, (Term, Near)) and node.field == "":
        return replace(node, field="ti")
    return node


def _choice(root: Node) -> tuple[Or | None, tuple[Node, ...]]:
    """The OR of a list of keywords, and the NOTs beside it."""
    if isinstance(root, Or):
        return root, ()
    if isinstance(root, And) and isinstance(root.parts[0], Or):
        return root.parts[0], root.parts[1:]
    return None, ()


def _replace_choice(parts: tuple[Node, ...], beside: tuple[Node, ...]) -> Node:
    first = Or(parts) if len(parts) > 1 else parts[0]
    return And((first, *beside)) if beside else first


def _without_broadest(root: Node, counter: _Counter) -> tuple[Leaf | None, Node | None]:
    choice, beside = _choice(root)
    if choice is None:
        return None, None
    flat = [part for part in choice.parts if not isinstance(part, (And, Or, Not))]
    if not flat:
        return None, None
    broadest = max(flat, key=counter.count)
    rest = tuple(part for part in choice.parts if part is not broadest)
    return broadest, _replace_choice(rest, beside)


def _wider(query: Query, counter: _Counter) -> Iterator[Suggestion]:
    """Without one of the parts that must all be there; then a word of a phrase alone."""
    root = query.root
    given = 0
    if isinstance(root, And):
        for at, part in enumerate(root.parts):
            rest = root.parts[:at] + root.parts[at + 1 :]
            node = rest[0] if len(rest) == 1 else And(rest)
            left = [one for one in rest if not isinstance(one, Not)]
            if left and counter.count(node):
                label = Sentence("without %(part)s", part=show(part))
                yield _suggestion(label, node, counter, query)
                given += 1
                if given == _MOST_SUGGESTIONS:
                    return
    seen: set[str] = set()
    for leaf in leaves(root, wanted_only=True):
        if isinstance(leaf, (Term, Near)) and len(leaf.words) > 1 and given < _MOST_SUGGESTIONS:
            best = _rarest_alone(leaf, counter)
            if best is not None and best.text not in seen:
                seen.add(best.text)
                given += 1
                yield _suggestion(Sentence("Use %(word)s", word=best.text), best, counter)


def _rarest_alone(leaf: Term | Near, counter: _Counter) -> Term | None:
    """Of a phrase's words the one that says most and still finds something."""
    choices = []
    for word in leaf.text.split():
        folded = fold(word)
        if not folded or folded.keys[0] in NOT_JOINED or "*" in word:
            continue
        alone = make_leaf(word, leaf.field, exact=leaf.exact, distance=None, position=1)
        papers = counter.count(alone)
        if papers and isinstance(alone, Term):
            choices.append((papers, word, alone))
    return min(choices, key=lambda choice: choice[:2])[2] if choices else None


def _suggestion(
    label: Sentence, root: Node, counter: _Counter, query: Query | None = None
) -> Suggestion:
    """Written as keywords where the query was and still is a list, else as a query."""
    made = make_query(root, query.kind if query else "query")
    return Suggestion(label, to_text(made), counter.mean(counter.count(root)))
