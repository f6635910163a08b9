"""What a paper must hold before a term can occur in it.

Every occurrence of a term passes over each of its words, alone or written as one with its
neighbours. So for any one of its words, the forms that pass over it are a set of keys of which
one must be in the paper.
"""

from service.matching.lattice import acronym_forms
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
