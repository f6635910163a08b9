"""A reader's words less one of them, or with one more that papers must not contain.

The text that comes out is read again and says exactly what is meant; where the reader's own writing
can stay (commas, lines, brackets), it stays.
"""

import re
from collections.abc import Iterable, Iterator

from service.errors import Sentence
from service.matching.build import all_of, any_of
from service.matching.document import Document
from service.matching.evaluate import evaluate_node, find_leaf
from service.matching.faults import split_items
from service.matching.parse import make_query, parse_keywords, read_again
from service.matching.query import (
    And,
    Identifier,
    Leaf,
    Near,
    Node,
    Not,
    Number,
    Or,
    Query,
    QueryError,
    Term,
    leaves,
)
from service.matching.show import (
    line_of,
    show_item,
    show_leaf,
    split_keywords,
    split_lines,
    to_text,
)

_NO_WORDS = (Number, Identifier)


def asked_for(query: Query) -> tuple[Node, ...]:
    """The terms (of people: the lines) that a query wants, figures and names of papers left out."""
    if query.kind == "follow":
        return split_lines(query)[0]
    every = leaves(query.root, wanted_only=True)
    return tuple(leaf for leaf in dict.fromkeys(every) if not isinstance(leaf, _NO_WORDS))


def found_terms(query: Query, document: Document) -> tuple[Node, ...]:
    """Those of them that a paper has; () where the query does not want the paper."""

    def holds(node: Node) -> bool:
        return evaluate_node(node, lambda leaf: find_leaf(leaf, document)) is not None

    return tuple(filter(holds, asked_for(query))) if holds(query.root) else ()


def name_of(query: Query, node: Node) -> str:
    """A term or line as the reader wrote it, near enough to be known again."""
    if query.kind == "follow" or isinstance(node, (And, Or, Not)):
        return line_of(node)
    return show_item(node) if query.kind == "keywords" else show_leaf(node)


def less(query: Query, text: str, gone: Node) -> str:
    """``text``, which reads as ``query``, as if ``gone`` were never found: it only narrows.

    Returns "" where nothing is left to ask for.
    """
    root = _less(query.root, gone)
    if root is None:
        return ""
    try:
        wanted = make_query(root, query.kind)
    except QueryError:  # only what to leave out is left
        return ""
    return _written(wanted, _kept_items(query, text, gone))


def _less(node: Node, gone: Node) -> Node | None:
    if node == gone:
        return None
    if isinstance(node, Or):
        parts = [kept for part in node.parts if (kept := _less(part, gone)) is not None]
        return any_of(parts) if parts else None
    if isinstance(node, And):
        kept_parts = [_less(part, gone) for part in node.parts]
        return None if None in kept_parts else all_of([part for part in kept_parts if part])
    return node


def _kept_items(query: Query, text: str, gone: Node) -> Iterator[str]:
    """The reader's own list without the item."""
    if query.kind == "query":
        return
    items = split_items(text) if query.kind == "keywords" else split_items(text, "\r\n;；")
    kept = []
    for _, item in items:
        try:
            read = read_again(query.kind, item)
        except QueryError:
            kept.append(item.strip())  # what is left out, or empty
        else:
            kept += [] if read.root == gone else [item.strip()]
    kept = [item for item in kept if item]
    yield ("\n" if re.search(r"[\r\n]", text) else ", " if query.kind == "keywords" else "; ").join(
        kept
    )


def without(query: Query, text: str, word: str) -> str:
    """``text`` with one more word, phrase or term that papers must not contain.

    Raises QueryError: the word cannot be read, is one that is asked for, or is one too many.
    """
    leaf = read_word(word)
    asked = leaves(query.root, wanted_only=True)
    if any(_same(leaf, other) for other in asked):
        raise QueryError(
            Sentence("%(word)s is a word that you ask for.", word=word.strip()),
            next_step=Sentence("Take it out instead."),
        )
    wanted = make_query(all_of([query.root, Not(leaf)]), query.kind)
    if query.kind == "keywords":
        listed = text.strip(" ,;\r\n")
        between = "\n" if "\n" in listed else ", "
        return _written(wanted, [f"{listed}{between}-{show_item(leaf)}"])
    item = f"NOT {show_leaf(leaf)}"
    return _written(wanted, (f"{text.strip()} AND {item}", f"({text.strip()}) AND {item}"))


def read_word(word: str) -> Leaf:
    """One word or phrase to leave out. Raises QueryError."""
    read = parse_keywords(word)
    wanted, excluded = split_keywords(read.root)
    if len(wanted) != 1 or excluded:
        raise QueryError(
            Sentence("This is more than one word or phrase."),
            next_step=Sentence("Leave out one after the other."),
        )
    return wanted[0]


def _same(one: Leaf, other: Leaf) -> bool:
    if isinstance(one, (Term, Near)) and isinstance(other, type(one)):
        return [word.key for word in one.words] == [word.key for word in other.words]
    return False


def _written(wanted: Query, choices: Iterable[str]) -> str:
    """The first text that says what is wanted, else our own writing of it."""
    for text in choices:
        try:
            if read_again(wanted.kind, text).root == wanted.root:
                return text
        except QueryError:
            continue
    text = to_text(wanted)
    read_again(wanted.kind, text)  # too long is said as it is
    return text
