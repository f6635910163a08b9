"""Does this query want this paper, and which words say so: the exact answer.

A plain term looks in title and abstract, never in authors or categories. A phrase lies in one
field; the words of an AND may lie in different ones.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from service.matching.document import Document
from service.matching.lattice import beginnings
from service.matching.names import is_person
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
    leaves,
)
from service.text.fold import fold

Place = Literal["title", "abstract", "authors", "categories", "source", "organisation", "id"]

_PLACES: dict[str, tuple[Place, ...]] = {
    "": ("title", "abstract"),
    "ti": ("title",),
    "abs": ("abstract",),
    "source": ("source",),
    "org": ("organisation",),
}
COMPARE: dict[str, Callable[[Any, int], Any]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
"""The comparisons, for a figure and for a column of figures alike."""

_ORDER = ("title", "abstract", "authors", "categories", "organisation", "source", "id")


@dataclass(frozen=True, slots=True)
class Hit:
    """A place where a term occurs: ``term`` as the reader typed it, ``start`` and ``end`` in
    characters of the shown text of the field ``where`` (see Document)."""

    term: str
    where: Place
    start: int
    end: int


Truth = tuple[Hit, ...] | None
"""None: does not match. (): matches with nothing to mark (a figure)."""


def evaluate(query: Query, document: Document) -> tuple[Hit, ...] | None:
    """The hits of ``query`` in ``document`` in reading order, or None where it does not match."""
    return evaluate_node(query.root, lambda leaf: find_leaf(leaf, document))


def evaluate_node(root: Node, find: Callable[[Leaf], Truth]) -> tuple[Hit, ...] | None:
    """Evaluate a tree with ``find`` answering for its leaves."""
    truth = _evaluate(root, find)
    return None if truth is None else in_reading_order(truth)


@dataclass(frozen=True, slots=True)
class Begins:
    """Where the terms of a query may begin. of: by leaf (its id) the labels of title or abstract
    with one of which it begins; leaves are missing that may occur without one · every: all of
    them (``Document.labels``)."""

    of: Mapping[int, frozenset[str]]
    every: frozenset[str]


def begins_of(query: Query) -> Begins:
    """Read where the terms of a query may begin; the query is kept as long as what is returned."""
    of = {}
    for leaf in leaves(query.root):
        if isinstance(leaf, Term) and leaf.field in ("", "ti", "abs"):
            begins = beginnings(leaf)
            if begins is not None:
                of[id(leaf)] = begins
    return Begins(of, frozenset().union(*of.values()))


def in_reading_order(hits: tuple[Hit, ...]) -> tuple[Hit, ...]:
    """Title first, then by place; each hit once."""
    if len(hits) < 2:
        return hits
    return tuple(
        sorted(
            dict.fromkeys(hits),
            key=lambda hit: (_ORDER.index(hit.where), hit.start, -hit.end, hit.term),
        )
    )


def _evaluate(node: Node, find: Callable[[Leaf], Truth]) -> Truth:
    if isinstance(node, Not):
        return () if _evaluate(node.part, find) is None else None
    if isinstance(node, And):
        hits: tuple[Hit, ...] = ()
        for part in node.parts:
            truth = _evaluate(part, find)
            if truth is None:
                return None
            hits += truth
        return hits
    if isinstance(node, Or):
        truths = [truth for part in node.parts if (truth := _evaluate(part, find)) is not None]
        return tuple(hit for truth in truths for hit in truth) if truths else None
    return find(node)


def find_leaf(leaf: Leaf, document: Document) -> Truth:
    """The hits of one leaf, or None where it does not occur."""
    if isinstance(leaf, Term | Near):
        return tuple(_text_hits(leaf, document)) or None
    if isinstance(leaf, Number):
        return () if holds(leaf, figure_of(leaf, document)) else None
    return tuple(_hits(leaf, document)) or None


def _text_hits(leaf: Term | Near, document: Document) -> list[Hit]:
    found: list[Hit] = []
    for place in _PLACES[leaf.field]:
        lattice = document.lattice(place)
        spans = lattice.spans(leaf) if isinstance(leaf, Term) else lattice.near_spans(leaf)
        if spans:
            starts, ends = lattice.folded.starts, lattice.folded.ends
            found += [Hit(leaf.text, place, starts[first], ends[past - 1]) for first, past in spans]
    return found


def _hits(leaf: Person | Category | Identifier, document: Document) -> Iterator[Hit]:
    match leaf:
        case Person():
            for author in document.people:
                if is_person(leaf, author.parts):
                    yield Hit(leaf.text, "authors", author.start, author.end)
        case Category():
            at = 0
            for category in document.categories:
                if is_in(leaf, category):
                    yield Hit(leaf.text, "categories", at, at + len(category))
                at += len(category) + len(", ")
        case Identifier():
            for value in document.ids:
                if value == leaf.value:
                    yield Hit(leaf.text, "id", 0, len(value))


def is_in(wanted: Category, category: str) -> bool:
    """Does a paper's category count?

    Codes by code or archive ("cs" has cs.LG); a source's own subjects by their words.
    """
    code = category.strip().lower()
    if wanted.prefix:
        return code.startswith(wanted.code)
    if code == wanted.code or code.startswith(wanted.code + "."):
        return True
    if not wanted.words or "." in code:
        return False
    stems = fold(category).stems
    size = len(wanted.words)
    return any(stems[at : at + size] == wanted.words for at in range(len(stems) - size + 1))


def figure_of(number: Number, document: Document) -> int | None:
    """The figure that a comparison looks at; None where the source has none."""
    if number.figure == "authors":
        return len(document.authors) or None
    return document.votes if number.figure == "votes" else document.comments


def holds(number: Number, figure: int | None) -> bool:
    """Is the comparison true? An unknown figure never is."""
    return figure is not None and bool(COMPARE[number.comparison](figure, number.value))
