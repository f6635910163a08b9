"""What was typed, in the signs that the grammar reads; every place can be told back. Pure."""

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import lru_cache

from service.errors import Sentence
from service.matching.query import MOST_BYTES, QueryError
from service.text.tex import ACCENT, read_powers, to_unicode

_SIGNS = str.maketrans(
    {
        **dict.fromkeys("“”„‟«»″＂〝〞〟", '"'),
        **dict.fromkeys("‘’‚‛＇′", "'"),
        **dict.fromkeys("‐‑‒–—―−－", "-"),
        **dict.fromkeys("\u200b\ufeff\u00a0\u3000\u0000", " "),
        **dict(zip("（）：＊＝～＞＜＋！？｜＆［］｛｝", "():*=~><+!?|&[]{}", strict=True)),
    }
)
_LONGER = re.compile(
    r"``|''"
    r"|\$[^$\"()]{1,80}\$"
    r"|\\(?:emph|text[a-z]{2}|math[a-z]{2,3})\{[^{}\"()]{1,80}\}"
    r"|(?<![\w^])[A-Za-z]{1,2}\^(?:\{-?\d{1,2}\}|-?\d{1,2})(?!\w)"
    rf"|{ACCENT.pattern}"
)
"""What is written with more signs than it has: TeX's quotes, formulas, fonts, powers, accents."""


@dataclass(frozen=True, slots=True)
class Typed:
    """text: as it is read · starts, shifts: from each of these characters on, how many more the
    typed text has before it."""

    text: str
    starts: list[int] = field(default_factory=list)
    shifts: list[int] = field(default_factory=list)

    def place(self, position: int) -> int:
        """The 1-based character of the typed text that shows character ``position``."""
        found = bisect_right(self.starts, position - 1) - 1
        return position + (self.shifts[found] if found >= 0 else 0)


def read_signs(text: str) -> Typed:
    """The signs of phones and the letters of TeX as those that the grammar knows."""
    if not any(sign in text for sign in "\\$`'^"):
        return Typed(text.translate(_SIGNS))
    pieces: list[str] = []
    starts: list[int] = []
    shifts: list[int] = []
    at = length = 0
    for found in _LONGER.finditer(text):
        read = _shown(found[0], text)
        pieces += [text[at : found.start()], read]
        length += found.start() - at + len(read)
        at = found.end()
        starts.append(length)
        shifts.append(at - length)
    pieces.append(text[at:])
    return Typed("".join(pieces).translate(_SIGNS), starts, shifts)


def _shown(piece: str, text: str) -> str:
    if piece in ("``", "''"):
        return '"' if "``" in text and "''" in text else piece
    if piece[0] == "$" and not any(sign in piece for sign in "\\^_{"):
        return piece
    return _converted(piece)


@lru_cache(maxsize=1000)
def _converted(piece: str) -> str:
    return to_unicode(piece) if piece[0] in "$\\{" else read_powers(piece)


def check_size(text: str) -> None:
    """At most 1 kB, of characters that every store can hold."""
    found = re.search("[\ud800-\udfff]", text)
    if found:
        position = found.start() + 1
        what = Sentence("Character %(position)s cannot be read.", position=position)
        raise QueryError(what, next_step=Sentence("Take it away."))
    size = len(text.encode("utf-8"))
    if size > MOST_BYTES:
        raise QueryError(
            Sentence(
                "This is %(size)s bytes long; %(most)s are the most.", size=size, most=MOST_BYTES
            ),
            position=len(text.encode("utf-8")[:MOST_BYTES].decode("utf-8", "ignore")) + 1,
            next_step=Sentence("Split it into two interests."),
        )


def at_typed(error: QueryError, typed: Typed) -> QueryError:
    """The error with its place in the text that was typed."""
    place = typed.place(error.position)
    if error.position < 1 or place == error.position:
        return error
    what = error.what
    if isinstance(what, Sentence) and what.values.get("position") == error.position:
        what = what.again(position=place)
    error.what, error.position = what, place
    error.args = (what,)
    return error
