"""The oracle: a slow, plain answer to "does this query want this paper".

It walks the parsed tree and tries everything on the folded words. It shares the parser, the
folding and the rule which neighbours may be read as one word (``joins_of_two``, ``joins_of_three``)
with the product, and nothing else: no index, no lattice, no evaluation, no reading of names.

- a plain term occurs in title or abstract where both can be cut into pieces of one to three words
  that are the same: alone by stem (an acronym: itself or its plural), several by the stem of what
  they are when written as one;
- the beginning of a word may go over a hyphen into the next word;
- nearness: the words have places of their own, the outermost at most so far apart;
- exactly: these forms side by side;
- people, categories, identifiers, figures: see each function.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from itertools import pairwise, product

from service.matching.query import (
    And,
    Category,
    Identifier,
    Leaf,
    Near,
    Node,
    Not,
    Number,
    Or,
    Person,
    Query,
    Term,
    Word,
)
from service.papers.model import Paper
from service.text.fold import fold
from service.text.tokens import Folded, joins_of_three, joins_of_two

_KNOWN_SOURCES = {"hf": "hf Hugging Face", "arxiv": "arXiv", "pmid": "pmid PubMed", "doi": "doi"}
_PARTICLES = {
    *("al", "ben", "bin", "da", "de", "del", "della", "den", "der", "des", "di", "dos", "du", "el"),
    *("ibn", "la", "le", "san", "st", "ten", "ter", "van", "von", "zu"),
}
_SUFFIXES = {"jr", "sr", "ii", "iii", "iv", "phd", "md"}


class _Words:
    """A folded text, and what two or three neighbours are when written as one."""

    def __init__(self, folded: Folded) -> None:
        self.folded = folded
        self.joined = (folded.stems, joins_of_two(folded), joins_of_three(folded))
        self.places: dict[str, set[int]] = {}
        rows = (*self.joined, folded.keys, folded.exact, folded.cased)
        for row in rows:
            for at, form in enumerate(row):
                self.places.setdefault(form, set()).add(at)


class Oracle:
    """One paper, to be asked about many queries.

    sources: the names of the sources that listed it. hurry: a term is tried only from the places
    where its first word, alone or joined, stands in any of its forms (for papers of full length).
    """

    def __init__(self, paper: Paper, *, sources: Sequence[str] = (), hurry: bool = False) -> None:
        self.paper = paper
        self.hurry = hurry
        named = [_KNOWN_SOURCES.get(alias.scheme, "") for alias in paper.aliases]
        self._source = ", ".join(dict.fromkeys([*sources, *filter(None, named)]))

    @cached_property
    def _texts(self) -> dict[str, _Words]:
        paper = self.paper
        fields = (paper.title, paper.abstract, paper.organisation, self._source)
        return {
            name: _Words(fold(text))
            for name, text in zip(("ti", "abs", "org", "source"), fields, strict=True)
        }

    def wants(self, query: Query | Node) -> bool:
        """Does the query want the paper?"""
        node = query.root if isinstance(query, Query) else query
        if isinstance(node, And):
            return all(self.wants(part) for part in node.parts)
        if isinstance(node, Or):
            return any(self.wants(part) for part in node.parts)
        if isinstance(node, Not):
            return not self.wants(node.part)
        return self.holds(node)

    def holds(self, leaf: Leaf) -> bool:
        """Does one term occur?"""
        match leaf:
            case Term() | Near():
                fields = (leaf.field,) if leaf.field else ("ti", "abs")
                occurs = _near if isinstance(leaf, Near) else _term
                return any(occurs(leaf, self._texts[field], self.hurry) for field in fields)
            case Person():
                return any(_person(leaf, author) for author in self.paper.authors)
            case Category():
                return any(_category(leaf, category) for category in self.paper.categories)
            case Identifier():
                return any(_bare(a.value) == _bare(leaf.text) for a in self.paper.aliases)
            case Number():
                return _number(leaf, self.paper)


def _number(number: Number, paper: Paper) -> bool:
    if number.figure == "authors":
        value = len(paper.authors) if paper.authors else None
    else:
        value = paper.votes if number.figure == "votes" else paper.comments
    if value is None:
        return False
    less, equal = value < number.value, value == number.value
    return {
        "<": less,
        "<=": less or equal,
        "=": equal,
        ">=": not less,
        ">": not less and not equal,
    }[number.comparison]


def _bare(identifier: str) -> str:
    """Without address, "arXiv:" and (of arXiv's own forms) version."""
    value = identifier.strip().lower()
    places = ("arxiv.org/abs/", "arxiv.org/pdf/", "dx.doi.org/", "doi.org/")
    for lead in ("https://", "http://", "www.", *places, "arxiv:", "doi:", "pmid:"):
        value = value.removeprefix(lead).strip()
    if re.fullmatch(r"\d{4}\.\d{4,5}v\d+|[a-z.-]+/\d{7}v\d+", value):
        value = value[: value.rindex("v")]
    return value


def _category(wanted: Category, category: str) -> bool:
    """A code, all codes of an archive, the beginning of a code; words of a subject in words."""
    typed, code = wanted.text.lower(), category.strip().lower()
    if typed.endswith("*"):
        return code.startswith(typed.rstrip("*").strip())
    if code == typed or code.startswith(f"{typed}."):
        return True
    if "." in code:
        return False
    mine, theirs = fold(typed).stems, fold(category).stems
    return any(
        theirs[at : at + len(mine)] == mine for at in range(len(theirs) - len(mine) + 1) if mine
    )


# --- people -----------------------------------------------------------------------------------


def _name(text: str) -> list[str]:
    """The words of a name, family name last, without Jr. and the like."""
    family, _, given = text.partition(",")
    after = list(fold(given).keys)
    turned = after and any(word not in _SUFFIXES for word in after)
    words = [*after, *fold(family).keys] if turned else list(fold(text).keys)
    return [word for word in words if word not in _SUFFIXES] or words


def _is_letter_of_cjk(word: str) -> bool:
    return len(word) == 1 and word >= "\u1100"


def _person(person: Person, printed: str) -> bool:
    typed = person.text.removesuffix("*")
    mine, theirs = _name(typed), _name(printed)
    if len(mine) == 1:
        if person.text.endswith("*"):
            return any(word.startswith(mine[0]) for word in theirs)
        halves = [a + b for a, b in pairwise(theirs) if len(a) > 1 and len(b) > 1]
        return mine[0] in theirs or mine[0] in halves
    if all(_is_letter_of_cjk(word) for word in mine):
        runs = [theirs[at : at + len(mine)] for at in range(len(theirs))]
        return mine in runs
    if not any(sign in typed for sign in " .,"):
        return mine in [theirs[at : at + len(mine)] for at in range(len(theirs))]
    if mine[0] in _PARTICLES:
        return theirs[-len(mine) :] == mine
    return any(_agree(a, b) for a, b in product(_turned(mine), _turned(theirs)))


def _turned(words: list[str]) -> list[list[str]]:
    """A name of two words whose last is one or two letters may be written family name first."""
    forms = [words]
    if len(words) == 2 and len(words[1]) <= 2 and len(words[0]) > 2:
        forms.append([*words[1], words[0]])
    return forms


def _agree(one: list[str], other: list[str]) -> bool:
    """Equal family names; given names that are the same word, or the one the other's initial;
    the first ones agree, and the fewer ones are among the others in order."""
    if len(one) < 2 or len(other) < 2 or one[-1] != other[-1]:
        return False
    few, many = sorted((one[:-1], other[:-1]), key=len)
    if "".join(few) == "".join(many):
        return True

    def same(a: str, b: str) -> bool:
        return a == b or ((len(a) == 1 or len(b) == 1) and a[0] == b[0])

    def placed(rest: list[str], among: list[str]) -> bool:
        if not rest:
            return True
        return any(
            same(rest[0], name) and placed(rest[1:], among[at + 1 :])
            for at, name in enumerate(among)
        )

    return same(few[0], many[0]) and placed(few[1:], many[1:])


# --- words ------------------------------------------------------------------------------------


def _is_word(word: Word, folded: Folded, at: int) -> bool:
    match word.kind:
        case "stem":
            return folded.stems[at] == word.stem
        case "acronym":
            return folded.keys[at] in (word.key, f"{word.key}s")
        case "prefix":
            return folded.keys[at].startswith(word.key)
        case "exact":
            return folded.exact[at] == word.key
        case "case":
            return folded.cased[at] == word.key


def _near(near: Leaf, text: _Words, hurry: bool) -> bool:
    assert isinstance(near, Near)
    folded = text.folded

    def place(rest: Sequence[Word], taken: tuple[int, ...]) -> bool:
        if taken and max(taken) - min(taken) > near.distance:
            return False
        if not rest:
            return True
        return any(
            place(rest[1:], (*taken, at))
            for at in range(len(folded))
            if at not in taken and _is_word(rest[0], folded, at)
        )

    return place(near.words, ())


@lru_cache(maxsize=10_000)
def _labels(typed: str) -> tuple[Sequence[str], ...]:
    """What one, two and three words of a term are when written as one, at each word."""
    folded = fold(typed)
    return folded.stems, joins_of_two(folded), joins_of_three(folded)


def _term(term: Leaf, text: _Words, hurry: bool) -> bool:
    assert isinstance(term, Term)
    first = term.words[0]
    if hurry and not _has_prefix(term.words[:3]):
        forms = _beginnings(term.text, first.key, term.exact)
        if text.places.keys().isdisjoint(forms):
            return False
    folded, count = text.folded, len(term.words)
    if term.exact:
        return any(
            start + count <= len(folded)
            and all(_is_word(term.words[at], folded, start + at) for at in range(count))
            for start in _starts(term, text, hurry)
        )
    labels, rows, end = _labels(term.text), text.joined, len(folded)

    def fits(start: int, size: int, at: int, length: int) -> bool:
        """Are these words of the term and these words of the text the same piece?"""
        if size == length == 1:
            return _is_word(term.words[start], folded, at)
        label = labels[size - 1][start]
        words = term.words[start : start + size]
        if label == "" or _has_prefix(words[:-1]):
            return False
        if not _has_prefix(words):
            return label == rows[length - 1][at]
        begun = "".join(fold(term.text).keys[start : start + size])
        return (length == 1 and folded.keys[at].startswith(begun)) or (
            length == 2 and _begins_over_hyphen(begun, text, at)
        )

    def walk(start: int, at: int) -> bool:
        """Can the rest of the term and the text from here on be cut into the same pieces?"""
        if start == count:
            return True
        for size in range(1, min(3, count - start) + 1):
            for length in range(1, min(3, end - at) + 1):
                if fits(start, size, at, length) and walk(start + size, at + length):
                    return True
        return False

    return any(walk(0, at) for at in _starts(term, text, hurry))


def _has_prefix(words: Sequence[Word]) -> bool:
    return any(word.kind == "prefix" for word in words)


def _begins_over_hyphen(prefix: str, text: _Words, at: int) -> bool:
    head = text.folded.keys[at]
    return (
        text.folded.gaps[at] == "-"
        and text.joined[1][at] != ""
        and len(head) < len(prefix)
        and (head + text.folded.keys[at + 1]).startswith(prefix)
    )


def _starts(term: Term, text: _Words, hurry: bool) -> Iterable[int]:
    """Where to try: everywhere; in a hurry where the first word may stand."""
    first = term.words[0]
    if not hurry or _has_prefix(term.words[:3]):
        return range(len(text.folded))
    forms = _beginnings(term.text, first.key, term.exact)
    return sorted({at for form in forms for at in text.places.get(form, ())})


@lru_cache(maxsize=10_000)
def _beginnings(typed: str, key: str, exact: bool) -> frozenset[str]:
    """Every form in which the first word of a term may stand, alone or joined."""
    joined = () if exact else (row[0] for row in _labels(typed))
    return frozenset((key, f"{key}s", *joined)) - {""}
