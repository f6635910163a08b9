"""A segment on the shelf, with what has changed since it was made: papers gone, days, figures.

A part is never changed either: whoever reads goes on with the part that it has.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import numpy as np

from service.matching.columns import Flags
from service.matching.segment import Segment, known_figure
from service.matching.strings import Array

Figures = tuple[int | None, int | None]
"""(votes, comments)"""


@dataclass(frozen=True, eq=False)
class Part:
    """alive, days, votes, comments: for each paper of the segment, as it is now · name: of the
    file that it is mapped from, "" for one that is in memory alone."""

    segment: Segment
    alive: Flags
    days: Array
    votes: Array
    comments: Array
    name: str = ""

    @classmethod
    def of(cls, segment: Segment, name: str = "") -> "Part":
        """A segment as it was made. Its small columns are copied: they are asked for often."""
        return cls(
            segment,
            np.ones(len(segment), dtype=np.bool_),
            np.array(segment.days),
            np.array(segment.votes),
            np.array(segment.comments),
            name,
        )

    def __len__(self) -> int:
        """Papers that are alive."""
        return self._size

    @cached_property
    def _size(self) -> int:
        return int(np.count_nonzero(self.alive))

    @cached_property
    def span(self) -> tuple[int, int]:
        """First and last day."""
        return int(self.days.min(initial=1 << 30)), int(self.days.max(initial=0))

    @cached_property
    def month(self) -> int:
        """The month to which it belongs, counted from year 0: that of its last day."""
        day = date.fromordinal(max(1, self.span[1]))
        return 12 * day.year + day.month

    @cached_property
    def _lost(self) -> Counter[str]:
        """In how many of the papers that are gone each stem stands."""
        found: Counter[str] = Counter()
        for at in np.flatnonzero(~self.alive).tolist():
            found.update(self.segment.stems_of(at))
        return found

    def frequency(self, stem: str) -> int:
        """In how many of the papers a stem stands."""
        held = self.segment.frequency(stem)
        return held - self._lost[stem] if held else 0

    def places(self, ids: Iterable[int]) -> list[tuple[int, int]]:
        """(paper, its number) of those of the papers that are here and alive."""
        in_order, order = self.segment.by_id
        if not len(order):
            return []
        wanted = ids if isinstance(ids, np.ndarray) else np.fromiter(ids, dtype=np.int64)
        at = in_order.searchsorted(wanted)
        at[at == len(in_order)] = 0
        here = (in_order[at] == wanted) & self.alive[order[at]]
        return list(zip(wanted[here].tolist(), order[at[here]].tolist(), strict=True))

    def compared(self, ids: Array, days: Array) -> "Part":
        """The part without papers that are not among ``ids`` (in order), on their ``days``."""
        if not len(ids):
            return replace(self, alive=np.zeros_like(self.alive))
        at = ids.searchsorted(self.segment.ids)
        at[at == len(ids)] = 0
        here = ids[at] == self.segment.ids
        moved_to = np.where(here, days[at], self.days).astype(self.days.dtype)
        return replace(self, alive=self.alive & here, days=moved_to)

    def without(self, ids: Iterable[int]) -> "Part":
        """The part when these papers are gone."""
        places = [at for _, at in self.places(ids)]
        if not places:
            return self
        alive = self.alive.copy()
        alive[places] = False
        return replace(self, alive=alive)

    def with_figures(self, figures: Mapping[int, Figures]) -> "Part":
        """The part with new figures of some papers."""
        votes, comments = self.votes.copy(), self.comments.copy()
        for paper_id, at in self.places(figures):
            votes[at], comments[at] = map(known_figure, figures[paper_id])
        if np.array_equal(votes, self.votes) and np.array_equal(comments, self.comments):
            return self
        return replace(self, votes=votes, comments=comments)

    def with_days(self, days: Mapping[int, int]) -> "Part":
        """The part with other days of some papers."""
        changed = self.days.copy()
        for paper_id, at in self.places(days):
            changed[at] = days[paper_id]
        return self if np.array_equal(changed, self.days) else replace(self, days=changed)


def merge(parts: Sequence[Part]) -> Segment:
    """What is alive of several, as one segment."""
    facts = {
        "ids": np.concatenate([part.segment.ids[part.alive] for part in parts]),
        "days": np.concatenate([part.days[part.alive] for part in parts]),
        "votes": np.concatenate([part.votes[part.alive] for part in parts]),
        "comments": np.concatenate([part.comments[part.alive] for part in parts]),
    }
    return Segment.merged([(part.segment, part.alive) for part in parts], facts)


def moved(before: Sequence[Part], now: Sequence[Part], segment: Segment, name: str) -> Part:
    """What was merged, in the place of its parts, with what happened to them meanwhile.

    before: the parts as they were merged. now: the same parts as they are.
    """
    pairs = [(part, old.alive) for part, old in zip(now, before, strict=True)]
    return Part(
        segment,
        np.concatenate([part.alive[kept] for part, kept in pairs]),
        np.concatenate([part.days[kept] for part, kept in pairs]),
        np.concatenate([part.votes[kept] for part, kept in pairs]),
        np.concatenate([part.comments[kept] for part, kept in pairs]),
        name,
    )
