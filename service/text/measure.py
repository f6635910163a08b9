"""Text as an eye measures it: columns, and letters that are never parted. Pure.

A letter is what a reader sees as one: a base with its marks, an emoji of several signs, a flag, a
syllable of Korean (an easy form of Unicode UAX 29: nothing here parts what that keeps together in
the scripts of papers). Widths after Unicode UAX 11: Chinese, Japanese, Korean letters and emoji
take two columns, marks none.
"""

import re
import unicodedata
from collections.abc import Iterator

_JOINER = "\u200d"
_EMOJI_LOOK = "\ufe0f"
_MOST_FLAGS = 100
"""Halves of flags in a row that are looked back upon (an even number)."""
_SINGLE = re.compile(
    "[ -~\u00a0-\u00ac\u00ae-\u02ff\u0391-\u03a1\u03a3-\u0482\u048a-\u052f"
    "\u2010-\u2027\u2030-\u205e\u2190-\u22ff]*"
)
"""Text of which each character is a letter of one column."""


def columns(text: str) -> int:
    """Return how many columns of a fixed font ``text`` takes."""
    if is_single(text):
        return len(text)
    return sum(map(_width, letters(text)))


def is_single(text: str) -> bool:
    """True when it is plain to see that each character is a letter of one column."""
    return text.isascii() or _SINGLE.fullmatch(text) is not None


def letters(text: str) -> Iterator[str]:
    """Yield what a reader sees as one letter, in order."""
    start = 0
    for at in range(1, len(text)):
        if is_edge(text, at):
            yield text[start:at]
            start = at
    if text:
        yield text[start:]


def is_edge(text: str, at: int) -> bool:
    """True when ``text`` may be parted before character ``at``."""
    if at <= 0 or at >= len(text):
        return True
    sign, before = text[at], text[at - 1]
    if sign.isascii() and before.isascii():
        return True
    if _extends(sign) or before == _JOINER:
        return False
    if _is_flag_half(sign) and _is_flag_half(before):
        first = at
        while first > max(0, at - _MOST_FLAGS) and _is_flag_half(text[first - 1]):
            first -= 1
        return (at - first) % 2 == 0
    return not (unicodedata.combining(before) == 9 and sign.isalpha())  # a conjunct (virama)


def edge_before(text: str, at: int) -> int:
    """Return the last place up to ``at`` where ``text`` may be parted."""
    at = min(at, len(text))
    while not is_edge(text, at):
        at -= 1
    return at


def fitting(text: str, room: int) -> int:
    """Return how many characters fit into ``room`` columns, letters whole."""
    if is_single(text):
        return min(len(text), max(room, 0))
    at = used = 0
    for letter in letters(text):
        used += _width(letter)
        if used > room:
            break
        at += len(letter)
    return at


def is_wide(sign: str) -> bool:
    """True for a letter of Chinese, Japanese or Korean, or another of two columns."""
    return unicodedata.east_asian_width(sign) in "WF"


def _width(letter: str) -> int:
    base = letter[0]
    if len(letter) == 1 and base.isascii():
        return 1
    if is_wide(base) or _EMOJI_LOOK in letter or _is_flag_half(base):
        return 2
    return 0 if _extends(base) or unicodedata.category(base) in ("Cc", "Cf") else 1


def _extends(sign: str) -> bool:
    """A mark, a joiner, a tone of skin, a sign of look, or the rest of a Korean syllable."""
    if sign.isascii():
        return False
    return (
        unicodedata.category(sign)[0] == "M"
        or sign in "\u200c\u200d"
        or "\U0001f3fb" <= sign <= "\U0001f3ff"
        or "\u1160" <= sign <= "\u11ff"
        or "\U000e0020" <= sign <= "\U000e007f"
    )


def _is_flag_half(sign: str) -> bool:
    return "\U0001f1e6" <= sign <= "\U0001f1ff"
