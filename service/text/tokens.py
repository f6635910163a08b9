"""The words of a folded text: their forms, their stems and where they stand in what is shown."""

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


class _Snowball(Protocol):
    def stemWord(self, word: str) -> str: ...  # noqa: N802


def _stemmer() -> _Snowball:
    if _native:
        made: _Snowball = Stemmer.Stemmer("english", 0)
        return made
    slow: _Snowball = snowballstemmer.stemmer("english")
    return slow


_ENGLISH = _stemmer()


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """Snowball's English stem of a folded word ("quantization" -> "quantiz")."""
    return _ENGLISH.stemWord(word) if len(word) <= LONGEST_STEMMED else word


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
