"""An oracle for keyword lists that shares nothing with the product: it reads the list, folds and
stems by itself. (``support.oracle`` evaluates parsed queries.) By the language's description:

- a word is a run of letters and digits; a possessive 's drops out; a Chinese, Japanese or Korean
  letter is a word; accents and case do not count; one or two Greek letters are read by name;
- words are equal when their English stems are; a word with two or more capitals (but not a long
  one all in capitals) is equal to itself and its plural only;
- neighbours that are hyphenated, or stand apart by a blank and are no small words or single
  letters, may also be read as one word; so may three, hyphenated or of two signs at least each,
  where a small word may stand in the middle ("end to end");
- the beginning of a word (``quantiz*``) may go over a hyphen into the next word, not over a blank;
- a keyword occurs in title or abstract where the two can be cut into equal pieces.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import snowballstemmer

_SMALL = frozenset(
    [
        *("a", "an", "and", "are", "as", "at", "be", "but", "by", "can", "do", "for", "from"),
        *("has", "have", "he", "her", "his", "i", "if", "in", "into", "is", "it", "its", "may"),
        *("more", "most", "no", "not", "of", "off", "on", "onto", "or", "our", "out", "per"),
        *("so", "than", "that", "the", "their", "them", "then", "there", "these", "they"),
        *("this", "those", "to", "up", "us", "via", "was", "we", "were", "when", "where"),
        *("which", "while", "who", "will", "with", "within", "without", "you"),
    ]
)
_GREEK_NAMES = (
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"),
    *("lambda", "mu", "nu", "xi", "omicron", "pi", "rho", "sigma", "sigma", "tau", "upsilon"),
    *("phi", "chi", "psi", "omega"),
)
_GREEK = dict(zip("αβγδεζηθικλμνξοπρςστυφχψω", _GREEK_NAMES, strict=True))
_LETTERS = {"ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"}
_JOINERS = set("-_/‐‑‒–—―−'’‘`´\u00ad")
_RUN = re.compile(r"(?:[^\W_][\u0300-\u036f]*)+")
_EAST_ASIAN = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3"
_PIECE = re.compile(f"[{_EAST_ASIAN}]|[^{_EAST_ASIAN}]+")
_ENGLISH = snowballstemmer.stemmer("english")


@cache
def _stem(word: str) -> str:
    return str(_ENGLISH.stemWord(word)) if len(word) <= 64 else word


class _Text:
    """Words in folded and in written form, and what stands after each."""

    def __init__(self, text: str) -> None:
        self.words: list[str] = []
        self.written: list[str] = []
        self.gaps: list[str] = []
        end = None
        text = text.replace("\u00ad", "")
        for found in _RUN.finditer(text):
            for run in _PIECE.finditer(found.group()):
                start = found.start() + run.start()
                if run.group() in ("s", "S") and end == start - 1 and text[start - 1] in "'’‘`´":
                    end = start + 1
                    continue
                if end is not None:
                    between = text[end:start]
                    joiner = len(between) <= 3 and set(between) <= _JOINERS
                    self.gaps.append("-" if joiner else " " if between.isspace() else ".")
                self.words.append(self._fold(run.group()))
                self.written.append(run.group())
                end = start + len(run.group())
        self.gaps.append(".")
        self.labels = [
            [_stem(word) for word in self.words],
            [self._joined(at, 2) for at in range(len(self.words))],
            [self._joined(at, 3) for at in range(len(self.words))],
        ]
        self.known = {*self.words, *(label for row in self.labels for label in row)}

    @staticmethod
    def _fold(run: str) -> str:
        plain = unicodedata.normalize("NFKD", run)
        plain = "".join(sign for sign in plain if not unicodedata.combining(sign)).casefold()
        plain = "".join(_LETTERS.get(sign, sign) for sign in plain)
        plain = re.sub(
            "[α-ω]+",
            lambda greek: (
                "".join(_GREEK[sign] for sign in greek.group())
                if len(greek.group()) < 3
                else greek.group()
            ),
            plain,
        )
        return unicodedata.normalize("NFC", plain)

    def _joined(self, at: int, size: int) -> str:
        """The stem of ``size`` words from ``at`` on written as one; "" if that cannot be."""
        words, gaps = self.words[at : at + size], self.gaps[at : at + size - 1]
        if len(words) < size or any(len(w) == 1 and w > "\u1100" for w in words):
            return ""
        if "." in gaps:
            return ""
        if size == 3:
            spaced = " " in gaps
            if spaced and ({words[0], words[2]} & _SMALL or any(len(w) < 2 for w in words)):
                return ""
            return _stem("".join(words))
        for left, gap, right in zip(words, gaps, words[1:], strict=False):
            alone = any(len(w) == 1 and w.isalpha() for w in (left, right))
            if gap == " " and (alone or left in _SMALL or right in _SMALL):
                return ""
        return _stem("".join(words))


class KeywordOracle:
    """A list of keyword terms, ready to be asked about papers."""

    def __init__(self, terms: Sequence[str], excluded: Sequence[str] = ()) -> None:
        self.wanted = [self._ready(term) for term in terms]
        self.excluded = [self._ready(term) for term in excluded]

    def wants(self, paper: Mapping[str, str]) -> bool:
        """Does any term occur in ``paper["title"]`` or ``paper["abstract"]``, and none of the
        excluded ones?"""
        texts = [_Text(paper.get("title", "")), _Text(paper.get("abstract", ""))]
        return self.wants_texts(texts)

    def wants_texts(self, texts: Sequence[_Text]) -> bool:
        """The same for texts made before by ``texts_of``."""
        if any(occurs(text) for occurs in self.excluded for text in texts):
            return False
        return any(occurs(text) for occurs in self.wanted for text in texts)

    @staticmethod
    def texts_of(title: str, abstract: str) -> list[_Text]:
        """Title and abstract, folded once for many oracles."""
        return [_Text(title), _Text(abstract)]

    @staticmethod
    def _ready(term: str) -> Callable[[_Text], bool]:
        typed = _Text(term)

        def equal(start: int, size: int, text: _Text, at: int, length: int) -> bool:
            if size == length == 1 and _is_acronym(typed.written[start]):
                base = _singular(typed.written[start], typed.words[start])
                return text.words[at] in (base, base + "s")
            mine = typed.labels[size - 1][start]
            return mine != "" and mine == text.labels[length - 1][at]

        def fits(start: int, text: _Text, at: int) -> bool:
            if start == len(typed.words):
                return True
            return any(
                equal(start, size, text, at, length) and fits(start + size, text, at + length)
                for size in (1, 2, 3)
                if start + size <= len(typed.words)
                for length in (1, 2, 3)
                if at + length <= len(text.words)
            )

        firsts = {row[0] for row in typed.labels} - {""}
        base = _singular(typed.written[0], typed.words[0])
        firsts |= {base, base + "s"}
        return lambda text: (
            not firsts.isdisjoint(text.known)
            and any(fits(0, text, at) for at in range(len(text.words)))
        )


def _is_acronym(written: str) -> bool:
    capitals = sum(sign.isupper() for sign in written)
    return capitals >= 2 and not (capitals == len(written) and capitals > 6)


def _singular(written: str, word: str) -> str:
    return word[:-1] if written.endswith("s") and len(word) > 2 else word
