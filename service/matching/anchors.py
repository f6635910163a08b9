"""What a paper must hold before a term can occur in it: the keys of the profile index.

Every occurrence of a term passes over each of its words, alone or written as one with its
neighbours. So for any one of its words, the forms that pass over it are a set of keys of which
one must be in the paper; the index takes the word whose keys are the least used.
"""

from collections.abc import Iterator
from itertools import pairwise

from service.matching.document import Document
from service.matching.lattice import Lattice, acronym_forms
from service.matching.query import Category, Identifier, Leaf, Near, Number, Person, Term, Word

Key = tuple[str, str]
"""(kind, value): "stem" also of joined words, "key", "exact", "case", "prefix", "author", "id"."""


def anchor_choices(leaf: Leaf) -> list[tuple[Key, ...]]:
    """Sets of keys; for each set, one of its keys is in every paper where the leaf occurs.

    Empty for leaves that are tested on every paper (figures, categories, sources).
    """
    match leaf:
        case Term(field="" | "ti" | "abs"):
            return [_passing(leaf, at) for at in range(len(leaf.words))]
        case Near(field="" | "ti" | "abs"):
            return [_single(word) for word in leaf.words]
        case Person():
            if leaf.prefix:
                return []
            ends = {leaf.parts[-1], leaf.parts[0]}
            return [tuple(("author", part) for part in sorted(ends))]
        case Identifier():
            return [(("id", leaf.value),)]
        case Term() | Near() | Category() | Number():
            return []


def _single(word: Word) -> tuple[Key, ...]:
    match word.kind:
        case "stem":
            return (("stem", word.stem),)
        case "acronym":
            return tuple(("key", form) for form in acronym_forms(word.key))
        case "exact" | "case" | "prefix":
            return ((word.kind, word.key),)


def _passing(term: Term, at: int) -> tuple[Key, ...]:
    """The keys of word ``at``, alone and joined with its neighbours."""
    keys = list(_single(term.words[at]))
    if term.exact:
        return tuple(keys)
    if term.words[at].stem:
        keys.append(("stem", term.words[at].stem))
    for start in range(max(0, at - 2), at + 1):
        for size, label in enumerate(term.joins[start], start=2):
            if label and start + size > at:
                keys.append(("stem", label))
    return tuple(dict.fromkeys(keys))


def document_keys(document: Document, prefix_lengths: frozenset[int]) -> Iterator[Key]:
    """Every key that a paper holds, each at least once; prefixes of the lengths given only."""
    for place in ("title", "abstract"):
        yield from _text_keys(document.lattice(place), prefix_lengths)
    for author in document.people:
        for part in author.parts:
            yield "author", part
        for one, other in pairwise(author.parts):
            yield "author", one + other
    for value in document.ids:
        yield "id", value


def _text_keys(lattice: Lattice, prefix_lengths: frozenset[int]) -> Iterator[Key]:
    for stem in lattice.by_stem:
        yield "stem", stem
    for label in lattice.by_join:
        yield "stem", label
    for exact in lattice.by_exact:
        yield "exact", exact
    for cased in lattice.by_cased:
        yield "case", cased
    keys = lattice.folded.keys
    for key in lattice.by_key:
        yield "key", key
        for length in prefix_lengths:
            if length <= len(key):
                yield "prefix", key[:length]
    if prefix_lengths:
        for one, other in dict.fromkeys(pairwise(keys)):
            for length in prefix_lengths:
                if len(one) < length <= len(one) + len(other):
                    yield "prefix", (one + other)[:length]
