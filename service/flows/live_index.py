"""The profile index kept in memory, brought up to date from the table of profiles.

A house with many profiles keeps a snapshot in its data folder, so that a start reads no profile
but those changed since; a small one needs none. The snapshot is derived: one that is missing, torn
or of another version is made again from the table.
"""

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from service.flows.live import query_of
from service.matching.block import Ids
from service.matching.block_score import Scores
from service.matching.compiled import FORM_VERSION, dump_node
from service.matching.document import Document
from service.matching.index import Index, is_in_share
from service.matching.mapped import TornError
from service.matching.score import Statistics
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.store.derived_files import map_derived, write_derived
from service.store.subscribers import ProfileForm
from service.store.tables import ProfileRow
from service.text.fold import FOLD_VERSION

SMALLEST = 5_000
"""Fewer profiles are read from the table at a start: that takes a second or two."""

_CHUNK = 5_000
_OVERLAP = timedelta(minutes=5)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LiveIndex:
    """Every profile that asks for words, in one index; kept in step by ``sync``.

    share: (which, of how many) part of the profiles, for one of several workers.
    """

    def __init__(self, share: tuple[int, int] = (0, 1)) -> None:
        self.index = Index(share=share)
        self._synced_at: datetime | None = None
        self._unsaved = 0
        self._lock = threading.Lock()
        self.turn = threading.Lock()
        """Held by a match run: a second one would only do the same work at the same time."""

    def __len__(self) -> int:
        return len(self.index)

    @property
    def candidates(self) -> int:
        """Terms and profiles that were looked at one by one so far."""
        return self.index.candidates

    def score_many(
        self, documents: Sequence[Document], statistics: Statistics
    ) -> Iterator[tuple[Ids, Scores]]:
        """For each new paper the profiles that want it, and their scores; safe beside ``sync``."""
        return self.index.score_many(documents, statistics)

    def sync(self, session: Session) -> None:
        """Take in what changed since the last time, and what is gone."""
        with self._lock:
            if self._synced_at is None:
                self.index.fill(self._read_all(session))
            else:
                since = self._synced_at - _OVERLAP
                changed = subscribers_store.list_changed_profiles(session, since)
                stamp = self.index.stamp
                new = [i for i, at in changed if stamp(i) != _stamp(at)]
                self._take(session, [i for i in new if is_in_share(i, self.index.share)])
            self._settle(session)

    def _read_all(self, session: Session) -> Iterator[tuple[int, int, list[Any] | None]]:
        after = 0
        while rows := subscribers_store.list_profile_forms(session, after_id=after, limit=_CHUNK):
            for row in rows:
                self._note(row.changed_at)
                self._unsaved += 1
                yield row.id, _stamp(row.changed_at), _root_of(row)
            after = rows[-1].id

    def _settle(self, session: Session) -> None:
        """Where the numbers differ, drop the profiles that are gone and take those not seen (a
        row written long after its ``changed_at``)."""
        share = self.index.share
        known = self.index.known_ids()
        if share[1] == 1 and subscribers_store.sum_profiles(session) == (len(known), known.sum()):
            return
        stored = subscribers_store.list_profile_ids(session)
        here = set(known.tolist())
        for profile_id in here - stored:
            self.index.remove(profile_id)
            self._unsaved += 1
        self._take(session, [i for i in sorted(stored - here) if is_in_share(i, share)])

    def _take(self, session: Session, ids: Sequence[int]) -> None:
        """Read these profiles again."""
        for start in range(0, len(ids), 500):
            some = ids[start : start + 500]
            for row in subscribers_store.list_profile_forms(session, ids=some):
                self._note(row.changed_at)
                self._unsaved += 1
                self.index.put_stored(row.id, _stamp(row.changed_at), _root_of(row))

    def _note(self, changed_at: datetime) -> None:
        if self._synced_at is None or changed_at > self._synced_at:
            self._synced_at = changed_at

    # --- the snapshot -----------------------------------------------------------------------

    def restore(self, folder: Path) -> bool:
        """Begin with the snapshot of a data folder, if it is there and nothing was read yet.

        False: there is none that can be used; ``sync`` reads every profile."""
        with self._lock:
            if self._synced_at is not None:
                return False
            try:
                facts = self.index.unpack(map_derived(self._path(folder)))
            except (OSError, ValueError, TornError):
                return False
            self._synced_at = datetime.fromisoformat(facts["synced_at"])
            return True

    def save(self, folder: Path, *, ending: bool = False) -> bool:
        """Write a snapshot where it is worth one: many profiles, and one in twenty of them (or,
        when the process is ``ending``, any) changed since the last. False: nothing written."""
        with self._lock:
            enough = self._unsaved if ending else 20 * self._unsaved >= len(self.index)
            if self._synced_at is None or len(self.index) < SMALLEST or not enough:
                return False
            facts = {"synced_at": self._synced_at.isoformat()}
            path = self._path(folder)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            try:
                write_derived(path, self.index.pack(facts))
            except (OSError, TornError):
                return False  # a full disk costs the next start some time, nothing else
            self._unsaved = 0
            return True

    def _path(self, folder: Path) -> Path:
        which, many = self.index.share
        return folder / "index" / f"profiles-{which + 1}-of-{many}"


def stored_root(row: ProfileForm | ProfileRow) -> list[Any] | None:
    """The stored tree of a profile, made anew where it is of another version; None: it asks for no
    words, or its text can be read no more."""
    compiled = row.compiled or {}
    if (compiled.get("fold"), compiled.get("form")) == (FOLD_VERSION, FORM_VERSION):
        root: list[Any] = compiled["root"]
        return root
    query = query_of(row.kind, row.text, row.compiled, row.options)
    return dump_node(query.root) if query is not None else None


def _root_of(row: ProfileForm) -> list[Any] | None:
    return None if row.paused else stored_root(row)


def _stamp(changed_at: datetime) -> int:
    return (changed_at - _EPOCH) // timedelta(microseconds=1)
