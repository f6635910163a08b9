"""Stored queries meet new papers: which profiles want them.

Nearly all profiles lie in one block of arrays (see block), which never changes. What was added or
changed since lies beside it, in a small block made when papers come; what was removed or changed
is crossed out. When there is much beside it, both become one new block. Whoever asks meanwhile
works with what was there when he asked: nobody waits for a rebuild.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.matching.block import Block, Flags, Ids, Kept, by_paper
from service.matching.block_score import Scores, Setting, Worths, best, read, scored
from service.matching.building import Builder
from service.matching.clauses import Bits
from service.matching.compiled import load_node
from service.matching.document import Document
from service.matching.evaluate import Hit
from service.matching.mapped import TornError
from service.matching.merging import merged
from service.matching.packing import pack_block, unpack_block
from service.matching.query import Node, Query
from service.matching.score import Statistics
from service.matching.wording import MOST_PAPERS

_FEW = 512
_SHARE = 16
"""So many profiles, and one in so many of the block, may lie beside it when papers come."""

_MOST_BESIDE = 65_536
"""So many at most while none come: their trees are objects until then."""

_Entry = tuple[int, Node | None]
"""Stamp and tree of a profile; None: it wants nothing and is only remembered."""


@dataclass(frozen=True, slots=True)
class View:
    """The profiles as they were at one moment: blocks, and the slots of each that count."""

    parts: tuple[tuple[Block, Flags], ...]


class Index:
    """Profiles by id. Answers exactly what evaluating each profile by itself would answer.

    share: (which, of how many): only the profiles whose ids fall into this share are kept.
    candidates: pairs of a paper with a profile or a term that were looked at by themselves, and
    matches: pairs that matched, since the index was made.
    Profiles may come and go from any thread while others match.
    """

    def __init__(self, *, share: tuple[int, int] = (0, 1)) -> None:
        self.candidates = 0
        self.matches = 0
        self.share = share
        self._lock = threading.Lock()
        self._merging = threading.Lock()
        self._base = Builder().done()
        self._alive = np.ones(0, dtype=np.bool_)
        self._lent = False
        self._beside: dict[int, _Entry] = {}
        self._small: Block | None = None
        self._version = 0
        self._touched: set[int] | None = None
        self._wanting = 0
        self._kept_worths: tuple[Block, Worths] | None = None
        self._base.warm()

    def __len__(self) -> int:
        return self._wanting

    def __contains__(self, profile_id: int) -> bool:
        with self._lock:
            entry = self._beside.get(profile_id)
            if entry is not None:
                return entry[1] is not None
            slot = self._slot(profile_id)
            return slot is not None and self._base.wants_something(slot)

    # --- changes ----------------------------------------------------------------------------

    def add(self, profile_id: int, query: Query, stamp: int = 0) -> None:
        """Put a profile in, or replace it. stamp: a number for its state, see ``stamp``."""
        self._put(profile_id, (stamp, query.root))

    def put_stored(self, profile_id: int, stamp: int, root: list[Any] | None) -> None:
        """Put in or replace a profile by its stored tree (see compiled); None: it exists and wants
        nothing (it is paused, or asks for no words)."""
        self._put(profile_id, (stamp, None if root is None else load_node(root)))

    def remove(self, profile_id: int) -> None:
        """Take a profile out; an unknown id is no fault."""
        with self._lock:
            self._cross_out(profile_id)

    def stamp(self, profile_id: int) -> int | None:
        """The stamp of a profile, None for an unknown one."""
        with self._lock:
            entry = self._beside.get(profile_id)
            if entry is not None:
                return entry[0]
            slot = self._slot(profile_id)
            return None if slot is None else int(self._base.stamps[slot])

    def fill(self, profiles: Iterable[tuple[int, int, list[Any] | None]]) -> None:
        """Put many in at once, each with its stamp and stored tree (see compiled; None: it wants
        nothing). Quicker than one by one."""
        rest = iter(profiles)
        while some := list(islice(rest, _MOST_BESIDE)):
            builder = Builder()
            taken = {}
            for profile_id, stamp, root in some:
                if is_in_share(profile_id, self.share):
                    taken[profile_id] = (stamp, root)
            for profile_id, (stamp, root) in taken.items():
                if root is None:
                    builder.add(profile_id, stamp, None)
                else:
                    builder.add_stored(profile_id, stamp, root)
            for profile_id in taken:
                self.remove(profile_id)
            self._merge(builder.done())

    def _put(self, profile_id: int, entry: _Entry) -> None:
        if not is_in_share(profile_id, self.share):
            return
        with self._lock:
            self._cross_out(profile_id)
            self._beside[profile_id] = entry
            self._wanting += entry[1] is not None
            many = len(self._beside) >= _MOST_BESIDE
        if many:
            self.compact()

    def _cross_out(self, profile_id: int) -> None:
        self._small = None
        self._version += 1
        if self._touched is not None:
            self._touched.add(profile_id)
        entry = self._beside.pop(profile_id, None)
        if entry is not None:
            self._wanting -= entry[1] is not None
            return
        slot = self._slot(profile_id)
        if slot is None:
            return
        self._wanting -= self._base.wants_something(slot)
        if self._lent:
            self._alive, self._lent = self._alive.copy(), False
        self._alive[slot] = False

    def _slot(self, profile_id: int) -> int | None:
        slot = self._base.slot(profile_id)
        return slot if slot is not None and self._alive[slot] else None

    def compact(self) -> None:
        """Make one block of all; nothing is done while another thread does it."""
        self._merge(None)

    def _merge(self, more: Block | None, *, wait: bool = False) -> None:
        """One block of the block, what lies beside it, and ``more`` (profiles of neither)."""
        if not self._merging.acquire(blocking=wait or more is not None):
            return
        try:
            with self._lock:
                if more is None and not self._beside and self._alive.all():
                    return
                base, alive, items = self._base, self._alive, dict(self._beside)
                self._lent, self._touched = True, set()
            parts = [(base, alive), (_built(items), np.ones(len(items), dtype=np.bool_))]
            if more is not None:
                parts.append((more, np.ones(len(more), dtype=np.bool_)))
            made = merged(parts)
            made.warm()
            with self._lock:
                self._take(made, more)
        finally:
            self._merging.release()

    def _take(self, made: Block, more: Block | None) -> None:
        alive = np.ones(len(made), dtype=np.bool_)
        changed, self._touched = self._touched or set(), None
        for profile_id in changed:
            slot = made.slot(profile_id)
            if slot is not None:
                alive[slot] = False
        self._beside = {i: entry for i, entry in self._beside.items() if i in changed}
        self._base, self._alive, self._lent, self._small = made, alive, False, None
        self._version += 1
        if more is not None:
            self._wanting += sum(
                more.wants_something(at)
                for at, i in enumerate(more.ids.tolist())
                if i not in changed
            )

    # --- questions --------------------------------------------------------------------------

    def view(self) -> View:
        """The profiles as they are now; later changes do not show in it."""
        with self._lock:
            beside, base = len(self._beside), len(self._base)
        if beside > _FEW + base // _SHARE:
            self.compact()
        with self._lock:
            base_part = (self._base, self._alive)
            self._lent = True
            if not self._beside:
                return View((base_part,))
            small, version = self._small, self._version
            items = {} if small is not None else dict(self._beside)
        if small is None:
            small = _built(items)
            small.warm()
            with self._lock:
                if self._version == version:
                    self._small = small
        return View((base_part, (small, np.ones(len(small), dtype=np.bool_))))

    def match(self, document: Document) -> dict[int, tuple[Hit, ...]]:
        """The profiles that want the paper, by id in order, each with its hits."""
        found: dict[int, tuple[Hit, ...]] = {}
        kept: Kept = {}
        for block, alive in self.view().parts:
            for slot in np.flatnonzero((self._wanted(block, [document]) != 0) & alive).tolist():
                found[int(block.ids[slot])] = block.hits(slot, document, kept)
        self.matches += len(found)
        return dict(sorted(found.items()))

    def match_ids(self, document: Document) -> Ids:
        """The ids alone, in order: what ``match`` has as keys."""
        return next(self.match_many((document,)))

    def match_many(self, documents: Iterable[Document]) -> Iterator[Ids]:
        """For each paper the ids of the profiles that want it, in order; 64 at a time."""
        view, rest = self.view(), iter(documents)
        while some := list(islice(rest, MOST_PAPERS)):
            wanted = [self._ids(block, alive, some) for block, alive in view.parts]
            for parts in zip(*wanted, strict=True):
                found = parts[0] if len(parts) == 1 else np.sort(np.concatenate(parts))
                self.matches += len(found)
                yield found

    def score_many(
        self, documents: Iterable[Document], statistics: Statistics, *, age_days: float = 0.0
    ) -> Iterator[tuple[Ids, Scores]]:
        """For each paper the ids of the profiles that want it, in no order, and their scores:
        exactly what score() says of each (votes and comments are the papers' own)."""
        view, rest, setting = self.view(), iter(documents), Setting(statistics, age_days)
        worths = [self._worths(block, statistics) for block, _ in view.parts]
        while some := list(islice(rest, MOST_PAPERS)):
            found = []
            for (block, alive), worth in zip(view.parts, worths, strict=True):
                reading = read(block, some, worth, setting)
                found.append(scored(block, alive, reading))
                self.candidates += reading.looked_at
            for pieces in zip(*found, strict=True):
                ids = np.concatenate([ids for ids, _ in pieces])
                self.matches += len(ids)
                yield ids, np.concatenate([scores for _, scores in pieces])

    def best_many(
        self,
        documents: Sequence[Document],
        statistics: Statistics,
        most: int,
        *,
        age_days: float = 0.0,
    ) -> Iterator[tuple[Ids, NDArray[np.int64], Scores]]:
        """(profile, number of the paper, score) of the best papers of each profile, ``most`` at
        most, best first; some thousand profiles at a time. Up to 65,536 papers. Scores are
        compared to 1/4096, what is equal then goes by the order of the papers."""
        setting = Setting(statistics, age_days)
        starts = range(0, len(documents), MOST_PAPERS)
        for block, alive in self.view().parts:
            worths = self._worths(block, statistics)
            readings = [
                read(block, documents[start : start + MOST_PAPERS], worths, setting)
                for start in starts
            ]
            yield from best(block, alive, readings, most)
            self.candidates += sum(reading.looked_at for reading in readings)

    def _worths(self, block: Block, statistics: Statistics) -> Worths:
        """What the terms of the large block are worth is kept while the statistics stay."""
        kept = self._kept_worths
        if kept is not None and kept[0] is block and kept[1].statistics is statistics:
            return kept[1]
        worths = Worths(block, statistics)
        if block is self._base:
            self._kept_worths = (block, worths)
        return worths

    def _ids(self, block: Block, alive: Flags, some: Sequence[Document]) -> Iterator[Ids]:
        """For each paper the ids of a block that want it, in order."""
        wanted = (self._wanted(block, some) * alive)[block.order]
        for where in by_paper(wanted, len(some)):
            yield block.sorted_ids[where]

    def _wanted(self, block: Block, some: Sequence[Document]) -> Bits:
        _, truths = block.truths(some)
        self.candidates += truths.tested
        return block.wanting(truths, len(some))

    # --- snapshots ------------------------------------------------------------------------

    def pack(self, facts: Mapping[str, Any]) -> Iterator[bytes | memoryview]:
        """The profiles as they are now, in pieces to be written; ``facts`` ride along."""
        self._merge(None, wait=True)
        with self._lock:
            whole = not self._beside and bool(self._alive.all())
            block = self._base
        if not whole:  # changed meanwhile: what the facts say must hold
            raise TornError("The profiles changed while they were packed.")
        return pack_block(block, {**facts, "share": list(self.share)})

    def unpack(self, data: memoryview) -> dict[str, Any]:
        """Take the profiles of a snapshot in place of all there are; returns its facts.

        ``data`` stays in use. Raises TornError for a torn one, and one of another share.
        """
        block, facts = unpack_block(data)
        if facts.pop("share", None) != list(self.share):
            raise TornError("The snapshot is of another share of the profiles.")
        block.warm()
        with self._merging, self._lock:
            self._base, self._alive = block, np.ones(len(block), dtype=np.bool_)
            self._lent, self._small, self._beside = False, None, {}
            self._version += 1
            self._wanting = len(block) - block.firsts[0]
        return facts

    # --- what there is ----------------------------------------------------------------------

    def known_ids(self) -> Ids:
        """The ids of all profiles, also of those that want nothing, in order."""
        with self._lock:
            ids = self._base.sorted_ids[self._alive[self._base.order]]
            beside = np.fromiter(self._beside, dtype=np.int64, count=len(self._beside))
        return np.sort(np.concatenate((ids, beside))) if len(beside) else ids

    def memory(self) -> Mapping[str, int]:
        """Bytes by part: profiles, trees, leaves, rows, symbols, and beside (an estimate)."""
        with self._lock:
            base, beside = self._base, len(self._beside)
        return {**base.memory(), "beside": 1000 * beside}


def is_in_share(profile_id: int, share: tuple[int, int]) -> bool:
    """Does a profile belong to share ``which`` of ``many``? The same on every machine."""
    which, many = share
    return many == 1 or ((profile_id * 0x9E3779B97F4A7C15 >> 32) & 0xFFFFFFFF) % many == which


def _built(items: Mapping[int, _Entry]) -> Block:
    builder = Builder()
    for profile_id, (stamp, root) in items.items():
        builder.add(profile_id, stamp, root)
    return builder.done()
