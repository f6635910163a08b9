"""Where a term occurs in a folded text, hyphen, space and joined spellings being one.

Text and term are both read as a lattice: from a word one may step over it alone, or over it and
the next one or two written as one. A term occurs where a path through it and a path through the
text carry the same labels (stems), so "fine-tuning", "fine tuning" and "finetuning" meet.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property

from service.matching.query import Near, Term, Word
from service.text.tokens import Folded, joins_of_three, joins_of_two

Span = tuple[int, int]
"""First word and one past the last."""


class Lattice:
    """A folded text with the places of each word form, built when first asked for."""

    def __init__(self, folded: Folded) -> None:
        self.folded = folded

    @cached_property
    def by_stem(self) -> dict[str, list[int]]:
        """Stem of a single word -> places."""
        return _places(self.folded.stems)

    @cached_property
    def by_key(self) -> dict[str, list[int]]:
        """Folded word -> places."""
        return _places(self.folded.keys)

    @cached_property
    def by_exact(self) -> dict[str, list[int]]:
        """Lower-case form -> places."""
        return _places(self.folded.exact)

    @cached_property
    def by_cased(self) -> dict[str, list[int]]:
        """Form as written -> places."""
        return _places(self.folded.cased)

    @cached_property
    def _joins(self) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
        """Stem of two words written as one -> places of the first; the same of three."""
        return _places(self._twos), _places(joins_of_three(self.folded))

    @cached_property
    def _twos(self) -> tuple[str, ...]:
        return joins_of_two(self.folded)

    @cached_property
    def _hyphens(self) -> list[int]:
        """Words that may be read as one with the next, over a hyphen."""
        gaps = self.folded.gaps
        return [at for at, label in enumerate(self._twos) if label and gaps[at] == "-"]

    def places(self, word: Word) -> list[int]:
        """Where ``word`` stands as a word of its own."""
        match word.kind:
            case "stem":
                return self.by_stem.get(word.stem, [])
            case "exact":
                return self.by_exact.get(word.key, [])
            case "case":
                return self.by_cased.get(word.key, [])
            case "acronym":
                forms = acronym_forms(word.key)
                return sorted(at for form in forms for at in self.by_key.get(form, ()))
        return self._begun(word.key)

    def _begun(self, prefix: str) -> list[int]:
        """Where a word begins with ``prefix``."""
        return sorted(
            at for key, found in self.by_key.items() if key.startswith(prefix) for at in found
        )

    def _begun_over_hyphen(self, prefix: str) -> list[int]:
        """Where two hyphenated words begin with ``prefix`` together ("pre-training" for
        ``pretrain*``). Over a blank "a model is" would begin with "models"."""
        keys = self.folded.keys
        return [
            at
            for at in self._hyphens
            if len(keys[at]) < len(prefix) and (keys[at] + keys[at + 1]).startswith(prefix)
        ]

    def spans(self, term: Term) -> list[Span]:
        """Every place where ``term`` occurs: the longest for each first word, none twice.

        From the last word to the first: where the rest of the term begins, and the furthest end
        that it has there. Only what the next three words may lead to is kept, so that a phrase of
        hundreds of equal words takes little memory and time in proportion to both lengths.
        """
        begins = beginnings(term)
        if begins is not None and not self.of_these(begins):
            return []
        count = len(term.words)
        rests: deque[dict[int, int]] = deque(maxlen=3)
        for at in range(count - 1, -1, -1):
            found: dict[int, int] = {}
            for size, length, places in self._steps(term, at):
                rest = rests[size - 1] if at + size < count else None
                for start in places:
                    end = start + length if rest is None else rest.get(start + length, 0)
                    if end > found.get(start, 0):
                        found[start] = end
            rests.appendleft(found)
            if len(rests) == 3 and not any(rests):
                return []
        return sorted(rests[0].items())

    def of_these(self, labels: AbstractSet[str]) -> set[str]:
        """Those labels that a path through the text carries."""
        stems, (twos, threes) = self.by_stem, self._joins
        return {one for one in labels if one in stems or one in twos or one in threes}

    def _steps(self, term: Term, at: int) -> Iterator[tuple[int, int, Sequence[int]]]:
        """(words of the term, words of the text that are the same, where these begin)."""
        yield 1, 1, self.places(term.words[at])
        if term.exact:
            return
        for size, label in labels(term, at):
            if size > 1:
                yield size, 1, self.by_stem.get(label, ())
            for length, joins in enumerate(self._joins, start=2):
                yield size, length, joins.get(label, ())
        for size, prefix in prefixes(term, at):
            if size > 1:
                yield size, 1, self._begun(prefix)
            yield size, 2, self._begun_over_hyphen(prefix)

    def near_spans(self, near: Near) -> list[Span]:
        """The words that stand within the distance of each other, each a span of its own.

        All words lie in a window whose first and last are at most ``distance`` apart; a word
        asked for twice must stand there twice.
        """
        wanted = Counter(near.words)
        places = {word: self.places(word) for word in wanted}
        if not all(places.values()):
            return []
        every = {at for found in places.values() for at in found}
        apart = len(every) == sum(map(len, places.values()))
        marked: set[int] = set()
        for first in sorted(every):
            last = first + near.distance
            window = {
                word: found[bisect_left(found, first) : bisect_right(found, last)]
                for word, found in places.items()
            }
            if all(len(window[word]) >= times for word, times in wanted.items()) and (
                apart or _can_differ([window[word] for word in near.words])
            ):
                marked.update(at for found in window.values() for at in found)
        return [(at, at + 1) for at in sorted(marked)]


def beginnings(term: Term) -> frozenset[str] | None:
    """The labels with one of which each path of a term begins; None where they are not known
    before the text is."""
    word = term.words[0]
    begins = (word.stem, *(term.joins[0] if term.joins else ()))
    if term.exact or word.kind != "stem" or any(label[-1:] == "*" for label in begins):
        return None
    return frozenset(filter(None, begins))


def labels(term: Term, at: int) -> Iterator[tuple[int, str]]:
    """(how many words of the term, the stem of them written as one), sizes 1 to 3."""
    if term.words[at].stem:
        yield 1, term.words[at].stem
    for size, label in enumerate(term.joins[at], start=2):
        if label and label[-1] != "*":
            yield size, label


def prefixes(term: Term, at: int) -> Iterator[tuple[int, str]]:
    """(how many words of the term, the beginning of a word that they are written as one)."""
    if term.words[at].kind == "prefix":
        yield 1, term.words[at].key
    for size, label in enumerate(term.joins[at] if term.joins else (), start=2):
        if label.endswith("*"):
            yield size, label[:-1]


def acronym_forms(key: str) -> tuple[str, str]:
    """An acronym is a whole word; of its inflections only the plural counts."""
    return key, key + "s"


def _places(column: Iterable[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for at, form in enumerate(column):
        found.setdefault(form, []).append(at)
    return found


def _can_differ(choices: list[list[int]]) -> bool:
    """Can each word have a place of its own? (Augmenting paths.)"""
    taken: dict[int, int] = {}

    def seat(word: int, tried: set[int]) -> bool:
        free = next((at for at in choices[word] if at not in taken), None)
        if free is not None:
            taken[free] = word
            return True
        for at in choices[word]:
            if at in tried:
                continue
            tried.add(at)
            if seat(taken[at], tried):
                taken[at] = word
                return True
        return False

    return all(seat(word, set()) for word in range(len(choices)))
