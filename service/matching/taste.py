"""What a reader likes, learned from "more like this" and "less like this". Pure.

A paper is a vector of its stems in title and abstract, each (1 + ln n) x rarity, brought to length
1; what was marked is the mean of its papers, brought to length 1 (Rocchio's centroid). The
liking of a paper is

    m / (m + 1) x cosine with the m papers marked "more"
    - l / (l + 1) x cosine with the l papers marked "less"

so that one mark counts half of what many do. It lies between -1 and 1; papers that have nothing in
common with any marked one are at 0.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from service.matching.document import Document
from service.matching.score import Statistics

Vector = Mapping[str, float]
"""A weight for each stem, of length 1 (or empty)."""


def vector(document: Document, statistics: Statistics) -> dict[str, float]:
    """A paper's words, the rare ones heavier; of length 1."""
    counts = Counter(document.title.stems)
    counts.update(document.abstract.stems)
    return _of_length_1(
        {stem: (1 + math.log(n)) * statistics.rarity(stem) for stem, n in counts.items()}
    )


@dataclass(frozen=True, slots=True)
class Taste:
    """The centroids of what was marked, and how many papers stand behind each."""

    more: Vector = field(default_factory=dict)
    less: Vector = field(default_factory=dict)
    mores: int = 0
    lesses: int = 0

    @classmethod
    def of(
        cls, more: Iterable[Document], less: Iterable[Document], statistics: Statistics
    ) -> "Taste":
        """Learn from marked papers, in any order."""
        liked = [vector(document, statistics) for document in more]
        disliked = [vector(document, statistics) for document in less]
        return cls(_centroid(liked), _centroid(disliked), len(liked), len(disliked))

    def __bool__(self) -> bool:
        return bool(self.mores or self.lesses)

    def liking(self, paper: Vector) -> float:
        """How much a paper (see ``vector``) is like what was marked, from -1 to 1."""
        return _trust(self.mores) * _dot(paper, self.more) - _trust(self.lesses) * _dot(
            paper, self.less
        )


def _centroid(vectors: Iterable[Vector]) -> dict[str, float]:
    parts: dict[str, list[float]] = {}
    for one in vectors:
        for stem, value in one.items():
            parts.setdefault(stem, []).append(value)
    # fsum: the same sum in any order
    return _of_length_1({stem: math.fsum(values) for stem, values in parts.items()})


def _of_length_1(values: Mapping[str, float]) -> dict[str, float]:
    length = math.sqrt(math.fsum(value * value for value in values.values()))
    return {stem: value / length for stem, value in values.items()} if length else {}


def _dot(one: Vector, other: Vector) -> float:
    few, many = (one, other) if len(one) <= len(other) else (other, one)
    return math.fsum(value * many[stem] for stem, value in few.items() if stem in many)


def _trust(marks: int) -> float:
    return marks / (marks + 1)
