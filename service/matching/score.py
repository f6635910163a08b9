"""How well a paper answers a query, in parts that add up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from service.matching.document import Document
from service.matching.evaluate import Hit
from service.matching.query import Query


@dataclass(frozen=True)
class Statistics:
    """How many of ``documents`` papers hold each stem."""

    documents: int = 0
    frequencies: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, documents: Iterable[Document]) -> "Statistics":
        """Count a collection."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        raise NotImplementedError

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Statistics":
        """The counterpart of ``to_dict``."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Score:
    """total is the sum of parts."""

    total: float
    parts: Mapping[str, float]


def score(
    query: Query,
    document: Document,
    hits: tuple[Hit, ...],
    statistics: Statistics,
    *,
    votes: int | None,
    comments: int | None,
    age_days: float,
) -> Score:
    """Score one match."""
    raise NotImplementedError
