"""A paper made ready for matching."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.papers.model import Paper
from service.text.tokens import Folded


@dataclass(frozen=True)
class Document:
    """A paper's words by field. Hits point into these shown texts: title and abstract as they
    are, authors and categories joined by ", ", organisation as it is."""

    title: Folded
    abstract: Folded
    votes: int | None = None
    comments: int | None = None


def prepare(paper: Paper, *, sources: Sequence[str] = ()) -> Document:
    """Fold a paper; ``sources`` are the names and kinds of the sources that listed it."""
    raise NotImplementedError


def dump(document: Document) -> dict[str, Any]:
    """The document as JSON values (for ``paper.folded``); figures (votes, comments) left out."""
    raise NotImplementedError


def load(
    data: Mapping[str, Any], *, votes: int | None = None, comments: int | None = None
) -> Document:
    """A dumped document again; raises StaleDocumentError for another fold version."""
    raise NotImplementedError
