"""Author names: which printed forms mean the same person."""

from dataclasses import dataclass

from service.matching.query import Person
from service.text.fold import fold
from service.text.tokens import is_ideograph

# fmt: off
_PARTICLES = frozenset((
    "al", "ben", "bin", "da", "de", "del", "della", "den", "der", "des", "di", "dos", "du", "el",
    "ibn", "la", "le", "san", "st", "ten", "ter", "van", "von", "zu",
))
# fmt: on
_ALSO_GIVEN = frozenset(("al", "ben", "bin", "da", "di", "du", "la", "le", "san", "ten"))
"""Of them those that are also first names: "Ben Poole", "Di He"."""

_SUFFIXES = frozenset(("jr", "sr", "ii", "iii", "iv", "phd", "md"))


@dataclass(frozen=True, slots=True)
class Author:
    """A printed name: folded words in printed order, and its place in the shown authors."""

    parts: tuple[str, ...]
    start: int
    end: int


def name_parts(text: str) -> tuple[str, ...]:
    """Folded words, family name last: "Bengio, Y." and "Y. Bengio" are one; "Jr." drops out;
    "van der Berg JA" is "J. A. van der Berg"."""
    head, comma, tail = text.partition(",")
    given = fold(tail).keys
    if comma and given and not set(given) <= _SUFFIXES:
        keys = (*given, *fold(head).keys)
    else:
        keys = fold(text).keys
    kept = tuple(key for key in keys if key not in _SUFFIXES) or keys
    return _turned(kept)


def _turned(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Initials behind a family name of several words go before it; all else stays."""
    if len(parts) > 2 and parts[0] in _PARTICLES and len(parts[-1]) <= 2 < len(parts[-2]):
        return (*parts[-1], *parts[:-1])
    return parts


def printed_author(text: str, start: int) -> Author:
    """An author of a paper, whose name begins at ``start`` of the shown authors."""
    return Author(name_parts(text), start, start + len(text))


def is_person(person: Person, printed: tuple[str, ...]) -> bool:
    """May the author whose name has the parts ``printed`` be ``person``?

    One word ("Bengio", "O'Neil", "Smith-Jones"): it stands anywhere in the name. Several: the
    family names are equal and the given names agree as far as both print them, an initial standing
    for a name ("Y. Bengio", "Yoshua Bengio", "Y Bengio"; a middle name may be missing). "Bengio Y"
    is read from the back. A name that begins with a particle ("van der Maaten") is a family name;
    letters of Chinese, Japanese and Korean names stand side by side.
    """
    wanted = person.parts
    if len(wanted) == 1:
        if person.prefix:
            return any(part.startswith(wanted[0]) for part in printed)
        return wanted[0] in printed or _is_joined(wanted[0], printed)
    if is_one_word(person):
        return any(
            printed[at : at + len(wanted)] == wanted for at in range(len(printed) - len(wanted) + 1)
        )
    if begins_with_particle(wanted) and printed[-len(wanted) :] == wanted:
        return True
    if wanted[0] in _PARTICLES - _ALSO_GIVEN:
        return False
    return any(_agree(one, other) for one in _orders(wanted) for other in _orders(printed))


def is_one_word(person: Person) -> bool:
    """Is what was typed a word of a name, whatever parts it has ("O'Neil", "何恺明")?"""
    apart = any(sign in person.text for sign in " .,")
    return len(person.parts) == 1 or not apart or all(map(is_ideograph, person.parts))


def begins_with_particle(parts: tuple[str, ...]) -> bool:
    """Is this a family name of several words ("van der Maaten")?"""
    return parts[0] in _PARTICLES


def _is_joined(word: str, printed: tuple[str, ...]) -> bool:
    """ "Xiaoming" is also printed "Xiao-Ming"."""
    return any(
        printed[at] + printed[at + 1] == word
        for at in range(len(printed) - 1)
        if len(printed[at]) > 1 and len(printed[at + 1]) > 1
    )


def _orders(parts: tuple[str, ...]) -> list[tuple[str, ...]]:
    """As printed; and turned round where only an initial stands last ("Bengio Y")."""
    orders = [parts]
    if len(parts) == 2 and len(parts[-1]) <= 2 < len(parts[0]) and not is_ideograph(parts[0]):
        orders.append((*parts[-1], parts[0]))
    return orders


def _agree(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    if len(one) < 2 or len(other) < 2 or one[-1] != other[-1]:
        return False
    mine, theirs = one[:-1], other[:-1]
    if len(mine) > len(theirs):
        mine, theirs = theirs, mine
    if "".join(mine) == "".join(theirs):
        return True
    return _same_given(mine[0], theirs[0]) and _in_order(mine[1:], theirs[1:])


def _same_given(one: str, other: str) -> bool:
    return one == other or (min(len(one), len(other)) == 1 and one[0] == other[0])


def _in_order(few: tuple[str, ...], many: tuple[str, ...]) -> bool:
    """Each of ``few`` is found in ``many``, in this order."""
    rest = iter(many)
    return all(any(_same_given(name, candidate) for candidate in rest) for name in few)
