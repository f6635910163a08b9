"""What SQLite's FTS5 and PostgreSQL's GIN can be asked of our queries: words, phrases, title and
abstract, AND, OR, NOT over stems. They know no second spelling (fine-tuning, finetuning) and no
acronyms.
"""

from collections.abc import Iterator

from service.matching.document import Document
from service.matching.query import And, Leaf, Node, Not, Or, Query, Term
from service.text.tokens import Folded


def is_plain(node: Node) -> bool:
    """Can every engine be asked this?"""
    if isinstance(node, (And, Or)):
        return all(is_plain(part) for part in node.parts)
    if isinstance(node, Not):
        return is_plain(node.part)
    return (
        isinstance(node, Term)
        and not node.exact
        and node.field in ("", "ti", "abs")
        and all(word.stem for word in node.words)
    )


def plainly_wants(query: Query, document: Document) -> bool:
    """What the other engines should say: stems side by side."""
    return _holds(query.root, document)


def _holds(node: Node, document: Document) -> bool:
    if isinstance(node, And):
        return all(_holds(part, document) for part in node.parts)
    if isinstance(node, Or):
        return any(_holds(part, document) for part in node.parts)
    if isinstance(node, Not):
        return not _holds(node.part, document)
    return any(_occurs(node, folded) for folded in _fields(node, document))


def _fields(leaf: Leaf, document: Document) -> Iterator[Folded]:
    assert isinstance(leaf, Term)
    if leaf.field != "abs":
        yield document.title
    if leaf.field != "ti":
        yield document.abstract


def _occurs(leaf: Leaf, folded: Folded) -> bool:
    assert isinstance(leaf, Term)
    wanted = tuple(word.stem for word in leaf.words)
    size = len(wanted)
    return any(folded.stems[at : at + size] == wanted for at in range(len(folded.stems) - size + 1))
