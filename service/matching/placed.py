"""Places of words in columns: what a term's words lead over, and words near each other."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from service.matching.columns import hash_of
from service.matching.lattice import Lattice
from service.matching.query import Word
from service.matching.strings import Array
from service.matching.trie import distinct as each_once
from service.text.tokens import Folded

NOWHERE: Array = np.empty(0, dtype=np.int32)
LOW = (1 << 32) - 1


class Step(NamedTuple):
    """size words of the term are length words of the text: single ones of these forms, or what
    begins at these places."""

    size: int
    length: int
    forms: Sequence[int] = ()
    places: Array = NOWHERE


def joined(parts: Sequence[Array]) -> Array:
    """One after the other."""
    if not parts:
        return NOWHERE
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def distinct(parts: Sequence[Array]) -> Array:
    """The places of all, each once, in order; those of one are so anyhow."""
    return each_once(np.concatenate(parts)) if len(parts) > 1 else joined(parts)


def twice(places: Array) -> Array:
    """Where an occurrence begins and where it goes on, in one number."""
    return places.astype(np.int64) << 32 | places


def longest(runs: Array) -> tuple[Array, Array]:
    """(first word, one past the last) of occurrences; of those that begin together the longest."""
    runs = np.sort(runs)
    first = runs >> 32
    last = np.ones(len(runs), dtype=np.bool_)
    last[:-1] = first[1:] != first[:-1]
    return first[last], runs[last] & LOW


@lru_cache(maxsize=4096)
def label_hash(label: str) -> np.uint64:
    """Where two words written as one are looked for."""
    return np.uint64(hash_of(label))


def overlapping(numbers: Sequence[frozenset[int]]) -> list[list[frozenset[int]]]:
    """The words in groups; words of different groups never stand in one place."""
    groups: list[list[frozenset[int]]] = []
    for one in numbers:
        touching = [group for group in groups if any(one & other for other in group)]
        merged = [one, *(other for group in touching for other in group)]
        groups = [group for group in groups if not any(group is old for old in touching)]
        groups.append(merged)
    return groups


class Placed(Lattice):
    """A text of which only the places of some words are known."""

    def __init__(self, known: Mapping[Word, list[int]]) -> None:
        super().__init__(Folded())
        self._known = known

    def places(self, word: Word) -> list[int]:
        return self._known[word]
