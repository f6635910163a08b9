"""Texts in columns meet a term: which of them hold it, all looked at together (see columns)."""

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from service.matching.columns import (
    CASED,
    EXACT,
    GAPS,
    JOINED,
    KEY,
    NAMES,
    STEM,
    Columns,
    Flags,
    Spelling,
)
from service.matching.lattice import Lattice, Span, acronym_forms, labels, prefixes
from service.matching.placed import (
    LOW,
    NOWHERE,
    Placed,
    Step,
    distinct,
    joined,
    label_hash,
    longest,
    overlapping,
    twice,
)
from service.matching.query import Near, Term, Word
from service.matching.strings import Array, Strings
from service.text.tokens import Folded

_MOST_ALIKE = 6
_MOST_READ = 4096


class Texts:
    """Texts by number, 0 and on."""

    def __init__(self, columns: Columns) -> None:
        self.columns = {name: columns[name] for name in NAMES}
        self.strings = Strings(columns["letters"], columns["begins"])
        self._forms, self._words = columns["forms"], columns["words"]
        self._bounds, self._gaps = columns["bounds"], columns["gaps"]
        self._order, self._fields = columns["order"], columns["order_fields"]
        self._form_begins = columns["form_begins"].data
        self._sorters = {
            CASED: columns["by_cased"],
            EXACT: columns["by_exact"],
            KEY: None,
            STEM: columns["by_stem"],
        }
        self._joins = {
            2: (columns["twos"], columns["two_places"]),
            3: (columns["threes"], columns["three_places"]),
        }
        self._read: dict[int, Spelling] = {}
        self._found: dict[tuple[int, str], Sequence[int]] = {}

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def text(self, number: int) -> Folded:
        """A text as it was folded."""
        begin, end = int(self._bounds[number]), int(self._bounds[number + 1]) - 1
        rows = [self._spelling(form) for form in self._words[begin:end].tolist()]
        starts = self.columns["starts"][begin:end].astype(np.int64)
        cased, exact, keys, stems = zip(*rows, strict=True) if rows else ((),) * 4
        return Folded(
            keys=keys,
            exact=exact,
            cased=cased,
            stems=stems,
            starts=tuple(starts.tolist()),
            ends=tuple((starts + self.columns["lengths"][begin:end]).tolist()),
            gaps="".join(GAPS[gap % JOINED] for gap in self._gaps[begin:end].tolist()),
        )

    def _spelling(self, form: int) -> Spelling:
        found = self._read.get(form)
        if found is None:
            found = Spelling(*(self.strings[n] for n in self._forms[:, form].tolist()))
            if len(self._read) >= _MOST_READ:
                self._read = {}
            self._read[form] = found
        return found

    def holding(self, leaf: Term | Near) -> Flags:
        """For each text: does the term occur in it?"""
        if isinstance(leaf, Near):
            return self._near(leaf)
        if len(leaf.words) == 1:
            return self._holding_word(leaf)
        return self._holding_phrase(leaf)

    def spans(self, leaf: Term | Near, texts: Sequence[int]) -> dict[int, list[Span]]:
        """Where the term occurs in a few texts, as ``Lattice`` says: by text, (first word, one
        past the last) in the words of the text."""
        chosen = np.zeros(len(self), dtype=np.bool_)
        chosen[texts] = True
        found = self._near_spans(leaf, chosen) if isinstance(leaf, Near) else []
        if isinstance(leaf, Term):
            firsts, pasts = self._runs(leaf, chosen)
            found = list(zip(firsts.tolist(), pasts.tolist(), strict=True))
        by_text: dict[int, list[Span]] = {}
        if found:
            at = self._bounds.searchsorted([first for first, _ in found], side="right") - 1
            begins = self._bounds[at].tolist()
            for text, begin, (first, past) in zip(at.tolist(), begins, found, strict=True):
                by_text.setdefault(text, []).append((first - begin, past - begin))
        return by_text

    def shown(self, text: int, spans: Sequence[Span]) -> list[tuple[int, int]]:
        """The spans in characters of the shown text."""
        begin = int(self._bounds[text])
        starts, lengths = self.columns["starts"], self.columns["lengths"]
        return [
            (
                int(starts[begin + first]),
                int(starts[begin + past - 1]) + int(lengths[begin + past - 1]),
            )
            for first, past in spans
        ]

    def frequent(self, wanted: Flags, most: int) -> list[tuple[Spelling, int]]:
        """(form, times) of so many forms in the wanted texts, the most frequent first."""
        inside = np.repeat(wanted, np.diff(self._bounds))
        forms, counts = np.unique(self._words[inside], return_counts=True)
        first = np.lexsort((forms, -counts))[: most + 1]
        found = zip(forms[first].tolist(), counts[first].tolist(), strict=True)
        return [(self._spelling(form), times) for form, times in found if form]

    def frequencies(self, together: int) -> Array:
        """For each string: of how many papers, each of so many texts, it is a stem."""
        known = np.flatnonzero(self._words)
        texts = np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self._bounds))
        size = len(self.strings)
        stems = self._forms[STEM][self._words[known]].astype(np.int64)
        pairs = np.unique(texts[known] // together * size + stems)
        return np.bincount(pairs % size, minlength=size).astype(np.int32)

    def _texts(self, places: Array) -> Flags:
        """The texts in which these words lie."""
        flags = np.zeros(len(self), dtype=np.bool_)
        if len(places):
            flags[self._text_of(places)] = True
        return flags

    def _holding_word(self, term: Term) -> Flags:
        """A single word needs no places, only texts."""
        word = term.words[0]
        flags = np.zeros(len(self), dtype=np.bool_)
        for part in self._slices(self._of_word(word)):
            flags[self._fields[part]] = True
        if not term.exact:
            if word.kind == "prefix":
                flags |= self._texts(self._prefix_joins(word.key))
            if word.stem:
                for length in (2, 3):
                    flags |= self._texts(self._join_places(length, word.stem))
        return flags

    def _steps(self, term: Term, at: int) -> Iterator[Step]:
        """Every way of going on from word ``at`` of the term (the paths of ``Lattice``)."""
        word = term.words[at]
        yield Step(1, 1, forms=self._of_word(word))
        if term.exact:
            return
        for size, prefix in prefixes(term, at):
            if size > 1:
                yield Step(size, 1, forms=self._range(prefix))
            yield Step(size, 2, places=self._prefix_joins(prefix))
        for size, label in labels(term, at):
            if size > 1:
                yield Step(size, 1, forms=self._spelled(STEM, label))
            for length in (2, 3):
                yield Step(size, length, places=self._join_places(length, label))

    def _of(self, step: Step, chosen: Flags | None) -> Array:
        """The places of a step, in the chosen texts alone."""
        places = step.places
        if step.forms:
            return self._at(step.forms, chosen)
        if chosen is None or not len(places):
            return places
        return places[chosen[self._text_of(places)]]

    def _holding_phrase(self, term: Term) -> Flags:
        """All occurrences at once: reached[n] is where the text goes on after n words."""
        steps = [list(self._steps(term, at)) for at in range(len(term.words))]
        chosen = self._promising(steps)
        if chosen is not None and not chosen.any():
            return chosen
        reached: list[list[Array]] = [[] for _ in range(len(steps) + 3)]
        for at, some in enumerate(steps):
            here = distinct(reached[at])
            if at and not len(here):
                continue
            for step in some:
                places = here[self._leads(step, here)] if at else self._of(step, chosen)
                if len(places):
                    reached[at + step.size].append(places + step.length)
        return self._texts(joined(reached[len(steps)]) - 1)

    def _promising(self, steps: Sequence[Sequence[Step]]) -> Flags | None:
        """The texts that hold the words that are rarer than the first; None: all may."""
        over: list[list[Step]] = [[] for _ in steps]
        for at, some in enumerate(steps):
            for step in some:
                for covered in over[at : at + step.size]:
                    covered.append(step)
        counts = [sum(map(self._count, covered)) for covered in over]
        if counts[0] <= 2 * min(counts):
            return None
        chosen = np.ones(len(self), dtype=np.bool_)
        for count, covered in sorted(zip(counts, over, strict=True), key=lambda one: one[0]):
            if counts[0] <= 2 * count or not chosen.any():
                break
            flags = np.zeros(len(self), dtype=np.bool_)
            for step in covered:
                for part in self._slices(step.forms):
                    flags[self._fields[part]] = True
                if len(step.places):
                    flags[self._text_of(step.places)] = True
            chosen &= flags
        return chosen

    def _count(self, step: Step) -> int:
        return len(step.places) + sum(int(p.stop - p.start) for p in self._slices(step.forms))

    def _leads(self, step: Step, here: Array) -> Flags:
        """From which of the places a step leads on."""
        if len(step.places):
            ordered = np.sort(step.places, kind="stable")
            at = ordered.searchsorted(here)
            at[at == len(ordered)] = 0
            return np.asarray(ordered[at] == here, dtype=np.bool_)
        words = self._words[here]
        if isinstance(step.forms, range):
            return (words >= step.forms.start) & (words < step.forms.stop)
        wanted = np.zeros(self._forms.shape[1], dtype=np.bool_)
        wanted[list(step.forms)] = True
        return wanted[words]

    def times(self, leaf: Term | Near, chosen: Flags) -> Array:
        """How many hits the term has in each of the chosen texts; 0 for the others."""
        spans = self._near_spans(leaf, chosen) if isinstance(leaf, Near) else []
        firsts = np.array([first for first, _ in spans], dtype=np.int64)
        if isinstance(leaf, Term):
            firsts, _ = self._runs(leaf, chosen)
        return np.bincount(self._text_of(firsts), minlength=len(self))

    def _runs(self, term: Term, chosen: Flags) -> tuple[Array, Array]:
        """(first word, one past the last) of every occurrence; for each first word the longest."""
        reached: list[list[Array]] = [[] for _ in range(len(term.words) + 3)]
        for at in range(len(term.words)):
            both = distinct(reached[at])
            if at and not len(both):
                continue
            for step in self._steps(term, at):
                on = both[self._leads(step, both & LOW)] if at else twice(self._of(step, chosen))
                reached[at + step.size].append(on + step.length)
        return longest(distinct(reached[len(term.words)]))

    def _near_spans(self, near: Near, chosen: Flags) -> list[Span]:
        places = {word: np.sort(self._at(self._of_word(word), chosen)) for word in near.words}
        found = []
        for text in np.flatnonzero(chosen).tolist():
            begin, end = self._bounds[text : text + 2].tolist()
            inside = {
                word: row[row.searchsorted(begin) : row.searchsorted(end)].tolist()
                for word, row in places.items()
            }
            if all(inside.values()):
                found += Placed(inside).near_spans(near)
        return found

    def _of_word(self, word: Word) -> Sequence[int]:
        """The forms that are this word of a query."""
        match word.kind:
            case "stem":
                return self._spelled(STEM, word.stem)
            case "exact":
                return self._spelled(EXACT, word.key)
            case "case":
                return self._spelled(CASED, word.key)
            case "acronym":
                one, several = (self._spelled(KEY, key) for key in acronym_forms(word.key))
                return [*one, *several]
            case "prefix":
                return self._range(word.key)

    def _spelled(self, column: int, text: str) -> Sequence[int]:
        """The forms of which this spelling is ``text``; kept, since words are asked for often."""
        found = self._found.get((column, text))
        if found is None:
            found = self._search(column, text)
            if len(self._found) >= _MOST_READ:
                self._found = {}
            self._found[column, text] = found
        return found

    def _search(self, column: int, text: str) -> Sequence[int]:
        number = self.strings.find(text)
        if number < 0:
            return ()
        row, sorter = self._forms[column], self._sorters[column]
        low, high = row.searchsorted([number, number + 1], sorter=sorter).tolist()
        return range(low, high) if sorter is None else tuple(sorted(sorter[low:high].tolist()))

    def _range(self, prefix: str) -> range:
        """The forms whose key begins with ``prefix``."""
        strings = self.strings.beginning(prefix)
        low, high = self._forms[KEY].searchsorted([strings.start, strings.stop]).tolist()
        return range(low, high)

    def _slices(self, forms: Sequence[int]) -> Iterator[slice]:
        """Where the forms' places are; neighbours together."""
        begins = self._form_begins
        if isinstance(forms, range):
            if forms:
                yield slice(begins[forms.start], begins[forms.stop])
            return
        low = high = 0
        for form in forms:
            if begins[form] != high:
                if low < high:
                    yield slice(low, high)
                low = begins[form]
            high = begins[form + 1]
        if low < high:
            yield slice(low, high)

    def _at(self, forms: Sequence[int], chosen: Flags | None = None) -> Array:
        """Every place of these forms, in no order. chosen: in these texts alone."""
        found = [
            self._order[part] if chosen is None else self._order[part][chosen[self._fields[part]]]
            for part in self._slices(forms)
        ]
        return joined(found)

    def _text_of(self, places: Array) -> Array:
        """The text of each place."""
        return self._bounds.searchsorted(places, side="right") - 1

    def _join_places(self, length: int, label: str) -> Array:
        hashes, places = self._joins[length]
        wanted = label_hash(label)
        low = int(hashes.searchsorted(wanted))
        if low == len(hashes) or hashes[low] != wanted:
            return NOWHERE
        return places[low : int(hashes.searchsorted(wanted, side="right"))]

    def _prefix_joins(self, prefix: str) -> Array:
        """Where two hyphenated words that may be joined begin with ``prefix`` together."""
        found = []
        for cut in range(1, len(prefix)):
            heads = self._at(self._spelled(KEY, prefix[:cut]))
            if len(heads):
                heads = heads[self._gaps[heads] == GAPS.index("-") + JOINED]
            if len(heads):
                following, wanted = self._words[heads + 1], self._range(prefix[cut:])
                found.append(heads[(following >= wanted.start) & (following < wanted.stop)])
        return joined(found)

    def _near(self, near: Near) -> Flags:
        """In the window after each first word every word must have a place of its own. That is so
        when any choice of m words finds m places there (Hall's condition), and only words that
        can stand in one place need to be looked at together.
        """
        forms = [frozenset(self._of_word(word)) for word in near.words]
        groups = overlapping(forms)
        if any(len(group) > _MOST_ALIKE for group in groups):
            return self._near_by_text(near, forms)
        first = np.sort(self._at(sorted(frozenset().union(*forms))))
        last = np.minimum(
            first + near.distance,
            self._bounds[np.searchsorted(self._bounds, first, side="right")] - 1,
        )
        inside = np.ones(len(first), dtype=np.bool_)
        for group in groups:
            for size in range(1, len(group) + 1):
                for chosen in {frozenset().union(*some) for some in combinations(group, size)}:
                    row = np.sort(self._at(sorted(chosen)))
                    low = np.searchsorted(row, first, side="left")
                    inside &= np.searchsorted(row, last, side="right") - low >= size
        return self._texts(first[inside])

    def _near_by_text(self, near: Near, forms: Sequence[frozenset[int]]) -> Flags:
        """For a query that asks too often for nearly the same word: one text at a time."""
        flags = np.ones(len(self), dtype=np.bool_)
        for some in set(forms):
            flags &= self._texts(self._at(sorted(some)))
        for at in np.flatnonzero(flags).tolist():
            flags[at] = bool(Lattice(self.text(at)).near_spans(near))
        return flags
