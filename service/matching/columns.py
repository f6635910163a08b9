"""Folded texts put into numpy columns, and columns of several put together.

The texts ("fields": a title, an abstract, an organisation) lie behind one another in one long row
of form numbers, a 0 between them, so that no phrase crosses from one into the next. A form is a
word as it is written; forms are numbered in the order of their keys. For each form, and for each
pair or triple written as one, its places are a slice of a sorted column. Every column is an array
of one type, so that it can be written to a file as it is and mapped back.

letters, begins: every distinct string (see ``Strings``) · forms: four rows, for each form the
numbers of its spellings (cased, exact, key, stem); form 0 is the border · by_stem, by_exact,
by_cased: forms in the order of these · words: forms, text after text · bounds: where each text
begins, and the end · starts, lengths, gaps: of each word in the shown text · order: places in the
order of their forms, form_begins: where each form's begin, order_fields: the texts in which they
lie · twos, threes: hashes of joins in order, two_places, three_places: where they begin.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.matching.strings import Array, Strings
from service.text.tokens import Folded, joins_of_three, joins_of_two

Flags = NDArray[np.bool_]
Columns = Mapping[str, Array]

NAMES = (
    *("letters", "begins", "forms", "by_stem", "by_exact", "by_cased", "words", "bounds"),
    *("starts", "lengths", "gaps", "order", "form_begins", "order_fields"),
    *("twos", "two_places", "threes", "three_places"),
)
GAPS = "-. "
JOINED = 4
"""Beside the gap: the word and the next one may be read as one."""

_JOINS = (("twos", "two_places"), ("threes", "three_places"))


class Spelling(NamedTuple):
    """A form as ``Folded`` has it."""

    cased: str
    exact: str
    key: str
    stem: str


CASED, EXACT, KEY, STEM = range(4)


def put(texts: Sequence[Folded]) -> Columns:
    """Texts in columns."""
    known: dict[str, int] = {}
    spelled: list[Spelling] = []
    words: list[int] = []
    starts: list[int] = []
    ends: list[int] = []
    gaps: list[int] = []
    joins: tuple[list[tuple[str, int]], list[tuple[str, int]]] = ([], [])
    bounds = [0]
    for text in texts:
        first = len(words)
        for at, cased in enumerate(text.cased):
            number = known.get(cased)
            if number is None:
                spelled.append(Spelling(cased, text.exact[at], text.keys[at], text.stems[at]))
                number = known[cased] = len(spelled)
            words.append(number)
        gaps += map(GAPS.index, text.gaps)
        for row, labels in zip(joins, (joins_of_two(text), joins_of_three(text)), strict=True):
            row += [(label, at) for at, label in enumerate(labels, first) if label]
        starts += text.starts
        ends += text.ends
        for column in (words, starts, ends, gaps):
            column.append(0)
        bounds.append(len(words))
    arrays, numbers = _vocabulary(spelled)
    begins = np.array(starts, dtype=np.uint32)
    arrays["words"] = numbers[np.array(words, dtype=np.int32)]
    arrays["bounds"] = np.array(bounds, dtype=np.int32)
    arrays["starts"] = _narrow(begins)
    arrays["lengths"] = _narrow(np.array(ends, dtype=np.uint32) - begins)
    arrays["gaps"] = np.array(gaps, dtype=np.uint8)
    for (hashes, where), found in zip(_JOINS, joins, strict=True):
        hashed = {label: hash_of(label) for label, _ in found}
        arrays[hashes] = np.array([hashed[label] for label, _ in found], dtype=np.uint64)
        arrays[where] = np.array([at for _, at in found], dtype=np.int32)
    arrays["gaps"][arrays["two_places"]] += JOINED
    return _ordered(arrays)


def put_together(parts: Sequence[tuple[Columns, Flags]]) -> Columns:
    """Some texts of several columns, in this order. Each with: which of its texts are kept."""
    masks = [np.repeat(keep, np.diff(part["bounds"])) for part, keep in parts]
    known: dict[str, int] = {}
    spelled: list[Spelling] = []
    numbered = []
    for (part, _), mask in zip(parts, masks, strict=True):
        used = np.unique(part["words"][mask])
        numbers = np.zeros(part["forms"].shape[1], dtype=np.int32)
        strings = Strings(part["letters"], part["begins"])
        for form in used[used > 0].tolist():
            spelling = Spelling(*(strings[number] for number in part["forms"][:, form].tolist()))
            if spelling.cased not in known:
                spelled.append(spelling)
                known[spelling.cased] = len(spelled)
            numbers[form] = known[spelling.cased]
        numbered.append(numbers)
    arrays, final = _vocabulary(spelled)
    both = [(part, mask) for (part, _), mask in zip(parts, masks, strict=True)]
    arrays["words"] = np.concatenate(
        [
            final[numbers[part["words"][mask]]]
            for (part, mask), numbers in zip(both, numbered, strict=True)
        ]
    )
    for name in ("starts", "lengths", "gaps"):
        arrays[name] = np.concatenate([part[name][mask] for part, mask in both])
    sizes = np.concatenate([np.diff(part["bounds"])[keep] for part, keep in parts])
    arrays["bounds"] = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    for hashes, where in _JOINS:
        found, places, base = [], [], 0
        for part, mask in both:
            kept = mask[part[where]]
            moved = np.cumsum(mask, dtype=np.int32) + np.int32(base - 1)
            found.append(part[hashes][kept])
            places.append(moved[part[where][kept]])
            base += int(np.count_nonzero(mask))
        arrays[hashes], arrays[where] = np.concatenate(found), np.concatenate(places)
    return _ordered(arrays)


def hash_of(label: str) -> int:
    """The same in every process; that two labels share one is not to be expected (64 bits)."""
    letters = label.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(letters, digest_size=8).digest(), "little")


def _vocabulary(spelled: Sequence[Spelling]) -> tuple[dict[str, Array], Array]:
    """Columns of the forms; and the final number of each, which are given as 1, 2, 3 ..."""
    strings = Strings.of(text for row in spelled for text in row)
    numbers = {text: number for number, text in enumerate(strings)}
    given = np.array([[numbers[t] for t in row] for row in spelled], dtype=np.int32).reshape(-1, 4)
    order = np.lexsort((given[:, CASED], given[:, KEY]))
    forms = np.concatenate([np.full((1, 4), -1, dtype=np.int32), given[order]]).T.copy()
    final = np.zeros(len(order) + 1, dtype=np.int32)
    final[order + 1] = np.arange(1, len(order) + 1, dtype=np.int32)
    arrays = {
        "letters": strings.letters,
        "begins": strings.begins,
        "forms": forms,
        "by_stem": np.argsort(forms[STEM], kind="stable").astype(np.int32),
        "by_exact": np.argsort(forms[EXACT], kind="stable").astype(np.int32),
        "by_cased": np.argsort(forms[CASED], kind="stable").astype(np.int32),
    }
    return arrays, final


def _ordered(arrays: dict[str, Array]) -> Columns:
    """With the columns that are sorted ones of the others."""
    words, bounds = arrays["words"], arrays["bounds"]
    fields = np.arange(len(bounds) - 1, dtype=np.uint16 if len(bounds) <= 65536 else np.uint32)
    order = np.argsort(words, kind="stable").astype(np.int32)
    counts = np.bincount(words, minlength=arrays["forms"].shape[1])
    arrays["order"] = order
    arrays["order_fields"] = np.repeat(fields, np.diff(bounds))[order]
    arrays["form_begins"] = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    for hashes, where in _JOINS:
        by_hash = np.argsort(arrays[hashes], kind="stable")
        arrays[hashes], arrays[where] = arrays[hashes][by_hash], arrays[where][by_hash]
    return arrays


def _narrow(column: Array) -> Array:
    """The same numbers in as few bytes as they need."""
    most = int(column.max(initial=0))
    return column.astype(np.uint8 if most < 256 else np.uint16 if most < 65536 else np.uint32)
