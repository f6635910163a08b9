"""One state of the shelf: what a reader asks while others put papers in.

A slot is the number of a paper in this view: those of the first part, then of the next.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import pairwise

import numpy as np

from service.matching.columns import Flags
from service.matching.document import Document
from service.matching.evaluate import COMPARE, Hit
from service.matching.part import Part
from service.matching.query import And, Leaf, Near, Node, Not, Number, Or, Query, Term
from service.matching.ranking import DIGITS, best_slots
from service.matching.score import (
    Statistics,
    score,
    weights_of,
)
from service.matching.segment import UNKNOWN
from service.matching.strings import Array

_RANKED = 50
"""Up to so many papers are put in order one by one."""

_MOST_HELD = 100
_MOST_KEPT = 4000
"""Answers, of 3 kB at most: some two hundred questions to 200,000 papers."""

_COUNTED = 8
"""Times as many forms as are asked for are looked at in each part."""


Liking = Callable[[int, Document, Statistics], float]
"""From -1 to 1 for a paper."""


@dataclass(frozen=True, slots=True)
class Found:
    """One stored paper that a query wants."""

    paper_id: int
    day: date
    hits: tuple[Hit, ...]
    score: float


class Kept:
    """Which papers of a part a query wants, of the last questions: topics, feeds and further pages
    ask the same again, and of most parts nothing has changed. Any thread may use it."""

    def __init__(self, most: int = _MOST_KEPT) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._flags: OrderedDict[tuple[Part, Node], Array] = OrderedDict()

    def get(self, part: Part, node: Node) -> Flags | None:
        """What was put in; None where it was not, or is not here any more."""
        with self._lock:
            packed = self._flags.get((part, node))
            if packed is None:
                return None
            self._flags.move_to_end((part, node))
        return np.unpackbits(packed, count=len(part.alive)).astype(np.bool_)

    def put(self, part: Part, node: Node, flags: Flags) -> None:
        """Keep an answer; the one that was asked for longest ago goes."""
        with self._lock:
            self._flags[part, node] = np.packbits(flags)
            while len(self._flags) > self._most:
                self._flags.popitem(last=False)


class View:
    """Some parts of the shelf as they were at one moment."""

    def __init__(self, parts: Sequence[Part], newest: int, statistics: Statistics) -> None:
        """newest: the last day of all papers (ordinal)."""
        self.parts = tuple(parts)
        self._newest = newest
        self._statistics = statistics
        self.firsts = np.cumsum([0, *(len(part.alive) for part in parts)])
        self._held: list[dict[Leaf, tuple[Flags, Flags]]] = [{} for _ in parts]

    def column(self, name: str) -> Array:
        """ids, days, votes, comments or alive of every slot."""
        if not self.parts:
            return np.zeros(0, dtype=np.bool_ if name == "alive" else np.int64)
        if name == "ids":
            return np.concatenate([part.segment.ids for part in self.parts])
        return np.concatenate([getattr(part, name) for part in self.parts])

    def present(self) -> Flags:
        """For every slot: its paper has not been taken out."""
        return self.column("alive")

    def wanted(self, node: Node) -> Flags:
        """For every slot: present, and wanted by the tree."""
        found = [self.evaluate(node, at) & part.alive for at, part in enumerate(self.parts)]
        return np.concatenate(found) if found else np.zeros(0, dtype=np.bool_)

    def wanted_kept(self, node: Node, kept: "Kept") -> Flags:
        """The same as ``wanted``; what is known of a part is not asked of it again."""
        found = []
        for at, part in enumerate(self.parts):
            flags = kept.get(part, node)
            if flags is None:
                flags = self.evaluate(node, at) & part.alive
                kept.put(part, node, flags)
            found.append(flags)
        return np.concatenate(found) if found else np.zeros(0, dtype=np.bool_)

    def among(self, wanted: Flags, ids: Sequence[int]) -> set[int]:
        """Those of the papers that are wanted."""
        held = self.column("ids")[wanted]
        return set(held[np.isin(held, np.array(ids, dtype=np.int64))].tolist())

    def on_days(self, days: Sequence[date]) -> Flags:
        """For every slot: its paper became eligible on one of ``days``."""
        return np.isin(self.column("days"), [day.toordinal() for day in days])

    def per_day(self, wanted: Flags, days: Sequence[date]) -> dict[date, int]:
        """How many of the wanted papers fall on each of ``days``."""
        counted = dict(
            zip(*np.unique(self.column("days")[wanted], return_counts=True), strict=True)
        )
        return {day: int(counted.get(day.toordinal(), 0)) for day in days}

    def search(
        self, query: Query, days: Sequence[date] | None, limit: int | None, today: date | None
    ) -> list[Found]:
        """The papers that the query wants, best first."""
        wanted = self.wanted(query.root)
        if days is not None:
            wanted &= self.on_days(days)
        return self.best(query, wanted, limit, today)

    def best(
        self, query: Query, wanted: Flags, limit: int | None, today: date | None = None
    ) -> list[Found]:
        """The best of the wanted papers: by score, then newest day, then id."""
        slots = np.flatnonzero(wanted)
        limit = len(slots) if limit is None else limit
        newest = today.toordinal() if today else self._newest
        if len(slots) > max(limit, _RANKED) and limit:
            slots = best_slots(self, query, slots, limit, newest, self._statistics)
        return [found for _, found in self._scored(query, slots, newest)][:limit]

    def latest(self, query: Query, wanted: Flags, limit: int, offset: int = 0) -> list[Found]:
        """The newest of the wanted papers, with their hits; their score is not made (0)."""
        ids, days = self.column("ids"), self.column("days")
        slots = np.flatnonzero(wanted)
        slots = slots[np.lexsort((-ids[slots], -days[slots]))[offset : offset + limit]]
        hits = {slot: hits for slot, _, hits in self._with_hits(query, slots)}
        return [
            Found(int(ids[slot]), date.fromordinal(int(days[slot])), hits[slot], 0.0)
            for slot in slots.tolist()
            if slot in hits
        ]

    def mailed(
        self, query: Query, wanted: Flags, least: float, liking: Liking | None
    ) -> tuple[Flags, list[Found]]:
        """Those of the wanted papers whose score on their own day is not below ``least`` (0: all
        of them), as flags and best first. liking: what the reader's marks say of a paper."""
        scored = self._scored(query, np.flatnonzero(wanted), None, liking)
        kept = [(slot, found) for slot, found in scored if not 0 < least > found.score]
        flags = np.zeros(len(wanted), dtype=np.bool_)
        flags[[slot for slot, _ in kept]] = True
        return flags, [found for _, found in kept]

    def _scored(
        self, query: Query, slots: Array, newest: int | None, liking: Liking | None = None
    ) -> list[tuple[int, Found]]:
        """Each slot with its paper and exact score, best first. newest: the day (ordinal) for
        freshness, None = the paper's own."""
        ids, days = self.column("ids"), self.column("days")
        weights = weights_of(query, self._statistics)
        found = []
        for slot, document, hits in self._with_hits(query, slots):
            paper_id = int(ids[slot])
            ranked = score(
                query,
                document,
                hits,
                self._statistics,
                votes=document.votes,
                comments=document.comments,
                age_days=0 if newest is None else newest - int(days[slot]),
                liking=liking(paper_id, document, self._statistics) if liking else None,
                weights=weights,
            )
            day = date.fromordinal(int(days[slot]))
            found.append((slot, Found(paper_id, day, hits, ranked.total)))
        found.sort(
            key=lambda one: (-round(one[1].score, DIGITS), -one[1].day.toordinal(), one[1].paper_id)
        )
        return found

    def _with_hits(
        self, query: Query, slots: Array
    ) -> Iterator[tuple[int, Document, tuple[Hit, ...]]]:
        """(slot, paper, its hits) of wanted papers, part by part."""
        slots = np.sort(slots)
        borders = slots.searchsorted(self.firsts).tolist()
        for number, (part, first, (low, high)) in enumerate(
            zip(self.parts, self.firsts.tolist(), pairwise(borders), strict=False)
        ):
            papers = {
                at: part.segment.stored(at, int(part.votes[at]), int(part.comments[at]))
                for at in (slots[low:high] - first).tolist()
            }
            if papers:
                held = partial(self.fields_holding, at=number)
                for at, hits in part.segment.hits(query, papers, held).items():
                    yield first + at, papers[at], hits

    def title_words(self, wanted: Flags, most: int) -> list[tuple[str, int]]:
        """(written form, papers) of the words most often in the titles of the wanted papers."""
        counted: dict[str, tuple[str, int]] = {}
        for part, flags in self._split(wanted):
            if flags.any():
                titles = np.zeros(2 * len(flags), dtype=np.bool_)
                titles[0::2] = flags
                for one, papers in part.segment.texts.frequent(titles, _COUNTED * most):
                    form, before = counted.get(one.stem, (one.cased, 0))
                    counted[one.stem] = (form, before + papers)
        ranked = sorted(counted.values(), key=lambda pair: (-pair[1], pair[0]))
        return ranked[:most]

    def _split(self, wanted: Flags) -> Iterator[tuple[Part, Flags]]:
        return zip(self.parts, np.split(wanted, self.firsts[1:-1]), strict=False)

    def evaluate(self, node: Node, at: int) -> Flags:
        """For each paper of a part: is it wanted?"""
        if isinstance(node, And):
            found = self.evaluate(node.parts[0], at)
            for part in node.parts[1:]:
                if not found.any():
                    break
                found = found & self.evaluate(part, at)
            return found
        if isinstance(node, Or):
            found = self.evaluate(node.parts[0], at)
            for part in node.parts[1:]:
                found = found | self.evaluate(part, at)
            return found
        if isinstance(node, Not):
            return ~self.evaluate(node.part, at)
        return self._holding(node, at)

    def _holding(self, leaf: Leaf, at: int) -> Flags:
        part = self.parts[at]
        if isinstance(leaf, Number):
            column, unknown = part.votes if leaf.figure == "votes" else part.comments, UNKNOWN
            if leaf.figure == "authors":
                column, unknown = part.segment.labels.author_counts(), 0
            true: Flags = (column != unknown) & COMPARE[leaf.comparison](column, leaf.value)
            return true
        title, abstract = self.fields_holding(leaf, at)
        if isinstance(leaf, (Term, Near)) and leaf.field in ("ti", "abs"):
            return title if leaf.field == "ti" else abstract
        return title | abstract

    def fields_holding(self, leaf: Leaf, at: int) -> tuple[Flags, Flags]:
        """(titles, abstracts) that hold a term, whatever its field; kept while one reads."""
        if isinstance(leaf, (Term, Near)) and leaf.field in ("ti", "abs"):
            leaf = replace(leaf, field="")
        held = self._held[at]
        known = held.get(leaf)
        if known is None:
            known = self.parts[at].segment.holding(leaf)
            if len(held) < _MOST_HELD:
                held[leaf] = known
        return known
