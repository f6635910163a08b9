"""The words of a folded text: their forms, their stems and where they stand in what is shown."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

try:
    import Stemmer

    _native = True
except ImportError:  # pragma: no cover - the compiled wheel is missing on this platform
    _native = False
import snowballstemmer

LONGEST_STEMMED = 64
"""Words longer than this are left as they are: they are no English words."""

# fmt: off
NOT_JOINED = frozenset((
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "can", "do", "for", "from",
    "has", "have", "he", "her", "his", "i", "if", "in", "into", "is", "it", "its", "may",
    "more", "most", "no", "not", "of", "off", "on", "onto", "or", "our", "out", "per", "so",
    "than", "that", "the", "their", "them", "then", "there", "these", "they", "this",
    "those", "to", "up", "us", "via", "was", "we", "were", "when", "where", "which",
    "while", "who", "will", "with", "within", "without", "you",
))
# fmt: on
"""Words that are not read together with a neighbour across white space ("the rapist")."""


class _Snowball(Protocol):
    def stemWord(self, word: str) -> str: ...

    def stemWords(self, words: list[str]) -> list[str]: ...


class _Stemmers(threading.local):
    """One stemmer a thread: neither library's object may be shared."""

    def __init__(self) -> None:
        made: _Snowball
        made = Stemmer.Stemmer("english", 0) if _native else snowballstemmer.stemmer("english")
        self.english = made


_STEMMERS = _Stemmers()


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """Snowball's English stem of a folded word ("quantization" -> "quantiz")."""
    return _STEMMERS.english.stemWord(word) if len(word) <= LONGEST_STEMMED else word


def _stem_all(words: list[str]) -> list[str]:
    """Stems of words that are rarely seen again: no memory is kept of them."""
    stems = _STEMMERS.english.stemWords([word[:LONGEST_STEMMED] for word in words])
    return [
        stemmed if len(word) <= LONGEST_STEMMED else word
        for word, stemmed in zip(words, stems, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Token:
    """One word: ``shown[start:end]`` is what a highlighter marks."""

    key: str
    exact: str
    cased: str
    stem: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Folded:
    """A text as parallel rows, one entry per word (a run of letters and digits; in Chinese,
    Japanese and Korean one letter).

    keys: folded (case, accents and compatibility forms gone, Greek letters by name).
    exact: the same in lower case with Greek letters kept: what ``=word`` compares.
    cased: as ``exact`` in the case of the text: what ``=RAG`` compares.
    stems: the key's English stem.
    starts, ends: offsets into the shown text, in characters.
    gaps: one character per word, what stands between it and the next one: "-" (hyphen, dash,
        apostrophe, slash, underscore or nothing), " " (white space only), "." (anything else;
        always so for the last word).
    """

    keys: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()
    cased: tuple[str, ...] = ()
    stems: tuple[str, ...] = ()
    starts: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()
    gaps: str = ""

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def tokens(self) -> Sequence[Token]:
        """The rows as values, for reading; hot paths use the columns."""
        return tuple(self._rows())

    def _rows(self) -> Iterator[Token]:
        rows = zip(
            self.keys, self.exact, self.cased, self.stems, self.starts, self.ends, strict=True
        )
        for key, exact, cased, stemmed, start, end in rows:
            yield Token(key, exact, cased, stemmed, start, end)


def is_ideograph(key: str) -> bool:
    """True for the one-letter words of Chinese, Japanese and Korean."""
    return len(key) == 1 and key >= "\u1100"


def _may_join(left: str, right: str, gap: str) -> bool:
    if gap == ".":
        return False
    if gap == " " and (left in NOT_JOINED or right in NOT_JOINED):
        return False
    if len(left) > 1 and len(right) > 1:
        return True
    if is_ideograph(left) or is_ideograph(right):
        return False
    return gap == "-" or not any(len(piece) == 1 and piece.isalpha() for piece in (left, right))


def joins_of_two(folded: Folded) -> tuple[str, ...]:
    """For each word the stem of it and the next written as one; "" where that does not count.

    "fine-tuning" and "fine tuning" join; across a full stop or comma, and across a blank beside
    a small word or a single letter, nothing does.
    """
    keys, gaps = folded.keys, folded.gaps
    found = [""] * len(keys)
    places = [at for at in range(len(keys) - 1) if _may_join(keys[at], keys[at + 1], gaps[at])]
    pairs = [keys[at] + keys[at + 1] for at in places]
    for at, joined in zip(places, _stem_all(pairs), strict=True):
        found[at] = joined
    return tuple(found)


def joins_of_three(folded: Folded) -> tuple[str, ...]:
    """The same for three words ("end-to-end", "end to end").

    Hyphenated ones always join. Over a blank the outer two must be words that may be joined;
    the one between them may be a small word, and none a single letter or figure.
    """
    keys, gaps = folded.keys, folded.gaps
    found = [""] * len(keys)
    inner = [len(key) > 1 for key in keys]
    outer = [len(key) > 1 and key not in NOT_JOINED for key in keys]
    places = [
        at
        for at in range(len(keys) - 2)
        if (outer[at] and inner[at + 1] and outer[at + 2] and "." not in gaps[at : at + 2])
        or (gaps[at : at + 2] == "--" and not any(map(is_ideograph, keys[at : at + 3])))
    ]
    threes = ["".join(keys[at : at + 3]) for at in places]
    for at, joined in zip(places, _stem_all(threes), strict=True):
        found[at] = joined
    return tuple(found)
