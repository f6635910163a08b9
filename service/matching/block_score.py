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

from service.matching.block import SILENT, Block, Flags, Ids, Truths, by_paper
from service.matching.clauses import Bits, Clauses
from service.matching.compiled import load_node
from service.matching.document import Document
from service.matching.evaluate import Hit
from service.matching.query import And, Not, Number, Or, Query
from service.matching.score import TITLE, Statistics, score, weight
from service.matching.trie import distinct

Scores = NDArray[np.float64]

_FINE, _WORST = 4096, (1 << 30) - 1

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
        """The worth of some leaves; 0 of one that another counts for."""
        for number in distinct(leaves[np.isnan(self._worths[leaves])]).tolist():
            text = self._block.leaves.text(number)
            leaf = load_node(json.loads(text))
            assert not isinstance(leaf, (And, Or, Not))
            is_silent = text.endswith(SILENT.encode())
            self._worths[number] = 0.0 if is_silent else weight(leaf, self.statistics)
        return self._worths[leaves]


@dataclass
class Reading:
    """Up to 64 papers, ready to be scored. values: for each the leaves that occur in it and what
    each adds; fixed: what its age and figures add. looked_at: how many terms and profiles were
    looked at by themselves so far."""

    papers: Sequence[Document]
    setting: Setting
    table: Bits
    values: list[tuple[NDArray[np.int64], Scores]]
    fixed: list[float]
    looked_at: int


def read(block: Block, papers: Sequence[Document], worths: Worths, setting: Setting) -> Reading:
    """Find what occurs in up to 64 papers, and what it is worth."""
    _, truths = block.truths(papers)
    values = _values(truths, worths, len(papers))
    fixed = [_score(_NOTHING, paper, (), setting) for paper in papers]
    return Reading(papers, setting, block.table(truths), values, fixed, truths.tested)


def scored(block: Block, alive: Flags, reading: Reading) -> list[tuple[Ids, Scores]]:
    """For each paper the ids of the profiles that want it, in no order, and their scores."""
    found: list[list[tuple[NDArray[np.int64], Scores]]] = [[] for _ in reading.papers]
    for part, first, span in _steps(block):
        for paper, piece in zip(
            found, _step(block, alive, part, first, span, reading), strict=True
        ):
            paper.append(piece)
    none: tuple[NDArray[np.int64], Scores] = (np.zeros(0, dtype=np.int64), np.zeros(0))
    answers = []
    for pieces in found:
        slots, scores = zip(*(pieces or [none]), strict=True)
        answers.append((block.ids[np.concatenate(slots)], np.concatenate(scores)))
    return answers


def best(
    block: Block, alive: Flags, readings: Sequence[Reading], most: int
) -> Iterator[tuple[Ids, NDArray[np.int64], Scores]]:
    """(profile, paper, score) of the best papers of each profile, ``most`` at most, best first.

    Some thousand profiles at a time; the papers of all readings are counted through (65,536 at
    most). Scores are compared to 1/4096; what is equal then goes by the order of the papers.
    """
    for part, first, span in _steps(block):
        keys, before = [np.zeros(0, dtype=np.int64)], 0
        for reading in readings:
            slots, scores = zip(*_step(block, alive, part, first, span, reading), strict=True)
            papers = np.repeat(np.arange(before, before + len(slots)), list(map(len, slots)))
            keys.append(_keys(np.concatenate(slots) - (first + span[0]), np.concatenate(scores)))
            keys[-1] |= papers
            before += len(slots)
        row = np.concatenate(keys)
        row.sort()
        tree = row >> 46
        among = np.ones(len(row), dtype=np.bool_)
        np.not_equal(tree[most:], tree[:-most], out=among[most:])
        chosen = row[among]
        ids = block.ids[(chosen >> 46) + (first + span[0])]
        yield ids, chosen & 0xFFFF, (_WORST - ((chosen >> 16) & _WORST)) / _FINE


def _keys(trees: NDArray[np.int64], scores: Scores) -> NDArray[np.int64]:
    """Numbers in the order of the trees and then of their scores, with room for that of a paper:
    sorting them is much quicker than sorting by several columns."""
    scores = scores * _FINE
    np.rint(scores, out=scores)
    np.minimum(scores, _WORST, out=scores)
    keys = trees << 46
    keys |= (_WORST - scores.astype(np.int64)) << 16
    return keys


def _steps(block: Block) -> Iterator[tuple[Clauses, int, tuple[int, int]]]:
    """Parts of the trees that are scored at a time: all of one height, the slot of the first of
    that height, and (first, past) among these."""
    for first, part in zip(block.firsts, block.clauses, strict=False):
        for span in part.steps():
            yield part, first, span


def _step(
    block: Block,
    alive: Flags,
    part: Clauses,
    first: int,
    span: tuple[int, int],
    reading: Reading,
) -> Iterator[tuple[NDArray[np.int64], Scores]]:
    """For each paper the slots of some trees that want it, and their scores."""
    living = alive[first + span[0] : first + span[1]]
    by_hand = block.by_hand[first + span[0] : first + span[1]]
    any_by_hand = by_hand.any()
    sums = _sums(part, reading.table, span, living, reading.values)
    for document, fixed, (trees, terms) in zip(reading.papers, reading.fixed, sums, strict=True):
        slots, scores = trees + (first + span[0]), terms + fixed
        for at in np.flatnonzero(by_hand[trees]).tolist() if any_by_hand else ():
            reading.looked_at += 1
            slot = int(slots[at])
            query = Query(root=block.root(slot), shown="", kind="query", terms=())
            scores[at] = _score(query, document, block.hits(slot, document, {}), reading.setting)
        yield slots, scores


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
    adds = np.zeros(len(table))
    for (leaf, value), which in zip(values, by_paper(active[some], len(values)), strict=True):
        adds[leaf] = value
        trees = owners[which]
        begins = np.flatnonzero(_fresh(trees))  # a tree that is true has a true leaf
        terms = adds.take(literals[which])
        adds[leaf] = 0.0
        yield (
            trees[begins].astype(np.int64),
            np.add.reduceat(terms, begins) if len(begins) else terms,
        )


def _fresh(trees: NDArray[np.int32]) -> Flags:
    """Where another tree begins."""
    found = np.ones(len(trees), dtype=np.bool_)
    np.not_equal(trees[1:], trees[:-1], out=found[1:])
    return found


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
