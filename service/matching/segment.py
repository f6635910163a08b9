"""A run of stored papers as numpy columns: which of them hold a term, all at once.

Title and abstract of each paper lie behind one another in one long row of word numbers, a 0
between them, so that no phrase crosses from one into the other. For each word number, and for
each pair written as one, its places are a slice of a sorted column.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.matching.document import Document
from service.matching.lattice import acronym_forms
from service.matching.query import Near, Term, Word
from service.text.tokens import Folded, joins_of_three, joins_of_two

Rows = NDArray[np.signedinteger[Any]]
Flags = NDArray[np.bool_]

_GAPS = "-. "


class Forms:
    """Every distinct written form of the stored papers, numbered from 1, and its readings."""

    def __init__(self) -> None:
        self.cased: list[str] = [""]
        self.exact: list[str] = [""]
        self.keys: list[str] = [""]
        self.stems: list[str] = [""]
        self._number: dict[str, int] = {}
        self._by_stem: dict[str, list[int]] = {}
        self._by_key: dict[str, list[int]] = {}
        self._by_exact: dict[str, list[int]] = {}
        self._sorted: list[str] = []

    def numbers(self, folded: Folded) -> list[int]:
        """The numbers of a text's words; new forms are taken in."""
        known = self._number
        found = [known.get(cased, 0) for cased in folded.cased]
        if 0 in found:
            for at, number in enumerate(found):
                if not number:
                    found[at] = self._take(folded, at)
        return found

    def _take(self, folded: Folded, at: int) -> int:
        cased = folded.cased[at]
        if cased in self._number:
            return self._number[cased]
        number = self._number[cased] = len(self.cased)
        key, exact, stem = folded.keys[at], folded.exact[at], folded.stems[at]
        self.cased.append(cased)
        self.exact.append(exact)
        self.keys.append(key)
        self.stems.append(stem)
        self._by_stem.setdefault(stem, []).append(number)
        self._by_key.setdefault(key, []).append(number)
        self._by_exact.setdefault(exact, []).append(number)
        return number

    def of_stem(self, stem: str) -> list[int]:
        """The forms with this stem."""
        return self._by_stem.get(stem, [])

    def of_word(self, word: Word) -> list[int]:
        """The forms that are this word of a query."""
        match word.kind:
            case "stem":
                return self.of_stem(word.stem)
            case "exact":
                return self._by_exact.get(word.key, [])
            case "case":
                return [self._number[word.key]] if word.key in self._number else []
            case "acronym":
                return [n for key in acronym_forms(word.key) for n in self._by_key.get(key, ())]
            case "prefix":
                return self.beginning(word.key)

    def stem_numbers(self) -> Rows:
        """For each form the number of the first form with the same stem."""
        firsts = [0, *(self._by_stem[stem][0] for stem in self.stems[1:])]
        return np.array(firsts, dtype=np.int64)

    def of_key(self, key: str) -> list[int]:
        """The forms with this folded key."""
        return self._by_key.get(key, [])

    def beginning(self, prefix: str) -> list[int]:
        """The forms whose key begins with ``prefix``."""
        if len(self._sorted) != len(self._by_key):
            self._sorted = sorted(self._by_key)
        low = bisect_left(self._sorted, prefix)
        high = bisect_right(self._sorted, prefix + chr(0x10FFFF))
        return [n for key in self._sorted[low:high] for n in self._by_key[key]]


