"""Many queries as flat arrays: ORs and ANDs in turns, evaluated for 64 papers at once.

A tree is brought into layers: an OR of literals, an AND of those, an OR of those, and so on, as
high as it needs (a plain list of terms is one layer, an AND of terms and NOTs two); what a layer
does not need is a group of one. Negation stands at the leaves (De Morgan). All trees of one
height lie behind each other in the same arrays, so that one pass of ``reduceat`` a layer
evaluates them all; every value is 64 bits, one for each paper of a batch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint64]
"""One bit for each paper of a batch."""

Numbers = NDArray[np.int32]
Offsets = NDArray[np.int64]

Literal = int
"""Number of a leaf; ``~number`` where it must not be true."""

Tree = int | tuple[str, tuple["Tree", ...]]
"""A leaf by its number, or ("&" | "|" | "!", parts)."""

Layered = int | tuple[int, tuple["Layered", ...]]
"""A literal, or (layer, parts): odd layers are ORs, even ones ANDs, no part of its own layer."""

_STEP = 1 << 16


def layered(tree: Tree, negative: bool = False) -> Layered:
    """The same tree with negation at the leaves and layers numbered from the leaves up."""
    if isinstance(tree, int):
        return ~tree if negative else tree
    sign, parts = tree
    if sign == "!":
        return layered(parts[0], not negative)
    wide = (sign == "|") != negative
    below: list[Layered] = []
    for part in parts:
        one = layered(part, negative)
        if isinstance(one, tuple) and (one[0] % 2 == 1) == wide:
            below.extend(one[1])
        else:
            below.append(one)
    top = max(height(part) for part in below) + 1
    return (top if (top % 2 == 1) == wide else top + 1, tuple(below))


def height(tree: Layered) -> int:
    """The layers a tree needs; 0 for a literal."""
    return 0 if isinstance(tree, int) else tree[0]


class Growing:
    """Trees of one height while they are put together."""

    def __init__(self, layers: int) -> None:
        self.literals: list[int] = []
        self.sizes: list[list[int]] = [[] for _ in range(layers)]

    def add(self, tree: Layered) -> None:
        """Put one more tree at the end."""
        self._add(tree, len(self.sizes))

    def _add(self, tree: Layered, layer: int) -> None:
        if layer == 0:
            assert isinstance(tree, int)
            self.literals.append(tree)
            return
        if isinstance(tree, tuple) and tree[0] == layer:
            self.sizes[layer - 1].append(len(tree[1]))
            for part in tree[1]:
                self._add(part, layer - 1)
        else:
            self.sizes[layer - 1].append(1)
            self._add(tree, layer - 1)

    def done(self) -> "Clauses":
        """The arrays."""
        return Clauses(
            np.array(self.literals, dtype=np.int32),
            tuple(np.array(sizes, dtype=np.int32) for sizes in self.sizes),
        )


@dataclass(frozen=True)
class Clauses:
    """Trees of one height. literals: of all trees, behind each other. sizes: for each layer from
    the leaves up, how many members each of its groups has (1 or more)."""

    literals: Numbers
    sizes: tuple[Numbers, ...]

    def __post_init__(self) -> None:
        ends = tuple(_offsets(sizes) for sizes in self.sizes)
        object.__setattr__(self, "ends", ends)

    ends: tuple[Offsets, ...] = ()
    """For each layer, where each group begins among the groups below; one entry more at the end."""

    def __len__(self) -> int:
        return len(self.sizes[-1])

    def steps(self) -> Iterator[tuple[int, int]]:
        """(first, past) of parts small enough to stay in the cache."""
        for first in range(0, len(self), _STEP):
            yield first, min(first + _STEP, len(self))

    def spans(self, first: int, past: int) -> list[tuple[int, int]]:
        """For each layer from the top down to the literals: (first, past) of the trees' groups."""
        found = [(first, past)]
        for ends in reversed(self.ends):
            first, past = int(ends[first]), int(ends[past])
            found.append((first, past))
        return found

    def layers(self, table: Bits, first: int, past: int) -> list[Bits]:
        """Truth of the literals, then of each layer's groups, for the trees from first to past.

        table: truth of each leaf, and behind them of their negations backwards (see ``doubled``).
        """
        spans = self.spans(first, past)[::-1]
        found = [table.take(self.literals[spans[0][0] : spans[0][1]])]
        for layer, (start, end) in enumerate(spans[1:], start=1):
            begins = self.ends[layer - 1][start:end] - self.ends[layer - 1][start]
            join = np.bitwise_or if layer % 2 else np.bitwise_and
            found.append(join.reduceat(found[-1], begins))
        return found

    def evaluate(self, table: Bits) -> Bits:
        """Truth of every tree."""
        found = np.empty(len(self), dtype=np.uint64)
        for first, past in self.steps():
            found[first:past] = self.layers(table, first, past)[-1]
        return found

    def owners(self, first: int, past: int) -> Numbers:
        """For each literal of the trees from first to past, its tree, counted from first."""
        owners = np.arange(past - first, dtype=np.int32)
        for layer, (start, end) in zip(
            reversed(self.sizes), self.spans(first, past)[:-1], strict=True
        ):
            owners = np.repeat(owners, layer[start:end])
        return owners

    def chosen(self, keep: NDArray[np.bool_]) -> "Clauses":
        """The trees for which ``keep`` is true."""
        sizes = []
        for layer in reversed(self.sizes):
            sizes.append(layer[keep])
            keep = np.repeat(keep, layer)
        return Clauses(self.literals[keep], tuple(reversed(sizes)))

    def renumbered(self, numbers: Numbers) -> "Clauses":
        """With leaf i called ``numbers[i]``."""
        signed = np.concatenate((numbers, ~numbers[::-1]))
        return Clauses(signed.take(self.literals), self.sizes)

    def leaves(self, most: int) -> NDArray[np.bool_]:
        """For each leaf number below ``most``: some tree has it."""
        used = np.zeros(2 * most, dtype=np.bool_)
        used[self.literals] = True
        either: NDArray[np.bool_] = used[:most] | used[: most - 1 : -1] if most else used
        return either

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        rows = sum(part.nbytes for part in (self.literals, *self.sizes))
        return rows + sum(part.nbytes for part in self.ends)


def joined(parts: Sequence[Clauses]) -> Clauses:
    """Trees of one height behind each other."""
    return Clauses(
        np.concatenate([part.literals for part in parts]),
        tuple(np.concatenate(layer) for layer in zip(*(p.sizes for p in parts), strict=True)),
    )


def doubled(bits: Bits) -> Bits:
    """The table of literals: number i is ``bits[i]``, number ``~i`` its negation."""
    return np.concatenate((bits, ~bits[::-1]))


def _offsets(sizes: Numbers) -> Offsets:
    found = np.zeros(len(sizes) + 1, dtype=np.int64)
    np.cumsum(sizes, out=found[1:])
    return found
