"""How well a paper answers a query, in parts that add up.

For every wanted term that occurs, its weight is the rarity of its words among the stored papers
(the inverse document frequency of BM25, summed over at most four words), times 1.25 for a phrase,
so that a phrase stands above the same words apart; names, categories and the like have a fixed
weight. Then

    title     2 x weight for each term in the title
    abstract  weight x n / (n + 1) for each term that occurs n times in the abstract
    other     weight for each term in authors, categories, organisation, source or id
    fresh     1 at age 0, halved every 3 days
    votes     0.5 x ln(1 + votes)
    comments  0.25 x ln(1 + comments)
    feedback  40 x liking (see taste), for a reader who said "more" or "less like this"

title, abstract and other are sums over the different wanted terms, each term by itself. Terms that
mean the same (LLM and LLMs) count once, and so do terms with the same text, with the greatest of
their weights. So what the words give is weight times a factor of where the term occurs, and can be
added up in columns.

The weights were looked at on half of the judged set in bench/judged and measured on the other half
(RESULT.md there). A rarer word counts in full, so that one rare keyword beats several common ones;
40 makes two papers on one subject (cosine about 0.2) gain what a word of the title gives.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from service.matching.document import Document
from service.matching.evaluate import Hit, Place
from service.matching.query import Category, Leaf, Near, Person, Query, Term, leaves

TITLE = 2.0
PHRASE = 1.25
FRESH_HALF_LIFE = 3.0
VOTES = 0.5
COMMENTS = 0.25
LIKING = 40.0

_MOST_WORDS = 4
_PERSON = 4.0
_OTHER = 0.5
_UNKNOWN_SHARE = 0.02


@dataclass(frozen=True)
class Statistics:
    """How many of ``documents`` papers hold each stem in title or abstract."""

    documents: int = 0
    frequencies: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, documents: Iterable[Document]) -> "Statistics":
        """Count a collection."""
        frequencies: Counter[str] = Counter()
        total = 0
        for document in documents:
            total += 1
            frequencies.update({*document.title.stems, *document.abstract.stems})
        return cls(total, dict(frequencies))

    def share(self, stem: str) -> float:
        """The share of papers that hold a stem, between 0 and 1; a guess without papers."""
        if not self.documents:
            return _UNKNOWN_SHARE
        return min(1.0, (self.frequencies.get(stem, 0) + 0.5) / (self.documents + 1))

    def rarity(self, stem: str) -> float:
        """BM25's inverse document frequency, never negative."""
        held = self.frequencies.get(stem, 0)
        return math.log(1 + (self.documents - held + 0.5) / (held + 0.5))


@dataclass(frozen=True, slots=True)
class Score:
    """total is the sum of parts: title, abstract, other, fresh, votes, comments; and feedback, the
    only one that can be below 0, for a reader who gave some."""

    total: float
    parts: Mapping[str, float]


def weight(leaf: Leaf, statistics: Statistics) -> float:
    """What one occurrence of a term is worth."""
    if isinstance(leaf, Person):
        return _PERSON
    if isinstance(leaf, (Term, Near)) and leaf.field not in ("source", "org"):
        rarities = [statistics.rarity(word.stem or word.key) for word in leaf.words]
        together = sum(sorted(rarities, reverse=True)[:_MOST_WORDS])
        return together * (PHRASE if len(leaf.words) > 1 else 1.0)
    return _OTHER if isinstance(leaf, Category) else 2 * _OTHER


def meaning(leaf: Leaf) -> object:
    """Equal for terms that stand at the same places: agent and agents, LLM and LLMs."""
    if isinstance(leaf, Term):
        words = tuple((word.kind, word.stem or word.key) for word in leaf.words)
        return words, leaf.joins, leaf.field, leaf.exact
    return leaf


@dataclass(frozen=True, slots=True)
class Weights:
    """What one occurrence of each wanted term is worth. names: for the text of each term that of
    the first of its meaning, which counts for all of them."""

    names: Mapping[str, str]
    worths: Mapping[str, float]


def weights_of(query: Query, statistics: Statistics) -> Weights:
    """The weights of a query's wanted terms."""
    first: dict[object, str] = {}
    names: dict[str, str] = {}
    worths: dict[str, float] = {}
    for leaf in leaves(query.root, wanted_only=True):
        name = names.setdefault(leaf.text, first.setdefault(meaning(leaf), leaf.text))
        worths[name] = max(worths.get(name, 0.0), weight(leaf, statistics))
    return Weights(names, worths)


def score(
    query: Query,
    document: Document,
    hits: tuple[Hit, ...],
    statistics: Statistics,
    *,
    votes: int | None,
    comments: int | None,
    age_days: float,
    liking: float | None = None,
    weights: Weights | None = None,
) -> Score:
    """Score one match from its hits, in any order.

    votes, comments: None counts as 0. age_days: days since the paper became eligible, negative
    counts as 0. liking: -1 to 1, None for a reader who said nothing. weights: ``weights_of`` them,
    for who scores many papers of one query. Ties are left to the caller.
    """
    del document  # the words are in the hits; kept for scores that look at the whole paper
    if weights is None:
        weights = weights_of(query, statistics)
    places: dict[tuple[str, Place], int] = {}
    for (text, place), times in Counter((hit.term, hit.where) for hit in hits).items():
        key = weights.names.get(text, text), place
        places[key] = max(times, places.get(key, 0))
    parts = {"title": 0.0, "abstract": 0.0, "other": 0.0}
    for (term, where), times in sorted(places.items()):
        worth = weights.worths.get(term, 0.0)
        if where == "title":
            parts["title"] += TITLE * worth
        elif where == "abstract":
            parts["abstract"] += worth * times / (times + 1)
        else:
            parts["other"] += worth
    parts["fresh"] = 0.5 ** (max(0.0, age_days) / FRESH_HALF_LIFE)
    parts["votes"] = VOTES * math.log1p(max(0, votes or 0))
    parts["comments"] = COMMENTS * math.log1p(max(0, comments or 0))
    if liking is not None:
        parts["feedback"] = LIKING * liking
    return Score(total=sum(parts.values()), parts=parts)
