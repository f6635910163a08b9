"""The stored form of a query: JSON values, so that a cold start parses nothing and folds nothing.

A node is a list that begins with a letter: "t" term, "n" near, "p" person, "c" category, "i"
identifier, "f" figure, "&" and, "|" or, "!" not.
"""

from collections.abc import Mapping
from typing import Any

from service.errors import PaperpostError
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
    Query,
    Term,
    Word,
)
from service.text.fold import FOLD_VERSION

FORM_VERSION = 5
"""Raise it whenever a query may compile differently while the folding of texts stays."""

COMPILED_VERSION = FOLD_VERSION * 1000 + FORM_VERSION
"""Both as one number that only grows, for the column of a stored interest."""


class StaleQueryError(PaperpostError):
    """A stored query is of another version; parse its text again."""


def compile_query(query: Query) -> dict[str, Any]:
    """The query as JSON values; "fold" is the version of the folding, "form" that of the rest."""
    return {
        "fold": FOLD_VERSION,
        "form": FORM_VERSION,
        "kind": query.kind,
        "shown": query.shown,
        "terms": list(query.terms),
        "root": dump_node(query.root),
    }


def load_query(data: Mapping[str, Any]) -> Query:
    """A compiled query again, equal to the one compiled.

    Raises StaleQueryError when it is of another version.
    """
    stored = (data.get("fold"), data.get("form"))
    if stored != (FOLD_VERSION, FORM_VERSION):
        raise StaleQueryError(
            f"The stored query is of fold and form version {stored}, "
            f"not {(FOLD_VERSION, FORM_VERSION)}.",
            next_step="Parse its text again.",
        )
    return Query(
        root=load_node(data["root"]),
        shown=data["shown"],
        kind=data["kind"],
        terms=tuple(data["terms"]),
    )


def dump_node(node: Node) -> list[Any]:
    """A tree or a part of one as JSON values."""
    match node:
        case Term(text, words, field, exact, joins):
            return ["t", text, _dump_words(words), field, exact, [list(pair) for pair in joins]]
        case Near(text, words, distance, field, exact):
            return ["n", text, _dump_words(words), distance, field, exact]
        case Person(text, parts, prefix):
            return ["p", text, list(parts), prefix]
        case Category(text, code, stems, prefix):
            return ["c", text, code, list(stems), prefix]
        case Identifier(text, value):
            return ["i", text, value]
        case Number(figure, comparison, limit):
            return ["f", figure, comparison, limit]
        case And(parts):
            return ["&", *map(dump_node, parts)]
        case Or(parts):
            return ["|", *map(dump_node, parts)]
        case Not(part):
            return ["!", dump_node(part)]


def _dump_words(words: tuple[Word, ...]) -> list[list[str]]:
    return [[word.key, word.kind, word.stem] for word in words]


def load_node(data: list[Any]) -> Node:
    """The counterpart of ``dump_node``."""
    sign, rest = data[0], data[1:]
    match sign:
        case "t":
            text, words, field, exact, joins = rest
            pairs = tuple((two, three) for two, three in joins)
            return Term(text, _load_words(words), field, exact, pairs)
        case "n":
            text, words, distance, field, exact = rest
            return Near(text, _load_words(words), distance, field, exact)
        case "p":
            return Person(rest[0], tuple(rest[1]), rest[2])
        case "c":
            return Category(rest[0], rest[1], tuple(rest[2]), rest[3])
        case "i":
            return Identifier(*rest)
        case "f":
            return Number(*rest)
        case "!":
            return Not(load_node(rest[0]))
    parts = tuple(map(load_node, rest))
    return And(parts) if sign == "&" else Or(parts)


def _load_words(words: list[Any]) -> tuple[Word, ...]:
    return tuple(Word(key, kind, stem) for key, kind, stem in words)