class Segment:
    """Papers with consecutive numbers from ``first`` on."""

    def __init__(
        self, forms: Forms, first: int, words: Rows, glued: Rows, bounds: Rows, places: Rows
    ) -> None:
        """words: word numbers. glued: two rows, hashes of joins of two and of three beginning
        at each word (0: none). bounds: where each field begins, title and abstract of each paper
        in turn, and the end. places: two rows, start and end of each word in the shown text,
        and a third with its gap."""
        self.forms = forms
        self.first = first
        self.words = words
        self.glued = glued
        self.bounds = bounds
        self.places = places
        self._order = np.argsort(words, kind="stable")
        self._ordered = words[self._order]
        self._joins = [_sorted_joins(row) for row in glued]

    def __len__(self) -> int:
        """Papers."""
        return (len(self.bounds) - 1) // 2

    @classmethod
    def of(cls, forms: Forms, first: int, documents: Sequence[Document]) -> "Segment":
        """Put papers into columns."""
        words: list[int] = []
        twos: list[int] = []
        threes: list[int] = []
        starts: list[int] = []
        ends: list[int] = []
        gaps: list[int] = []
        bounds = [0]
        for document in documents:
            for folded in (document.title, document.abstract):
                words += [*forms.numbers(folded), 0]
                twos += [*map(_hash, joins_of_two(folded)), 0]
                threes += [*map(_hash, joins_of_three(folded)), 0]
                starts += [*folded.starts, 0]
                ends += [*folded.ends, 0]
                gaps += [*map(_GAPS.index, folded.gaps), 0]
                bounds.append(len(words))
        return cls(
            forms,
            first,
            np.array(words, dtype=np.int32),
            np.array([twos, threes], dtype=np.int64),
            np.array(bounds, dtype=np.int64),
            np.array([starts, ends, gaps], dtype=np.int32),
        )

    def joined(self, other: "Segment") -> "Segment":
        """This one and the next one as one."""
        return Segment(
            self.forms,
            self.first,
            np.concatenate([self.words, other.words]),
            np.concatenate([self.glued, other.glued], axis=1),
            np.concatenate([self.bounds, other.bounds[1:] + self.bounds[-1]]),
            np.concatenate([self.places, other.places], axis=1),
        )

    def fields(self, number: int) -> tuple[Folded, Folded]:
        """Title and abstract of a paper, as they were folded."""
        at = 2 * (number - self.first)
        return self._field(at), self._field(at + 1)

    def _field(self, at: int) -> Folded:
        begin, end = int(self.bounds[at]), int(self.bounds[at + 1]) - 1
        numbers = self.words[begin:end].tolist()
        forms = self.forms
        starts, ends, gaps = self.places[:, begin:end].tolist()
        return Folded(
            keys=tuple(forms.keys[n] for n in numbers),
            exact=tuple(forms.exact[n] for n in numbers),
            cased=tuple(forms.cased[n] for n in numbers),
            stems=tuple(forms.stems[n] for n in numbers),
            starts=tuple(starts),
            ends=tuple(ends),
            gaps="".join(_GAPS[gap] for gap in gaps),
        )

    def holding(self, term: Term) -> tuple[Flags, Flags]:
        """For each paper: does ``term`` occur in its title, in its abstract?"""
        return self._papers(self._ends(term))

    def _papers(self, places: Rows) -> tuple[Flags, Flags]:
        """Fields in which the words just before ``places`` lie."""
        fields = np.zeros(len(self.bounds) - 1, dtype=np.bool_)
        if len(places):
            fields[np.searchsorted(self.bounds, places - 1, side="right") - 1] = True
        return fields[0::2], fields[1::2]

    def holding_all(self, words: Sequence[Word]) -> tuple[Flags, Flags]:
        """For each paper: does its title, its abstract hold each of the words?"""
        titles = np.ones(len(self), dtype=np.bool_)
        abstracts = np.ones(len(self), dtype=np.bool_)
        for word in words:
            title, abstract = self._papers(self._at(self.forms.of_word(word)) + 1)
            titles &= title
            abstracts &= abstract
        return titles, abstracts

    def frequencies(self) -> dict[str, int]:
        """In how many papers each stem stands."""
        known = np.flatnonzero(self.words)
        papers = (np.searchsorted(self.bounds, known, side="right") - 1) // 2
        stems = self.forms.stem_numbers()[self.words[known]]
        pairs = np.unique(papers * (int(stems.max(initial=0)) + 1) + stems)
        numbers, counts = np.unique(pairs % (int(stems.max(initial=0)) + 1), return_counts=True)
        return {
            self.forms.stems[number]: count
            for number, count in zip(numbers.tolist(), counts.tolist(), strict=True)
        }

    def title_forms(self, wanted: Flags) -> list[tuple[int, int]]:
        """(form, times) in the titles of the wanted papers, the most frequent first."""
        begins, ends = self.bounds[:-1:2][wanted], self.bounds[1::2][wanted]
        inside = np.zeros(len(self.words) + 1, dtype=np.int8)
        inside[begins] += 1
        inside[ends] -= 1
        numbers, counts = np.unique(
            self.words[np.cumsum(inside[:-1], dtype=np.int8) > 0], return_counts=True
        )
        found = sorted(zip((-counts).tolist(), numbers.tolist(), strict=True))
        return [(number, -times) for times, number in found if number]

    def _ends(self, term: Term) -> Rows:
        """One past the last word of every occurrence (the paths of ``Lattice``, all at once)."""
        reached: list[list[Rows]] = [[] for _ in range(len(term.words) + 3)]
        for at, word in enumerate(term.words):
            here = None if at == 0 else _union(reached[at])
            if here is not None and not len(here):
                continue
            reached[at + 1].append(_among(self._at(self.forms.of_word(word)), here) + 1)
            if term.exact:
                continue
            if word.kind == "prefix":
                reached[at + 1].append(_among(self._prefix_joins(word.key), here) + 2)
            labels = [(1, word.stem), *enumerate(term.joins[at], start=2)]
            for size, label in labels:
                if not label:
                    continue
                if size > 1:
                    places = self._at(self.forms.of_stem(label))
                    reached[at + size].append(_among(places, here) + 1)
                for length in (2, 3):
                    places = self._join_places(length, label)
                    reached[at + size].append(_among(places, here) + length)
        return _union(reached[len(term.words)])

    def _at(self, numbers: Sequence[int]) -> Rows:
        """Every place of these forms, in order."""
        if not numbers:
            return _NOWHERE
        wanted = np.array(numbers, dtype=self._ordered.dtype)
        lows = np.searchsorted(self._ordered, wanted, side="left")
        highs = np.searchsorted(self._ordered, wanted, side="right")
        slices = [
            self._order[low:high] for low, high in zip(lows, highs, strict=True) if high > low
        ]
        if not slices:
            return _NOWHERE
        return slices[0] if len(slices) == 1 else np.sort(np.concatenate(slices))

    def _join_places(self, length: int, label: str) -> Rows:
        hashes, order = self._joins[length - 2]
        wanted = _hash(label)
        low = int(np.searchsorted(hashes, wanted, side="left"))
        high = int(np.searchsorted(hashes, wanted, side="right"))
        return order[low:high]

    def _prefix_joins(self, prefix: str) -> Rows:
        """Where two hyphenated words that may be joined begin with ``prefix`` together."""
        found = []
        for cut in range(1, len(prefix)):
            heads = self._at(self.forms.of_key(prefix[:cut]))
            if len(heads):
                hyphenated = self.places[2][heads] == _GAPS.index("-")
                heads = heads[hyphenated & (self.glued[0][heads] != 0)]
                tails = self._at(self.forms.beginning(prefix[cut:]))
                found.append(_among(heads + 1, tails) - 1)
        return _union(found)

    def near(self, near: Near) -> tuple[Flags, Flags] | None:
        """As ``holding``; None for a query that asks too often for nearly the same word.

        In the window after each first word every word must have a place of its own. That is so
        when any choice of m words finds m places there (Hall's condition), and only words that
        can stand in one place need to be looked at together.
        """
        numbers = [frozenset(self.forms.of_word(word)) for word in near.words]
        groups = _overlapping(numbers)
        if any(len(group) > _MOST_ALIKE for group in groups):
            return None
        first = self._at(sorted(frozenset().union(*numbers)))
        last = np.minimum(
            first + near.distance,
            self.bounds[np.searchsorted(self.bounds, first, side="right")] - 1,
        )
        inside = np.ones(len(first), dtype=np.bool_)
        for group in groups:
            for size in range(1, len(group) + 1):
                for chosen in {frozenset().union(*some) for some in combinations(group, size)}:
                    row = self._at(sorted(chosen))
                    low = np.searchsorted(row, first, side="left")
                    inside &= np.searchsorted(row, last, side="right") - low >= size
        return self._papers(first[inside] + 1)


