"""The words of some papers as numbers: what the profile index compares its rows with."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from service.matching.clauses import Bits, Numbers
from service.matching.document import Document
from service.matching.recipes import PLACES, named
from service.matching.trie import Edges
from service.text.tokens import Folded, joins_of_three, joins_of_two

MOST_PAPERS = 64
"""A batch: one bit each."""

_COLUMNS = (("L", 1), ("K", 1), ("E", 1), ("C", 1), ("L", 2), ("J", 2), ("L", 3), ("J", 3))
"""(kind of symbol, words it spans) of the columns of a text."""


class Vocabulary:
    """Symbols (see recipes) and their numbers, from 1 on."""

    def __init__(self, symbols: Sequence[str] = ()) -> None:
        self.symbols: list[str] = []
        self.kinds: dict[str, dict[str, int]] = {kind: {} for kind in "LJKECPIAN"}
        for symbol in symbols:
            self.number(symbol)

    def __len__(self) -> int:
        return len(self.symbols)

    def number(self, symbol: str) -> int:
        """The symbol's number; a new one if it has none."""
        known = self.kinds[symbol[0]]
        found = known.get(symbol[1:])
        if found is None:
            self.symbols.append(symbol)
            found = known[symbol[1:]] = len(self.symbols)
        return found

    def to_bytes(self) -> bytes:
        """The symbols in order."""
        return json.dumps(self.symbols, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Vocabulary":
        """The counterpart of ``to_bytes``."""
        return cls(json.loads(data))


@dataclass(frozen=True)
class Wording:
    """Up to 64 papers. papers: with nothing kept from earlier questions. edges: the symbols of
    all texts. text: for each word its text; paper, place: of each text (places as in recipes).
    authors: rows of the symbols of names, their papers, and which of its authors has it.
    """

    papers: tuple[Document, ...]
    edges: Edges
    text: Numbers
    paper: Numbers
    place: Numbers
    authors: NDArray[np.int32]
    _present: list[Bits] = field(default_factory=list)

    def present(self, symbols: int) -> Bits:
        """For each symbol of texts up to number ``symbols``, the papers that hold it; made once."""
        if not self._present:
            found = np.zeros(symbols + 1, dtype=np.uint64)
            papers = self.paper[self.text[self.edges.starts]].astype(np.uint64)
            np.bitwise_or.at(found, self.edges.symbols, np.uint64(1) << papers)
            self._present.append(found)
        return self._present[0]


class Reader:
    """Reads papers into the numbers of one vocabulary; made once for it."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._kinds = vocabulary.kinds
        self._columns = [(kind, size) for kind, size in _COLUMNS if vocabulary.kinds[kind]]
        self._prefixes = sorted({len(prefix) for prefix in vocabulary.kinds["P"]})

    def read(self, papers: Sequence[Document], places: int) -> Wording:
        """Read up to 64 papers; ``places``: bits of the places whose words matter."""
        fresh = tuple(replace(paper, _lattices={}) for paper in papers)
        rows = _Rows(self._kinds, self._columns, self._prefixes)
        for number, paper in enumerate(fresh):
            for place, name in enumerate(PLACES[:4]):
                if places >> place & 1:
                    rows.add_text(number, place, paper.lattice(name).folded)
            if self._kinds["I"]:
                rows.add_ids(number, paper.ids)
            if self._kinds["A"] or self._kinds["N"]:
                rows.add_people(number, paper)
        return rows.done(fresh)


class _Rows:
    """Columns of symbols while they grow, one entry a word and one more after each text."""

    def __init__(
        self,
        kinds: dict[str, dict[str, int]],
        columns: list[tuple[str, int]],
        prefixes: list[int],
    ) -> None:
        self._kinds = kinds
        self._names = columns
        self._columns: list[list[int]] = [[] for _ in columns]
        self._prefixes = prefixes
        self._begun: dict[str, list[int]] = {}
        self._others: list[tuple[int, int, int]] = []
        self._authors: list[tuple[int, int, int]] = []
        self._texts: list[tuple[int, int, int]] = []
        self._words = 0

    def add_text(self, paper: int, place: int, folded: Folded) -> None:
        if not folded:
            return
        twos = joins_of_two(folded)
        threes = joins_of_three(folded)
        rows = {
            ("L", 1): folded.stems,
            ("K", 1): folded.keys,
            ("E", 1): folded.exact,
            ("C", 1): folded.cased,
            ("L", 2): twos,
            ("J", 2): twos,
            ("L", 3): threes,
            ("J", 3): threes,
        }
        for name, column in zip(self._names, self._columns, strict=True):
            known = self._kinds[name[0]]
            column.extend([known.get(form, 0) for form in rows[name]])
            column.append(0)
        if self._prefixes:
            self._add_prefixes(folded, twos)
        self._end_text(paper, place, len(folded))

    def _add_prefixes(self, folded: Folded, twos: Sequence[str]) -> None:
        keys, gaps = folded.keys, folded.gaps
        for at, key in enumerate(keys, start=self._words):
            found = self._begun.get(key)
            if found is None:
                found = self._begun[key] = self._beginnings(key, 0)
            self._others += [(at, at + 1, number) for number in found]
        if "-" in gaps:
            for at, gap in enumerate(gaps):
                if gap == "-" and twos[at]:
                    found = self._beginnings(keys[at] + keys[at + 1], len(keys[at]))
                    first = self._words + at
                    self._others += [(first, first + 2, number) for number in found]

    def _beginnings(self, key: str, over: int) -> list[int]:
        """The prefixes asked for with which a word begins, longer than ``over`` letters."""
        known = self._kinds["P"]
        begun = (known.get(key[:size]) for size in self._prefixes if over < size <= len(key))
        return [number for number in begun if number]

    def add_ids(self, paper: int, ids: Iterable[str]) -> None:
        values = [number for value in ids if (number := self._kinds["I"].get(value))]
        for at, number in enumerate(values, start=self._words):
            self._others.append((at, at + 1, number))
        for column in self._columns:
            column.extend([0] * (len(values) + 1))
        self._end_text(paper, PLACES.index("id"), len(values))

    def add_people(self, paper: int, document: Document) -> None:
        words, names = self._kinds["A"], self._kinds["N"]
        for at, author in enumerate(document.people):
            parts = author.parts
            joined = (one + other for one, other in pairwise(parts))
            found = {words.get(part, 0) for part in (*parts, *joined)}
            found.update(names.get(name[1:], 0) for name in named(parts))
            self._authors += [(number, paper, at) for number in found if number]

    def _end_text(self, paper: int, place: int, size: int) -> None:
        self._texts.append((paper, place, size + 1))
        self._words += size + 1

    def done(self, papers: tuple[Document, ...]) -> Wording:
        starts, ends, symbols = [], [], []
        for (_, size), column in zip(self._names, self._columns, strict=True):
            row = np.array(column, dtype=np.int32)
            at = np.flatnonzero(row).astype(np.int32)
            starts.append(at)
            ends.append(at + np.int32(size))
            symbols.append(row[at])
        others = _table(self._others, 3)
        start = np.concatenate((*starts, others[0]))
        order = np.argsort(start, kind="stable")
        start = start[order]
        edges = Edges(
            start,
            np.concatenate((*ends, others[1]))[order],
            np.concatenate((*symbols, others[2]))[order],
            np.searchsorted(start, np.arange(self._words + 1)),
        )
        paper, place, sizes = _table(self._texts, 3)
        text = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
        return Wording(papers, edges, text, paper, place, _table(self._authors, 3))


def _table(rows: Sequence[tuple[int, ...]], width: int) -> NDArray[np.int32]:
    return np.array(rows, dtype=np.int32).reshape(-1, width).T.copy()
