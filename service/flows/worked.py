"""What was read and worked out of papers and words while digests are composed: the same for all
readers, so it is kept from one chunk of them to the next, for some seconds."""

import json
import time
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import date

from service.flows.live import query_of
from service.matching.document import Document
from service.matching.evaluate import Hit
from service.matching.likeness import Likeness
from service.matching.query import Query
from service.matching.score import Score, Statistics, Weights, weights_of
from service.matching.taste import Vector
from service.papers.model import Paper
from service.store.tables import PaperRow
from service.subscribers.model import Profile

KEPT_S = 30.0
"""A digest may be made from papers as they were so many seconds ago."""

MOST_PAPERS = 2_000
MOST_FOUND = 200_000

Found = tuple[tuple[Hit, ...], Score] | None


@dataclass(kw_only=True)
class Worked:
    """found: what a query found in a paper on a day, with its score for a reader who said nothing
    yet of papers."""

    rows: dict[int, PaperRow] = field(default_factory=dict)
    papers: dict[int, Paper] = field(default_factory=dict)
    sightings: dict[int, list[tuple[str, str, date, str]]] = field(default_factory=dict)
    documents: dict[int, Document] = field(default_factory=dict)
    vectors: dict[int, Vector] = field(default_factory=dict)
    likenesses: dict[int, Likeness] = field(default_factory=dict)
    found: dict[Hashable, Found] = field(default_factory=dict)
    queries: dict[str, Query | None] = field(default_factory=dict)
    weights: dict[str, Weights] = field(default_factory=dict)
    begun: float = field(default_factory=time.monotonic)

    def still(self) -> "Worked":
        """This one while it is young and small, else a new one."""
        is_young = time.monotonic() - self.begun < KEPT_S
        is_small = len(self.rows) < MOST_PAPERS and len(self.found) < MOST_FOUND
        return self if is_young and is_small else Worked()

    def query(self, words: str, profile: Profile) -> Query | None:
        """The query of an interest, read once for all that have the same words."""
        if words not in self.queries:
            self.queries[words] = query_of(
                profile.kind.value, profile.text, profile.compiled, profile.options
            )
        return self.queries[words]

    def weights_for(self, words: str, query: Query, statistics: Statistics) -> Weights:
        """What the terms of a query are worth, worked out once."""
        if words not in self.weights:
            self.weights[words] = weights_of(query, statistics)
        return self.weights[words]


def words_of(profile: Profile) -> str:
    """The same for interests that find the same."""
    return json.dumps([profile.kind.value, profile.text, profile.compiled, profile.options])
