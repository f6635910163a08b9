"""One meaning of "the same word", for queries and papers alike.

A word is a run of letters and digits; anything else ends it. Its key is what is left after
compatibility forms (NFKC), case, accents and Greek letters (spelled by name) are evened out.
A possessive 's drops out. Chinese, Japanese and Korean letters are words of their own, so that
any run of them can be found as a phrase. Offsets always point into the text that was given.
"""

import re
import unicodedata
from functools import lru_cache

from anyascii import anyascii

from service.text.tokens import Folded, stem

FOLD_VERSION = 4
"""Raise it whenever any text may fold differently: stored streams and queries are then redone."""

LONGEST_WORD = 256
"""Characters of one word that count; its offsets cover all of it."""

_RUN = re.compile(r"[^\W_]+")
_IDEOGRAPH = re.compile(
    "([\u1100-\u115f\ua960-\ua97c][\u1160-\u11a7\ud7b0-\ud7c6][\u11a8-\u11ff\ud7cb-\ud7fb]?"
    "|[\uac00-\ud7a3][\u11a8-\u11ff]"
    "|[\uff66-\uff9d][\uff9e\uff9f]"
    "|[\u1100-\u11ff\u3005-\u3007\u3038-\u303a\u3040-\u30ff\u3130-\u318f\u3192-\u319f"
    "\u31a0-\u31bf\u31f0-\u31ff\u3220-\u3247\u3280-\u32b0\u3400-\u4dbf\u4e00-\u9fff"
    "\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uffdc"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff])"
)
"""A letter of Chinese, Japanese or Korean: also a syllable written as its parts, and a half-width
letter with its mark."""

_WHOLE = frozenset("\u309f\u30ff")
"""Kana that stand for two: taken apart they would be two words in one place."""

_APOSTROPHES = "'\u2019\u02bc\u2018\u0060\u00b4\uff07"
_TRANSPARENT = frozenset(("Mn", "Mc", "Me", "Cf"))
_JOINING = frozenset("-_/\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d\u00ad" + _APOSTROPHES)
_GREEK_RUN = re.compile("[\u03b1-\u03c9]+")
_MOST_GREEK = 2


def _greek_names() -> dict[str, str]:
    names = {}
    for code in range(0x3B1, 0x3CA):
        name = unicodedata.name(chr(code)).rsplit(" ", 1)[-1].lower()
        names[chr(code)] = "lambda" if name == "lamda" else name
    return names


_GREEK = _greek_names()


def _spell_greek(word: str) -> str:
    """Symbols by name ("βvae" -> "betavae"); a word written in Greek stays as it is."""

    def spelled(found: re.Match[str]) -> str:
        letters = found.group()
        if len(letters) > _MOST_GREEK:
            return letters
        return "".join(_GREEK.get(letter, letter) for letter in letters)

    return _GREEK_RUN.sub(spelled, word)


def _loses_accents(letter: str) -> bool:
    """Latin, Greek and Cyrillic; in other scripts a mark is a letter's other half."""
    return letter < "\u0530" or "\u1d00" <= letter < "\u2000"


@lru_cache(maxsize=100_000)
def _forms(raw: str) -> tuple[str, str, str]:
    """(key, exact, cased) of one run as written; ("", "", "") when nothing of it counts."""
    if raw in _WHOLE:
        return raw, raw, raw
    kept: list[str] = []
    base = "a"
    for letter in unicodedata.normalize("NFKD", raw[:LONGEST_WORD]):
        category = unicodedata.category(letter)
        if category[0] == "M":
            if not _loses_accents(base) and kept:
                kept.append(letter)
        elif letter.isalnum() and letter not in _APOSTROPHES:
            base = letter
            latin = "\u00c0" <= letter < "\u0180"
            kept.append(anyascii(letter) if latin else letter)
    cased = unicodedata.normalize("NFC", "".join(kept))
    exact = cased.casefold()
    return _spell_greek(exact), exact, cased


def _gap(between: str) -> str:
    if between == " ":  # nearly always
        return " "
    if not between or (len(between) <= 3 and all(sign in _JOINING for sign in between)):
        return "-"
    return " " if between.isspace() else "."


class _Rows:
    """The columns while they grow."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.keys: list[str] = []
        self.exact: list[str] = []
        self.cased: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.gaps: list[str] = []
        self.gap_from = 0

    def add(self, start: int, end: int) -> None:
        raw = self.text[start : min(end, start + LONGEST_WORD)]
        if raw.isascii():
            key = exact = raw.lower()
            cased = raw
        else:
            key, exact, cased = _forms(raw)
            if not key:
                return
        if self.keys:
            self.gaps.append(_gap(self.text[self.gap_from : start]))
        self.keys.append(key)
        self.exact.append(exact)
        self.cased.append(cased)
        self.starts.append(start)
        self.ends.append(end)
        self.gap_from = end

    def folded(self) -> Folded:
        if self.keys:
            self.gaps.append(".")
        return Folded(
            keys=tuple(self.keys),
            exact=tuple(self.exact),
            cased=tuple(self.cased),
            stems=tuple(map(stem, self.keys)),
            starts=tuple(self.starts),
            ends=tuple(self.ends),
            gaps="".join(self.gaps),
        )


def fold(text: str) -> Folded:
    """Fold ``text`` into words with offsets into it.

    Never raises and takes time in proportion to the length, whatever the text holds: lone
    surrogates, NUL, a million combining marks.
    """
    rows = _Rows(text)
    if text.isascii():
        for found in _RUN.finditer(text):
            start, end = found.span()
            if end - start > 1 or not _is_possessive(text, start, end, rows):
                rows.add(start, end)
        return rows.folded()
    for start, end in _runs(text):
        if _is_possessive(text, start, end, rows):
            continue
        if text[start:end].isascii():
            rows.add(start, end)
        else:
            _add_split(rows, start, end)
    return rows.folded()


def _is_possessive(text: str, start: int, end: int, rows: _Rows) -> bool:
    if end - start != 1 or text[start] not in "sS" or start < 2:
        return False
    if text[start - 1] not in _APOSTROPHES or not rows.ends or rows.ends[-1] != start - 1:
        return False
    rows.gap_from = end
    return True


def _runs(text: str) -> list[tuple[int, int]]:
    """Runs of letters and digits; marks and invisible signs inside or after one belong to it."""
    runs: list[tuple[int, int]] = []
    for found in _RUN.finditer(text.replace("\u02bc", "'")):
        start, end = found.span()
        if runs and _is_transparent(text, runs[-1][1], start):
            runs[-1] = (runs[-1][0], end)
            continue
        if runs:
            runs[-1] = (runs[-1][0], _past_marks(text, runs[-1][1], start))
        runs.append((start, end))
    if runs:
        runs[-1] = (runs[-1][0], _past_marks(text, runs[-1][1], len(text)))
    return runs


def _past_marks(text: str, start: int, limit: int) -> int:
    while start < limit and unicodedata.category(text[start])[0] == "M":
        start += 1
    return start


def _is_transparent(text: str, start: int, end: int) -> bool:
    return all(unicodedata.category(text[at]) in _TRANSPARENT for at in range(start, end))


def _add_split(rows: _Rows, start: int, end: int) -> None:
    """Add one run, its ideographs apart; a mark stays with the letter before it."""
    piece = start
    for found in _IDEOGRAPH.finditer(rows.text, start, end):
        if found.start() < piece:
            continue
        if found.start() > piece:
            rows.add(piece, found.start())
        piece = _past_marks(rows.text, found.end(), end)
        rows.add(found.start(), piece)
    if piece < end:
        rows.add(piece, end)
