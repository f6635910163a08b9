"""The stored papers as rows of weighted words: which of them are alike.

A paper is the vector of its stems in title and abstract, weighed as ``tfidf`` says; alike is the
cosine.
"""

import json
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.matching import tfidf
from service.matching.document import Document
from service.matching.mapped import pack, unpack
from service.matching.tfidf import occurrences

_WHAT = "vectors", (2,)

_MOST_COUNTED = 255

_AT_ONCE = 2048

_MOST_ANSWERS = 500
"""Of the last questions: pages of papers and topics are opened again and again."""

Floats = NDArray[np.float32]
Integers = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Alike:
    """A stored paper and how alike it is, 0 to 1."""

    paper_id: int
    similarity: float


@dataclass(frozen=True, slots=True)
class _Columns:
    """Everything weighed: for paper i the words are columns[bounds[i]:bounds[i + 1]]."""

    ids: Integers
    bounds: Integers
    columns: Integers
    counts: Integers
    held: Integers
    rarity: Floats
    weights: Floats


_Question = tuple[int, frozenset[int], int, frozenset[int]]


class Vectors:
    """Grows by ``add``; what was added is weighed at the next question. Any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers: dict[str, int] = {}
        self._pending: list[tuple[int, list[int], list[int]]] = []
        self._answers: dict[_Question, tuple[Alike, ...]] = {}
        empty = np.zeros(0, dtype=np.int64)
        none = np.zeros(0, dtype=np.float32)
        bounds = np.zeros(1, dtype=np.int64)
        small = empty.astype(np.uint8)
        self._columns = _Columns(empty, bounds, empty.astype(np.int32), small, empty, none, none)

    def __len__(self) -> int:
        return len(self._columns.ids) + len(self._pending)

    def add(self, paper_id: int, document: Document) -> None:
        """Take in a paper that is not here yet; ids grow."""
        found = occurrences(document)
        times = [min(n, _MOST_COUNTED) for n in found.values()]
        with self._lock:
            numbers = self._numbers
            columns = [numbers.setdefault(stem, len(numbers)) for stem in found]
            self._pending.append((paper_id, columns, times))

    def _weighed(self) -> _Columns:
        with self._lock:
            if self._pending:
                self._columns = self._grown(self._pending)
                self._pending = []
            return self._columns

    def _grown(self, new: list[tuple[int, list[int], list[int]]]) -> _Columns:
        old = self._columns
        sizes = np.fromiter((len(columns) for _, columns, _ in new), np.int64, len(new))
        return _weigh(
            ids=np.concatenate([old.ids, np.array([i for i, _, _ in new], dtype=np.int64)]),
            bounds=np.concatenate([old.bounds, old.bounds[-1] + np.cumsum(sizes)]),
            columns=np.concatenate(
                [old.columns, np.array([c for _, part, _ in new for c in part], dtype=np.int32)]
            ),
            counts=np.concatenate(
                [old.counts, np.array([n for _, _, part in new for n in part], dtype=np.uint8)]
            ),
            words=len(self._numbers),
        )

    def rarity(self, stem: str) -> float:
        """What one occurrence of a word weighs; 0 for what does not count or is unknown."""
        known = self._weighed()
        number = self._numbers.get(stem, -1)
        return float(known.rarity[number]) if 0 <= number < len(known.rarity) else 0.0

    def like_document(
        self, document: Document, most: int, *, without: Collection[int] = ()
    ) -> list[Alike]:
        """The stored papers most like a text, most alike first."""
        known = self._weighed()
        asked = np.zeros(len(known.rarity), dtype=np.float32)
        for stem, times in occurrences(document).items():
            number = self._numbers.get(stem, -1)
            if 0 <= number < len(asked):
                asked[number] = times * known.rarity[number]
        return _ranked(known, asked, most, without)

    def like_papers(
        self, paper_ids: Iterable[int], most: int, *, without: Collection[int] = ()
    ) -> list[Alike]:
        """The stored papers most like the middle of some others, those others left out."""
        known = self._weighed()
        chosen = set(paper_ids)
        key = (len(known.ids), frozenset(chosen), most, frozenset(without))
        with self._lock:
            before = self._answers.get(key)  # of as many papers, so of the same
        if before is not None:
            return list(before)
        asked = np.zeros(len(known.rarity), dtype=np.float32)
        places = np.searchsorted(known.ids, sorted(chosen))  # ids grow
        for at, paper_id in zip(places.tolist(), sorted(chosen), strict=True):
            if at == len(known.ids) or known.ids[at] != paper_id:
                continue
            own = slice(known.bounds[at], known.bounds[at + 1])
            asked[known.columns[own]] += known.weights[own]
        found = _ranked(known, asked, most, chosen | set(without))
        with self._lock:
            self._answers[key] = tuple(found)
            while len(self._answers) > _MOST_ANSWERS:
                del self._answers[next(iter(self._answers))]
        return found

    def packed(self, note: Mapping[str, Any]) -> Iterator[bytes | memoryview]:
        """Everything as the bytes of a file, in pieces. note: JSON values that ride along."""
        known = self._weighed()
        words = json.dumps(list(self._numbers)[: len(known.rarity)]).encode()
        arrays = {
            "words": np.frombuffer(words, dtype=np.uint8),
            "ids": known.ids,
            "bounds": known.bounds,
            "columns": known.columns,
            "counts": known.counts,
        }
        return pack(*_WHAT, arrays, dict(note))

    @classmethod
    def unpacked(cls, data: memoryview) -> tuple["Vectors", dict[str, Any]]:
        """The counterpart of ``packed``: (vectors, note). Raises TornError."""
        arrays, note = unpack(data, *_WHAT)
        made = cls()
        words = json.loads(arrays["words"].tobytes())
        made._numbers = {word: number for number, word in enumerate(words)}
        made._columns = _weigh(
            ids=arrays["ids"],
            bounds=arrays["bounds"],
            columns=arrays["columns"],
            counts=arrays["counts"],
            words=len(words),
        )
        return made, note


def _weigh(
    *, ids: Integers, bounds: Integers, columns: Integers, counts: Integers, words: int
) -> _Columns:
    held = np.bincount(columns, minlength=words)
    rarity = tfidf.rarity(held, max(1, len(ids))).astype(np.float32)
    weights = counts.astype(np.float32) * rarity[columns]
    if len(weights):
        lengths = np.sqrt(_sums(weights * weights, bounds))
        weights /= np.repeat(np.maximum(lengths, 1e-9), np.diff(bounds))
    return _Columns(ids, bounds, columns, counts, held, rarity, weights.astype(np.float32))


def _sums(values: Floats, bounds: Integers) -> Floats:
    """The sum of each paper's values; 0 for a paper without words."""
    sums = np.zeros(len(bounds) - 1, dtype=np.float32)
    filled = np.flatnonzero(np.diff(bounds))
    if len(filled):
        sums[filled] = np.add.reduceat(values, bounds[filled])
    return sums


def _products(known: _Columns, asked: Floats) -> Floats:
    """For each paper the sum of what its words weigh in both. As many papers at once as the
    processor keeps near: to write the products of all down takes longer than to make them."""
    found = np.zeros(len(known.ids), dtype=np.float32)
    for first in range(0, len(found), _AT_ONCE):
        bounds = known.bounds[first : first + _AT_ONCE + 1]
        own = slice(int(bounds[0]), int(bounds[-1]))
        both = asked.take(known.columns[own])
        both *= known.weights[own]
        found[first : first + _AT_ONCE] = _sums(both, bounds - bounds[0])
    return found


def _ranked(known: _Columns, asked: Floats, most: int, without: Collection[int]) -> list[Alike]:
    length = float(np.sqrt(asked @ asked))
    if not length or not len(known.ids):
        return []
    alike = _products(known, asked) / length
    room = min(len(alike), most + len(without))
    best = np.argpartition(-alike, room - 1)[:room]
    best = best[np.lexsort((-known.ids[best], -alike[best]))]
    found = zip(known.ids[best].tolist(), alike[best].tolist(), strict=True)
    left_out = set(without)
    return [Alike(i, s) for i, s in found if i not in left_out and s > 0][:most]
