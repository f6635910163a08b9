"""Where a term occurs in a folded text, hyphen, space and joined spellings being one.

Text and term are both read as a lattice: from a word one may step over it alone, or over it and
the next one or two written as one. A term occurs where a path through it and a path through the
text carry the same labels (stems), so "fine-tuning", "fine tuning" and "finetuning" meet.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
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
    def _steps(self) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        return self.folded.stems, joins_of_two(self.folded), joins_of_three(self.folded)

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
    def by_join(self) -> dict[str, list[Span]]:
        """Stem of two or three words written as one -> spans."""
        found: dict[str, list[Span]] = {}
        for size, labels in ((2, self._steps[1]), (3, self._steps[2])):
            for at, label in enumerate(labels):
                if label:
                    found.setdefault(label, []).append((at, at + size))
        return found

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
        return sorted(
            at for key, found in self.by_key.items() if key.startswith(word.key) for at in found
        )

    def spans(self, term: Term) -> list[Span]:
        """Every place where ``term`` occurs: the longest for each first word, none twice."""
        longest: dict[int, int] = {}
        ends: dict[Span, int] = {}
        for start, states in self._beginnings(term):
            end = max(self._end(term, state, ends) for state in states)
            if end > longest.get(start, 0):
                longest[start] = end
        return sorted(longest.items())

    def _beginnings(self, term: Term) -> Iterator[tuple[int, list[Span]]]:
        """(first word of the text, states (word of the term, word of the text) after one step)."""
        if term.exact:
            for at in self.places(term.words[0]):
                yield at, [(1, at + 1)]
            return
        states: dict[int, list[Span]] = {}
        for at in self.places(term.words[0]):
            states.setdefault(at, []).append((1, at + 1))
        for size, label in _labels(term, 0):
            if size > 1:
                for at in self.by_stem.get(label, ()):
                    states.setdefault(at, []).append((size, at + 1))
            for start, end in self.by_join.get(label, ()):
                states.setdefault(start, []).append((size, end))
        first = term.words[0]
        if first.kind == "prefix":
            for at in range(len(self.folded) - 1):
                if self._begins_over_hyphen(first.key, at):
                    states.setdefault(at, []).append((1, at + 2))
        yield from states.items()

    def _begins_over_hyphen(self, prefix: str, at: int) -> bool:
        """Do two hyphenated words begin with ``prefix`` together ("pre-training" for
        ``pretrain*``)? Over a blank "a model is" would begin with "models"."""
        head = self.folded.keys[at]
        if self.folded.gaps[at] != "-" or len(head) >= len(prefix) or not prefix.startswith(head):
            return False
        return bool(self._steps[1][at]) and self.folded.keys[at + 1].startswith(prefix[len(head) :])

    def _end(self, term: Term, state: Span, ends: dict[Span, int]) -> int:
        """The furthest end over all paths from ``state``, 0 when none reaches the term's end.

        ends: of states met before, so that a phrase of many equal words takes time in proportion
        to its length times the text's.
        """
        waiting = [state]
        following: dict[Span, list[Span]] = {}
        while waiting:
            at = waiting[-1]
            if at in ends:
                waiting.pop()
            elif at[0] == len(term.words):
                ends[waiting.pop()] = at[1]
            elif at not in following:
                following[at] = list(self._next(term, *at))
                waiting.extend(following[at])
            else:
                ends[waiting.pop()] = max((ends[one] for one in following[at]), default=0)
        return ends[state]

    def _next(self, term: Term, at_term: int, at_text: int) -> Iterator[Span]:
        if at_text >= len(self.folded):
            return
        word = term.words[at_term]
        if self._is(word, at_text):
            yield at_term + 1, at_text + 1
        if term.exact:
            return
        singles, twos, threes = self._steps
        for size, label in _labels(term, at_term):
            if size > 1 and singles[at_text] == label:
                yield at_term + size, at_text + 1
            if twos[at_text] == label:
                yield at_term + size, at_text + 2
            if threes[at_text] == label:
                yield at_term + size, at_text + 3
        if word.kind == "prefix" and self._begins_over_hyphen(word.key, at_text):
            yield at_term + 1, at_text + 2

    def _is(self, word: Word, at: int) -> bool:
        match word.kind:
            case "stem":
                return self.folded.stems[at] == word.stem
            case "exact":
                return self.folded.exact[at] == word.key
            case "case":
                return self.folded.cased[at] == word.key
            case "acronym":
                return self.folded.keys[at] in acronym_forms(word.key)
        return self.folded.keys[at].startswith(word.key)

    def near_spans(self, near: Near) -> list[Span]:
        """The words that stand within the distance of each other, each a span of its own.

        All words lie in a window whose first and last are at most ``distance`` apart; a word
        asked for twice must stand there twice.
        """
        places = [self.places(word) for word in near.words]
        if not all(places):
            return []
        marked: set[int] = set()
        for first in sorted({at for found in places for at in found}):
            last = first + near.distance
            window = [
                found[bisect_left(found, first) : bisect_right(found, last)] for found in places
            ]
            if all(window) and _can_differ(window):
                marked.update(at for found in window for at in found)
        return [(at, at + 1) for at in sorted(marked)]


def _labels(term: Term, at: int) -> Iterator[tuple[int, str]]:
    """(how many words of the term, the stem of them written as one), sizes 1 to 3."""
    if term.words[at].stem:
        yield 1, term.words[at].stem
    for size, label in enumerate(term.joins[at], start=2):
        if label:
            yield size, label


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
        for at in choices[word]:
            if at in tried:
                continue
            tried.add(at)
            if at not in taken or seat(taken[at], tried):
                taken[at] = word
                return True
        return False

    return all(seat(word, set()) for word in range(len(choices)))
