"""Sightings put away: whose they are, what they change, in a few statements for a whole chunk.

load (names, rows, sightings, events: one statement each) -> decide (papers/identity and refresh) ->
record (one flush). Two papers that one sighting names are found to be one here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from service.matching.document import dump, prepare
from service.papers.identity import belonging, merged
from service.papers.model import Alias, Paper, Sighting
from service.papers.refresh import Change, Teller, refresh
from service.sources.registry import ADAPTERS
from service.store import arrivals as arrivals_store
from service.store import papers as papers_store
from service.store.db import Session
from service.store.events import LONGEST, list_open_events
from service.store.tables import (
    PaperAliasRow,
    PaperEventRow,
    PaperRow,
    SightingRow,
    SourceRow,
)
from service.store.twins import merge_papers
from service.text.fold import FOLD_VERSION

Fate = Literal["new", "known", "refreshed", "held"]
_LONGEST_NAME = 700
_READ_AT_ONCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One sighting on its way in. verdict: of ``sources/novelty`` · listed_on: the day it stands
    under · words: its folded words, made before the write where the paper seems to be new."""

    sighting: Sighting
    verdict: str
    listed_on: date
    words: dict[str, Any] | None = None

    @property
    def paper(self) -> Paper:
        return self.sighting.paper


@dataclass(slots=True)
class _Known:
    """A stored paper as this chunk sees it. key: its id, or a number of its own while it has none ·
    sources: those that showed it (kind, title) · seen: its
    rows of the source at hand, by list day · version, votes: what changes are compared with."""

    key: int
    row: PaperRow
    names: list[Alias]
    sources: dict[int, tuple[str, str]] = field(default_factory=dict)
    seen: dict[date, SightingRow] = field(default_factory=dict)
    version: int = 0
    votes: PaperEventRow | None = None


def belonging_ids(session: Session, papers: Sequence[Paper]) -> list[list[int]]:
    """Of each paper the stored ones that it is, the oldest first; empty = never seen."""
    found: list[list[int]] = []
    for start in range(0, len(papers), _READ_AT_ONCE):
        part = papers[start : start + _READ_AT_ONCE]
        owners = papers_store.find_owners(session, (a for p in part for a in _names_of(p)))
        names = papers_store.list_names(session, sorted(set(owners.values())))
        for paper in part:
            ids = {owners[a] for a in _names_of(paper) if a in owners}
            found.append(belonging(paper.aliases, {i: names[i] for i in ids}))
    return found


