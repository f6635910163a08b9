"""A block of profiles as bytes, and back: the snapshot of the index. Pure; files are the flows'.

    magic (8 bytes) · length of the head (8 bytes) · head (JSON) · arrays, each at a multiple of 64

The head names version, size and checksum of what follows it, the arrays and facts of the caller.
A snapshot of another version, of another size or with another checksum is refused.
"""

import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.errors import PaperpostError
from service.matching.block import Block, Leaves, Trees
from service.matching.clauses import Clauses
from service.matching.compiled import FORM_VERSION
from service.matching.trie import Paths
from service.matching.wording import Vocabulary
from service.text.fold import FOLD_VERSION

PACK_VERSION = 1
"""Raise it whenever the arrays, or how leaves become rows of symbols, change."""

_MAGIC = b"PPINDEX\n"
_EVEN = 64
_TYPES = {"<i8", "<i4", "|u1", "|b1"}

Arrays = dict[str, NDArray[Any]]


class SnapshotError(PaperpostError):
    """A snapshot is torn, or of another version; make it again."""


def pack(block: Block, facts: Mapping[str, Any]) -> Iterator[bytes | memoryview]:
    """The snapshot in pieces to be written one after the other. facts: of the caller, as JSON."""
    arrays = _arrays_of(block)
    named, at, checksum = {}, 0, 0
    pieces: list[bytes | memoryview] = []
    for name, array in arrays.items():
        data = np.ascontiguousarray(array).view(np.uint8).data if array.size else b""
        named[name] = [array.dtype.newbyteorder("<").str, len(array), at]
        gap = bytes(-len(data) % _EVEN)
        for piece in (data, gap):
            checksum = zlib.crc32(piece, checksum)
            pieces.append(piece)
        at += len(data) + len(gap)
    head = {
        "versions": [PACK_VERSION, FOLD_VERSION, FORM_VERSION],
        "size": at,
        "checksum": checksum,
        "arrays": named,
        "facts": dict(facts),
    }
    text = json.dumps(head).encode()
    text += b" " * (-(len(_MAGIC) + 8 + len(text)) % _EVEN)
    yield _MAGIC + len(text).to_bytes(8, "little") + text
    yield from pieces


def unpack(data: memoryview) -> tuple[Block, dict[str, Any]]:
    """The block, whose arrays lie in ``data`` (it may be a mapped file), and the facts.

    Raises SnapshotError when it is torn or of another version.
    """
    head, body = _head(data)
    if head.get("versions") != [PACK_VERSION, FOLD_VERSION, FORM_VERSION]:
        raise SnapshotError("The snapshot is of another version.")
    if head.get("size") != len(body) or zlib.crc32(body) != head.get("checksum"):
        raise SnapshotError("The snapshot is torn.")
    try:
        arrays = dict(_read(head["arrays"], body))
        return _block_of(arrays), dict(head["facts"])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise SnapshotError("The snapshot is torn.") from None


def _read(named: Mapping[str, Any], body: memoryview) -> Iterator[tuple[str, NDArray[Any]]]:
    for name, (kind, count, at) in named.items():
        if kind not in _TYPES:
            raise SnapshotError(f"The snapshot has numbers of type {kind}.")
        yield name, np.frombuffer(body, dtype=np.dtype(kind), count=count, offset=at)


def _head(data: memoryview) -> tuple[dict[str, Any], memoryview]:
    start = len(_MAGIC) + 8
    if len(data) < start or bytes(data[: len(_MAGIC)]) != _MAGIC:
        raise SnapshotError("This is no snapshot.")
    size = int.from_bytes(data[len(_MAGIC) : start], "little")
    try:
        head = json.loads(bytes(data[start : start + size]))
    except ValueError:
        raise SnapshotError("The snapshot is torn.") from None
    if not isinstance(head, dict):
        raise SnapshotError("The snapshot is torn.")
    return head, data[start + size :]


def _arrays_of(block: Block) -> Arrays:
    found: Arrays = {
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


def _block_of(arrays: Arrays) -> Block:
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


def _clauses_of(arrays: Arrays, name: str, layers: int) -> Clauses:
    sizes = tuple(arrays[f"{name}_sizes_{layer}"] for layer in range(1, layers + 1))
    return Clauses(arrays[f"{name}_literals"], sizes)
