"""Distinct strings as two arrays: their UTF-8 bytes behind one another, and where each begins.

In the order of their bytes, which is the order of their letters; so a string is found by halving,
and those with one beginning stand side by side. Nothing is decoded that nobody asks for.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_EVERY = 64


class Strings(Sequence[str]):
    """Strings by number, and numbers by string."""

    def __init__(self, letters: Array, begins: Array) -> None:
        """letters: uint8. begins: int64, one more than there are strings."""
        self.letters = letters
        self.begins = begins
        self._letters = letters.data if len(letters) else memoryview(b"")
        self._begins = begins.data
        self._marks: list[bytes] | None = None

    @classmethod
    def of(cls, strings: Iterable[str]) -> "Strings":
        """Take in strings, each once, in any order."""
        encoded = sorted({text.encode("utf-8", "surrogatepass") for text in strings})
        begins = np.zeros(len(encoded) + 1, dtype=np.int64)
        np.cumsum([len(text) for text in encoded], out=begins[1:])
        return cls(np.frombuffer(b"".join(encoded), dtype=np.uint8), begins)

    def __len__(self) -> int:
        return len(self.begins) - 1

    def __getitem__(self, number: Any) -> Any:
        return self._bytes(number).decode("utf-8", "surrogatepass")

    def find(self, text: str) -> int:
        """The number of a string, -1 where it is not here."""
        wanted = text.encode("utf-8", "surrogatepass")
        at = self._first_from(wanted)
        return at if at < len(self) and self._bytes(at) == wanted else -1

    def beginning(self, prefix: str) -> range:
        """The numbers of the strings that begin with ``prefix``."""
        wanted = prefix.encode("utf-8", "surrogatepass")
        return range(self._first_from(wanted), self._first_from(wanted + b"\xff"))

    def numbers(self, strings: Sequence[str]) -> Array:
        """The numbers of many strings that are all here."""
        known = {text: number for number, text in enumerate(self)}
        return np.array([known[text] for text in strings], dtype=np.int32)

    def _first_from(self, wanted: bytes) -> int:
        """The first string that is not before ``wanted``; the rough place is found in memory."""
        if self._marks is None:
            self._marks = [self._bytes(at) for at in range(0, len(self), _EVERY)]
        block = max(0, bisect_left(self._marks, wanted) - 1) * _EVERY
        return bisect_left(
            range(len(self)), wanted, block, min(len(self), block + _EVERY + 1), key=self._bytes
        )

    def _bytes(self, number: int) -> bytes:
        return bytes(self._letters[self._begins[number] : self._begins[number + 1]])
