"""The best of many papers, told from columns: what score() adds up, for all of them at once.

Where a term occurs is known for every paper; how often it stands in an abstract is counted only
for papers that this can bring among the best.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from service.matching.columns import Flags
from service.matching.query import And, Leaf, Near, Node, Not, Number, Or, Query, Term
from service.matching.score import (
    COMMENTS,
    FRESH_HALF_LIFE,
    TITLE,
    VOTES,
    Statistics,
    Weights,
    weights_of,
)
from service.matching.strings import Array

if TYPE_CHECKING:
    from service.matching.view import View

_LEAST_SHARE = 0.5
"""What a term in an abstract adds at least, of its weight; at most all of it."""

DIGITS = 9
"""Sums of one value may differ in the last places, by the order in which they were added up."""

_Scores = NDArray[np.float64]


def best_slots(
    view: "View", query: Query, slots: Array, limit: int, newest: int, statistics: Statistics
) -> Array:
    """The best of the slots, of papers that the query wants: by score, then newest day, then id.

    newest: the day (ordinal) for freshness.
    """
    weights = weights_of(query, statistics)
    ids, days = view.column("ids")[slots], view.column("days")[slots]
    total = _fixed(view, slots, newest - days)
    room = np.zeros(len(slots))
    borders = slots.searchsorted(view.firsts).tolist()
    known = []
    for at, (low, high) in enumerate(pairwise(borders)):
        words = _Words(view, at, query.root, slots[low:high] - view.firsts[at], weights)
        total[low:high] += words.least
        room[low:high] = words.room
        known.append(words)
    bound = np.partition(total, len(total) - limit)[len(total) - limit]
    some = np.flatnonzero(total + room >= bound - 10.0**-DIGITS)
    for words, (low, high) in zip(
        known, pairwise(some.searchsorted(borders).tolist()), strict=True
    ):
        if low < high:
            total[some[low:high]] += words.more(some[low:high] - borders[words.at])
    order = np.lexsort((ids[some], -days[some], -np.round(total[some], DIGITS)))
    found: Array = slots[some[order[:limit]]]
    return found


def _fixed(view: "View", slots: Array, ages: Array) -> _Scores:
    """What age and figures add."""
    total = 0.5 ** (np.maximum(ages, 0) / FRESH_HALF_LIFE)
    for name, worth in (("votes", VOTES), ("comments", COMMENTS)):
        total += worth * np.log1p(np.maximum(view.column(name)[slots], 0).astype(np.float64))
    return total


@dataclass(frozen=True, slots=True)
class _Abstracts:
    """Terms of one meaning. holding: each with the papers whose abstract holds it."""

    worth: float
    holding: list[tuple[Term | Near, Flags]]


class _Words:
    """What the words give to some papers of a part. least: where each term that stands in an
    abstract stands once; room: how much more it can be."""

    def __init__(self, view: "View", at: int, root: Node, papers: Array, weights: Weights) -> None:
        self.at = at
        self._view, self._papers = view, papers
        self.least, self.room = np.zeros(len(papers)), np.zeros(len(papers))
        self._abstracts: dict[str, _Abstracts] = {}
        held: dict[tuple[str, str], Flags] = {}
        for leaf, counts in self._asked(root, np.ones(len(papers), dtype=np.bool_)):
            name = weights.names[leaf.text]
            for place, flags in self._places(leaf):
                here = flags[papers] & counts
                held[name, place] = held[name, place] | here if (name, place) in held else here
                if place == "abstract":
                    assert isinstance(leaf, (Term, Near))
                    of_name = _Abstracts(weights.worths[name], [])
                    self._abstracts.setdefault(name, of_name).holding.append((leaf, here))
        for (name, place), here in held.items():
            factor = {"title": TITLE, "abstract": _LEAST_SHARE}.get(place, 1.0)
            self.least += here * (factor * weights.worths[name])
            if place == "abstract":
                self.room += here * ((1 - _LEAST_SHARE) * weights.worths[name])

    def _asked(self, node: Node, counts: Flags) -> Iterator[tuple[Leaf, Flags]]:
        """Each wanted term, and for which of the papers its hits count."""
        if isinstance(node, And):
            counts = counts & self._view.evaluate(node, self.at)[self._papers]
        if isinstance(node, (And, Or)):
            for part in node.parts:
                yield from self._asked(part, counts)
        elif not isinstance(node, (Not, Number)):
            yield node, counts

    def _places(self, leaf: Leaf) -> Iterator[tuple[str, Flags]]:
        title, abstract = self._view.fields_holding(leaf, self.at)
        if isinstance(leaf, (Term, Near)) and leaf.field in ("", "ti", "abs"):
            if leaf.field != "abs":
                yield "title", title
            if leaf.field != "ti":
                yield "abstract", abstract
        else:
            yield leaf.field if isinstance(leaf, (Term, Near)) else type(leaf).__name__, title

    def more(self, chosen: Array) -> _Scores:
        """What some of the papers (their places among them, in order) have above the least."""
        texts = self._view.parts[self.at].segment.texts
        numbers = 2 * self._papers[chosen] + 1
        among = np.zeros(len(texts), dtype=np.bool_)
        among[numbers] = True
        found = np.zeros(len(chosen))
        for one in self._abstracts.values():
            times = np.zeros(len(chosen), dtype=np.int64)
            for leaf, here in one.holding:
                if here[chosen].any():
                    np.maximum(times, texts.times(leaf, among)[numbers] * here[chosen], out=times)
            found += one.worth * np.where(times > 1, times / (times + 1.0) - _LEAST_SHARE, 0.0)
        return found
