"""Where the words of a shown text stood in the text as it was typed. Pure."""

import re
from bisect import bisect_right
from dataclasses import dataclass
from difflib import SequenceMatcher

_PIECE = re.compile(r"[^\W_]+|[^\w\s]|_")
_CHUNK = re.compile(r"\S+")
_MANY = 1500
"""Pieces from which on those that stand everywhere are no places to begin from: it would cost
too much."""

_Row = tuple[int, int, int, int]
"""Start and end in the shown text, start and end in the typed one."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Rows of pieces in order; those of the same letters on both sides are exact to the letter."""

    typed: str
    shown: str
    rows: tuple[_Row, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The characters of the typed text that show ``shown[start:end]``, which begins and ends
        with something visible. What was turned as a whole (a formula) is given as a whole."""
        if not self.rows:
            return start, end
        first, last = self._row(start), self._row(end - 1)
        begin = first[2] + (start - first[0] if self._is_exact(first) else 0)
        past = last[3] - (last[1] - end if self._is_exact(last) else 0)
        return begin, max(begin, past)

    def _row(self, at: int) -> _Row:
        found = bisect_right(self.rows, at, key=lambda row: row[0]) - 1
        return self.rows[max(found, 0)]

    def _is_exact(self, row: _Row) -> bool:
        return self.shown[row[0] : row[1]] == self.typed[row[2] : row[3]]


def align(typed: str, shown: str) -> Alignment:
    """Lay the pieces of two texts of the same words beside each other."""
    if typed == shown:
        return Alignment(typed, shown, ())
    ours = [found.span() for found in _PIECE.finditer(shown)]
    theirs = [found.span() for found in _PIECE.finditer(typed)]
    matcher = SequenceMatcher(
        None,
        [shown[start:end] for start, end in ours],
        [typed[start:end] for start, end in theirs],
        autojunk=len(theirs) > _MANY,
    )
    rows: list[_Row] = []
    for same, one, past_one, other, past_other in matcher.get_opcodes():
        if same == "equal":
            pairs = zip(ours[one:past_one], theirs[other:past_other], strict=True)
            rows += [(*mine, *their) for mine, their in pairs]
        elif one < past_one and other < past_other:
            mine = ours[one][0], ours[past_one - 1][1]
            their = theirs[other][0], theirs[past_other - 1][1]
            rows += _chunks(shown, mine, typed, their)
        elif one < past_one:
            at = theirs[other - 1][1] if other else 0
            rows.append((ours[one][0], ours[past_one - 1][1], at, at))
    return Alignment(typed, shown, tuple(rows))


def _chunks(shown: str, mine: tuple[int, int], typed: str, their: tuple[int, int]) -> list[_Row]:
    """Chunk by chunk where blanks part both sides into as many, else as a whole."""
    ours = [found.span() for found in _CHUNK.finditer(shown, *mine)]
    theirs = [found.span() for found in _CHUNK.finditer(typed, *their)]
    if len(ours) != len(theirs):
        return [(*mine, *their)]
    return [(*one, *other) for one, other in zip(ours, theirs, strict=True)]
