"""The other form of a word: an abbreviation written out, a long form's abbreviation."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from service.matching.abbreviations import USUAL, Glossary, Meaning
from service.matching.counting import Counter, number_of
from service.matching.parse import make_query
from service.matching.query import And, Leaf, Node, Not, Or, Query, QueryError, Term, leaves
from service.matching.segment import Flags
from service.matching.suggestions import text_of
from service.matching.terms import make_leaf
from service.text.fold import fold

MOST_EXPANSIONS = 4

LEAST_SHARE = 0.1
"""A meaning of fewer of the papers that explain an abbreviation is another subject's."""


@dataclass(frozen=True, slots=True)
class Expansion:
    """Another form of a typed word.

    term: as typed; other: the form to add; is_short: whether ``other`` is the abbreviation.
    explained: papers that explain it so; share: of all papers that explain the abbreviation.
    brings: further papers over the asked days when it is added; text: the words with it.
    """

    term: str
    other: str
    is_short: bool
    explained: int
    share: float
    brings: int
    text: str

    @property
    def is_usual(self) -> bool:
        """Do most of the papers that explain the abbreviation mean this?"""
        return self.share >= USUAL


def expand(
    query: Query, brought: Flags, glossary: Glossary, counter: Counter
) -> Iterator[Expansion]:
    """Other forms of the wanted terms that bring further papers; brought: what the query brings.

    A form that brings nothing is not offered: the papers that have it have the typed one too.
    """
    made = _expanded(query, brought, glossary, counter)
    return islice((one for one in made if one.brings and one.text), MOST_EXPANSIONS)


def _expanded(
    query: Query, brought: Flags, glossary: Glossary, counter: Counter
) -> Iterator[Expansion]:
    known = {_sameness(leaf) for leaf in leaves(query.root, wanted_only=True)}
    for leaf in leaves(query.root, wanted_only=True):
        if not isinstance(leaf, Term) or leaf.exact or leaf.field not in ("", "ti", "abs"):
            continue
        for meaning, other in _other_forms(leaf, glossary):
            try:
                new = make_leaf(other, leaf.field, exact=False, distance=None, position=1)
                wider = make_query(with_form(query.root, leaf, new), query.kind)
            except QueryError:
                continue  # a form of signs alone, or one term too many
            if meaning.share < LEAST_SHARE or _sameness(new) in known:
                continue
            known.add(_sameness(new))
            yield Expansion(
                term=leaf.text,
                other=other,
                is_short=other == meaning.short,
                explained=meaning.papers,
                share=meaning.share,
                brings=number_of(counter.brought(wider) & ~brought),
                text=text_of(wider),
            )


def _other_forms(leaf: Term, glossary: Glossary) -> Iterator[tuple[Meaning, str]]:
    if len(leaf.words) == 1:
        yield from ((meaning, meaning.long) for meaning in glossary.meanings(leaf.text))
    yield from ((meaning, meaning.short) for meaning in glossary.shorts(leaf.text))


def _sameness(leaf: Leaf) -> object:
    return " ".join(fold(leaf.text).stems), getattr(leaf, "field", "")


def with_form(node: Node, leaf: Leaf, other: Leaf) -> Node:
    """The tree with ``leaf OR other`` in the place of ``leaf``; what is left out stays as it is."""
    if isinstance(node, And):
        return And(tuple(with_form(part, leaf, other) for part in node.parts))
    if isinstance(node, Or):
        parts: list[Node] = []
        for part in node.parts:
            made = with_form(part, leaf, other)
            parts += made.parts if isinstance(made, Or) else (made,)
        return Or(tuple(parts))
    if isinstance(node, Not) or node != leaf:
        return node
    return Or((leaf, other))
