"""The stored papers in columns: which of them a query wants, all looked at together.

``search`` finds exactly the papers for which ``evaluate`` says yes. The papers stand in parts
(see ``part``), each a run of papers of about one month. What is put in or changed waits until
somebody reads, and then becomes a small part; ``due`` says which parts are to become one and which
are to be written to a file, ``swap`` puts the result in their place. A reader takes the list of
parts as it is and goes on with it, so nobody waits for a long search.
"""

import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from itertools import groupby, pairwise

import numpy as np

from service.matching.columns import Flags
from service.matching.document import Document
from service.matching.frequencies import Frequencies
from service.matching.part import Figures, Part, merge, moved
from service.matching.query import Node, Query
from service.matching.score import Statistics
from service.matching.segment import Entry, Segment
from service.matching.view import Found, Kept, Liking, View

__all__ = ["Found", "Shelf"]

_FEW = 20_000
"""Among so few papers the rarity of words is that of this moment: the same in every process."""

_GROWTH = 1.05
"""Among more it is learned anew when there are so many times the papers."""

_AT_ONCE = 2048
"""More papers wait for no reader; a part in memory of more is put together with others only by
whoever asks what is ``due``."""

_MANY = 4
"""So many small parts of a month are left as they are."""

_MOST = 24_000
"""Papers of a part: a month of all of arXiv. What is merged is copied once."""

_WORTH_A_FILE = 256
"""Fewer new papers stay in memory: a start reads them from their rows."""

_MANY_FILES = 3
_SMALL = 4096
_RATIO = 3