def _overlapping(numbers: Sequence[frozenset[int]]) -> list[list[frozenset[int]]]:
    """The words in groups; words of different groups never stand in one place."""
    groups: list[list[frozenset[int]]] = []
    for one in numbers:
        touching = [group for group in groups if any(one & other for other in group)]
        merged = [one, *(other for group in touching for other in group)]
        groups = [group for group in groups if not any(group is old for old in touching)]
        groups.append(merged)
    return groups


_MOST_ALIKE = 6
_NOWHERE: Rows = np.empty(0, dtype=np.int64)


def _hash(label: str) -> int:
    return hash(label) if label else 0


def _sorted_joins(row: Rows) -> tuple[Rows, Rows]:
    """(hashes in order, their places), places in order within one hash."""
    where = np.flatnonzero(row)
    order = np.argsort(row[where], kind="stable")
    return row[where][order], where[order]


def _union(parts: Sequence[Rows]) -> Rows:
    parts = [part for part in parts if len(part)]
    if not parts:
        return _NOWHERE
    return parts[0] if len(parts) == 1 else np.unique(np.concatenate(parts))


def _among(places: Rows, allowed: Rows | None) -> Rows:
    """Those of ``places`` that are in ``allowed`` (sorted); None allows all."""
    if allowed is None or not len(places):
        return places
    if not len(allowed):
        return _NOWHERE
    at = np.searchsorted(allowed, places)
    at[at == len(allowed)] = 0
    among: Rows = places[allowed[at] == places]
    return among
