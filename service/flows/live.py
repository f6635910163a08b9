"""Stored rows as values: what a profile asks for, what a paper holds."""

from collections.abc import Mapping
from typing import Any

from service.matching.categories import know
from service.matching.compiled import StaleQueryError, load_query
from service.matching.document import Document, StaleDocumentError, load, prepare, refolded
from service.matching.own import without_own
from service.matching.parse import read_again
from service.matching.query import Query, QueryError
from service.store import papers as papers_store
from service.store.tables import PaperRow
from service.subscribers.options import read_options


def query_of(
    kind: str,
    text: str,
    compiled: Mapping[str, Any] | None,
    options: Mapping[str, Any] | None = None,
) -> Query | None:
    """A profile's query: from its compiled form, or parsed again when the folding has changed.

    options: of the profile; they may leave out the reader's own papers (``matching/own``).
    None for trending, and for a text that was read once and is read no more (``doctor`` counts
    them).
    """
    if kind == "trending":
        return None
    if compiled is not None:
        try:
            return load_query(compiled)
        except StaleQueryError:
            pass  # the folding is newer than the row: read the text again
    try:
        return without_own(read_again(kind, text), read_options(options or {}).own)
    except QueryError:
        return None


def document_of(row: PaperRow) -> Document:
    """A stored paper ready for matching: from its stored tokens, or folded again."""
    know(row.categories)
    if row.folded is not None:
        try:
            return load(row.folded, votes=row.votes, comments=row.comments)
        except StaleDocumentError:
            return refolded(
                row.folded, row.title, row.abstract, votes=row.votes, comments=row.comments
            )
    return prepare(papers_store.to_paper(row, ()))