class Shelf:
    """The stored papers; any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._parts: list[Part] = []
        self._entries: dict[int, Entry] = {}
        self._gone: set[int] = set()
        self._figures: dict[int, Figures] = {}
        self._days: dict[int, int] = {}
        self._learned = Statistics(), Frequencies(), 0
        self._views = threading.local()
        self._kept = Kept()

    def __len__(self) -> int:
        return sum(map(len, self._flushed()))

    def __contains__(self, paper_id: int) -> bool:
        return any(part.places([paper_id]) for part in self._flushed())

    def add(self, paper_id: int, day: date, document: Document, votes: int | None = None) -> None:
        """Put a paper in, or replace it. day: when it became eligible. votes: instead of the
        document's."""
        votes = document.votes if votes is None else votes
        entry = Entry(paper_id, day.toordinal(), document, votes, document.comments)
        with self._lock:
            self._entries[paper_id] = entry
            self._figures.pop(paper_id, None)
            self._days.pop(paper_id, None)
            if len(self._entries) >= _AT_ONCE:
                self._flush()

    def add_many(self, entries: Iterable[Entry]) -> None:
        """Put papers in, or replace them; others read meanwhile."""
        latest = {entry.paper_id: entry for entry in entries}
        made = _parts_of(latest.values())
        with self._lock:
            self._flush()
            self._parts = [part.without(latest) for part in self._parts] + made
            self._tidy()

    def add_part(self, segment: Segment, name: str) -> None:
        """Put in a segment that was written to a file; its papers take the place of older ones."""
        with self._lock:
            self._flush()
            before = [part.without(segment.ids) for part in self._parts]
            self._parts = [*before, Part.of(segment, name)]
            self._tidy()

    def drop(self, name: str) -> None:
        """Take out the part that lies in a file, with its papers."""
        with self._lock:
            self._flush()
            self._parts = [part for part in self._parts if part.name != name]

    def refresh(self, paper_id: int, day: date, document: Document) -> None:
        """Put a paper in as it is now; where only figures and day are others, these alone."""
        try:
            before = self.document(paper_id)
            same = replace(before, votes=document.votes, comments=document.comments) == document
        except KeyError:
            same = False
        if not same:
            self.add(paper_id, day, document)
            return
        self.set_figures(paper_id, document.votes, document.comments)
        self.set_day(paper_id, day)

    def holds(self, ids: Collection[int]) -> set[int]:
        """Those of the papers that are in."""
        return {found for part in self._flushed() for found, _ in part.places(ids)}

    def compare(self, days: Iterable[tuple[int, int]]) -> list[int]:
        """Take out what is not among these papers (id, day as ordinal), move what has another
        day, and return those that are not in."""
        known = np.array(list(days), dtype=np.int64).reshape(-1, 2)
        known = known[np.argsort(known[:, 0])]
        with self._lock:
            self._flush()
            self._parts = [part.compared(known[:, 0], known[:, 1]) for part in self._parts]
            self._tidy()
            there = [part.segment.ids[part.alive] for part in self._parts]
        missing = known[~np.isin(known[:, 0], np.concatenate([[-1], *there])), 0]
        return list(map(int, missing))

    def remove(self, paper_id: int) -> None:
        """Take a paper out; an unknown id is no fault."""
        with self._lock:
            self._entries.pop(paper_id, None)
            self._figures.pop(paper_id, None)
            self._days.pop(paper_id, None)
            self._gone.add(paper_id)

    def set_figures(self, paper_id: int, votes: int | None, comments: int | None) -> None:
        """New community figures of a paper; an unknown id is no fault."""
        with self._lock:
            if paper_id in self._entries:
                self._flush()
            self._figures[paper_id] = (votes, comments)

    def set_day(self, paper_id: int, day: date) -> None:
        """Another day of a paper; an unknown id is no fault."""
        with self._lock:
            if paper_id in self._entries:
                self._flush()
            self._days[paper_id] = day.toordinal()

    def document(self, paper_id: int) -> Document:
        """The stored paper as it was put in; KeyError for an unknown id."""
        for part in self._flushed():
            for _, at in part.places([paper_id]):
                return part.segment.document(at, int(part.votes[at]), int(part.comments[at]))
        raise KeyError(paper_id)

    def statistics(self) -> Statistics:
        """How common the words are among the papers. Where these are few it is learned anew
        whenever one comes or goes, else with each new day and when there are many more."""
        parts = self._flushed()
        papers, newest = sum(map(len, parts)), _newest(parts)
        known, counted, learned_on = self._learned
        if counted.are_of(parts):
            return known
        if (
            papers <= _FEW
            or newest != learned_on
            or not 1 / _GROWTH <= papers / max(1, known.documents) <= _GROWTH
            or not counted.are_within(parts)
        ):
            counted = Frequencies(parts)
            known = Statistics(papers, counted)
            self._learned = known, counted, newest
        return known

    def view(self, days: Sequence[date] | None = None) -> View:
        """The papers as they are now. days: only what may hold papers of these days."""
        parts = self._flushed()
        newest = _newest(parts)
        if days is not None:
            low = min(days, default=date.max).toordinal()
            high = max(days, default=date.min).toordinal()
            parts = [part for part in parts if part.span[0] <= high and part.span[1] >= low]
        return View(parts, newest, self.statistics())

    @contextmanager
    def reading(self, days: Sequence[date] | None = None) -> Iterator[None]:
        """Several questions of this thread to the same state. days: as for ``view``."""
        before = getattr(self._views, "now", None)
        self._views.now = self.view(days)
        try:
            yield
        finally:
            self._views.now = before

    def _now(self) -> View:
        view: View | None = getattr(self._views, "now", None)
        return view or self.view()

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
        return self.view(days).search(query, days, limit, today)

    def best(self, query: Query, wanted: Flags, limit: int) -> list[Found]:
        """The best of the wanted papers."""
        return self._now().best(query, wanted, limit)

    def latest(self, query: Query, wanted: Flags, limit: int, offset: int = 0) -> list[Found]:
        """The newest of the wanted papers (day, then id), with their hits and without a score."""
        return self._now().latest(query, wanted, limit, offset)

    def mailed(
        self, query: Query, wanted: Flags, least: float, liking: Liking | None
    ) -> tuple[Flags, list[Found]]:
        """Those of the wanted papers whose score on their own day is not below ``least`` (0: all
        of them), as flags and best first. liking: what the reader's marks say of a paper."""
        return self._now().mailed(query, wanted, least, liking)

    def ids(self, wanted: Flags) -> list[int]:
        """The numbers of the wanted papers."""
        found: list[int] = self._now().column("ids")[wanted].tolist()
        return found

    def present(self) -> Flags:
        """For every slot: its paper has not been taken out."""
        return self._now().present()

    def wanted(self, node: Node) -> Flags:
        """For every slot: present, and wanted by the tree."""
        return self._now().wanted(node)

    def wanted_often(self, node: Node) -> Flags:
        """The same as ``wanted``, for questions that are asked again and again."""
        return self._now().wanted_kept(node, self._kept)

    def among(self, wanted: Flags, ids: Sequence[int]) -> set[int]:
        """Those of the papers that are wanted."""
        return self._now().among(wanted, ids)

    def on_days(self, days: Sequence[date]) -> Flags:
        """For every slot: its paper became eligible on one of ``days``."""
        return self._now().on_days(days)

    def per_day(self, wanted: Flags, days: Sequence[date]) -> dict[date, int]:
        """How many of the wanted papers fall on each of ``days``."""
        return self._now().per_day(wanted, days)

    def title_words(self, wanted: Flags, most: int) -> list[tuple[str, int]]:
        """(written form, papers) of the words most often in the titles of the wanted papers."""
        return self._now().title_words(wanted, most)

    def parts(self) -> list[Part]:
        """The parts as they are now."""
        return self._flushed()

    def due(self, *, files: bool) -> list[list[Part]]:
        """Parts to be put together, group by group. files: a group of one is worth a file."""
        found: list[list[Part]] = []
        here = [part for part in self._flushed() if files or not part.name]
        months = groupby(sorted(here, key=lambda p: (p.month, -len(p))), lambda p: p.month)
        months_of = [(month, list(parts)) for month, parts in months]
        for (_, parts), (_, later) in pairwise(months_of):  # months of a small house
            if sum(map(len, (*parts, *later))) <= _SMALL and later is not months_of[-1][1]:
                later[:] = sorted([*parts, *later], key=lambda part: -len(part))
                parts.clear()
        for _, parts in months_of:
            group: list[Part] = []
            for part in reversed(parts):
                total = sum(map(len, group))
                if group and (total + len(part) > _MOST or len(part) > max(_RATIO * total, _SMALL)):
                    break
                group.append(part)
            fresh = sum(len(part) for part in group if not part.name)
            many = len(group) > (_MANY_FILES if files else 1)
            if many or (files and fresh >= _WORTH_A_FILE):
                found.append(group[::-1])
        return found

    def swap(self, group: Sequence[Part], segment: Segment | None = None, name: str = "") -> None:
        """Put what was made of a group (``merge``) in its place. name: of its file."""
        made = segment or merge(group)
        with self._lock:
            self._flush()
            now = {id(part.segment): part for part in self._parts}
            there = [now.get(id(part.segment)) for part in group]
            if None in there:
                return  # somebody else has done it
            kept = [part for part in self._parts if part not in there]
            self._parts = [*kept, moved(group, [part for part in there if part], made, name)]

    def _flushed(self) -> list[Part]:
        with self._lock:
            self._flush()
            return self._parts

    def _flush(self) -> None:
        """What waits becomes parts."""
        if not (self._entries or self._gone or self._figures or self._days):
            return
        gone = self._gone.union(self._entries)
        parts = [part.without(gone) for part in self._parts] if gone else self._parts
        parts = [*parts, *_parts_of(self._entries.values())]
        if self._figures:
            parts = [part.with_figures(self._figures) for part in parts]
        if self._days:
            parts = [part.with_days(self._days) for part in parts]
        self._parts, self._entries, self._gone = parts, {}, set()
        self._figures, self._days = {}, {}
        self._tidy()

    def _tidy(self) -> None:
        """Small parts in memory become one; empty ones go."""
        parts = [part for part in self._parts if len(part)]
        by_month: dict[int, list[Part]] = {}
        for part in parts:
            by_month.setdefault(-1 if part.name else part.month, []).append(part)
        for month, some in by_month.items():
            group = _alike(some) if month >= 0 else []
            if len(group) > _MANY:
                made = moved(group, group, merge(group), "")
                some[:] = [*(part for part in some if part not in group), made]
        self._parts = [part for some in by_month.values() for part in some]


def _newest(parts: Iterable[Part]) -> int:
    """The last day of the papers, as an ordinal; 0 where there are none."""
    return max((part.span[1] for part in parts), default=0)


def _alike(parts: Sequence[Part]) -> list[Part]:
    """The smallest, up to one that is much larger than they are together."""
    group: list[Part] = []
    total = 0
    for part in sorted(parts, key=len):
        if group and (len(part) > _RATIO * total or total + len(part) > _AT_ONCE):
            break
        group.append(part)
        total += len(part)
    return group


def _parts_of(entries: Iterable[Entry]) -> list[Part]:
    """The entries as parts, month by month."""

    def month(entry: Entry) -> tuple[int, int]:
        day = date.fromordinal(entry.day)
        return day.year, day.month

    return [
        Part.of(Segment.of(list(some))) for _, some in groupby(sorted(entries, key=month), month)
    ]
