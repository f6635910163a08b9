"""A run of stored papers in columns: texts, labels, figures; made once, never changed.

Title and abstract of a paper are texts 2n and 2n + 1 (see ``columns``). All of a segment is
arrays by name, so that it can be written to a file and mapped back.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, TypeGuard

import numpy as np

from service.matching import columns
from service.matching.columns import Flags
from service.matching.document import Document
from service.matching.evaluate import Hit, Place, Truth, evaluate_node, find_leaf
from service.matching.labels import Labels
from service.matching.lattice import Span
from service.matching.mapped import pack, unpack
from service.matching.query import Leaf, Near, Number, Query, Term, leaves
from service.matching.strings import Array
from service.matching.texts import Texts
from service.text.tokens import Folded

__all__ = ["UNKNOWN", "Entry", "Flags", "Segment", "known_figure"]

_TEXTS, _LABELS = "text_", "label_"
_FORM = 1
"""Raise it whenever the arrays mean something else."""

_WHAT = "papers", (_FORM,)
UNKNOWN = -(1 << 62)
"""A figure that the source does not have."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One paper as it is put in. day: ordinal · votes, comments: figures now, in place of the
    document's."""

    paper_id: int
    day: int
    document: Document
    votes: int | None
    comments: int | None


class Segment:
    """Papers by number, 0 and on. ids, days, votes, comments: as they were put in."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self.texts = Texts({name: arrays[_TEXTS + name] for name in columns.NAMES})
        named = [name.removeprefix(_LABELS) for name in arrays if name.startswith(_LABELS)]
        self.labels = Labels({name: arrays[_LABELS + name] for name in named})
        self.ids, self.days = arrays["ids"], arrays["days"]
        self.votes, self.comments = arrays["votes"], arrays["comments"]
        self._frequencies = arrays["frequencies"]

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def by_id(self) -> tuple[Array, Array]:
        """The ids in order, and the number of each paper."""
        order = np.argsort(self.ids, kind="stable").astype(np.int32)
        return self.ids[order], order

    @property
    def arrays(self) -> dict[str, Array]:
        """Every column by name."""
        return {
            "ids": self.ids,
            "days": self.days,
            "votes": self.votes,
            "comments": self.comments,
            "frequencies": self._frequencies,
            **{_TEXTS + name: array for name, array in self.texts.columns.items()},
            **{_LABELS + name: array for name, array in self.labels.arrays.items()},
        }

    def packed(self, mark: int = 0) -> Iterator[bytes | memoryview]:
        """The bytes of a file, in pieces. mark: of the caller, handed back as it is."""
        return pack(*_WHAT, self.arrays, mark)

    @classmethod
    def unpacked(cls, data: memoryview, *, checked: bool = False) -> tuple["Segment", int]:
        """(the papers of a file, whose columns lie in it; the mark). checked: every byte is looked
        at. Raises TornError."""
        arrays, mark = unpack(data, *_WHAT, checked=checked)
        return cls(arrays), mark

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> "Segment":
        """Put papers into columns."""
        documents = [entry.document for entry in entries]
        texts = [text for one in documents for text in (one.title, one.abstract)]
        facts: dict[str, Array] = {
            "ids": np.array([entry.paper_id for entry in entries], dtype=np.int64),
            "days": np.array([entry.day for entry in entries], dtype=np.int32),
            "votes": np.array([known_figure(entry.votes) for entry in entries], dtype=np.int64),
            "comments": np.array(
                [known_figure(entry.comments) for entry in entries], dtype=np.int64
            ),
        }
        return cls._with(facts, Texts(columns.put(texts)), Labels.of(documents))

    @classmethod
    def merged(
        cls, parts: Sequence[tuple["Segment", Flags]], facts: Mapping[str, Array]
    ) -> "Segment":
        """Some papers of several, in this order. Each with: which are kept. facts: ids, days,
        votes and comments of those that are kept, as they are now."""
        texts = [(part.texts.columns, np.repeat(keep, 2)) for part, keep in parts]
        carried = [(part.labels, keep) for part, keep in parts]
        return cls._with(facts, Texts(columns.put_together(texts)), Labels.merged(carried))

    @classmethod
    def _with(cls, facts: Mapping[str, Array], texts: Texts, carried: Labels) -> "Segment":
        return cls(
            {
                **facts,
                "frequencies": texts.frequencies(2),
                **{_TEXTS + name: array for name, array in texts.columns.items()},
                **{_LABELS + name: array for name, array in carried.arrays.items()},
            }
        )

    def stored(self, at: int, votes: int, comments: int) -> Document:
        """A paper with figures as they are now, whose words are read when they are asked for."""
        return StoredDocument(self, at, votes, comments)

    def document(self, at: int, votes: int, comments: int) -> Document:
        """A paper as it was put in, with figures as they are now."""
        stored = self.stored(at, votes, comments)
        return Document(**{each.name: getattr(stored, each.name) for each in _SAID})

    def hits(
        self,
        query: Query,
        papers: Mapping[int, Document],
        held: Callable[[Leaf], tuple[Flags, Flags]],
    ) -> dict[int, tuple[Hit, ...]]:
        """What ``evaluate`` says of papers that the query wants, from the columns alone: by
        number, as ``papers`` are (see ``stored``). held: what ``holding`` says of leaves."""
        texts = [text for at in papers for text in (2 * at, 2 * at + 1)]
        numbers = np.array(list(papers), dtype=np.int64)
        spans: dict[int, dict[int, list[Span]]] = {}
        for leaf in filter(_is_of_text, leaves(query.root)):
            there = any(flags[numbers].any() for flags in held(leaf))
            spans[id(leaf)] = self.texts.spans(leaf, texts) if there else {}
        return {at: self._hits(query, at, one, spans) for at, one in papers.items()}

    def _hits(
        self,
        query: Query,
        at: int,
        document: Document,
        spans: Mapping[int, Mapping[int, list[Span]]],
    ) -> tuple[Hit, ...]:
        def find(leaf: Leaf) -> Truth:
            if not _is_of_text(leaf):
                return find_leaf(leaf, document)
            by_text = spans[id(leaf)]
            hits: list[Hit] = []
            for text, (place, field) in enumerate(_FIELDS, 2 * at):
                if text in by_text and leaf.field in ("", field):
                    shown = self.texts.shown(text, by_text[text])
                    hits += (Hit(leaf.text, place, start, end) for start, end in shown)
            return tuple(hits) or None

        return evaluate_node(query.root, find) or ()

    def holding(self, leaf: Leaf) -> tuple[Flags, Flags]:
        """For each paper: (title, abstract) hold the term; for a label both are the same."""
        if _is_of_text(leaf):
            flags = self.texts.holding(leaf)
            return flags[0::2], flags[1::2]
        assert not isinstance(leaf, Number)
        found = self.labels.holding(leaf)
        return found, found

    def stems(self) -> Iterator[str]:
        """Every stem of the papers."""
        return (self.texts.strings[number] for number in np.flatnonzero(self._frequencies).tolist())

    def stems_of(self, at: int) -> set[str]:
        """The stems of one paper."""
        return {stem for text in (2 * at, 2 * at + 1) for stem in self.texts.text(text).stems}

    def frequency(self, stem: str) -> int:
        """In how many papers a stem stands."""
        number = self.texts.strings.find(stem)
        return int(self._frequencies[number]) if number >= 0 else 0


_FIELDS: tuple[tuple[Place, str], ...] = (("title", "ti"), ("abstract", "abs"))
_SAID = [each for each in fields(Document) if each.compare]


class StoredDocument(Document):
    """A paper of a segment whose words are read when they are first asked for."""

    def __init__(self, segment: Segment, at: int, votes: int, comments: int) -> None:
        known: dict[str, Any] = segment.labels.labelled(at)
        known["votes"] = None if votes == UNKNOWN else votes
        known["comments"] = None if comments == UNKNOWN else comments
        self.__dict__.update(known, _lattices={}, _segment=segment, _at=at)

    @cached_property
    def title(self) -> Folded:
        """As it was folded."""
        segment: Segment = self.__dict__["_segment"]
        return segment.texts.text(2 * self.__dict__["_at"])

    @cached_property
    def abstract(self) -> Folded:
        """As it was folded."""
        segment: Segment = self.__dict__["_segment"]
        return segment.texts.text(2 * self.__dict__["_at"] + 1)


def _is_of_text(leaf: Leaf) -> TypeGuard[Term | Near]:
    return isinstance(leaf, (Term, Near)) and leaf.field in ("", "ti", "abs")


def known_figure(value: int | None) -> int:
    """A figure as it stands in a column."""
    return UNKNOWN if value is None else value
