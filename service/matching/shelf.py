"""The stored papers in columns: which of them a query wants, all looked at together.

``search`` finds exactly the papers for which ``evaluate`` says yes; it looks at columns of
all papers at once (see segment), and at a paper by itself only to show and rank the best ones.
"""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from service.matching.document import Document
from service.matching.evaluate import COMPARE, Hit, evaluate
from service.matching.labels import NO_TEXT, Labels
from service.matching.query import (
    And,
    Leaf,
    Near,
    Node,
    Not,
    Number,
    Or,
    Query,
    Term,
    leaves,
)
from service.matching.score import COMMENTS, TITLE, VOTES, Statistics, score, weight
from service.matching.segment import Flags, Forms, Rows, Segment

_RANKED = 50
"""So many papers, and twice as many as are asked for, are scored exactly to put them in order."""

_MOST_HELD = 200

_STATISTICS_GROWTH = 1.05
"""The rarity of words is learned anew when there are so many times the papers."""

_SEALED = 2048


@dataclass(frozen=True, slots=True)
class Found:
    """One stored paper that a query wants."""

    paper_id: int
    day: date
    hits: tuple[Hit, ...]
    score: float


class Shelf:
    """The stored papers; a lock guards it, so any thread may use it.

    Memory is about 6 kB a paper of 250 words.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._forms = Forms()
        self._segments: list[Segment] = []
        self._pending: list[Document] = []
        self._slots: dict[int, int] = {}
        self._papers: list[int] = []
        self._days: list[int] = []
        self._rest: list[Document] = []
        self._alive: list[bool] = []
        self._labels = Labels()
        self._columns: dict[str, Rows] = {}
        self._held: dict[Leaf, tuple[Flags, Flags]] = {}
        self._statistics: tuple[int, Statistics] = (0, Statistics())

    def __len__(self) -> int:
        return len(self._slots)

    def __contains__(self, paper_id: int) -> bool:
        return paper_id in self._slots

    def add(self, paper_id: int, day: date, document: Document, votes: int | None = None) -> None:
        """Put a paper in, or replace it. day: when it became eligible. votes: instead of the
        document's."""
        with self._lock:
            self.remove(paper_id)
            slot = len(self._papers)
            self._slots[paper_id] = slot
            self._papers.append(paper_id)
            self._days.append(day.toordinal())
            self._alive.append(True)
            self._pending.append(document)
            votes = document.votes if votes is None else votes
            rest = Document(
                title=NO_TEXT,
                abstract=NO_TEXT,
                authors=document.authors,
                categories=document.categories,
                organisation=document.organisation,
                source_text=document.source_text,
                ids=document.ids,
                votes=votes,
                comments=document.comments,
            )
            self._rest.append(rest)
            self._labels.note(slot, rest)
            self._columns.clear()
            if len(self._pending) >= 4 * _SEALED:
                self._flush()

    def remove(self, paper_id: int) -> None:
        """Take a paper out; an unknown id is no fault."""
        with self._lock:
            slot = self._slots.pop(paper_id, None)
            if slot is not None:
                self._alive[slot] = False
                self._columns.clear()

    def set_figures(self, paper_id: int, votes: int | None, comments: int | None) -> None:
        """New community figures of a paper; an unknown id is no fault."""
        with self._lock:
            slot = self._slots.get(paper_id)
            if slot is not None:
                self._rest[slot] = replace(
                    self._rest[slot], votes=votes, comments=comments, _lattices={}
                )
                self._columns.clear()

    def document(self, paper_id: int) -> Document:
        """The stored paper as it was put in; KeyError for an unknown id."""
        with self._lock:
            self._flush()
            return self._document(self._slots[paper_id])

    def _document(self, slot: int) -> Document:
        segment = next(part for part in reversed(self._segments) if part.first <= slot)
        title, abstract = segment.fields(slot)
        return replace(self._rest[slot], title=title, abstract=abstract, _lattices={})

    def statistics(self) -> Statistics:
        """How common the words are among the papers (removed ones included until a rebuild)."""
        with self._lock:
            self._flush()
            frequencies: dict[str, int] = {}
            for segment in self._segments:
                for stem, papers in segment.frequencies().items():
                    frequencies[stem] = frequencies.get(stem, 0) + papers
            return Statistics(len(self._papers), frequencies)

    def search(
        self,
        query: Query,
        *,
        days: Sequence[date] | None = None,
        limit: int | None = 100,
        today: date | None = None,
    ) -> list[Found]:
        """The papers that the query wants, best first (score, then newest day, then id).

        days: only papers of these days. limit: at most so many (None: all of them). today: for
        freshness; the newest day of the papers unless given. Where more papers match than
        can be ranked while one waits, a rough score chooses those that are.
        """
        with self._lock:
            self._flush()
            self._held.clear()
            wanted = self.wanted(query.root)
            if days is not None:
                wanted &= self.on_days(days)
            return self._best(query, wanted, limit, today)

    def _best(
        self, query: Query, wanted: Flags, limit: int | None, today: date | None
    ) -> list[Found]:
        slots = np.flatnonzero(wanted)
        if not len(slots):
            return []
        limit = len(slots) if limit is None else limit
        newest = today.toordinal() if today else max(self._days)
        rough = self._rough_scores(query, slots)
        order = np.lexsort((self._column("papers")[slots], -self._column("days")[slots], -rough))
        statistics = self._cached_statistics()
        found = []
        for slot in slots[order][: max(_RANKED, 2 * limit)].tolist():
            document = self._document(slot)
            hits = evaluate(query, document) or ()
            ranked = score(
                query,
                document,
                hits,
                statistics,
                votes=document.votes,
                comments=document.comments,
                age_days=newest - self._days[slot],
            )
            day = date.fromordinal(self._days[slot])
            found.append(Found(self._papers[slot], day, hits, ranked.total))
        found.sort(key=lambda one: (-one.score, -one.day.toordinal(), one.paper_id))
        return found[:limit]

    def _cached_statistics(self) -> Statistics:
        size, statistics = self._statistics
        if not size <= len(self._papers) <= size * _STATISTICS_GROWTH:
            statistics = self.statistics()
            self._statistics = (len(self._papers), statistics)
        return statistics

    def _rough_scores(self, query: Query, slots: Rows) -> NDArray[np.float64]:
        statistics = self._cached_statistics()
        total = VOTES * np.log1p(np.maximum(self._column("votes")[slots], 0).astype(np.float64))
        total += COMMENTS * np.log1p(np.maximum(self._column("comments")[slots], 0))
        for leaf in leaves(query.root, wanted_only=True):
            if isinstance(leaf, Term) and leaf.field in ("", "ti", "abs"):
                title, abstract = self._fields_holding(leaf)
                worth = weight(leaf, statistics)
                total += worth * (TITLE * title[slots] + 0.5 * abstract[slots])
        return total

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Several questions to the same state."""
        with self._lock:
            self._flush()
            self._held.clear()
            yield

    def present(self) -> Flags:
        """For every slot: its paper has not been taken out."""
        return self._column("alive").astype(np.bool_)

    def wanted(self, node: Node) -> Flags:
        """For every slot: alive, and wanted by the tree. The caller holds no older columns."""
        with self._lock:
            self._flush()
            return self._evaluate(node) & self.present()

    def on_days(self, days: Sequence[date]) -> Flags:
        """For every slot: its paper became eligible on one of ``days``."""
        ordinals = np.array([day.toordinal() for day in days], dtype=np.int64)
        return np.isin(self._column("days"), ordinals)

    def per_day(self, wanted: Flags, days: Sequence[date]) -> dict[date, int]:
        """How many of the wanted papers fall on each of ``days``."""
        counted = dict(
            zip(*np.unique(self._column("days")[wanted], return_counts=True), strict=True)
        )
        return {day: int(counted.get(day.toordinal(), 0)) for day in days}

    def best(self, query: Query, wanted: Flags, limit: int) -> list[Found]:
        """The best of the wanted papers."""
        with self._lock:
            return self._best(query, wanted, limit, None)

    def title_words(self, wanted: Flags, most: int) -> list[tuple[str, int]]:
        """(written form, papers) of the words most often in the titles of the wanted papers."""
        with self._lock:
            counted: dict[str, tuple[str, int]] = {}
            for segment in self._segments:
                flags = wanted[segment.first : segment.first + len(segment)]
                for number, papers in segment.title_forms(flags):
                    stem = self._forms.stems[number]
                    form, before = counted.get(stem, (self._forms.cased[number], 0))
                    counted[stem] = (form, before + papers)
            ranked = sorted(counted.values(), key=lambda pair: (-pair[1], pair[0]))
            return ranked[:most]

    def _evaluate(self, node: Node) -> Flags:
        if isinstance(node, And):
            found = self._evaluate(node.parts[0])
            for part in node.parts[1:]:
                found = found & self._evaluate(part)
            return found
        if isinstance(node, Or):
            found = self._evaluate(node.parts[0])
            for part in node.parts[1:]:
                found = found | self._evaluate(part)
            return found
        if isinstance(node, Not):
            return ~self._evaluate(node.part)
        return self._holding(node)

    def _holding(self, leaf: Leaf) -> Flags:
        match leaf:
            case Term() | Near() if leaf.field in ("", "ti", "abs"):
                title, abstract = self._fields_holding(leaf)
                if leaf.field:
                    return title if leaf.field == "ti" else abstract
                return title | abstract
            case Number():
                column = self._column(leaf.figure)
                true: Flags = (column >= 0) & COMPARE[leaf.comparison](column, leaf.value)
                return true
            case _:
                return self._flags(self._labels.slots(leaf))

    def _fields_holding(self, leaf: Term | Near) -> tuple[Flags, Flags]:
        """(titles, abstracts) that hold a term, whatever its field; kept while one reads."""
        plain = replace(leaf, field="")
        known = self._held.get(plain)
        if known is None:
            known = self._look_up(plain)
            if len(self._held) < _MOST_HELD:
                self._held[plain] = known
        return known

    def _look_up(self, leaf: Term | Near) -> tuple[Flags, Flags]:
        titles, abstracts = [], []
        for segment in self._segments:
            if isinstance(leaf, Term):
                title, abstract = segment.holding(leaf)
            else:
                both = segment.near(leaf)
                title, abstract = both or self._near_by_paper(segment, leaf)
            titles.append(title)
            abstracts.append(abstract)
        if not titles:
            none = np.zeros(0, dtype=np.bool_)
            return none, none
        return np.concatenate(titles), np.concatenate(abstracts)

    def _near_by_paper(self, segment: Segment, near: Near) -> tuple[Flags, Flags]:
        title, abstract = segment.holding_all(near.words)
        for flags, place in ((title, "title"), (abstract, "abstract")):
            for at in np.flatnonzero(flags).tolist():
                lattice = self._document(segment.first + at).lattice(place)
                flags[at] = bool(lattice.near_spans(near))
        return title, abstract

    def _flags(self, slots: Iterable[int]) -> Flags:
        flags = np.zeros(len(self._papers), dtype=np.bool_)
        flags[np.fromiter(slots, dtype=np.int64)] = True
        return flags

    def _column(self, name: str) -> Rows:
        """A figure of every slot, -1 where it is unknown."""
        if name not in self._columns:
            values: list[int] | list[bool]
            match name:
                case "papers":
                    values = self._papers
                case "days":
                    values = self._days
                case "alive":
                    values = self._alive
                case "authors":
                    values = [len(rest.authors) for rest in self._rest]
                case "votes":
                    values = [-1 if rest.votes is None else rest.votes for rest in self._rest]
                case _:
                    values = [-1 if rest.comments is None else rest.comments for rest in self._rest]
            self._columns[name] = np.array(values, dtype=np.int64)
        return self._columns[name]

    def _flush(self) -> None:
        """Put pending papers into columns; neighbouring small segments become one."""
        if not self._pending:
            return
        self._held.clear()
        first = len(self._papers) - len(self._pending)
        self._segments.append(Segment.of(self._forms, first, self._pending))
        self._pending = []
        while len(self._segments) > 1 and (
            len(self._segments[-2]) <= 2 * len(self._segments[-1])
            or len(self._segments[-2]) + len(self._segments[-1]) <= _SEALED
        ):
            last = self._segments.pop()
            self._segments.append(self._segments.pop().joined(last))
