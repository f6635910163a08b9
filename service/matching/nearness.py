"""Two words near each other, for many pairs of words and papers at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.matching.clauses import Bits, Clauses, Numbers
from service.matching.trie import distinct, ragged
from service.matching.wording import Wording


@dataclass(frozen=True)
class Pairs:
    """Leaves of two words. leaf: its number. needs: for each an AND of two ORs of symbols, one a
    word. distance: how far the words may stand apart. places: bits of the places that count."""

    leaf: Numbers
    needs: Clauses
    distance: Numbers
    places: NDArray[np.uint8]


def near_truths(pairs: Pairs, held: Bits, wording: Wording) -> NDArray[np.int32]:
    """Rows of leaf, paper, place and how many words stand near: four arrays of one length.

    held: for each leaf, the papers that have both words somewhere.
    """
    some = np.flatnonzero(held)
    flags = np.unpackbits(
        held[some].astype("<u8").view(np.uint8).reshape(-1, 8), axis=1, bitorder="little"
    )
    row, paper = np.nonzero(flags)
    which = some[row]
    single = np.flatnonzero(wording.edges.ends - wording.edges.starts == 1)
    places = np.sort(_key(wording.edges.symbols[single], wording.edges.starts[single]))
    one, left = _standing(pairs.needs, 2 * which, paper, places, wording)
    other, right = _standing(pairs.needs, 2 * which + 1, paper, places, wording)
    begins = np.searchsorted(other, np.arange(len(which) + 1))
    at, to = ragged(begins[one], np.diff(begins)[one])
    question, left, right = one[at], left[at], right[to]
    text = wording.text[left]
    fits = (np.abs(left - right) <= pairs.distance[which[question]]) & (left != right)
    fits &= text == wording.text[right]
    fits &= (pairs.places[which[question]] >> wording.place[text].astype(np.uint8)) & 1 == 1
    question, left, right = question[fits], left[fits], right[fits]
    marked = distinct(np.concatenate((_key(question, left), _key(question, right))))
    question, text = marked >> 32, wording.text[marked & 0xFFFFFFFF]
    found, times = np.unique(_key(question, text), return_counts=True)
    question, text = found >> 32, found & 0xFFFFFFFF
    leaf = pairs.leaf[which[question]]
    rows = (leaf, wording.paper[text], wording.place[text], times)
    return np.stack([part.astype(np.int32) for part in rows])


def _standing(
    needs: Clauses,
    words: NDArray[np.int64],
    paper: NDArray[np.int64],
    places: NDArray[np.int64],
    wording: Wording,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(question, word of the text) of each place where question i's word, group ``words[i]``
    of the first layer, stands by itself in ``paper[i]``; in the order of the questions."""
    ends = needs.ends[0]
    question, literal = ragged(ends[words], ends[words + 1] - ends[words])
    symbol = needs.literals[literal]
    bounds = np.searchsorted(wording.paper[wording.text], np.arange(len(wording.papers) + 1))
    first = np.searchsorted(places, _key(symbol, bounds[paper[question]]))
    past = np.searchsorted(places, _key(symbol, bounds[paper[question] + 1]))
    row, at = ragged(first, past - first)
    return question[row], places[at] & 0xFFFFFFFF


def _key(high: NDArray[np.signedinteger], low: NDArray[np.signedinteger]) -> NDArray[np.int64]:
    return (high.astype(np.int64) << 32) | low
