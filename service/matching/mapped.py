"""Arrays by name as the bytes of one file, and back without copying them.

Eight bytes of mark, four with the length of the head and four with its check sum, the head as JSON
(what it is, versions, note; for each array its type, shape, place and check sum), then the arrays,
each on a border of 64 bytes. Pure; files are ``store/derived_files``.
"""

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from service.errors import PaperpostError
from service.matching.strings import Array
from service.text.fold import FOLD_VERSION

_MARK = b"pparrays"
_BORDER = 64


class TornError(PaperpostError):
    """The bytes are not what was written, or were written by another version; make them anew."""


def pack(
    kind: str, versions: Sequence[int], arrays: Mapping[str, Array], note: Any = None
) -> Iterator[bytes | memoryview]:
    """The file in pieces, in order. kind, versions: what the arrays are, and which makes of it;
    whoever reads must ask for the same. note: JSON values, handed back as they are."""
    rows: dict[str, list[Any]] = {}
    pieces: list[bytes | memoryview] = []
    at = 0
    for name, array in arrays.items():
        piece = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        gap = bytes(_padded(piece.nbytes) - piece.nbytes)
        rows[name] = [array.dtype.str, list(array.shape), at, zlib.crc32(gap, zlib.crc32(piece))]
        pieces += [piece, gap]
        at += piece.nbytes + len(gap)
    said = {"is": _said(kind, versions), "bytes": at, "note": note, "arrays": rows}
    head = json.dumps(said).encode()
    head += b" " * (_padded(16 + len(head)) - 16 - len(head))
    yield _MARK + len(head).to_bytes(4, "little") + zlib.crc32(head).to_bytes(4, "little")
    yield head
    yield from pieces


def unpack(
    packed: memoryview, kind: str, versions: Sequence[int], *, checked: bool = True
) -> tuple[dict[str, Array], Any]:
    """(the arrays, which lie in ``packed``; the note). checked: every byte is looked at, not the
    head alone.

    Raises TornError.
    """
    size = int.from_bytes(packed[8:12], "little")
    head = bytes(packed[16 : 16 + size])
    if bytes(packed[:8]) != _MARK or len(head) < size:
        raise TornError("This is no file of arrays, or only its beginning.")
    if zlib.crc32(head) != int.from_bytes(packed[12:16], "little"):
        raise TornError("The head of the file is torn.")
    said = json.loads(head)
    if said["is"] != _said(kind, versions):
        raise TornError("The file holds something else, or was written by another version.")
    body = packed[16 + size :]
    if len(body) != said["bytes"]:
        raise TornError(f"The file has {len(body)} bytes of arrays, not {said['bytes']}.")
    arrays = {}
    for name, (kind_of, shape, at, check) in said["arrays"].items():
        dtype = np.dtype(kind_of)
        count = int(np.prod(shape, dtype=np.int64))
        if checked and zlib.crc32(body[at : at + _padded(count * dtype.itemsize)]) != check:
            raise TornError(f"The column {name} of the file is torn.")
        arrays[name] = np.frombuffer(body, dtype, count, at).reshape(shape)
    return arrays, said["note"]


def _said(kind: str, versions: Sequence[int]) -> list[Any]:
    return [kind, FOLD_VERSION, *versions]


def _padded(size: int) -> int:
    return -(-size // _BORDER) * _BORDER
