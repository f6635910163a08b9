"""Arrays by name as the bytes of one file, and back without copying them.

Eight bytes of mark, eight with the length of the head, the head as JSON (versions; for each array
its type, shape, place and check sum), then the arrays, each on a border of 64 bytes.
"""

import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from service.errors import PaperpostError
from service.matching.strings import Array
from service.text.fold import FOLD_VERSION

_MARK = b"ppcorpus"
_FORM = 1
"""Raise it whenever the arrays mean something else."""

_BORDER = 64


class TornError(PaperpostError):
    """The bytes are not what was written, or were written by another version."""


def pack(arrays: Mapping[str, Array], mark: int = 0) -> Iterator[bytes | memoryview]:
    """The file in pieces, in order. mark: of the caller, handed back as it is."""
    rows: dict[str, list[Any]] = {}
    pieces: list[memoryview] = []
    at = 0
    for name, array in arrays.items():
        piece = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        rows[name] = [array.dtype.str, list(array.shape), at, zlib.crc32(piece)]
        pieces.append(piece)
        at += _padded(piece.nbytes)
    said = {"fold": FOLD_VERSION, "form": _FORM, "bytes": at, "mark": mark, "arrays": rows}
    head = json.dumps(said).encode()
    head += b" " * (_padded(16 + len(head)) - 16 - len(head))
    yield _MARK + len(head).to_bytes(4, "little") + zlib.crc32(head).to_bytes(4, "little")
    yield head
    for piece in pieces:
        yield piece
        yield bytes(_padded(piece.nbytes) - piece.nbytes)


def unpack(packed: memoryview, *, checked: bool = False) -> tuple[dict[str, Array], int]:
    """(the arrays, which lie in ``packed``; the mark). checked: every byte is looked at, not the
    head alone.

    Raises TornError.
    """
    size = int.from_bytes(packed[8:12], "little")
    head = bytes(packed[16 : 16 + size])
    if bytes(packed[:8]) != _MARK or len(head) < size:
        raise TornError("This is no file of the corpus, or only its beginning.")
    if zlib.crc32(head) != int.from_bytes(packed[12:16], "little"):
        raise TornError("The head of the file is torn.")
    said = json.loads(head)
    if (said["fold"], said["form"]) != (FOLD_VERSION, _FORM):
        raise TornError("The file was written by another version.")
    body = packed[16 + size :]
    if len(body) != said["bytes"]:
        raise TornError(f"The file has {len(body)} bytes of arrays, not {said['bytes']}.")
    arrays = {}
    for name, (kind, shape, at, check) in said["arrays"].items():
        dtype = np.dtype(kind)
        count = int(np.prod(shape, dtype=np.int64))
        if checked and zlib.crc32(body[at : at + count * dtype.itemsize]) != check:
            raise TornError(f"The column {name} of the file is torn.")
        arrays[name] = np.frombuffer(body, dtype, count, at).reshape(shape)
    return arrays, int(said["mark"])


def _padded(size: int) -> int:
    return -(-size // _BORDER) * _BORDER
