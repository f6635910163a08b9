"""Why a query does not want a paper: what is in it, what is missing, what is too much. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from service.matching.document import Document
from service.matching.evaluate import evaluate_node, figure_of, find_leaf
from service.matching.query import And, Leaf, Node, Not, Number, Or, Query, leaves
from service.matching.show import line_of, show_item, show_leaf

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Misses:
    """found: wanted terms that the paper has · missing: groups of terms, of each of which one is
    missing · barred: terms that are left out, and are in it · figures: (the figure asked for, the
    paper's own or None) of comparisons that are not true."""

    found: tuple[str, ...] = ()
    missing: tuple[tuple[str, ...], ...] = ()
    barred: tuple[str, ...] = ()
    figures: tuple[tuple[str, int | None], ...] = ()


def misses(query: Query, document: Document) -> Misses | None:
    """What keeps a paper out, None where the query wants it.

    Of alternatives the one is told that lacks least: where only single terms are to choose from,
    one group of all of them.
    """

    def holds(node: Node) -> bool:
        return evaluate_node(node, lambda leaf: find_leaf(leaf, document)) is not None

    if holds(query.root):
        return None
    made = _Reading(query, document, holds)
    wanted = leaves(query.root, wanted_only=True)
    found = [made.name(leaf) for leaf in wanted if not isinstance(leaf, Number) and holds(leaf)]
    lacks = made.lacks(query.root)
    return Misses(
        found=_once(found),
        missing=_once(lacks.missing),
        barred=_once(lacks.barred),
        figures=_once(lacks.figures),
    )


@dataclass(frozen=True, slots=True)
class _Reading:
    query: Query
    document: Document
    holds: Callable[[Node], bool]

    def name(self, leaf: Node) -> str:
        if self.query.kind == "follow" or isinstance(leaf, (And, Or, Not)):
            return line_of(leaf)
        return show_item(leaf) if self.query.kind == "keywords" else show_leaf(leaf)

    def lacks(self, node: Node) -> Misses:
        """Of a part that is not true."""
        if isinstance(node, Not):
            held = [leaf for leaf in leaves(node.part) if self.holds(leaf)]
            return Misses(barred=tuple(self.name(leaf) for leaf in held))
        if isinstance(node, And):
            return _joined(self.lacks(part) for part in node.parts if not self.holds(part))
        if isinstance(node, Or):
            single = [part for part in node.parts if not isinstance(part, (And, Or, Not, Number))]
            if len(single) == len(node.parts) or (self.query.kind == "follow"):
                return Misses(missing=(tuple(self.name(part) for part in node.parts),))
            near = min(map(self.lacks, node.parts), key=_distance)
            if _distance(near) == _distance(Misses(missing=(("",),))) and single:
                # as near as any single term of the list: all of these are told
                return Misses(missing=(tuple(self.name(part) for part in single),))
            return near
        return self._leaf(node)

    def _leaf(self, leaf: Leaf) -> Misses:
        if isinstance(leaf, Number):
            return Misses(figures=((leaf.text, figure_of(leaf, self.document)),))
        return Misses(missing=((self.name(leaf),),))


def _distance(one: Misses) -> int:
    return len(one.missing) + len(one.barred) + len(one.figures)


def _joined(parts: Iterable[Misses]) -> Misses:
    every = list(parts)
    return Misses(
        missing=tuple(group for one in every for group in one.missing),
        barred=tuple(name for one in every for name in one.barred),
        figures=tuple(figure for one in every for figure in one.figures),
    )


def _once(items: Iterable[_T]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(items))
