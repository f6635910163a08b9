"""Whether a query can want anything of what a source lists, before the papers are there. Pure.

Cheap and sound: what is surely known of every paper of the source decides; everything else "can".
A query that is told that it cannot want them does not want any of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from service.matching.document import Document
from service.matching.evaluate import find_leaf, is_in
from service.matching.query import And, Category, Leaf, Near, Node, Not, Or, Query, Term
from service.text.fold import fold


@dataclass(frozen=True, slots=True)
class Reach:
    """What is surely known of the papers of a source.

    categories: each paper has at least one of them, () = nothing known. without: categories that
    none of them has. named: the names of the source, which ``source:`` finds in each of them;
    maybe_named: what it may find in some besides. "" in both = not known.
    """

    categories: tuple[str, ...] = ()
    without: frozenset[str] = frozenset()
    named: str = ""
    maybe_named: str = ""


def can_want(query: Query, reach: Reach) -> bool:
    """Say whether a paper of this reach may match; False only when none can."""
    chosen: Sequence[str | None] = reach.categories or (None,)
    return any(_may(query.root, one, reach)[0] for one in chosen)


def _may(node: Node, category: str | None, reach: Reach) -> tuple[bool, bool]:
    """(may be true, may be false) of a paper that is in ``category``."""
    if isinstance(node, Not):
        yes, no = _may(node.part, category, reach)
        return no, yes
    if isinstance(node, (And, Or)):
        parts = [_may(part, category, reach) for part in node.parts]
        yeses, noes = [yes for yes, _ in parts], [no for _, no in parts]
        return (all(yeses), any(noes)) if isinstance(node, And) else (any(yeses), all(noes))
    return _leaf(node, category, reach)


def _leaf(leaf: Leaf, category: str | None, reach: Reach) -> tuple[bool, bool]:
    if isinstance(leaf, Category):
        if category is not None and is_in(leaf, category):
            return True, False
        if not leaf.prefix and leaf.code in reach.without:
            return False, True
    if isinstance(leaf, (Term, Near)) and leaf.field == "source" and reach.named:
        if _is_named(leaf, reach.named):
            return True, False
        return _is_named(leaf, f"{reach.named}, {reach.maybe_named}"), True
    return True, True


def _is_named(leaf: Leaf, text: str) -> bool:
    empty = fold("")
    return find_leaf(leaf, Document(title=empty, abstract=empty, source_text=text)) is not None
