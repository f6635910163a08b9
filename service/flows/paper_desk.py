"""One paper on the desk: its names, where it was seen, what happened, who got it. And how it is
found there, hidden ones too. Nothing here writes."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from service.flows.hidden import NoPaperError, waiting_with
from service.flows.joined import JoinPlan
from service.flows.paper_story import Told, read_story
from service.flows.related import name_in
from service.flows.runtime import Runtime
from service.flows.search import search
from service.papers.model import Alias, Paper
from service.store import paper_desk as store
from service.store import papers as papers_store
from service.store.db import Session
from service.store.paper_desk import PaperCounts, SeenRow
from service.store.tables import PaperEventRow, PaperRow
from service.store.workbench_tables import PaperJoinRow

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskPaper:
    """A paper with all that is known of it here.

    hidden: why, "" = it is shown · eligible_at: since when it is new, None = known, never mailed as
    new · story: all that happened, newest first · waiting: (composed mails with it that no server
    has seen, others that are not over) · joins: by hand, the newest first · twins: numbers of
    papers that it stands for.
    """

    paper: Paper
    hidden: str
    first_seen_at: datetime
    eligible_at: datetime | None
    matched_at: datetime | None
    listed_on: date | None
    seen: tuple[SeenRow, ...]
    events: tuple[PaperEventRow, ...]
    story: tuple[Told, ...]
    counts: PaperCounts
    waiting: tuple[int, int]
    joins: tuple[PaperJoinRow, ...]
    twins: tuple[tuple[int, str], ...]

    @property
    def names(self) -> tuple[Alias, ...]:
        return self.paper.aliases

    @property
    def joined_by_hand(self) -> PaperJoinRow | None:
        """The join that can be undone now."""
        return next((one for one in self.joins if one.undone_at is None), None)


@dataclass(frozen=True, slots=True)
class Line:
    """A paper in a list of the desk. key: its public name."""

    id: int
    title: str
    key: Alias
    hidden: str
    published_on: date | None


@dataclass(frozen=True, slots=True)
class Lines:
    """One page of papers that were found. reading: how the words were read."""

    total: int
    papers: tuple[Line, ...]
    reading: str = ""


def read_paper(rt: Runtime, paper_id: int) -> DeskPaper:
    """One paper by its number; of one that was joined, the paper that it became. Raises
    NoPaperError."""
    return rt.db.read(lambda s: _read(s, paper_id))


def _read(session: Session, paper_id: int) -> DeskPaper:
    found = papers_store.get_rows(session, [paper_id]).get(paper_id)
    if found is not None and found[0].merged_into is not None:
        paper_id = found[0].merged_into
        found = papers_store.get_rows(session, [paper_id]).get(paper_id)
    if found is None:
        raise NoPaperError(paper_id)
    row, names = found
    events = tuple(store.list_all_events(session, paper_id))
    return DeskPaper(
        paper=papers_store.to_paper(row, names),
        hidden=row.quarantined,
        first_seen_at=row.first_seen_at,
        eligible_at=row.eligible_at,
        matched_at=row.matched_at,
        listed_on=row.listed_on,
        seen=tuple(store.list_seen(session, paper_id)),
        events=events,
        story=read_story(session, paper_id, events),
        counts=store.count_paper(session, paper_id),
        waiting=waiting_with(session, paper_id),
        joins=tuple(store.list_joins(session, paper_id)),
        twins=tuple((one.id or 0, one.title) for one in store.list_twins(session, paper_id)),
    )


def number_of(rt: Runtime, text: str) -> int:
    """The number of the paper that a number, a name or a link means, hidden or not. Raises
    NoPaperError."""
    text = text.strip()
    found = _named(rt, text)
    if found is None:
        error = NoPaperError(0)
        error.what = f"No stored paper is called {text[:80]!r}."
        raise error
    return found


def _named(rt: Runtime, text: str) -> int | None:
    if text.isdecimal() and len(text) < 16:
        return int(text) if rt.db.read(lambda s: s.get(PaperRow, int(text))) else None
    scheme, colon, value = text.partition(":")
    name = (scheme, value) if colon and scheme in ("guid", "link", "hf") else name_in(rt, text)
    if name is None:
        return None
    alias = Alias(name[0], name[1])  # type: ignore[arg-type]
    ids = rt.db.read(lambda s: papers_store.find_ids(s, [alias]))
    return ids[0] if ids else None


def find_papers(
    rt: Runtime, text: str, *, hidden: bool = False, offset: int = 0, limit: int = PAGE_SIZE
) -> Lines:
    """Papers by a number, a name, a link or words; without any, or with ``hidden``, those that are
    hidden. Raises QueryError with the position."""
    text = text.strip()
    if hidden or not text:
        return rt.db.read(lambda s: _hidden(s, text, offset, limit))
    one = _named(rt, text)
    if one is not None:
        made = read_paper(rt, one)
        return Lines(1, (_line(made.paper, made.hidden),))
    page = search(rt, text, offset=offset, limit=limit)
    return Lines(page.total, tuple(_line(x.paper, "") for x in page.papers), page.reading)


def _hidden(session: Session, text: str, offset: int, limit: int) -> Lines:
    """People hide few: those that hold the words are picked out here."""
    words = text.casefold().split()
    rows = [r for r in store.list_hidden(session) if all(w in r.title.casefold() for w in words)]
    some = rows[offset : offset + limit]
    names = papers_store.list_names(session, [row.id or 0 for row in some])
    return Lines(
        len(rows),
        tuple(
            _line(papers_store.to_paper(row, names.get(row.id or 0, [])), row.quarantined)
            for row in some
        ),
    )


def _line(paper: Paper, hidden: str) -> Line:
    day = paper.published_on or paper.announced_on
    return Line(paper.id, paper.title, paper.key, hidden, day)


# ---- the same as JSON values, for programs ----


def line_data(one: Line) -> dict[str, Any]:
    """A paper in a list."""
    return {
        "id": one.id,
        "title": one.title,
        "name": f"{one.key.scheme}:{one.key.value}",
        "hidden": one.hidden,
        "published_on": one.published_on.isoformat() if one.published_on else None,
    }


def paper_facts(made: DeskPaper) -> dict[str, Any]:
    """A paper with all that is known of it here."""
    paper = made.paper
    return {
        "id": paper.id,
        "title": paper.title,
        "abstract": paper.abstract,
        "authors": list(paper.authors),
        "categories": list(paper.categories),
        "published_on": _iso(paper.published_on),
        "withdrawn": paper.withdrawn,
        "names": _names(made.names),
        "links": dict(paper.links),
        "hidden": made.hidden,
        "first_seen_at": _iso(made.first_seen_at),
        "new_since": _iso(made.eligible_at),
        "matched_at": _iso(made.matched_at),
        "listed_on": _iso(made.listed_on),
        "sightings": [
            {name: _iso(value) for name, value in asdict(one).items()} for one in made.seen
        ],
        "events": [{"kind": e.kind, "at": _iso(e.at), "value": e.value} for e in made.events],
        "story": [
            {"at": _iso(x.at), "what": x.what, "by": x.by, "more": x.more} for x in made.story
        ],
        "readers": made.counts.readers,
        "counts": asdict(made.counts),
        "mails_waiting": {"untried": made.waiting[0], "others": made.waiting[1]},
        "joins": [
            {
                "id": one.id,
                "paper": one.gone_id,
                "at": _iso(one.at),
                "by": one.done_by,
                "reason": one.reason,
                "undone_at": _iso(one.undone_at),
            }
            for one in made.joins
        ],
    }


def plan_data(plan: JoinPlan) -> dict[str, Any]:
    """What a join would make."""
    return {
        "keep": plan.keep.id,
        "join": plan.gone.id,
        "differences": [
            {"field": x.field, "keep": _plain(x.keep), "join": _plain(x.gone),
             "made": _plain(x.made)}
            for x in plan.differences
        ],
        "same": list(plan.same),
        "names": _names(plan.names),
        "warnings": list(plan.warnings),
        "readers": {str(i): counts.readers for i, counts in plan.counts.items()},
    }  # fmt: skip


def _names(names: Sequence[Alias]) -> list[str]:
    return [f"{one.scheme}:{one.value}" for one in names]


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return _iso(value)


def _iso(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value