def words_of(paper: Paper, sources: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The paper's folded words, as stored. sources: (kind, title) of those that showed it."""
    said = dict.fromkeys(word for pair in sources for word in pair)
    return dump(prepare(paper, sources=tuple(said)))


def _names_of(paper: Paper) -> tuple[Alias, ...]:
    return tuple(
        a if len(a.value) <= _LONGEST_NAME else Alias(a.scheme, a.value[:_LONGEST_NAME])
        for a in paper.aliases
    )


class Desk:
    """One chunk of one source, between its reading and its writing."""

    def __init__(self, session: Session, source: SourceRow, now: datetime) -> None:
        assert source.id is not None
        made = ADAPTERS.get(source.kind)
        self.session, self.now = session, now
        self.source_id, self.source = source.id, (source.kind, source.title)
        self.has_lists = made is None or bool(made.rhythm.lists)
        self.known: dict[int, _Known] = {}
        self.owners: dict[Alias, int] = {}
        self.fresh: list[_Known] = []
        self.fresh_before = 0
        self.news: list[tuple[_Known, PaperAliasRow | SightingRow | PaperEventRow]] = []
        self.changed: list[PaperRow] = []

    def load(self, items: Sequence[Item]) -> None:
        """Read what the store knows of these items."""
        wanted = (alias for item in items for alias in _names_of(item.paper))
        owners = papers_store.find_owners(self.session, wanted)
        ids = sorted(set(owners.values()))
        if not ids:
            return
        for paper_id, (row, names) in papers_store.get_rows(self.session, ids).items():
            self.known[paper_id] = _Known(paper_id, row, names)
            self.owners.update(dict.fromkeys(names, paper_id))
        for paper_id, source_id, kind, title in arrivals_store.list_showers(self.session, ids):
            self.known[paper_id].sources[source_id] = (kind, title)
        for seen in arrivals_store.list_shown(self.session, ids, self.source_id):
            self.known[seen.paper_id].seen[seen.listed_on] = seen
        for event in list_open_events(self.session, ids, self.now):
            known = self.known[event.paper_id]
            if event.kind == "votes":
                known.votes = event
            elif event.value.isdecimal():
                known.version = max(known.version, int(event.value))

    def put(self, item: Item) -> tuple[PaperRow, Fate]:
        """Take one item; ``write`` writes it down, and then the row has its id."""
        known = self._find(item.paper)
        fate: Fate = "refreshed"
        if known is None:
            known, fate = self._add(item), _FATES.get(item.verdict, "known")
        else:
            self._refresh(known, item.sighting)
        known.sources[self.source_id] = self.source
        self._name(known, item.paper)
        self._see(known, item, held=fate == "held")
        return known.row, fate

    def write(self) -> None:
        """Write what is new: the papers, then what hangs on them."""
        self.session.add_all([known.row for known in self.fresh])
        self.session.flush()
        for known, row in self.news:
            row.paper_id = known.row.id or 0
        arrivals_store.add_rows(self.session, [row for _, row in self.news])
        self.fresh_before += len(self.fresh)
        self.fresh, self.news = [], []

    def _find(self, paper: Paper) -> _Known | None:
        names = _names_of(paper)
        near = {self.owners[alias] for alias in names if alias in self.owners}
        if not near:
            return None
        ids = belonging(names, {i: self.known[i].names for i in near})
        if not ids:
            return None
        if len(ids) > 1:
            self.write()
            for twin in ids[1:]:
                self._merge(ids[0], twin)
        return self.known[ids[0]]

    def _merge(self, keep_key: int, gone_key: int) -> None:
        """Twins: the younger one's facts, names and whatever hangs on it go to the older."""
        keep, gone = self.known[keep_key], self.known.pop(gone_key)
        assert keep.row.id is not None
        assert gone.row.id is not None
        old = papers_store.to_paper(keep.row, keep.names)
        other = papers_store.to_paper(gone.row, gone.names)
        teller = Teller(
            own=_told(gone), told=_told(keep), version=gone.version, known_version=keep.version
        )
        better = refresh(old, other, teller)
        self.changed.append(gone.row)
        merge_papers(self.session, keep.row.id, gone.row.id, self.now, gone.names[0])
        keep.sources |= gone.sources
        keep.seen = gone.seen | keep.seen
        keep.version = max(keep.version, gone.version)
        keep.votes = keep.votes or gone.votes
        keep.names = list(better.paper.aliases)
        self.owners.update(dict.fromkeys(keep.names, keep_key))
        self._apply(keep, old, better.paper)
        self._tell(keep, [change for change in better.changes if change.kind == "doi"])

    def _add(self, item: Item) -> _Known:
        paper = item.paper
        row = PaperRow(
            first_seen_at=self.now,
            eligible_at=self.now if item.verdict == "new" else None,
            listed_on=item.listed_on,
            folded=item.words or words_of(paper, [self.source]),
            fold_version=FOLD_VERSION,
            **papers_store.facts_of(paper),  # at once: every attribute set later costs as much
        )
        known = _Known(_FRESH + self.fresh_before + len(self.fresh), row, [])
        self.known[known.key] = known
        self.fresh.append(known)
        if item.sighting.version > 1:
            self._tell(known, [Change("version", str(item.sighting.version))])
        return known

    def _refresh(self, known: _Known, sighting: Sighting) -> None:
        """A paper seen before: better facts are taken, what changed is kept as events."""
        old = papers_store.to_paper(known.row, known.names)
        told = _told(known)
        teller = Teller(
            own=first_hand(self.source[0]),
            told=told,
            version=sighting.version,
            known_version=known.version or int("title" in told),
        )
        better = refresh(old, sighting.paper, teller)
        self._apply(known, old, better.paper)
        self._tell(known, better.changes)

    def _apply(self, known: _Known, old: Paper, paper: Paper) -> None:
        """Put better facts on the row; other words, or another source's name, are folded anew."""
        row = known.row
        is_shown_anew = self.source_id not in known.sources
        if paper == old and not is_shown_anew:
            return
        if is_shown_anew or any(getattr(old, name) != getattr(paper, name) for name in _WORDS):
            row.folded = words_of(paper, [*known.sources.values(), self.source])
            row.fold_version = FOLD_VERSION
            row.matched_at = None
            self._tell(known, [Change("words")])
        if (old.votes, old.comments) != (paper.votes, paper.comments):
            row.matched_at = None  # an interest may ask for more votes than it had
        papers_store.set_paper(row, paper)
        self.changed.append(row)

    def _tell(self, known: _Known, changes: Sequence[Change]) -> None:
        for change in changes:
            value = change.value[:LONGEST]
            if change.kind == "version":
                known.version = max(known.version, int(value))
            if change.kind == "votes" and known.votes is not None:
                before = known.votes.value.split(" ")
                known.votes.value = " ".join((*before[:-1], value.split(" ")[-1]))
                continue
            event = PaperEventRow(paper_id=0, kind=change.kind, at=self.now, value=value)
            if change.kind == "votes":
                known.votes = event
            self.news.append((known, event))

    def _name(self, known: _Known, paper: Paper) -> None:
        """Give the paper the names that no paper has yet."""
        for alias in _names_of(paper):
            if alias not in self.owners:
                self.owners[alias] = known.key
                known.names = list(merged(known.names, (alias,)))
                row = PaperAliasRow(scheme=alias.scheme, value=alias.value, paper_id=0)
                self.news.append((known, row))

    def _see(self, known: _Known, item: Item, *, held: bool) -> None:
        """Record the appearance. Where a source has no list days, what it shows again it does not
        list again."""
        sighting = item.sighting
        seen = known.seen.get(item.listed_on)
        if seen is None and known.seen and not self.has_lists:
            seen = known.seen[max(known.seen)]
        if seen is not None:
            seen.submitter = sighting.submitter or seen.submitter
            seen.author_takes_part = sighting.author_takes_part or seen.author_takes_part
            return
        seen = SightingRow(
            source_id=self.source_id,
            paper_id=0,
            listed_on=item.listed_on,
            announce_type=sighting.announce_type,
            submitter=sighting.submitter,
            author_takes_part=sighting.author_takes_part,
            held=held,
            first_seen_at=self.now,
        )
        known.seen[item.listed_on] = seen
        self.news.append((known, seen))


_FATES: dict[str, Fate] = {"new": "new", "held": "held"}
_FRESH = 1 << 62
"""Papers without an id yet are younger than all that have one."""

_WORDS = ("title", "abstract", "authors", "categories", "organisation", "aliases")
"""What matching reads of a paper, as ``matching/document`` folds it."""


def first_hand(kind: str) -> frozenset[str]:
    """The facts that begin at sources of this kind."""
    return ADAPTERS[kind].first_hand if kind in ADAPTERS else frozenset()


def _told(known: _Known) -> frozenset[str]:
    return frozenset[str]().union(*(first_hand(kind) for kind, _ in known.sources.values()))
