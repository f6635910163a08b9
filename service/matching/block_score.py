"""The scores of all matches of a block at once: what score() adds up, term by term, in arrays.

What a term is worth in a paper is worked out once, whoever asks for it; a profile's score is the
sum over its wanted terms that made it true. Profiles whose terms do not simply add up (a term
twice, a doubled NOT) are scored one by one.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from service.matching.block import Block, Flags, Ids, Truths, having, in_columns
from service.matching.clauses import Bits, Clauses
from service.matching.compiled import load_node
from service.matching.document import Document
from service.matching.evaluate import Hit
from service.matching.query import And, Not, Number, Or, Query
from service.matching.score import TITLE, Statistics, score, weight
from service.matching.trie import distinct

Scores = NDArray[np.float64]

_NOTHING = Query(root=Number("votes", ">", 0), shown="", kind="query", terms=())


@dataclass(frozen=True)
class Setting:
    """What scores depend on beside words: how rare these are, and days since the paper was new."""

    statistics: Statistics
    age_days: float = 0.0


class Worths:
    """What each leaf of a block is worth, worked out when it first occurs."""

    def __init__(self, block: Block, statistics: Statistics) -> None:
        self.statistics = statistics
        self._block = block
        self._worths = np.full(len(block.leaves), np.nan)

    def of(self, leaves: NDArray[np.int32]) -> Scores:
        """The worth of some leaves."""
        for number in distinct(leaves[np.isnan(self._worths[leaves])]).tolist():
            leaf = load_node(json.loads(self._block.leaves.text(number)))
            assert not isinstance(leaf, (And, Or, Not))
            self._worths[number] = weight(leaf, self.statistics)
        return self._worths[leaves]


def scored(
    block: Block, alive: Flags, papers: Sequence[Document], worths: Worths, setting: Setting
) -> tuple[list[tuple[Ids, Scores]], int]:
    """For each of up to 64 papers the ids of the profiles that want it, in no order, and their
    scores; and how many terms and profiles were looked at by themselves."""
    _, truths = block.truths(papers)
    table, values = block.table(truths), _values(truths, worths, len(papers))
    terms: list[list[tuple[NDArray[np.int64], Scores]]] = [[] for _ in papers]
    for first, part in zip(block.firsts, block.clauses, strict=False):
        for start, past in part.steps():
            living = alive[first + start : first + past]
            sums = _sums(part, table, (start, past), living, values)
            for paper, (owners, found) in zip(terms, sums, strict=True):
                paper.append((owners + (first + start), found))
    answers, by_hand = [], 0
    for document, pieces in zip(papers, terms, strict=True):
        slots = np.concatenate([slots for slots, _ in pieces]) if pieces else np.zeros(0, np.int64)
        found = np.concatenate([sums for _, sums in pieces]) if pieces else np.zeros(0)
        found = found + _score(_NOTHING, document, (), setting)
        for at in np.flatnonzero(block.by_hand[slots]).tolist():
            by_hand += 1
            slot = int(slots[at])
            query = Query(root=block.root(slot), shown="", kind="query", terms=())
            found[at] = _score(query, document, block.hits(slot, document, {}), setting)
        answers.append((block.ids[slots], found))
    return answers, by_hand + truths.tested


def _values(truths: Truths, worths: Worths, papers: int) -> list[tuple[NDArray[np.int64], Scores]]:
    """For each paper: the leaves that occur in it, and what each adds to a score."""
    place, times = truths.place, truths.times
    factors = np.select(
        (place == 0, place == 1, place > 1), (TITLE, times / (times + 1.0), 1.0), 0.0
    )
    keys = (truths.paper.astype(np.int64) << 32) | truths.leaf
    order = np.argsort(keys, kind="stable")
    keys, worth = keys[order], (worths.of(truths.leaf) * factors)[order]
    begins = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])) if len(keys) else keys
    sums = np.add.reduceat(worth, begins) if len(keys) else worth
    keys = keys[begins]
    bounds = np.searchsorted(keys >> 32, np.arange(papers + 1))
    leaf = keys & 0xFFFFFFFF
    return [(leaf[a:b], sums[a:b]) for a, b in pairwise(bounds.tolist())]


def _sums(
    part: Clauses,
    table: Bits,
    span: tuple[int, int],
    living: Flags,
    values: Sequence[tuple[NDArray[np.int64], Scores]],
) -> Iterator[tuple[NDArray[np.int64], Scores]]:
    """For each paper the trees of ``span`` that want it, from 0 on, and the sums of their terms."""
    layers = part.layers(table, *span)
    active, spans = layers[-1] * living, part.spans(*span)
    for sizes, (first, past), below in zip(
        reversed(part.sizes), spans[:-1], reversed(layers[:-1]), strict=True
    ):
        active = np.repeat(active, sizes[first:past]) & below
    some = np.flatnonzero(active)
    owners = part.owners(*span)[some]
    literals = part.literals[spans[-1][0] : spans[-1][1]][some]
    bits = in_columns(active[some])
    adds = np.zeros(len(table))
    for at, (leaf, value) in enumerate(values):
        adds[leaf] = value
        which = having(bits, at)
        trees = owners[which]
        begins = np.flatnonzero(np.diff(trees, prepend=-1))  # a tree that is true has a true leaf
        terms = adds.take(literals[which])
        adds[leaf] = 0.0
        yield (
            trees[begins].astype(np.int64),
            np.add.reduceat(terms, begins) if len(begins) else terms,
        )


def _score(query: Query, document: Document, hits: tuple[Hit, ...], setting: Setting) -> float:
    return score(
        query,
        document,
        hits,
        setting.statistics,
        votes=document.votes,
        comments=document.comments,
        age_days=setting.age_days,
    ).total
