"""What the public pages show, read from the store. Nothing here writes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from service.defaults import FIXED
from service.digest import excerpt
from service.digest.candidate import HitLike
from service.digest.model import Marked
from service.digest.trending import rank
from service.errors import Sentence, SpokenError
from service.flows.changes import PaperHistory, read_changes
from service.flows.estimate import BackTest
from service.flows.release import is_free
from service.flows.runtime import Runtime
from service.matching.corpus import Found
from service.papers.model import Paper
from service.store import editions as editions_store
from service.store import listing
from service.store import papers as papers_store
from service.store import picks as picks_store
from service.store import sightings as sightings_store
from service.store import votes as votes_store
from service.store.db import Session

PAGE_SIZE = FIXED.papers_a_page
WHOLE_DAY = 5000
"""Papers of a day in a file at most."""

Order = Literal["trending", "newest", "here"]
"""here: by the votes of this house's readers."""


class NotHereError(SpokenError):
    """There is nothing under this name or token."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A paper with what its sources say beside it; title and abstract carry the marks. here: votes
    of this house's readers, 0 where they do not vote."""

    paper: Paper
    title: Marked
    abstract: Marked
    place: str = ""
    submitted_by: str = ""
    author_takes_part: bool = False
    here: int = 0


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is left of a day's list. source: its number, None = of all · category: "" = any."""

    source: int | None = None
    category: str = ""

    def __bool__(self) -> bool:
        return self.source is not None or bool(self.category)

    def takes(self, row: listing.ListedRow) -> bool:
        """Whether a listed paper is of this source and category."""
        return (self.source is None or self.source in row.sources) and (
            not self.category or self.category in row.categories
        )


EVERYTHING = Chosen()


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPage:
    """One page of a day's list. total: papers of the day that are chosen; whole: all of it ·
    sources: (number, title, papers) and categories: (name, papers), each counted among what the
    other choice leaves · previous, next: days with papers (of the source, where one is chosen) ·
    note, picks: the editors', as on the digests of that date, once it is let go."""

    on: date
    total: int
    papers: tuple[Shown, ...]
    previous: date | None
    next: date | None
    newest: date | None
    note: str = ""
    picks: tuple[Shown, ...] = ()
    whole: int = 0
    sources: tuple[tuple[int, str, int], ...] = ()
    categories: tuple[tuple[str, int], ...] = ()


def newest_day(rt: Runtime, source: int | None = None) -> date | None:
    """The newest day that has papers (of a source), None in the first minute."""
    return rt.db.read(lambda s: listing.shown_days(s, source=source))


def read_day(
    rt: Runtime,
    on: date,
    *,
    order: Order = "trending",
    offset: int = 0,
    limit: int = PAGE_SIZE,
    chosen: Chosen = EVERYTHING,
) -> DayPage:
    """Every chosen paper listed on ``on``, in the order of the digest (or newest first), one
    page."""
    return rt.db.read(lambda s: _read_day(rt, s, on, order, offset, limit, chosen))


def _read_day(
    rt: Runtime,
    session: Session,
    on: date,
    order: Order,
    offset: int,
    limit: int,
    chosen: Chosen,
) -> DayPage:
    is_told = is_free(rt, session, on)
    order = order if order != "here" or votes_are_on(rt) else "trending"
    listed = listing.list_day(session, on)
    rows = in_order(session, [row for row in listed if chosen.takes(row)], order, on)
    ids = [row.paper_id for row in rows[offset : offset + limit]]
    picks = _shown(session, picks_store.list_picks(session, on))
    return DayPage(
        on=on,
        total=len(rows),
        papers=tuple(with_votes(rt, session, _shown(session, ids, on=on))),
        previous=listing.shown_days(session, before=on, source=chosen.source),
        next=listing.shown_days(session, after=on, source=chosen.source),
        newest=listing.shown_days(session),
        note=editions_store.note_of(session, on) if is_told else "",
        picks=tuple(with_votes(rt, session, picks) if is_told else ()),
        whole=len(listed),
        sources=_sources(session, listed, chosen),
        categories=_categories(listed, chosen),
    )


def in_order(
    session: Session, rows: Sequence[listing.ListedRow], order: Order, on: date
) -> list[listing.ListedRow]:
    """A day's papers as its page and its feed have them."""
    if order == "newest":
        return sorted(rows, key=lambda r: (r.published_on or date.min, r.sighting_id), reverse=True)
    ids = [row.paper_id for row in rows]
    names = papers_store.list_keys(session, ids)
    here = votes_store.count_votes(session, ids) if order == "here" else {}
    return sorted(
        rows,
        key=lambda r: (
            -here.get(r.paper_id, 0),
            rank(r.votes, r.comments, on, on, names.get(r.paper_id, ("", ""))),
        ),
    )


def votes_are_on(rt: Runtime) -> bool:
    """Whether readers of this house vote."""
    return rt.defaults().votes == "on"


def with_votes(rt: Runtime, session: Session, shown: Sequence[Shown]) -> list[Shown]:
    """The same papers with the votes of this house's readers."""
    if not votes_are_on(rt):
        return list(shown)
    here = votes_store.count_votes(session, [one.paper.id for one in shown if one.paper.id])
    return [replace(one, here=here.get(one.paper.id or 0, 0)) for one in shown]


