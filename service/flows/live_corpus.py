"""The stored papers, searchable: mapped from the files of the data folder, the rest in memory.

Rows hold the truth. At the start the files are mapped, the days of all papers are compared with the
table's, and what has changed since a file was written is read again; what is in no file is read
from the newest day on: the days that somebody asks for at once, the rest little by little. Later
each question first takes in what came since.
"""

import threading
from collections.abc import Iterable, Sequence
from datetime import date
from heapq import nlargest
from pathlib import Path
from queue import SimpleQueue
from time import monotonic

from service.flows.live import document_of
from service.matching.corpus import Corpus
from service.matching.mapped import TornError
from service.matching.part import merge
from service.matching.score import Statistics
from service.matching.segment import Entry, Segment
from service.store import corpus_rows
from service.store.corpus_files import CorpusFiles
from service.store.db import Session

_AT_ONCE = 200
_AUDITED = 2000
_BEHIND = 1000
"""Numbers are given before they are committed: so many of the last ones are looked at again."""

_HIGHEST = 1 << 62


class LiveCorpus:
    """The corpus of this process. ``patience``: seconds for which a question waits for papers that
    are being read (None: until all are there); set where somebody fills it beside. 0 also ends
    what is under way."""

    def __init__(self, folder: Path | None = None) -> None:
        """folder: of the files; None keeps everything in memory."""
        self.corpus = Corpus()
        self.patience: float | None = None
        self._files = CorpusFiles(folder) if folder else None
        self._lock = threading.Lock()
        self._opened: set[str] = set()
        self._torn: set[str] = set()
        self._unproven: dict[str, memoryview] = {}
        self._missing: dict[int, date] = {}
        self._last_id = -1
        self._looked: set[int] = set()
        self._last_event = 0
        self._heard: set[int] = set()
        self._told: SimpleQueue[int] = SimpleQueue()
        self._audited = _HIGHEST

    @property
    def statistics(self) -> Statistics:
        """How common words are among the papers."""
        return self.corpus.statistics()

    def unread(self, since: date = date.min) -> int:
        """Stored papers, from a day on, that are not in yet."""
        return sum(day >= since for day in list(self._missing.values()))

    def forget(self, ids: Iterable[int] = ()) -> None:
        """Read these papers again at the next ``sync``: they were refreshed, merged or hidden."""
        for paper_id in ids:
            self._told.put(paper_id)

    def sync(self, session: Session, since: date) -> None:
        """Take in what came or changed, and the papers from ``since`` on."""
        if not self._lock.acquire(timeout=-1 if self.patience is None else self.patience):
            return  # somebody else is at it: what is there answers
        try:
            until = None if self.patience is None else monotonic() + self.patience
            self._sync(session, since, until)
        finally:
            self._lock.release()

    def fill(self, session: Session, seconds: float) -> int:
        """Read papers for so long, the newest first; returns how many are still missing."""
        with self._lock:
            self._sync(session, date.min, monotonic() + seconds)
            if not self._missing:
                self._audit(session)
            return len(self._missing)

    def settle(self) -> bool:
        """Look over a file that was mapped, put parts together, or write some to a file, once;
        False when there is nothing to do."""
        with self._lock:
            if self._unproven:
                self._prove(*self._unproven.popitem())
                return True
            mark = self._last_event  # what was changed until then is in
        files = self._files if self._files and self._files.may_write() else None
        if files is not None and self._torn:
            files.remove(self._torn)
            self._torn = set()
        for group in self.corpus.due(files=files is not None):
            made = merge(group)
            if files is None:
                self.corpus.swap(group, made)
                return True
            name = files.write(made.packed(mark))
            self._opened.add(name)
            self.corpus.swap(group, Segment.unpacked(files.read(name))[0], name)
            self._clear(files)
            return True
        return False

    def _prove(self, name: str, data: memoryview) -> None:
        """Look at every byte of a file; papers of one that was damaged are read from their rows."""
        try:
            Segment.unpacked(data, checked=True)
        except TornError:
            self.corpus.drop(name)
            self._opened.discard(name)
            self._torn.add(name)
            self._last_id = -1  # compare with the table again

    def _clear(self, files: CorpusFiles) -> None:
        """Files of which nothing is in use any more go."""
        over = self._opened.difference(part.name for part in self.corpus.parts())
        files.remove(over)
        self._opened -= over

    def close(self) -> None:
        """Let another process write the files."""
        if self._files is not None:
            self._files.close()

    def _sync(self, session: Session, since: date, until: float | None) -> None:
        first = self._last_id < 0
        changed: set[int] = set()
        if self._files is not None and (self._files.have_changed() or first):
            changed = self._open(session)
        if first:
            for paper_id in changed:  # read with the missing ones
                self.corpus.remove(paper_id)
            self._start(session)
            changed = set()
            self._audit(session)
        else:
            changed |= self._news(session)
        while not self._told.empty():
            changed.add(self._told.get())
        try:
            self._renew(session, changed)
        except BaseException:
            self.forget(changed)  # they are still to be read
            raise
        while self.patience != 0 and (until is None or monotonic() < until):
            wanted = (item for item in self._missing.items() if item[1] >= since)
            some = nlargest(_AT_ONCE, wanted, key=lambda item: (item[1], item[0]))
            if not some:
                break
            self._read(session, [paper_id for paper_id, _ in some])

    def _start(self, session: Session) -> None:
        """Compare with the table."""
        days = corpus_rows.list_days(session)
        self._last_id = max(days, default=0)
        self._last_event = corpus_rows.last_event(session)
        self._hear(session)
        missing = self.corpus.compare((paper_id, day.toordinal()) for paper_id, day in days.items())
        self._missing = {paper_id: days[paper_id] for paper_id in missing}

    def _news(self, session: Session) -> set[int]:
        """Papers that came, and that events tell of, since the last time."""
        ids = corpus_rows.list_ids_after(session, self._last_id - _BEHIND)
        new = [i for i in ids if i > self._last_id or i not in self._looked]
        there = self.corpus.holds(new)
        self._last_id = max(ids, default=self._last_id)
        self._looked = set(ids)
        return {i for i in new if i not in there and i not in self._missing} | self._hear(session)

    def _hear(self, session: Session) -> set[int]:
        """Papers of events that were not heard of yet."""
        kinds = (*corpus_rows.CHANGES, "votes")
        events = corpus_rows.list_changed(session, self._last_event - _BEHIND, kinds)
        changed = {paper_id for event, paper_id in events if event not in self._heard}
        self._heard = {event for event, _ in events}
        self._last_event = max(self._heard, default=self._last_event)
        return changed

    def _open(self, session: Session) -> set[int]:
        """Map the files that are not mapped yet; returns what was changed since they were
        written."""
        assert self._files is not None
        changed: set[int] = set()
        for name in self._files.names():
            if name in self._opened or name in self._torn:
                continue
            try:
                data = self._files.read(name)
                segment, mark = Segment.unpacked(data)
            except (TornError, OSError, ValueError):
                self._torn.add(name)
                continue
            self._opened.add(name)
            self._unproven[name] = data
            ids = segment.ids.tolist()
            if self._last_id >= 0:  # hidden or merged meanwhile, as far as it is known here
                known = self.corpus.holds(ids)
                changed.update(i for i in ids if i not in known and i not in self._missing)
            self.corpus.add_part(segment, name)
            events = corpus_rows.list_changed(session, mark - _BEHIND)
            changed.update({paper_id for _, paper_id in events}.intersection(ids))
            for paper_id in ids:
                self._missing.pop(paper_id, None)
        return changed

    def _renew(self, session: Session, ids: Iterable[int]) -> None:
        """Take papers as they are now, or out."""
        gone = set(ids)
        for row, day in corpus_rows.get_documents(session, sorted(gone)):
            assert row.id is not None
            gone.discard(row.id)
            self._missing.pop(row.id, None)
            self.corpus.refresh(row.id, day, document_of(row))
        for paper_id in gone:
            self._missing.pop(paper_id, None)
            self.corpus.remove(paper_id)

    def _read(self, session: Session, ids: Sequence[int]) -> None:
        """Put papers in that are not there."""
        entries = []
        for row, day in corpus_rows.get_documents(session, ids):
            assert row.id is not None
            document = document_of(row)
            entries.append(Entry(row.id, day.toordinal(), document, row.votes, row.comments))
        self.corpus.add_many(entries)
        for paper_id in ids:
            self._missing.pop(paper_id, None)

    def _audit(self, session: Session) -> None:
        """Compare some papers' figures and days with the table, all of them in turn."""
        rows = corpus_rows.list_facts(session, self._audited, _AUDITED)
        self._audited = rows[-1][0] if len(rows) == _AUDITED else _HIGHEST
        for paper_id, votes, comments, hidden, day in rows:
            if hidden:
                self.corpus.remove(paper_id)
            else:
                self.corpus.set_figures(paper_id, votes, comments)
                self.corpus.set_day(paper_id, day)
