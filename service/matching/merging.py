"""Several blocks of profiles become one, array by array; what nobody asks for any more goes."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from service.matching.block import Block, Flags, Leaves, Trees
from service.matching.clauses import Numbers, joined
from service.matching.trie import Paths
from service.matching.wording import Vocabulary


def merged(parts: Sequence[tuple[Block, Flags]]) -> Block:
    """One block of the profiles of several, of each those slots for which the flag is true.

    No profile may be in two of them.
    """
    vocabulary, texts = Vocabulary(), dict[bytes, int]()
    several = [_Part(block, keep, texts, vocabulary) for block, keep in parts]
    most = max(part.highest for part in several)
    pieces = [(part, part.slots(high)) for high in range(most + 1) for part in several]
    trees = [part.trees(high) for high in range(2, most + 1) for part in several]
    none = np.zeros(0, dtype=np.int32)
    return Block(
        ids=np.concatenate([part.block.ids[slots] for part, slots in pieces]),
        stamps=np.concatenate([part.block.stamps[slots] for part, slots in pieces]),
        by_hand=np.concatenate([part.block.by_hand[slots] for part, slots in pieces]),
        clauses=tuple(
            joined([part.clauses[at] for part in several if at < len(part.clauses)])
            for at in range(most)
        ),
        trees=Trees(
            np.concatenate([none, *(signs for signs, _ in trees)]),
            np.concatenate([none, *(sizes for _, sizes in trees)]),
        ),
        leaves=_leaves(several, list(texts)),
        vocabulary=vocabulary,
        paths=Paths(
            np.concatenate([part.paths.leaf for part in several]),
            np.concatenate([part.paths.sizes for part in several]),
            np.concatenate([part.paths.symbols for part in several]),
        ),
        needy=np.concatenate([part.needy for part in several]),
        needs=joined([part.needs for part in several]),
        distances=np.concatenate([part.distances for part in several]),
    )


class _Part:
    """What is kept of one block, in the numbers of the new one."""

    def __init__(
        self, block: Block, keep: Flags, texts: dict[bytes, int], vocabulary: Vocabulary
    ) -> None:
        self.block, self._keep = block, keep
        bounds = list(pairwise(block.firsts))
        chosen = [
            part.chosen(keep[first:past])
            for part, (first, past) in zip(block.clauses, bounds, strict=True)
        ]
        count = len(block.leaves)
        used = np.zeros(count, dtype=np.bool_)
        for part in chosen:
            used |= part.leaves(count)
        self._numbers = np.full(count, -1, dtype=np.int32)
        fresh = np.zeros(count, dtype=np.bool_)
        stored = block.leaves.all_texts()
        for number in np.flatnonzero(used).tolist():
            before = len(texts)
            new = texts.setdefault(stored[number], before)
            self._numbers[number] = new
            fresh[number] = new == before
        self.fresh = np.flatnonzero(fresh)
        self.clauses = [part.renumbered(self._numbers) for part in chosen]
        self.highest = max((high for high, p in enumerate(chosen, start=1) if len(p)), default=1)
        self._take_rows(fresh, vocabulary)

    def _take_rows(self, fresh: Flags, vocabulary: Vocabulary) -> None:
        """The rows and conditions of the leaves that are new, in the new symbols."""
        block, paths = self.block, self.block.paths
        kept = fresh[paths.leaf]
        symbols = paths.symbols[np.repeat(kept, paths.sizes)]
        needy = fresh[block.needy]
        needs = block.needs.chosen(needy)
        names = block.vocabulary.symbols
        numbers = np.zeros(len(names) + 1, dtype=np.int32)
        for symbol in np.unique(np.concatenate((symbols, needs.literals))).tolist():
            numbers[symbol] = vocabulary.number(names[symbol - 1])
        self.paths = Paths(self._numbers[paths.leaf[kept]], paths.sizes[kept], numbers[symbols])
        self.needy = self._numbers[block.needy[needy]]
        self.needs = needs.renumbered(numbers)
        self.distances = block.distances[needy]

    def slots(self, high: int) -> NDArray[np.int64]:
        """The slots kept whose trees have a height; 0: those that want nothing."""
        bounds = [0, *self.block.firsts]
        if high + 1 >= len(bounds):
            return np.zeros(0, dtype=np.int64)
        return np.flatnonzero(self._keep[bounds[high] : bounds[high + 1]]) + bounds[high]

    def trees(self, high: int) -> tuple[Numbers, Numbers]:
        """Signs and sizes of the trees of a height (2 or more)."""
        trees, first = self.block.trees, self.block.firsts[1]
        kept = np.zeros(len(trees.sizes), dtype=np.bool_)
        kept[self.slots(high) - first] = True
        signs = trees.signs[np.repeat(kept, trees.sizes)]
        leaves = signs >= 0
        signs[leaves] = self._numbers[signs[leaves]]
        return signs, trees.sizes[kept]


def _leaves(several: Sequence[_Part], texts: Sequence[bytes]) -> Leaves:
    return Leaves(
        texts=b"".join(texts),
        ends=np.cumsum([len(text) for text in texts], dtype=np.int64),
        how=np.concatenate([part.block.leaves.how[part.fresh] for part in several]),
        places=np.concatenate([part.block.leaves.places[part.fresh] for part in several]),
    )
