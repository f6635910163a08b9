"""Stored papers meet a query: the other direction, for search, back-test and the daily page."""

from collections.abc import Sequence
from datetime import date

from service.matching import backtest
from service.matching.backtest import Estimate, Suggestion
from service.matching.counting import Asked
from service.matching.query import Query
from service.matching.shelf import Found, Shelf

__all__ = ["Corpus", "Estimate", "Found", "Suggestion"]


class Corpus(Shelf):
    """The stored papers, searchable and countable.

    ``add``, ``remove`` and ``set_figures`` keep it up to date; ``search`` answers exactly what
    evaluating every paper would answer.
    """

    def estimate(self, query: Query, *, days: Sequence[date]) -> Estimate:
        """The back-test over ``days``: how many papers the query would have brought on each."""
        return backtest.estimate(self, Asked(query), days)
