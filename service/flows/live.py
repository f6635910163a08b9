"""The corpus kept in memory, brought up to date from the tables; stored rows as values."""

import threading
from collections.abc import Mapping
from datetime import date
from typing import Any

from service.matching.compiled import StaleQueryError, load_query
from service.matching.corpus import Corpus
from service.matching.document import Document, StaleDocumentError, load, prepare, refolded
from service.matching.own import without_own
from service.matching.parse import read_again
from service.matching.query import Query, QueryError
from service.matching.score import Statistics
from service.store import papers as papers_store
from service.store.db import Session
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
    if row.folded is not None:
        try:
            return load(row.folded, votes=row.votes, comments=row.comments)
        except StaleDocumentError:
            return refolded(
                row.folded, row.title, row.abstract, votes=row.votes, comments=row.comments
            )
    return prepare(papers_store.to_paper(row, ()))


class LiveCorpus:
    """The stored papers of the last days, searchable; and the statistics learned from them."""

    def __init__(self) -> None:
        self.corpus = Corpus()
        self.statistics = Statistics()
        self._last_id = 0
        self._documents: dict[int, Document] = {}
        self._first_on: date | None = None
        self._lock = threading.Lock()

    def sync(self, session: Session, since: date) -> None:
        """Read the papers that came since the last time (all from ``since`` on the first time)."""
        with self._lock:
            if self._first_on is None or since < self._first_on:
                self.corpus, self._documents = Corpus(), {}
                self._last_id, self._first_on = 0, since
            before = len(self.corpus)
            while rows := papers_store.list_documents(
                session, after_id=self._last_id, since=self._first_on
            ):
                for row, day in rows:
                    assert row.id is not None
                    document = document_of(row)
                    self.corpus.add(row.id, day, document, row.votes)
                    self._documents[row.id] = document
                    self._last_id = row.id
            if len(self.corpus) != before:
                self.statistics = Statistics.of(self._documents.values())

    def forget(self) -> None:
        """Read everything again at the next ``sync`` (papers were refreshed or merged)."""
        with self._lock:
            self._first_on = None
