"""Oracles: slow, plain answers to "does this query want this paper".

``naive_hit`` walks the parsed tree with plain loops; it shares the parser and the folding with
the product, nothing else. ``KeywordOracle`` shares nothing at all: it reads keyword lists, folds
and stems by itself. Both follow the words of the language's description:

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
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise

import snowballstemmer

from service.matching.query import (
    And,
    Category,
    Identifier,
    Near,
    Node,
    Not,
    Number,
    Or,
    Person,
    Term,
    Word,
)
from service.papers.model import Paper
from service.text.fold import fold
from service.text.tokens import Folded, joins_of_three, joins_of_two

# --- over the parsed tree -------------------------------------------------------------------


def naive_hit(root: Node, paper: Paper) -> bool:
    """Does the tree want the paper? (Sources are not known here.)"""
    if isinstance(root, And):
        return all(naive_hit(part, paper) for part in root.parts)
    if isinstance(root, Or):
        return any(naive_hit(part, paper) for part in root.parts)
    if isinstance(root, Not):
        return not naive_hit(root.part, paper)
    if isinstance(root, Number):
        value = {
            "votes": paper.votes,
            "comments": paper.comments,
            "authors": len(paper.authors),
        }[root.figure]
        return value is not None and eval(
            f"{value} {'==' if root.comparison == '=' else root.comparison} {root.value}"
        )
    if isinstance(root, Category):
        return any(_naive_category(root, category) for category in paper.categories)
    if isinstance(root, Identifier):
        wanted = re.sub(r"v\d+$", "", root.text.lower())
        return any(re.sub(r"v\d+$", "", a.value.lower()) == wanted for a in paper.aliases)
    if isinstance(root, Person):
        return any(naive_author(root.text, author) for author in paper.authors)
    texts = {
        "": (paper.title, paper.abstract),
        "ti": (paper.title,),
        "abs": (paper.abstract,),
        "org": (paper.organisation,),
    }[root.field]
    if isinstance(root, Near):
        return any(_naive_near(root, fold(text)) for text in texts)
    return any(_naive_term(root, fold(text)) for text in texts)


def _naive_category(wanted: Category, category: str) -> bool:
    typed = wanted.text.lower()
    code = category.lower()
    if typed.endswith("*"):
        return code.startswith(typed[:-1])
    if code == typed or code.split(".")[0] == typed:
        return True
    return "." not in code and bool(re.search(rf"\b{re.escape(typed)}\b", code))


def naive_author(typed: str, printed: str) -> bool:
    """Names of Latin letters without particles: equal words, an initial for a name."""
    if "," in typed:
        family, given = typed.split(",", 1)
        typed = f"{given} {family}"
    one, other = list(fold(typed).keys), list(fold(printed).keys)
    if len(one) == 1:
        return one[0] in other or one[0] in [a + b for a, b in pairwise(other)]
    if one[-1] != other[-1] or len(other) < 2:
        return False
    short, long = sorted((one[:-1], other[:-1]), key=len)
    if "".join(short) == "".join(long):
        return True

    def same(a: str, b: str) -> bool:
        return a == b or (1 in (len(a), len(b)) and a[0] == b[0])

    if not same(short[0], long[0]):
        return False
    at = 1
    for name in short[1:]:
        while at < len(long) and not same(name, long[at]):
            at += 1
        if at == len(long):
            return False
        at += 1
    return True


def _naive_word(word: Word, folded: Folded, at: int) -> bool:
    if word.kind == "stem":
        return folded.stems[at] == word.stem
    if word.kind == "acronym":
        return folded.keys[at] == word.key or folded.keys[at] == word.key + "s"
    if word.kind == "prefix":
        return folded.keys[at].startswith(word.key)
    return (folded.exact if word.kind == "exact" else folded.cased)[at] == word.key


def _naive_near(near: Near, folded: Folded) -> bool:
    def place(rest: Sequence[Word], taken: tuple[int, ...]) -> bool:
        if not rest:
            return max(taken) - min(taken) <= near.distance
        return any(
            place(rest[1:], (*taken, at))
            for at in range(len(folded))
            if at not in taken and _naive_word(rest[0], folded, at)
        )

    return place(near.words, ())


def _cuts(length: int) -> Iterator[list[tuple[int, int]]]:
    """Every way to cut a row of ``length`` into pieces of one to three, as (start, size)."""
    if not length:
        yield []
    for size in (1, 2, 3):
        if size <= length:
            for head in _cuts(length - size):
                yield [*head, (length - size, size)]


def _naive_term(term: Term, folded: Folded) -> bool:
    count = len(term.words)
    if term.exact:
        return any(
            all(_naive_word(term.words[k], folded, at + k) for k in range(count))
            for at in range(len(folded) - count + 1)
        )
    typed = fold(term.text)
    typed_joins = (joins_of_two(typed), joins_of_three(typed))
    joins = (joins_of_two(folded), joins_of_three(folded))

    def piece_fits(start: int, size: int, at: int, length: int) -> bool:
        word = term.words[start]
        if size > 1:
            if any(w.kind == "prefix" for w in term.words[start : start + size]):
                return False
            label = typed_joins[size - 2][start]
        elif word.kind == "prefix":
            if length == 1:
                return folded.keys[at].startswith(word.key)
            head = folded.keys[at]
            return (
                length == 2
                and joins[0][at] != ""
                and folded.gaps[at] == "-"
                and len(head) < len(word.key)
                and (head + folded.keys[at + 1]).startswith(word.key)
            )
        elif length == 1:
            return _naive_word(word, folded, at)
        else:
            label = typed.stems[start]
        if not label:
            return False
        return label == (folded.stems[at] if length == 1 else joins[length - 2][at])

    def cut_fits(cut: list[tuple[int, int]], at: int) -> bool:
        if not cut:
            return True
        start, size = cut[0]
        return any(
            piece_fits(start, size, at, length) and cut_fits(cut[1:], at + length)
            for length in (1, 2, 3)
            if at + length <= len(folded)
        )

    return any(cut_fits(cut, at) for cut in _cuts(count) for at in range(len(folded)))


# --- for keywords, on its own ---------------------------------------------------------------

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
