"""A block of profiles as named arrays, and back: the snapshot of the index (see ``mapped``)."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from service.matching.block import Block, Leaves, Trees
from service.matching.clauses import Clauses
from service.matching.compiled import FORM_VERSION
from service.matching.mapped import pack, unpack
from service.matching.strings import Array
from service.matching.trie import Paths
from service.matching.wording import Vocabulary

PACK_VERSION = 3
"""Raise it whenever the arrays, or how leaves become rows of symbols, change."""

_WHAT = "profiles", (PACK_VERSION, FORM_VERSION)


def pack_block(block: Block, facts: Mapping[str, Any]) -> Iterator[bytes | memoryview]:
    """The snapshot in pieces to be written one after the other. facts: of the caller, as JSON."""
    return pack(*_WHAT, _arrays_of(block), dict(facts))


def unpack_block(data: memoryview) -> tuple[Block, dict[str, Any]]:
    """The block, whose arrays lie in ``data`` (it may be a mapped file), and the facts.

    Raises TornError when it is torn or of another version.
    """
    arrays, facts = unpack(data, *_WHAT)
    return _block_of(arrays), facts


def _arrays_of(block: Block) -> dict[str, Array]:
    found: dict[str, Array] = {
        "ids": block.ids,
        "stamps": block.stamps,
        "by_hand": block.by_hand,
        "tree_signs": block.trees.signs,
        "tree_sizes": block.trees.sizes,
        "leaf_texts": np.frombuffer(block.leaves.texts, dtype=np.uint8),
        "leaf_ends": block.leaves.ends,
        "leaf_how": block.leaves.how,
        "leaf_places": block.leaves.places,
        "symbols": np.frombuffer(block.vocabulary.to_bytes(), dtype=np.uint8),
        "path_leaf": block.paths.leaf,
        "path_sizes": block.paths.sizes,
        "path_symbols": block.paths.symbols,
        "needy": block.needy,
        "distances": block.distances,
    }
    for name, part in (("needs", block.needs), *_numbered(block.clauses)):
        found[f"{name}_literals"] = part.literals
        for layer, sizes in enumerate(part.sizes, start=1):
            found[f"{name}_sizes_{layer}"] = sizes
    return found


def _numbered(clauses: tuple[Clauses, ...]) -> Iterator[tuple[str, Clauses]]:
    for high, part in enumerate(clauses, start=1):
        yield f"clauses_{high}", part


def _block_of(arrays: Mapping[str, Array]) -> Block:
    clauses: list[Clauses] = []
    while f"clauses_{len(clauses) + 1}_literals" in arrays:
        clauses.append(_clauses_of(arrays, f"clauses_{len(clauses) + 1}", len(clauses) + 1))
    return Block(
        ids=arrays["ids"],
        stamps=arrays["stamps"],
        by_hand=arrays["by_hand"],
        clauses=tuple(clauses),
        trees=Trees(arrays["tree_signs"], arrays["tree_sizes"]),
        leaves=Leaves(
            arrays["leaf_texts"].tobytes(),
            arrays["leaf_ends"],
            arrays["leaf_how"],
            arrays["leaf_places"],
        ),
        vocabulary=Vocabulary.from_bytes(arrays["symbols"].tobytes()),
        paths=Paths(arrays["path_leaf"], arrays["path_sizes"], arrays["path_symbols"]),
        needy=arrays["needy"],
        needs=_clauses_of(arrays, "needs", 2),
        distances=arrays["distances"],
    )


def _clauses_of(arrays: Mapping[str, Array], name: str, layers: int) -> Clauses:
    sizes = tuple(arrays[f"{name}_sizes_{layer}"] for layer in range(1, layers + 1))
    return Clauses(arrays[f"{name}_literals"], sizes)
