"""What a reader likes, learned from "more like this" and "less like this". Pure.

A paper is the vector of its stems in title and abstract, weighed as ``tfidf`` says and brought to
length 1; what was marked is the mean of its papers, brought to length 1 (Rocchio's centroid). The
liking of a paper is

    m / (m + 1) x cosine with the m papers marked "more"
    - l / (l + 1) x cosine with the l papers marked "less"

so that one mark counts half of what many do. It lies between -1 and 1; papers that have nothing in
common with any marked one are at 0.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from service.matching.document import Document
from service.matching.score import Statistics
from service.matching.tfidf import occurrences, rarity

Vector = Mapping[str, float]
"""A weight for each stem, of length 1 (or empty)."""


def vector(document: Document, statistics: Statistics) -> dict[str, float]:
    """A paper's words, the rare ones heavier; of length 1."""
    counts = occurrences(document)
    held = np.array([statistics.frequencies.get(stem, 0) for stem in counts], dtype=np.int64)
    weights = rarity(held, statistics.documents) * list(counts.values())
    return _of_length_1(
        {stem: value for stem, value in zip(counts, weights.tolist(), strict=True) if value}
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

    @classmethod
    def of_marks(
        cls,
        marks: Iterable[tuple[int, int]],
        documents: Mapping[int, Document],
        statistics: Statistics,
    ) -> "Taste":
        """Learn from (paper, 1 for more or -1 for less); papers without a document are left out."""
        said = [(documents[paper], sign) for paper, sign in marks if paper in documents]
        more, less = ([one for one, sign in said if sign == which] for which in (1, -1))
        return cls.of(more, less, statistics)

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
