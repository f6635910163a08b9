"""Does this query want this paper, and which words say so: the exact answer."""

from dataclasses import dataclass
from typing import Literal

from service.matching.document import Document
from service.matching.query import Query

Place = Literal["title", "abstract", "authors", "categories", "source", "organisation", "id"]


@dataclass(frozen=True, slots=True)
class Hit:
    """A place where a term occurs: ``term`` as the reader typed it, ``start`` and ``end`` in
    characters of the shown text of the field ``where``."""

    term: str
    where: Place
    start: int
    end: int


def evaluate(query: Query, document: Document) -> tuple[Hit, ...] | None:
    """The hits of ``query`` in ``document``, or None where it does not match."""
    raise NotImplementedError