def _sources(
    session: Session, listed: Sequence[listing.ListedRow], chosen: Chosen
) -> tuple[tuple[int, str, int], ...]:
    fits = replace(chosen, source=None)
    counted = Counter(one for row in listed if fits.takes(row) for one in set(row.sources))
    wanted = {*counted, *(one for row in listed for one in row.sources)}
    if chosen.source is not None:
        wanted.add(chosen.source)
    titles = listing.source_titles(session, wanted)
    found = [(number, title, counted[number]) for number, title in titles.items()]
    return tuple(sorted(found, key=lambda one: (-one[2], one[1].casefold(), one[0])))


def _categories(listed: Sequence[listing.ListedRow], chosen: Chosen) -> tuple[tuple[str, int], ...]:
    """The commonest; the chosen one is among them, with 0 where it has none."""
    fits = replace(chosen, category="")
    counted = Counter(name for row in listed if fits.takes(row) for name in set(row.categories))
    found = sorted(counted.items(), key=lambda one: (-one[1], one[0]))[: FIXED.most_categories]
    if chosen.category and chosen.category not in dict(found):
        found.append((chosen.category, counted[chosen.category]))
    return tuple(found)


def _shown(
    session: Session,
    ids: Sequence[int],
    *,
    on: date | None = None,
    hits: Mapping[int, Sequence[HitLike]] | None = None,
) -> list[Shown]:
    papers = papers_store.get_papers(session, ids)
    seen = listing.list_appearances(session, ids)
    return [
        _with_marks(
            papers[i],
            [a for a in seen.get(i, []) if on is None or a.listed_on == on] or seen.get(i, []),
            (hits or {}).get(i, ()),
        )
        for i in ids
        if i in papers
    ]


def _with_marks(paper: Paper, seen: Sequence[listing.Appearance], hits: Sequence[HitLike]) -> Shown:
    def ranges(where: str) -> list[tuple[int, int]]:
        return [(h.start, h.end) for h in hits if h.where == where]

    said = next((a for a in seen if a.submitter), None)
    return Shown(
        paper=paper,
        title=excerpt.title(paper.title, ranges("title")),
        abstract=excerpt.full(paper.abstract, ranges("abstract")),
        place=seen[0].source if seen and not paper.categories and said is None else "",
        submitted_by=said.submitter if said else "",
        author_takes_part=any(a.author_takes_part for a in seen),
    )


@dataclass(frozen=True, slots=True)
class PaperPage:
    """One paper, where it was listed, and what changed since."""

    shown: Shown
    appearances: tuple[listing.Appearance, ...]
    history: PaperHistory


def read_paper(rt: Runtime, scheme: str, value: str) -> PaperPage:
    """One paper by a name of it. Raises NotHereError."""
    return rt.db.read(lambda s: _read_paper(rt, s, scheme, value))


def _read_paper(rt: Runtime, session: Session, scheme: str, value: str) -> PaperPage:
    row = listing.find_shown(session, scheme, value)
    if row is None or row.id is None:
        what = Sentence("This paper is not in our lists.")
        raise NotHereError(what, "", Sentence("Search for words of its title."))
    appearances = tuple(listing.list_appearances(session, [row.id]).get(row.id, ()))
    history = read_changes(session, row.id, rt.zone)
    shown = with_votes(rt, session, _shown(session, [row.id]))[0]
    return PaperPage(shown, appearances, history)


def show_papers(rt: Runtime, found: Sequence[Found]) -> list[Shown]:
    """Found papers, marked."""
    hits = {one.paper_id: one.hits for one in found}
    return rt.db.read(lambda s: _shown(s, list(hits), hits=hits))


def show_alike(rt: Runtime, ids: Sequence[int], most: int) -> list[Shown]:
    """The first of some papers that may still be shown; nothing is marked."""

    def read(session: Session) -> list[Shown]:
        alive = papers_store.list_shown(session, ids)
        return _shown(session, [i for i in ids if i in alive][:most])

    return rt.db.read(read)


def mail_days(rt: Runtime, made: BackTest) -> tuple[int, int]:
    """(weekdays with a mail, weekdays looked at) of a back-test, from the first day with papers.

    Papers of a weekend ride in Monday's mail.
    """
    listed = rt.db.read(lambda s: sightings_store.list_days(s, limit=len(made.days)))
    first = min((day for day in listed if day in made.days), default=None)
    waiting, mails, weekdays = 0, 0, 0
    for day in sorted(made.days):
        if first is None or day < first:
            continue
        waiting += made.estimate.per_day.get(day, 0)
        if day.weekday() < 5:
            weekdays += 1
            mails += waiting > 0
            waiting = 0
    return mails, weekdays


def source_names(rt: Runtime) -> list[str]:
    """Titles of the sources in use."""
    return rt.db.read(listing.list_source_names)


def read_names(rt: Runtime) -> list[str]:
    """Titles of the sources in use that were read at least once."""
    return rt.db.read(listing.list_read_names)
