"""Rows of symbols as a tree of numbers; it is walked along all texts of a batch at once."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from service.matching.clauses import Numbers, Offsets

_SHIFT = 32
_Whole = TypeVar("_Whole", np.int32, np.int64)


@dataclass(frozen=True)
class Paths:
    """Rows of symbols behind each other. leaf: whose row it is. sizes: symbols of each row."""

    leaf: Numbers
    sizes: Numbers
    symbols: Numbers

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return self.leaf.nbytes + self.sizes.nbytes + self.symbols.nbytes


@dataclass(frozen=True)
class Edges:
    """The symbols of texts: symbol ``symbols[i]`` leads from word ``starts[i]`` to ``ends[i]``.

    Words of all texts are counted through, with one more after each text; the edges are in
    order of their start, and ``first[w]`` is the first that starts at word w.
    """

    starts: Numbers
    ends: Numbers
    symbols: Numbers
    first: Offsets


class Trie:
    """Rows of symbols that share their beginnings. Node 0 is the root; transitions are sorted by
    (node, symbol), and transition i leads to node i + 1."""

    def __init__(self, paths: Paths, symbols: int) -> None:
        begins = ragged_starts(paths.sizes)
        node = np.zeros(len(paths.leaf), dtype=np.int64)
        levels: list[NDArray[np.int64]] = []
        made = 0
        for depth in range(int(paths.sizes.max(initial=0))):
            alive = np.flatnonzero(paths.sizes > depth)
            steps = (node[alive] << _SHIFT) | paths.symbols[begins[alive] + depth]
            level, place = np.unique(steps, return_inverse=True)
            node[alive] = made + 1 + place
            made += len(level)
            levels.append(level)
        self._steps = np.concatenate(levels) if levels else np.zeros(0, dtype=np.int64)
        parents = self._steps >> _SHIFT
        self._root = np.zeros(symbols + 1, dtype=np.int32)
        at_root = int(np.searchsorted(parents, 1))
        self._root[self._steps[:at_root]] = np.arange(1, at_root + 1)
        self._grows = np.zeros(made + 1, dtype=np.bool_)
        self._grows[parents] = True
        ends = distinct((node << _SHIFT) | paths.leaf)
        self._leaves = (ends & ((1 << _SHIFT) - 1)).astype(np.int32)
        self._counts = np.bincount(ends >> _SHIFT, minlength=made + 1).astype(np.int32)
        self._begins = ragged_starts(self._counts)

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        parts = (self._steps, self._root, self._grows, self._leaves, self._counts, self._begins)
        return sum(part.nbytes for part in parts)

    def walk(self, edges: Edges) -> tuple[Numbers, Numbers]:
        """(leaf, first word) of every row that lies in a text; a pair may come more than once."""
        node = self._root.take(edges.symbols)
        known = np.flatnonzero(node)
        node, start, at = node[known], edges.starts[known], edges.ends[known]
        nodes, starts = [], []
        while len(node):
            ends = np.flatnonzero(self._counts.take(node))
            nodes.append(node[ends])
            starts.append(start[ends])
            on = np.flatnonzero(self._grows.take(node))
            node, start, at = node[on], start[on], at[on]
            state, edge = ragged(edges.first[at], edges.first[at + 1] - edges.first[at])
            steps = (node[state].astype(np.int64) << _SHIFT) | edges.symbols[edge]
            place = np.searchsorted(self._steps, steps)
            place[place == len(self._steps)] = 0
            found = np.flatnonzero(self._steps[place] == steps) if len(place) else place
            node = (place[found] + 1).astype(np.int32)
            start, at = start[state[found]], edges.ends[edge[found]]
        if not nodes:
            none = np.zeros(0, dtype=np.int32)
            return none, none
        ended = np.concatenate(nodes)
        row, leaf = ragged(self._begins[ended], self._counts[ended])
        return self._leaves[leaf], np.concatenate(starts)[row]


def distinct(keys: NDArray[_Whole]) -> NDArray[_Whole]:
    """The keys in order, each once (sorting is faster than ``np.unique``'s hashing here)."""
    keys = np.sort(keys)
    return keys[np.append(True, keys[1:] != keys[:-1])] if len(keys) else keys


def ragged(begins: Offsets, sizes: NDArray[np.signedinteger]) -> tuple[Offsets, Offsets]:
    """(row, index) for every index of the slices [begin, begin + size), slice after slice."""
    row = np.repeat(np.arange(len(sizes)), sizes)
    shift = begins - ragged_starts(sizes)
    return row, np.arange(len(row)) + shift[row]


def ragged_starts(sizes: NDArray[np.signedinteger]) -> Offsets:
    """Where each of the slices begins when they lie behind each other."""
    starts = np.zeros(len(sizes), dtype=np.int64)
    np.cumsum(sizes[:-1], out=starts[1:])
    return starts
