"""Narrower and wider queries than the one that was typed, with what each would have brought."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import numpy as np

from service.errors import Sentence
from service.matching.parse import make_query
from service.matching.query import And, Leaf, Near, Node, Not, Or, Query, Term, leaves
from service.matching.segment import Flags
from service.matching.shelf import Shelf
from service.matching.show import show, to_text
from service.matching.terms import make_leaf
from service.text.fold import fold
from service.text.tokens import NOT_JOINED

_GOOD = 10.0
"""Papers a weekday that a narrower suggestion aims at."""

_MOST_SUGGESTIONS = 3

Width = Literal["broad", "right", "narrow"]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Another query. label: what to press ("title only", "Use LoRA"); text: it written out, to
    be read by ``read_words``; per_day: papers a weekday."""

    label: Sentence
    text: str
    per_day: float


class Counter:
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


def suggest(query: Query, wanted: Flags, width: Width, counter: Counter) -> Iterator[Suggestion]:
    """Narrower ones of a broad query, wider ones of a narrow one. wanted: what it finds."""
    if width == "broad":
        yield from _narrower(query, wanted, counter)
    elif width == "narrow":
        yield from _wider(query, wanted, counter)


def _narrower(query: Query, wanted: Flags, counter: Counter) -> Iterator[Suggestion]:
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


def _best_companion(query: Query, wanted: Flags, counter: Counter) -> str:
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


def _without_broadest(root: Node, counter: Counter) -> tuple[Leaf | None, Node | None]:
    choice, beside = _choice(root)
    if choice is None:
        return None, None
    flat = [part for part in choice.parts if not isinstance(part, (And, Or, Not))]
    if not flat:
        return None, None
    broadest = max(flat, key=counter.count)
    rest = tuple(part for part in choice.parts if part is not broadest)
    return broadest, _replace_choice(rest, beside)


def _wider(query: Query, wanted: Flags, counter: Counter) -> Iterator[Suggestion]:
    """Without one of the parts that must all be there; then a word of a phrase alone."""
    root = query.root
    before = int(np.count_nonzero(wanted))
    given = 0
    if isinstance(root, And):
        for at, part in enumerate(root.parts):
            rest = root.parts[:at] + root.parts[at + 1 :]
            node = rest[0] if len(rest) == 1 else And(rest)
            left = [one for one in rest if not isinstance(one, Not)]
            if left and counter.count(node) > before:
                label = Sentence("without %(part)s", part=show(part))
                yield _suggestion(label, node, counter, query)
                given += 1
                if given == _MOST_SUGGESTIONS:
                    return
    seen: set[str] = set()
    for leaf in leaves(root, wanted_only=True):
        if isinstance(leaf, (Term, Near)) and len(leaf.words) > 1 and given < _MOST_SUGGESTIONS:
            best = _rarest_alone(leaf, counter)
            if best is not None and best.text not in seen and counter.count(best) > before:
                seen.add(best.text)
                given += 1
                yield _suggestion(Sentence("Use %(word)s", word=best.text), best, counter)


def _rarest_alone(leaf: Term | Near, counter: Counter) -> Term | None:
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
    label: Sentence, root: Node, counter: Counter, query: Query | None = None
) -> Suggestion:
    """Written as keywords where the query was and still is a list, else as a query."""
    made = make_query(root, query.kind if query else "query")
    return Suggestion(label, to_text(made), counter.mean(counter.count(root)))
