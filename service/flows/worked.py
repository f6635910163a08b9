"""What was read and worked out of papers and words while digests are composed: the same for all
readers, so it is kept from one chunk of them to the next, for some seconds."""

import json
import time
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from service.digest.budget import shown
from service.digest.candidate import NothingNew
from service.digest.model import Digest, Entry, with_profiles
from service.flows.live import query_of
from service.matching.document import Document
from service.matching.evaluate import Begins, Hit, Truth, begins_of, evaluate_node, find_leaf
from service.matching.likeness import Likeness
from service.matching.query import Leaf, Query
from service.matching.score import Score, Statistics, Weights, weights_of
from service.matching.taste import Vector
from service.papers.model import Paper
from service.store.tables import PaperRow
from service.subscribers.model import Profile

KEPT_S = 30.0
"""A digest may be made from papers as they were so many seconds ago."""

MOST_PAPERS = 2_000
MOST_FOUND = 200_000
MOST_TERMS = 400_000
MOST_ENTRIES = 10_000
MOST_SHOWN = 20_000
"""Papers in the decisions that are kept: some 2 KB each."""

Found = tuple[tuple[Hit, ...], Score] | None


@dataclass(slots=True)
class Decision:
    """A decision for all readers of whom the same is known (``flows/sharing``). result: a digest
    names no interest's number · places: for each of its sections where its interest stands among
    the reader's, None: it has none · roomy: (language, format) of mails with room to spare ·
    sha: the name of its content, once it was frozen."""

    result: Digest | NothingNew
    places: tuple[int | None, ...] = ()
    roomy: set[tuple[str, str]] = field(default_factory=set, compare=False)
    sha: str = field(default="", compare=False)

    def numbers(self, profiles: Sequence[Profile]) -> tuple[int | None, ...]:
        """The interests of the sections, of one reader."""
        return tuple([None if at is None else profiles[at].id for at in self.places])


def decision_of(result: Digest | NothingNew, profiles: Sequence[Profile]) -> Decision:
    """What was decided for one reader, for all. profiles: the reader's."""
    if isinstance(result, NothingNew):
        return Decision(result)
    places = {profile.id: at for at, profile in enumerate(profiles)}
    return Decision(
        with_profiles(result, [None] * len(result.sections)),
        tuple(None if s.profile_id is None else places[s.profile_id] for s in result.sections),
    )


class Decisions:
    """Decisions by key, the latest asked for, bounded by what they show."""

    def __init__(self, most: int) -> None:
        """most: papers in all, in full or as a line."""
        self._most, self._shown = most, 0
        self._kept: OrderedDict[Hashable, Decision] = OrderedDict()

    def get(self, key: Hashable) -> Decision | None:
        """The decision of a key, if it is kept."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def keep(self, key: Hashable, made: Decision) -> None:
        """Keep a decision; those asked for longest ago make room."""
        self._kept[key] = made
        self._shown += _weight(made)
        while self._shown > self._most:
            self._shown -= _weight(self._kept.popitem(last=False)[1])


def _weight(made: Decision) -> int:
    return 1 + (shown(made.result) if isinstance(made.result, Digest) else 0)


@dataclass(frozen=True, slots=True)
class Polls:
    """The instants at which papers became new, in order, as they were read: those in [since, at]
    are all known."""

    since: datetime
    at: datetime
    instants: Sequence[datetime]

    def before(self, at: datetime) -> int | None:
        """How many lie before an instant or at it; None where not all are known."""
        return bisect_right(self.instants, at) if self.since <= at <= self.at else None


@dataclass(kw_only=True)
class Worked:
    """eligible: when papers became new · found: what a query found in a paper on a day, with its
    score for a reader who said nothing yet of papers · terms: by paper, what a term found in it:
    interests have terms in common · begins: by query (its id), where its terms may begin ·
    entries: papers as mails show them (``select.compose``) · shares: by (language, format), which
    share of the room of a mail one byte of ``digest/size`` takes, of some mails."""

    rows: dict[int, PaperRow] = field(default_factory=dict)
    papers: dict[int, Paper] = field(default_factory=dict)
    sightings: dict[int, list[tuple[str, str, date, str]]] = field(default_factory=dict)
    eligible: dict[int, datetime] = field(default_factory=dict)
    documents: dict[int, Document] = field(default_factory=dict)
    vectors: dict[int, Vector] = field(default_factory=dict)
    likenesses: dict[int, Likeness] = field(default_factory=dict)
    found: dict[Hashable, Found] = field(default_factory=dict)
    terms: dict[int, dict[Leaf, Truth]] = field(default_factory=dict)
    entries: dict[Hashable, Entry] = field(default_factory=dict)
    queries: dict[str, Query | None] = field(default_factory=dict)
    begins: dict[int, Begins] = field(default_factory=dict)
    looked: int = 0
    weights: dict[str, Weights] = field(default_factory=dict)
    polls: Polls | None = None
    shares: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    decisions: Decisions = field(default_factory=lambda: Decisions(MOST_SHOWN))
    begun: float = field(default_factory=time.monotonic)

    def still(self) -> "Worked":
        """This one while it is young and small, else a new one."""
        is_young = time.monotonic() - self.begun < KEPT_S
        is_small = len(self.rows) < MOST_PAPERS and len(self.found) < MOST_FOUND
        if len(self.entries) > MOST_ENTRIES:
            self.entries.clear()
        if self.looked > MOST_TERMS:
            self.terms.clear()
            self.looked = 0
        return self if is_young and is_small else Worked()

    def query(self, words: str, profile: Profile) -> Query | None:
        """The query of an interest, read once for all that have the same words."""
        if words not in self.queries:
            made = query_of(profile.kind.value, profile.text, profile.compiled, profile.options)
            self.queries[words] = made
            if made is not None:
                self.begins[id(made)] = begins_of(made)
        return self.queries[words]

    def hits(self, query: Query, paper_id: int, document: Document) -> tuple[Hit, ...] | None:
        """``evaluate`` a query that was read here. Terms that begin nowhere are passed over, each
        other one is looked for once in a paper."""
        begins, known = self.begins[id(query)], self.terms.setdefault(paper_id, {})
        there = document.labels(begins.every)

        def find(leaf: Leaf) -> Truth:
            begin = begins.of.get(id(leaf))
            if begin is not None and there.isdisjoint(begin):
                return None
            if leaf not in known:
                self.looked += 1
                known[leaf] = find_leaf(leaf, document)
            return known[leaf]

        return evaluate_node(query.root, find)

    def weights_for(self, words: str, query: Query, statistics: Statistics) -> Weights:
        """What the terms of a query are worth, worked out once."""
        if words not in self.weights:
            self.weights[words] = weights_of(query, statistics)
        return self.weights[words]


def words_of(profile: Profile) -> str:
    """The same for interests that find the same."""
    return json.dumps([profile.kind.value, profile.text, profile.compiled, profile.options])
