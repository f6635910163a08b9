"""Which stored papers of some days an interest would have brought, and how many."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice

import numpy as np

from service.matching.document import Document
from service.matching.own import own_people
from service.matching.query import Node, Not, Query
from service.matching.score import Statistics
from service.matching.segment import Flags
from service.matching.shelf import Found, Shelf
from service.matching.taste import Taste, vector


class Likings:
    """What a reader's marks say of papers, worked out once for each; for one page's questions."""

    def __init__(self, taste: Taste) -> None:
        self.taste = taste
        self._known: dict[int, float] = {}

    def __bool__(self) -> bool:
        return bool(self.taste)

    def of(self, paper_id: int, document: Document, statistics: Statistics) -> float:
        """As ``Taste.liking`` says."""
        known = self._known.get(paper_id)
        if known is None:
            known = self._known[paper_id] = self.taste.liking(vector(document, statistics))
        return known


@dataclass(frozen=True, slots=True)
class Asked:
    """An interest. threshold: papers below this score on their day do not count, as in a mail
    (with the votes of today) · own: names of the reader, whose papers are left out ·
    likings: what the reader marked, which counts in the scores."""

    query: Query
    threshold: float = 0.0
    own: str = ""
    likings: Likings | None = None


class Counter:
    """Counts on the asked days. days: flags of their papers · asked: without the own ones."""

    def __init__(self, shelf: Shelf, days: Sequence[date], asked: Asked | None = None) -> None:
        """asked: whose least score, own papers and marks are obeyed, whatever is counted."""
        self.shelf = shelf
        self.days = self.asked = shelf.on_days(days)
        self.weekdays = max(1, sum(day.weekday() < 5 for day in days))
        self._least = asked.threshold if asked else 0.0
        self._likings = asked.likings if asked else None
        self._ranked: dict[Node, tuple[Flags, list[Found]]] = {}
        for person in own_people(asked.own) if asked and asked.own else ():
            self.asked = self.asked & shelf.wanted(Not(person))

    def wanted(self, node: Node) -> Flags:
        """The papers that hold what is asked for, whatever they score."""
        return self.shelf.wanted(node) & self.asked

    def count(self, node: Node) -> int:
        """How many they are."""
        return number_of(self.wanted(node))

    def brought(self, query: Query) -> Flags:
        """The papers that mails would have brought."""
        return self.wanted(query.root) if self._least <= 0 else self._mailed(query)[0]

    def best(self, query: Query, brought: Flags, most: int) -> tuple[Found, ...]:
        """The best of those papers; with a least score or marks each by its score on its day."""
        if self._least > 0:
            among = set(self.shelf.ids(brought))
            return tuple(islice((f for f in self._mailed(query)[1] if f.paper_id in among), most))
        if self._likings:
            return tuple(self._rank(query, brought)[1][:most])
        return tuple(self.shelf.best(query, brought, most))

    def _mailed(self, query: Query) -> tuple[Flags, list[Found]]:
        known = self._ranked.get(query.root)
        if known is None:
            known = self._ranked[query.root] = self._rank(query, self.wanted(query.root))
        return known

    def _rank(self, query: Query, wanted: Flags) -> tuple[Flags, list[Found]]:
        liking = self._likings.of if self._likings else None
        return self.shelf.mailed(query, wanted, self._least, liking)

    def mean(self, count: int) -> float:
        """So many papers by the weekdays that were asked for."""
        return count / self.weekdays


def number_of(flags: Flags) -> int:
    """How many flags are set."""
    return int(np.count_nonzero(flags))
