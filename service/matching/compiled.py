"""The stored form of a query: JSON values, so that a cold start parses nothing."""

from collections.abc import Mapping
from typing import Any

from service.matching.query import Query


def compile_query(query: Query) -> dict[str, Any]:
    """The query as JSON values, with the fold version under "fold"."""
    raise NotImplementedError


def load_query(data: Mapping[str, Any]) -> Query:
    """A compiled query again; raises StaleQueryError for another fold version."""
    raise NotImplementedError
