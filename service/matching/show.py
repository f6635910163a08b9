"""Queries written out again: for people, and so that they can be read back."""

import re
from functools import lru_cache

from service.matching.foreign import check_foreign
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
    QueryError,
    Term,
)

_BARE = re.compile(r"(?!(?:AND|OR|NOT|ANDNOT|NEAR|ADJ\d*)$)\w[\w.'/+#&-]*\*?", re.IGNORECASE)
_SIMPLE = re.compile(r"[\w-]+\*?")
_BARE_ITEM = re.compile(r"(?!NOT\s)\w(?:[^,;，、；\"\r\n*]|\*(?!\w))*")


def show(node: Node) -> str:
    """In the query language, every operator written, every mix of AND and OR in brackets."""
    if isinstance(node, Not):
        inner = show(node.part)
        return f"NOT {inner}" if _is_leaf(node.part) else f"NOT ({inner})"
    if isinstance(node, (And, Or)):
        parts = [
            f"({show(part)})" if isinstance(part, (And, Or)) else show(part) for part in node.parts
        ]
        return (" AND " if isinstance(node, And) else " OR ").join(parts)
    return show_leaf(node)


def _is_leaf(node: Node) -> bool:
    return not isinstance(node, (And, Or, Not))


def show_leaf(leaf: Leaf) -> str:
    """One term with its field, in quotes where they are needed."""
    if isinstance(leaf, Number):
        return leaf.text
    if isinstance(leaf, Near):
        return f'{_field(leaf)}{"=" if leaf.exact else ""}"{leaf.text}"~{leaf.distance}'
    exact = "=" if isinstance(leaf, Term) and leaf.exact else ""
    before = f"{_field(leaf)}{exact}"
    bare = _BARE.fullmatch(leaf.text) and _reads_alone(before, leaf.text)
    return before + (leaf.text if bare else f'"{leaf.text}"')


@lru_cache(maxsize=10_000)
def _reads_alone(before: str, text: str) -> bool:
    """Is a term without quotes not taken for another engine's form ("cs.LG", "w/3")?"""
    if _SIMPLE.fullmatch(text):
        return True
    try:
        check_foreign(f"a AND {before}{text} AND a")
    except QueryError:
        return False
    return True


def _field(leaf: Leaf) -> str:
    if isinstance(leaf, Person):
        return "au:"
    if isinstance(leaf, Category):
        return "cat:"
    if isinstance(leaf, Identifier):
        return "id:"
    return f"{leaf.field}:" if isinstance(leaf, (Term, Near)) and leaf.field else ""


def split_keywords(root: Node) -> tuple[tuple[Leaf, ...], tuple[Leaf, ...]]:
    """(wanted, excluded) terms of a query made of keywords or people."""
    parts = root.parts if isinstance(root, And) else (root,)
    excluded = tuple(
        part.part
        for part in parts
        if isinstance(part, Not) and not isinstance(part.part, (And, Or, Not))
    )
    first = parts[0]
    choices = first.parts if isinstance(first, Or) else (first,)
    wanted = tuple(part for part in choices if not isinstance(part, (And, Or, Not)))
    return wanted, excluded


def show_item(leaf: Leaf) -> str:
    """A keyword as it stands in a list."""
    if isinstance(leaf, Near):
        return f'{"=" if leaf.exact else ""}"{leaf.text}"~{leaf.distance}'
    exact = "=" if isinstance(leaf, Term) and leaf.exact else ""
    return exact + (leaf.text if _BARE_ITEM.fullmatch(leaf.text) else f'"{leaf.text}"')


def to_text(query: Query) -> str:
    """The text that, read again in the same kind, gives the same query: a list with commas for
    keywords, one name a line for people, else the query with its brackets."""
    if query.kind == "query":
        return show(query.root)
    wanted, excluded = split_keywords(query.root)
    if query.kind == "follow":
        lines, without = split_lines(query)
        return show(query.root) if without else "\n".join(map(line_of, lines))
    words = [f"-{show_item(leaf)}" for leaf in excluded if not isinstance(leaf, Person)]
    return ", ".join([*map(show_item, wanted), *words])


def split_lines(query: Query) -> tuple[tuple[Node, ...], tuple[Person, ...]]:
    """(what a query of people follows, one node a line; the authors whom it leaves out)."""
    parts = query.root.parts if isinstance(query.root, And) else (query.root,)
    without = tuple(p.part for p in parts if isinstance(p, Not) and isinstance(p.part, Person))
    kept = tuple(p for p in parts if not (isinstance(p, Not) and isinstance(p.part, Person)))
    if len(kept) == 1:
        return (kept[0].parts if isinstance(kept[0], Or) else kept), without
    return (And(kept),), without


def line_of(node: Node) -> str:
    """The line that follows a person, an organisation, or papers of one, as it may be typed."""
    if isinstance(node, Person):
        return _one_line(node.text)
    if isinstance(node, Term) and node.field == "org" and not node.exact:
        return f"org: {_one_line(node.text)}"
    return show(node)


def _one_line(name: str) -> str:
    return (
        f'"{name}"' if re.search(r"[;；]|\b(?:au|author|org|organi[sz]ation)\s*:", name) else name
    )


def describe(query: Query) -> str:
    """One line for people: "Any of: LoRA · low-rank adaptation · PEFT", or the query itself."""
    if query.kind == "query":
        return query.shown
    wanted, excluded = split_keywords(query.root)
    one, many, spoken = "With: ", "Any of: ", [_spoken(leaf) for leaf in wanted]
    if query.kind == "follow":
        lines, excluded = split_lines(query)
        one, many, spoken = "By: ", "By any of: ", [line_of(node) for node in lines]
    line = (many if len(spoken) > 1 else one) + " · ".join(spoken)
    return f"{line}, without: {' · '.join(map(_spoken, excluded))}" if excluded else line


def _spoken(leaf: Leaf) -> str:
    if isinstance(leaf, Near):
        return show_item(leaf)
    return f"={leaf.text}" if isinstance(leaf, Term) and leaf.exact else leaf.text
