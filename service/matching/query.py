"""The query as a tree of values, and the error that says where a text went wrong."""

from dataclasses import dataclass
from typing import Literal

from service.errors import Sentence, SpokenError

Field = Literal["", "ti", "abs", "au", "cat", "source", "org", "id"]
"""Where a term is looked for; "" is title and abstract."""

WordKind = Literal["stem", "acronym", "exact", "case", "prefix"]
QueryKind = Literal["keywords", "query", "follow"]
Figure = Literal["votes", "comments", "authors"]
Comparison = Literal["=", "<", "<=", ">", ">="]

MOST_BYTES = 1024
MOST_TERMS = 64
MOST_DEPTH = 8
SHORTEST_PREFIX = 3


class QueryError(SpokenError):
    """A text that cannot be read as a query.

    position: 1-based character of the text, 0 when the fault has no place; else the one that
    ``what`` names. expected: what was looked for there; it is also the next step where no better
    one is given. suggestion: a whole text that can be read and is probably meant ("" if none).
    """

    def __init__(
        self,
        what: Sentence,
        *,
        position: int = 0,
        expected: Sentence | None = None,
        suggestion: str = "",
        next_step: Sentence | None = None,
    ) -> None:
        if next_step is None and expected is not None:
            next_step = Sentence("Expected here: %(expected)s.", expected=expected)
        super().__init__(what, "", next_step)
        named = what.values.get("position")
        self.position = position or (named if isinstance(named, int) else 0)
        self.expected = expected
        self.suggestion = suggestion


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a term. kind stem: plurals and stems match · acronym: itself and its plural ·
    exact: this form, any case · case: this form and case · prefix: ``key`` begins the word."""

    key: str
    kind: WordKind
    stem: str = ""


@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase. text: as typed, without field, quotes and equals sign.

    joins: for word i the stems of words i..i+1 and i..i+2 written as one ("" = does not count):
    so that "fine tuning" meets "finetuning"; "finetun*" where the last of them is a prefix.
    """

    text: str
    words: tuple[Word, ...]
    field: Field = ""
    exact: bool = False
    joins: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Near:
    """Words within ``distance`` of each other, in any order, in one field."""

    text: str
    words: tuple[Word, ...]
    distance: int
    field: Field = ""
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """An author. parts: folded words of the name, family name last; prefix: of a single word."""

    text: str
    parts: tuple[str, ...]
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Category:
    """A category: code ("cs.lg"), archive ("cs"), or with ``prefix`` the beginning of a code."""

    text: str
    code: str
    words: tuple[str, ...] = ()
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Identifier:
    """A paper's own name: arXiv id without version, DOI, ..., in lower case."""

    text: str
    value: str


@dataclass(frozen=True, slots=True)
class Number:
    """A figure of the paper compared: ``votes:>20``. Unknown figures never match."""

    figure: Figure
    comparison: Comparison
    value: int

    @property
    def text(self) -> str:
        """As it is written: ``votes:>20``."""
        sign = "" if self.comparison == "=" else self.comparison
        return f"{self.figure}:{sign}{self.value}"


@dataclass(frozen=True, slots=True)
class And:
    """All of the parts (two or more, none of them an And)."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of the parts (two or more, none of them an Or)."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """What must not be there."""

    part: "Node"


Leaf = Term | Near | Person | Category | Identifier | Number
Node = Leaf | And | Or | Not


@dataclass(frozen=True, slots=True)
class Query:
    """A query that has been read.

    shown: in the query language with every bracket and operator written out.
    kind: how the text was read: keywords, query or follow (people).
    terms: the wanted terms as the reader typed them, in order, each once.
    """

    root: Node
    shown: str
    kind: QueryKind
    terms: tuple[str, ...]


def has_words(query: Query) -> bool:
    """Whether words of title or abstract are asked for, not people, categories, places and figures
    alone."""
    if query.kind != "query":
        return query.kind == "keywords"
    return any(
        isinstance(leaf, (Term, Near)) and leaf.field not in ("source", "org")
        for leaf in leaves(query.root, wanted_only=True)
    )


def leaves(node: Node, *, wanted_only: bool = False) -> tuple[Leaf, ...]:
    """The leaves from left to right; with ``wanted_only`` without those below a Not."""
    if isinstance(node, (And, Or)):
        return tuple(leaf for part in node.parts for leaf in leaves(part, wanted_only=wanted_only))
    if isinstance(node, Not):
        return () if wanted_only else leaves(node.part)
    return (node,)
