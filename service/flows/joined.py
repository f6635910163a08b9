"""Two papers made one by a person's hand, and parted again.

What hangs on the younger goes to the one that is kept, as where a source names both
(``store/twins``); of the facts those are kept that the better teller knows (``papers/refresh``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from service.flows.filing import first_hand, words_of
from service.flows.hidden import PaperError, one_paper, read_reason
from service.flows.match import match_new
from service.flows.runtime import Runtime
from service.flows.staff import write_audit
from service.papers.identity import PROOF
from service.papers.model import Alias, Paper
from service.papers.refresh import Teller, refresh
from service.store import arrivals as arrivals_store
from service.store import joins as joins_store
from service.store import paper_desk
from service.store import papers as papers_store
from service.store.db import Priority, Session
from service.store.events import add_event, list_open_events
from service.store.tables import PaperRow
from service.store.twins import merge_papers
from service.store.workbench_tables import PaperJoinRow
from service.text.fold import FOLD_VERSION

_NOT_SHOWN = ("id", "aliases", "raw_title", "raw_abstract")


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact of both papers, and what would be kept. field: as ``papers.model.Paper`` calls
    it."""

    field: str
    keep: Any
    gone: Any
    made: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinPlan:
    """What joining two papers would make. differences: facts that are not the same in both ·
    same: names of those that are · names: that the kept one would have · warnings: why they may
    be two works · counts: of each, as ``paper_desk.count_paper`` says."""

    keep: Paper
    gone: Paper
    differences: tuple[Difference, ...]
    same: tuple[str, ...]
    names: tuple[Alias, ...]
    warnings: tuple[str, ...]
    counts: Mapping[int, paper_desk.PaperCounts]


def plan_join(rt: Runtime, keep_id: int, gone_id: int) -> JoinPlan:
    """Look at both side by side; nothing is changed. Raises NoPaperError, PaperError."""

    def load(session: Session) -> JoinPlan:
        made = _Pair(session, keep_id, gone_id, rt.clock(), holds=False)
        values = [
            Difference(
                one.name, *(getattr(x, one.name) for x in (made.old, made.other, made.paper))
            )
            for one in fields(Paper)
            if one.name not in _NOT_SHOWN
        ]
        return JoinPlan(
            keep=made.old,
            gone=made.other,
            differences=tuple(one for one in values if one.keep != one.gone),
            same=tuple(one.field for one in values if one.keep == one.gone and one.keep),
            names=made.paper.aliases,
            warnings=_warnings(made.old, made.other),
            counts={i: paper_desk.count_paper(session, i) for i in (keep_id, gone_id)},
        )

    return rt.db.read(load)


def join_papers(
    rt: Runtime, keep_id: int, gone_id: int, reason: str, *, by: str, address: str = ""
) -> int:
    """Make one paper of two; returns the number of the join. Raises NoPaperError, PaperError."""
    why = read_reason(reason)

    def act(session: Session) -> int:
        now = rt.clock()
        pair = _Pair(session, keep_id, gone_id, now, holds=True)
        before = joins_store.before_of(session, pair.keep, pair.gone)
        merge_papers(session, keep_id, gone_id, now, pair.gone_names[0])
        changed = _changed(pair.old, pair.paper)
        papers_store.set_paper(pair.keep, pair.paper)
        _fold(session, pair.keep, pair.paper)
        add_event(session, keep_id, "words", now)
        row = PaperJoinRow(
            at=now, keep_id=keep_id, gone_id=gone_id, done_by=by, reason=why,
            before={**before, "changed": changed},
        )  # fmt: skip
        session.add(row)
        session.flush()
        write_audit(
            session, now, who=by, what="join papers", target=f"{keep_id} {gone_id}",
            before={"kept": pair.old.title, "joined": pair.other.title, "names": before["names"]},
            after={"title": pair.paper.title, "changed": sorted(changed)},
            address=address, reason=why,
        )  # fmt: skip
        return row.id or 0

    made = rt.db.write(act, Priority.WEB)
    _meet_again(rt, keep_id, gone_id)
    return made


