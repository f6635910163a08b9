"""The profile index and the corpus kept in memory, brought up to date from the tables."""

import threading
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from service.matching.compiled import StaleQueryError, load_query
from service.matching.corpus import Corpus
from service.matching.document import Document, StaleDocumentError, load, prepare
from service.matching.evaluate import Hit
from service.matching.index import Index
from service.matching.own import without_own
from service.matching.parse import parse_keywords, parse_people, parse_query
from service.matching.query import Query
from service.matching.score import Statistics
from service.store import papers as papers_store
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.store.tables import PaperRow, ProfileRow
from service.subscribers.options import read_options

_OVERLAP = timedelta(minutes=5)


def query_of(
    kind: str,
    text: str,
    compiled: Mapping[str, Any] | None,
    options: Mapping[str, Any] | None = None,
) -> Query | None:
    """A profile's query: from its compiled form, or parsed again when the folding has changed.

    options: of the profile; they may leave out the reader's own papers (``matching/own``).
    """
    if kind == "trending":
        return None
    if compiled is not None:
        try:
            return load_query(compiled)
        except StaleQueryError:
            pass  # the folding is newer than the row: read the text again
    read = {"keywords": parse_keywords, "query": parse_query, "follow": parse_people}[kind]
    return without_own(read(text), read_options(options or {}).own)


def document_of(row: PaperRow) -> Document:
    """A stored paper ready for matching: from its stored tokens, or folded again."""
    if row.folded is not None:
        try:
            return load(row.folded, votes=row.votes, comments=row.comments)
        except StaleDocumentError:
            pass  # the folding is newer than the row: fold the text again
    return prepare(papers_store.to_paper(row, ()))


class LiveIndex:
    """Every profile that asks for words, in one index; kept in step by ``sync``."""

    def __init__(self) -> None:
        self._index = Index()
        self._queries: dict[int, Query] = {}
        self._changed: dict[int, datetime] = {}
        self._synced_at: datetime | None = None
        self._lock = threading.Lock()
        self.turn = threading.Lock()
        """Held by a match run: a second one would only do the same work at the same time."""

    def __len__(self) -> int:
        return len(self._index)

    @property
    def candidates(self) -> int:
        """Pairs that reached exact evaluation so far."""
        return self._index.candidates

    def match(self, document: Document) -> list[tuple[int, Query, tuple[Hit, ...]]]:
        """Profiles that want a paper, each with its query and the hits; safe beside ``sync``."""
        with self._lock:
            found = self._index.match(document)
            return [(i, self._queries[i], hits) for i, hits in found.items()]

    def sync(self, session: Session) -> None:
        """Take in what changed since the last time, and what is gone."""
        with self._lock:
            since = self._synced_at - _OVERLAP if self._synced_at else None
            for row in subscribers_store.list_changed_profiles(session, since):
                self._take(row)
            gone = self._queries.keys() - subscribers_store.list_profile_ids(session)
            for profile_id in list(gone):
                self._drop(profile_id)

    def _take(self, row: ProfileRow) -> None:
        assert row.id is not None
        if self._synced_at is None or row.changed_at > self._synced_at:
            self._synced_at = row.changed_at
        if self._changed.get(row.id) == row.changed_at:
            return
        self._changed[row.id] = row.changed_at
        query = None if row.paused else query_of(row.kind, row.text, row.compiled, row.options)
        if query is None:
            self._drop(row.id)
            return
        self._queries[row.id] = query
        self._index.add(row.id, query)

    def _drop(self, profile_id: int) -> None:
        self._queries.pop(profile_id, None)
        self._index.remove(profile_id)


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
