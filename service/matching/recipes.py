"""What decides a leaf: the symbols that a paper must hold, in numbers that arrays can compare.

A symbol is a word form with a letter for its kind before it:

    L label   stem of one word, or of two or three written as one
    J joined  the same, of two or three written as one only
    K E C     folded, lower-case and written form of one word
    P prefix  beginning of a word (asked for as such)
    I         identifier
    A N       word of an author's name; family name and first letter of a given name

A leaf is decided where some row of symbols lies along the words of a text without a gap (a
phrase has one row for each way to cut it). What cannot be told so has conditions only, which a
paper must fulfil before the leaf is tested on it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from service.matching.lattice import acronym_forms
from service.matching.names import begins_with_particle, is_one_word
from service.matching.query import Category, Identifier, Leaf, Near, Number, Person, Term, Word

MOST_PATHS = 32
"""A phrase that can be cut in more ways is tested by itself where its words occur."""

PLACES = ("title", "abstract", "source", "organisation", "id", "authors", "categories")
"""Where a leaf may occur; number i is bit i of a recipe's ``places``."""

_BITS = {"": 0b11, "ti": 0b1, "abs": 0b10, "source": 0b100, "org": 0b1000}


class How(IntEnum):
    """How it is told whether a leaf is true. paths: by rows of symbols · near: two words, where
    both stand · needs: tested where its conditions hold · person: tested on the authors that have
    one of its symbols · category, figure: by the values a paper
    has · always: tested on every one."""

    PATHS = 0
    NEEDS = 1
    CATEGORY = 2
    FIGURE = 3
    ALWAYS = 4
    NEAR = 5
    PERSON = 6


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a leaf is decided. places: bits of PLACES whose words matter. paths: rows of symbols,
    one of which must lie in a text. needs: sets of symbols; of each the paper has one. distance:
    how far two near words may stand apart."""

    how: How
    places: int = 0
    paths: tuple[tuple[str, ...], ...] = ()
    needs: tuple[tuple[str, ...], ...] = ()
    distance: int = 0


def recipe_of(leaf: Leaf) -> Recipe:
    """The recipe of a leaf."""
    match leaf:
        case Term():
            places = _BITS.get(leaf.field, 0)
            paths = tuple(dict.fromkeys(_first(_rows(leaf, 0), MOST_PATHS + 1)))
            if not places or not paths:
                return Recipe(How.ALWAYS)
            if len(paths) <= MOST_PATHS:
                return Recipe(How.PATHS, places, paths)
            return _tested(leaf)
        case Near():
            return _tested(leaf)
        case Identifier():
            return Recipe(How.PATHS, 0b10000, (("I" + leaf.value,),))
        case Person():
            return _person(leaf)
        case Category():
            return Recipe(How.CATEGORY)
        case Number():
            return Recipe(How.FIGURE)
    return Recipe(How.ALWAYS)


def _tested(leaf: Term | Near) -> Recipe:
    """Of each word some form must be there, alone or (of a phrase) written as one with others."""
    places = _BITS.get(leaf.field, 0)
    if not places:
        return Recipe(How.ALWAYS)
    if isinstance(leaf, Near):
        needs = tuple(map(_word, leaf.words))
        how, distance = (How.NEAR, leaf.distance) if len(needs) == 2 else (How.NEEDS, 0)
        return Recipe(how, places, needs=needs, distance=distance)
    return Recipe(
        How.NEEDS, places, needs=tuple(_passing(leaf, at) for at in range(len(leaf.words)))
    )


def _passing(term: Term, at: int) -> tuple[str, ...]:
    """The symbols that can stand for word ``at``, by itself or joined with its neighbours."""
    word = term.words[at]
    found = [*_word(word), "L" + word.stem] if word.stem else [*_word(word)]
    for start in range(max(0, at - 2), at + 1):
        for size, symbol in _joined(term, start):
            if start + size > at:
                found.append(symbol)
    return tuple(dict.fromkeys(found))


def _first(rows: Iterator[tuple[str, ...]], most: int) -> Iterator[tuple[str, ...]]:
    for _at, row in zip(range(most), rows, strict=False):
        yield row


def _rows(term: Term, at: int) -> Iterator[tuple[str, ...]]:
    """Every row of symbols for the words from ``at`` on (see lattice: the steps of a term)."""
    if at == len(term.words):
        yield ()
        return
    for size, symbol in _steps(term, at):
        for rest in _rows(term, at + size):
            yield (symbol, *rest)


def _steps(term: Term, at: int) -> Iterator[tuple[int, str]]:
    word = term.words[at]
    for symbol in _word(word):
        yield 1, symbol
    if term.exact:
        return
    if word.stem and word.kind != "stem":
        yield 1, "J" + word.stem
    yield from _joined(term, at)


def _joined(term: Term, at: int) -> Iterator[tuple[int, str]]:
    """The words from ``at`` on written as one."""
    for size, label in enumerate(term.joins[at] if term.joins else (), start=2):
        if label:
            yield size, f"P{label[:-1]}" if label[-1] == "*" else f"L{label}"


def _word(word: Word) -> tuple[str, ...]:
    match word.kind:
        case "stem":
            return ("L" + word.stem,)
        case "acronym":
            return tuple("K" + form for form in acronym_forms(word.key))
        case "exact":
            return ("E" + word.key,)
        case "case":
            return ("C" + word.key,)
        case "prefix":
            return ("P" + word.key,)


def _person(person: Person) -> Recipe:
    parts = person.parts
    if person.prefix:
        return Recipe(How.ALWAYS)
    if is_one_word(person):
        return Recipe(How.PERSON, needs=(("A" + parts[-1],),))
    if begins_with_particle(parts):
        return Recipe(How.PERSON, needs=(("A" + parts[-1],),))
    return Recipe(How.PERSON, needs=(tuple(dict.fromkeys(named(parts))),))


def named(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Family name and first letter of a given name, as printed and turned round."""
    if len(parts) < 2:
        return ()
    found = (f"N{parts[-1]} {parts[0][:1]}",)
    return (*found, f"N{parts[0]} {parts[-1][:1]}") if len(parts) == 2 else found