def part_papers(
    rt: Runtime, join_id: int, reason: str, *, by: str, address: str = "", keep_id: int = 0
) -> tuple[int, int]:
    """Undo a join by hand; returns both papers. keep_id: the one that must have been kept. Raises
    PaperError: it is not the newest one of these papers, or it is undone already."""
    why = read_reason(reason)

    def act(session: Session) -> tuple[int, int]:
        now = rt.clock()
        join = joins_store.get_join(session, join_id)
        if join is None or join.undone_at is not None or keep_id not in (0, join.keep_id):
            raise PaperError("There is no such join to be undone.", "join", "Look at the paper.")
        both = (join.keep_id, join.gone_id)
        newest = joins_store.newest_join(session, both)
        keep, gone = (paper_desk.hold_paper(session, i) for i in sorted(both))
        if keep is None or gone is None:
            raise PaperError("One of the papers is gone.", "join", "Nothing can be parted.")
        if keep.id != join.keep_id:
            keep, gone = gone, keep
        if newest is None or newest.id != join_id or gone.merged_into != keep.id:
            raise PaperError(
                "Another paper was joined with these since.", "join", "Part that one first."
            )
        joins_store.part_papers(session, join, keep, gone, now)
        made = _restore(session, keep, join.before.get("changed", {}))
        _fold(session, keep, made)
        write_audit(
            session, now, who=by, what="part papers", target=f"{keep.id} {gone.id}",
            before={"joined": join.at.isoformat(), "by": join.done_by},
            after={"kept": keep.title, "parted": gone.title}, address=address, reason=why,
        )  # fmt: skip
        return both

    both = rt.db.write(act, Priority.WEB)
    _meet_again(rt, *both)
    return both


def _meet_again(rt: Runtime, *paper_ids: int) -> None:
    rt.corpus.forget(paper_ids)
    match_new(rt)


class _Pair:
    """Two papers and what would be known of them together."""

    def __init__(
        self, session: Session, keep_id: int, gone_id: int, now: datetime, *, holds: bool
    ) -> None:
        if keep_id == gone_id:
            raise PaperError("These are one paper already.", "other", "Choose another one.")
        held = {i: one_paper(session, i, holds=holds) for i in sorted((keep_id, gone_id))}
        self.keep, self.gone = held[keep_id], held[gone_id]
        names = papers_store.list_names(session, [keep_id, gone_id])
        self.gone_names = names.get(gone_id, [Alias("guid", str(gone_id))])
        self.old = papers_store.to_paper(self.keep, names.get(keep_id, []))
        self.other = papers_store.to_paper(self.gone, self.gone_names)
        told: dict[int, frozenset[str]] = {keep_id: frozenset(), gone_id: frozenset()}
        for paper_id, _, kind, _title in arrivals_store.list_showers(session, [keep_id, gone_id]):
            told[paper_id] |= first_hand(kind)
        versions = {keep_id: 0, gone_id: 0}
        for event in list_open_events(session, [keep_id, gone_id], now):
            if event.kind == "version" and event.value.isdecimal():
                versions[event.paper_id] = max(versions[event.paper_id], int(event.value))
        teller = Teller(
            own=told[gone_id], told=told[keep_id],
            version=versions[gone_id], known_version=versions[keep_id],
        )  # fmt: skip
        self.paper = refresh(self.old, self.other, teller).paper


def _warnings(keep: Paper, gone: Paper) -> tuple[str, ...]:
    """Names of which a work has one in the world, where each has one of its own."""
    found = []
    for scheme in PROOF:
        here, there = (
            {a.value for a in paper.aliases if a.scheme == scheme} for paper in (keep, gone)
        )
        if here and there and not here & there:
            both = f"{', '.join(sorted(here))} and {', '.join(sorted(there))}"
            name = {"arxiv": "arXiv id", "doi": "DOI", "pmid": "PubMed number"}[scheme]
            article = "an" if scheme == "arxiv" else "a"
            found.append(f"Each has {article} {name} of its own ({both}): they may be two works.")
    return tuple(found)


def _changed(old: Paper, made: Paper) -> dict[str, list[Any]]:
    """Facts of the kept paper that the join changes, each before and after, as JSON values."""
    before, after = papers_store.facts_of(old), papers_store.facts_of(made)
    return {
        name: [_plain(value), _plain(after[name])]
        for name, value in before.items()
        if value != after[name]
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value


_DATES = {"published_on": date, "announced_on": date, "updated_at": datetime}


def _restore(session: Session, keep: PaperRow, changed: Mapping[str, Any]) -> Paper:
    """Facts that are as the join made them are again what they were; what a source told since
    stays."""
    for name, (before, after) in changed.items():
        if _plain(getattr(keep, name)) == after:
            read = _DATES.get(name)
            setattr(keep, name, read.fromisoformat(before) if read and before else before)
    session.add(keep)
    names = papers_store.list_names(session, [keep.id or 0]).get(keep.id or 0, [])
    return papers_store.to_paper(keep, names)


def _fold(session: Session, row: PaperRow, paper: Paper) -> None:
    showers = arrivals_store.list_showers(session, [row.id or 0])
    row.folded = words_of(paper, [(kind, title) for _, _, kind, title in showers])
    row.fold_version = FOLD_VERSION
    row.matched_at = None
    session.add(row)
    session.flush()
