"""What papers carry beside their text: people, categories, source, organisation, identifiers.

Names are kept once, by number; a paper has numbers of names. So a leaf is compared with each name
once, however many papers carry it.

letters, begins: every distinct name, part of a name and label (see ``Strings``) · authors,
categories, ids: numbers, paper after paper; with _bounds where each paper's begin, and the end ·
source, organisation: one number a paper · people: the distinct authors, parts: the numbers of the
folded words of each, with parts_bounds · keys, key_people: words of names in order (also two
written as one), and the author who has them · named: distinct sources and organisations, whose
words are in columns of their own (see ``columns``).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np

from service.matching import columns
from service.matching.columns import Flags
from service.matching.document import Document
from service.matching.evaluate import is_in
from service.matching.names import is_person, name_parts
from service.matching.query import Category, Identifier, Near, Person, Term
from service.matching.strings import Array, Strings
from service.matching.texts import Texts
from service.text.fold import fold

_LISTS = ("authors", "categories", "ids")
_SINGLE = ("source", "organisation")
NAMES = (
    *("letters", "begins", "people", "parts", "parts_bounds", "keys", "key_people", "named"),
    *(f"{name}{end}" for name in _LISTS for end in ("", "_bounds")),
    *_SINGLE,
)
_NAMED = "named_"


class Labels:
    """The labels of a run of papers, by the number of the paper in it."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self._arrays = {name: arrays[name] for name in NAMES}
        self._named = Texts({name: arrays[_NAMED + name] for name in columns.NAMES})
        self._strings = Strings(arrays["letters"], arrays["begins"])
        self._categories = np.unique(arrays["categories"])

    def __len__(self) -> int:
        return len(self._arrays["source"])

    @property
    def arrays(self) -> dict[str, Array]:
        """Every column by name."""
        named = {_NAMED + name: array for name, array in self._named.columns.items()}
        return self._arrays | named

    @classmethod
    def of(cls, documents: Sequence[Document]) -> "Labels":
        """Put the labels of papers into columns."""
        lists: dict[str, list[Sequence[str]]] = {
            "authors": [one.authors for one in documents],
            "categories": [one.categories for one in documents],
            "ids": [one.ids for one in documents],
        }
        singles = {
            "source": [one.source_text for one in documents],
            "organisation": [one.organisation for one in documents],
        }
        return cls(_put(lists, singles, name_parts))

    @classmethod
    def merged(cls, parts: Sequence[tuple["Labels", Flags]]) -> "Labels":
        """The labels of some papers of several, in this order. Each with: which are kept."""
        lists: dict[str, list[Sequence[str]]] = {name: [] for name in _LISTS}
        singles: dict[str, list[str]] = {name: [] for name in _SINGLE}
        known: dict[str, tuple[str, ...]] = {}
        for part, keep in parts:
            strings = list(part._strings)
            known.update(part._people(strings))
            for at in np.flatnonzero(keep).tolist():
                for name in _LISTS:
                    lists[name].append([strings[n] for n in part._list(name, at)])
            for name in _SINGLE:
                singles[name] += [strings[n] for n in part._arrays[name][keep].tolist()]
        return cls(_put(lists, singles, known.__getitem__))

    def labelled(self, at: int) -> dict[str, tuple[str, ...] | str]:
        """A paper's labels by the names of ``Document``."""
        found: dict[str, tuple[str, ...] | str] = {n: self._said(n, at) for n in _LISTS}
        found["source_text"] = self._strings[int(self._arrays["source"][at])]
        found["organisation"] = self._strings[int(self._arrays["organisation"][at])]
        return found

    def author_counts(self) -> Array:
        """How many authors each paper names."""
        return np.diff(self._arrays["authors_bounds"])

    def holding(self, leaf: Term | Near | Category | Identifier | Person) -> Flags:
        """For each paper: does it carry the label? A term or near is one of source or org."""
        match leaf:
            case Term() | Near():
                texts = self._arrays["named"][self._named.holding(leaf)]
                column = "source" if leaf.field == "source" else "organisation"
                return np.isin(self._arrays[column], texts)
            case Category():
                wanted = [n for n in self._categories.tolist() if _is_in(leaf, self._strings[n])]
                return self._with("categories", wanted)
            case Identifier():
                return self._with("ids", [self._strings.find(leaf.value)])
            case Person():
                return self._with("authors", self._by_person(leaf))

    def _with(self, name: str, wanted: Sequence[int]) -> Flags:
        flags = np.zeros(len(self), dtype=np.bool_)
        if wanted:
            column = self._arrays[name]
            places = np.flatnonzero(
                column == wanted[0] if len(wanted) == 1 else np.isin(column, wanted)
            )
            bounds = self._arrays[f"{name}_bounds"]
            flags[np.searchsorted(bounds, places, side="right") - 1] = True
        return flags

    def _by_person(self, person: Person) -> list[int]:
        if person.prefix:
            begun = self._strings.beginning(person.parts[0])
            lows, highs = [begun.start], [begun.stop]
        else:
            found = {self._strings.find(part) for part in (person.parts[0], person.parts[-1])}
            lows = [number for number in found if number >= 0]
            highs = [number + 1 for number in lows]
        keys, who = self._arrays["keys"], self._arrays["key_people"]
        rows = {
            row
            for low, high in zip(
                np.searchsorted(keys, lows).tolist(),
                np.searchsorted(keys, highs).tolist(),
                strict=True,
            )
            for row in who[low:high].tolist()
        }
        people = self._arrays["people"]
        return [int(people[row]) for row in rows if is_person(person, self._parts(row))]

    def _parts(self, row: int) -> tuple[str, ...]:
        begin, end = self._arrays["parts_bounds"][row : row + 2].tolist()
        return tuple(self._strings[n] for n in self._arrays["parts"][begin:end].tolist())

    def _people(self, strings: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Every distinct author with the parts of the name."""
        bounds = self._arrays["parts_bounds"].tolist()
        parts = [strings[number] for number in self._arrays["parts"].tolist()]
        return {
            strings[number]: tuple(parts[bounds[row] : bounds[row + 1]])
            for row, number in enumerate(self._arrays["people"].tolist())
        }

    def _list(self, name: str, at: int) -> list[int]:
        begin, end = self._arrays[f"{name}_bounds"][at : at + 2].tolist()
        numbers: list[int] = self._arrays[name][begin:end].tolist()
        return numbers

    def _said(self, name: str, at: int) -> tuple[str, ...]:
        return tuple(self._strings[number] for number in self._list(name, at))


def _put(
    lists: Mapping[str, Sequence[Sequence[str]]],
    singles: Mapping[str, Sequence[str]],
    parts_of: Callable[[str], tuple[str, ...]],
) -> dict[str, Array]:
    authors = sorted({name for names in lists["authors"] for name in names})
    parts = [parts_of(name) for name in authors]
    keyed = {
        (key, row)
        for row, some in enumerate(parts)
        for key in (*some, *(one + other for one, other in pairwise(some)))
    }
    named = sorted({text for name in _SINGLE for text in singles[name] if text})
    strings = Strings.of(
        text
        for some in (
            *(names for values in lists.values() for names in values),
            *singles.values(),
            *parts,
            (key for key, _ in keyed),
        )
        for text in some
    )
    numbers = {text: number for number, text in enumerate(strings)}

    def numbered(texts: Sequence[str]) -> Array:
        return np.array([numbers[text] for text in texts], dtype=np.int32)

    keys = sorted((numbers[key], row) for key, row in keyed)
    arrays = {
        "letters": strings.letters,
        "begins": strings.begins,
        "people": numbered(authors),
        "parts": numbered([part for some in parts for part in some]),
        "parts_bounds": _bounds(parts),
        "keys": np.array([key for key, _ in keys], dtype=np.int32),
        "key_people": np.array([row for _, row in keys], dtype=np.int32),
        "named": numbered(named),
    }
    for name, values in lists.items():
        arrays[name] = numbered([text for texts in values for text in texts])
        arrays[f"{name}_bounds"] = _bounds(values)
    for name, texts in singles.items():
        arrays[name] = numbered(texts)
    for name, array in columns.put([fold(text) for text in named]).items():
        arrays[_NAMED + name] = array
    return arrays


def _bounds(values: Sequence[Sequence[str]]) -> Array:
    return np.cumsum([0, *map(len, values)]).astype(np.int32)


@lru_cache(maxsize=20_000)
def _is_in(leaf: Category, category: str) -> bool:
    """A category in words is folded once for each query."""
    return is_in(leaf, category)
