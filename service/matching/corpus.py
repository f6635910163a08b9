"""Stored papers meet a query: search and back-test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from service.matching.document import Document
from service.matching.evaluate import Hit
from service.matching.query import Query


@dataclass(frozen=True, slots=True)
class Found:
    """One stored paper that a query wants."""

    paper_id: int
    day: date
    hits: tuple[Hit, ...]
    score: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Another query: what to press ("title only"), its text, papers a mail day."""

    label: str
    text: str
    per_day: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a query would have brought.

    basis_papers, basis_days: how many papers on how many of the asked days.
    per_day: papers per asked day (0 included); total: their sum; mean_per_weekday: total divided
    by the asked days from Monday to Friday (1 at least).
    per_term: papers per wanted term; dead_terms: those with none.
    removed_by_not: papers each NOT takes away. best: the best five.
    warning: "broad" above 20 a weekday, "none" at zero.
    """

    basis_papers: int
    basis_days: int
    per_day: Mapping[date, int]
    mean_per_weekday: float
    total: int
    per_term: Mapping[str, int]
    dead_terms: tuple[str, ...]
    removed_by_not: Mapping[str, int]
    best: tuple[Found, ...]
    warning: Literal["broad", "none", ""]
    suggestions: tuple[Suggestion, ...]


class Corpus:
    """The stored papers, searchable."""

    def add(self, paper_id: int, day: date, document: Document, votes: int | None = None) -> None:
        """Put a paper in, or replace it; ``day``: the day it became eligible."""
        raise NotImplementedError

    def remove(self, paper_id: int) -> None:
        """Take a paper out; an unknown id is no fault."""
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def search(
        self, query: Query, *, days: Sequence[date] | None = None, limit: int | None = 100
    ) -> list[Found]:
        """The papers that the query wants, best first (score, then newest, then id)."""
        raise NotImplementedError

    def estimate(self, query: Query, *, days: Sequence[date]) -> Estimate:
        """The back-test over ``days``."""
        raise NotImplementedError
