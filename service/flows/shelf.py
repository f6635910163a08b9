"""What a chunk of readers needs for their digests, loaded once; matches made into candidates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from service.defaults import FIXED, Defaults
from service.digest.candidate import Candidate
from service.flows.live import document_of
from service.flows.match import LOOK_BACK
from service.flows.release import is_free
from service.flows.runtime import Runtime
from service.flows.waiting import Late, lists_of
from service.flows.window import age_of
from service.flows.worked import Found, Worked, words_of
from service.matching.document import Document
from service.matching.likeness import Likeness, likeness
from service.matching.own import is_own
from service.matching.query import Query, has_words
from service.matching.score import score
from service.matching.taste import Taste, Vector, vector
from service.papers.model import Paper
from service.sources.registry import ADAPTERS
from service.store import editions as editions_store
from service.store import listing as listing_store
from service.store import papers as papers_store
from service.store import picks as picks_store
from service.store import restored as restored_store
from service.store import sent as sent_store
from service.store import sightings as sightings_store
from service.store import slots as slots_store
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.store.slots import Slots
from service.store.tables import PaperRow
from service.subscribers.cadence import day_bounds
from service.subscribers.model import Profile, ProfileKind
from service.subscribers.options import read_options

if TYPE_CHECKING:
    from service.flows.signals import News


@dataclass(kw_only=True)
class Shelf:
    """What a chunk of readers needs, loaded once. had: sent or under way · resting: in alerts that
    wait for their hour, which a daily takes along (in ``had`` only when also elsewhere) ·
    alerts: how many, of a reader on a date · late: sources whose list is not there · read_from:
    titles of the others · by_hand: a person sends, and waits for nothing · news: what happened
    later to papers that were had, once it was asked for · marks: (paper, sign) of what readers
    said, newest first · tastes, vectors, likenesses: made when they are first asked for · note: the
    editor's, for the mails of the date · picks: theirs, in their order · is_released: the date is
    let go · list_on: the newest day with papers by then, where it is another · broken: papers that
    could not be composed, and why · doubted: papers that became new before it may have been mailed,
    by what a restored backup does not know of."""

    limits: Defaults
    profiles: dict[int, list[Profile]]
    had: dict[int, set[int]]
    resting: dict[int, set[int]]
    carried: dict[int, dict[int, bool]]
    slots: dict[int, Slots]
    rows: dict[int, PaperRow] = field(default_factory=dict)
    papers: dict[int, Paper] = field(default_factory=dict)
    sightings: dict[int, list[tuple[str, str, date, str]]] = field(default_factory=dict)
    listed: list[tuple[int, date]] = field(default_factory=list)
    late: list[Late] = field(default_factory=list)
    read_from: tuple[str, ...] = ()
    worked: Worked = field(default_factory=Worked)
    words: dict[int, str] = field(default_factory=dict)
    documents: dict[int, Document] = field(default_factory=dict)
    counts: dict[tuple[datetime, date, bool], int] = field(default_factory=dict)
    alerts: dict[tuple[int, date], int] = field(default_factory=dict)
    by_hand: bool = False
    news: "News | None" = None
    note: str = ""
    picks: tuple[Candidate, ...] = ()
    is_released: bool = True
    list_on: date | None = None
    broken: dict[int, str] = field(default_factory=dict)
    doubted: datetime | None = None
    marks: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    matches: dict[tuple[int, datetime, datetime], Sequence[int]] = field(default_factory=dict)
    tastes: dict[int, Taste] = field(default_factory=dict)
    vectors: dict[int, Vector] = field(default_factory=dict)
    likenesses: dict[int, Likeness] = field(default_factory=dict)


def load_shelf(
    rt: Runtime,
    session: Session,
    limits: Defaults,
    reader_ids: Sequence[int],
    on: date,
    worked: Worked | None = None,
) -> Shelf:
    """Read what the readers' digests of a date are made from. worked: of the chunk before.

    In test mode what test mails held counts as had too, so that a test runs as the real thing.
    """
    now, testing = rt.clock(), bool(rt.test_recipient)
    had = sent_store.list_sent(session, reader_ids)
    if testing:
        tested = sent_store.list_tested(session, reader_ids, now - timedelta(days=LOOK_BACK))
        for reader_id, ids in tested.items():
            had.setdefault(reader_id, set()).update(ids)
    resting = {
        reader_id: set().union(*alerts.values())
        for reader_id, alerts in sent_store.list_resting(session, reader_ids, now).items()
    }
    for reader_id, ids in sent_store.list_in_flight(session, reader_ids).items():
        rests = resting.get(reader_id, set())
        had.setdefault(reader_id, set()).update(ids - rests)
    kinds = [kind for kind, adapter in ADAPTERS.items() if adapter.has_votes]
    days = sightings_store.list_days(session, before=on, kinds=kinds, limit=limits.trending_days)
    slots = slots_store.list_slots(session, reader_ids, on, testing=testing)
    late, read = lists_of(session, on)
    newest = listing_store.shown_days(session, before=on + timedelta(days=1))
    worked = worked or Worked()
    shelf = Shelf(
        limits=limits,
        worked=worked,
        rows=worked.rows,
        papers=worked.papers,
        sightings=worked.sightings,
        documents=worked.documents,
        vectors=worked.vectors,
        likenesses=worked.likenesses,
        profiles=subscribers_store.list_profiles(session, reader_ids),
        had=had,
        resting=resting,
        carried=sent_store.list_carried(session, reader_ids, now - timedelta(days=LOOK_BACK)),
        doubted=restored_store.doubted_until(session),
        slots=slots,
        listed=sightings_store.list_listed(session, days, kinds=kinds) if days else [],
        late=late,
        read_from=tuple(read),
        note=editions_store.note_of(session, on),
        list_on=newest if newest != on else None,
        marks=listing_store.list_feedback(session, reader_ids, FIXED.feedback_marks),
        is_released=is_free(rt, session, on),
    )
    shelf.picks = _picks(session, shelf, on)
    return shelf


def _picks(session: Session, shelf: Shelf, on: date) -> tuple[Candidate, ...]:
    ids = picks_store.list_picks(session, on)
    load_papers(session, shelf, ids)
    return tuple(
        Candidate(
            paper=shelf.papers[paper_id],
            profile_id=0,
            listed_on=_listed_on(shelf, paper_id),
            place=place_of(shelf.papers[paper_id], shelf.sightings.get(paper_id, [])),
        )
        for paper_id in ids
        if paper_id in shelf.papers
    )


def learn_taste(rt: Runtime, session: Session, shelf: Shelf, reader_id: int) -> None:
    """Make the papers that a reader wanted more or less of into a taste; see ``candidate``."""
    marks = shelf.marks.get(reader_id)
    if not marks or reader_id in shelf.tastes:
        return
    load_papers(session, shelf, [paper_id for paper_id, _ in marks])
    documents = {i: document_on(shelf, i) for i, _ in marks if i in shelf.rows}
    shelf.tastes[reader_id] = Taste.of_marks(marks, documents, rt.corpus.statistics)


def load_papers(session: Session, shelf: Shelf, ids: Sequence[int]) -> None:
    """Bring papers (with names and sightings) onto the shelf."""
    missing = [i for i in dict.fromkeys(ids) if i not in shelf.rows]
    if not missing:
        return
    for paper_id, (row, names) in papers_store.get_rows(session, missing).items():
        shelf.rows[paper_id] = row
        shelf.papers[paper_id] = papers_store.to_paper(row, names)
    shelf.sightings.update(sightings_store.list_sightings(session, missing))


def candidate(
    rt: Runtime, shelf: Shelf, profile: Profile, paper_id: int, again: bool, on: date
) -> Candidate | None:
    """Hits and score computed again from the stored text; None when it no longer matches, or the
    score of today is below the interest's least. ``learn_taste`` comes first."""
    row = shelf.rows.get(paper_id)
    query = query_on(shelf, profile)
    if row is None or query is None:
        return None
    liking = _liking(rt, shelf, profile.subscriber_id, paper_id)
    age = float(age_of(profile, papers_store.day_of(row), on))
    found = shelf.worked.found
    key = (shelf.words[profile.id], paper_id, age)
    if liking is None and key in found:
        met = found[key]
    else:
        met = _met(rt, shelf, profile, query, row, age, liking)
        if liking is None and paper_id not in shelf.broken:
            found[key] = met
    if met is None:
        return None
    hits, made = met
    if 0 < profile.threshold > made.total:  # what was disliked may be below 0
        return None
    return Candidate(
        paper=shelf.papers[paper_id],
        profile_id=profile.id,
        hits=hits,
        score=made.total,
        parts=made.parts,
        listed_on=_listed_on(shelf, paper_id) or papers_store.day_of(row),
        place=place_of(shelf.papers[paper_id], shelf.sightings.get(paper_id, [])),
        again=again,
        likeness=_likeness(shelf, paper_id),
    )


def _met(
    rt: Runtime,
    shelf: Shelf,
    profile: Profile,
    query: Query,
    row: PaperRow,
    age: float,
    liking: float | None,
) -> Found:
    """Where the words stand in a paper, and what that is worth; None where they do not match."""
    assert row.id is not None
    try:
        document = document_on(shelf, row.id)
    except Exception as error:  # the mail goes out without it
        shelf.broken[row.id] = f"words: {type(error).__name__}: {error}"[:500]
        return None
    hits = shelf.worked.hits(query, row.id, document)
    if hits is None:
        return None
    statistics = rt.corpus.statistics
    made = score(
        query,
        document,
        hits,
        statistics,
        votes=row.votes,
        comments=row.comments,
        age_days=age,
        liking=liking,
        weights=shelf.worked.weights_for(shelf.words[profile.id], query, statistics),
    )
    return hits, made


def _liking(rt: Runtime, shelf: Shelf, reader_id: int, paper_id: int) -> float | None:
    taste = shelf.tastes.get(reader_id)
    if not taste:
        return None
    if paper_id not in shelf.vectors:
        shelf.vectors[paper_id] = vector(document_on(shelf, paper_id), rt.corpus.statistics)
    return taste.liking(shelf.vectors[paper_id])


def _likeness(shelf: Shelf, paper_id: int) -> Likeness:
    if paper_id not in shelf.likenesses:
        shelf.likenesses[paper_id] = likeness(document_on(shelf, paper_id))
    return shelf.likenesses[paper_id]


def trending_candidates(
    session: Session, shelf: Shelf, reader_id: int, had: set[int], carried: Mapping[int, bool]
) -> list[Candidate]:
    """Every listed paper that this reader has not had, less their own where an interest leaves
    those out. carried: True for those in doubt."""
    own = [read_options(p.options).own for p in shelf.profiles.get(reader_id, ())]
    names = ";".join(filter(None, own))
    load_papers(session, shelf, [i for i, _ in shelf.listed])
    return [
        Candidate(
            paper=shelf.papers[paper_id],
            profile_id=0,
            listed_on=day,
            place=place_of(shelf.papers[paper_id], shelf.sightings.get(paper_id, [])),
            again=carried.get(paper_id, False),
        )
        for paper_id, day in shelf.listed
        if paper_id not in had
        and paper_id in shelf.papers
        and not (names and is_own(names, document_on(shelf, paper_id)))
    ]


def late_for(shelf: Shelf, profiles: Sequence[Profile], *, trending: bool) -> tuple[str, ...]:
    """Titles of late sources that may hold something for one reader's mail."""
    asked = [p for p in profiles if p.kind is not ProfileKind.TRENDING]
    return tuple(
        one.title
        for one in shelf.late
        if (trending and one.has_votes) or any(one.may_bring(query_on(shelf, p)) for p in asked)
    )


def document_on(shelf: Shelf, paper_id: int) -> Document:
    """The words of a paper on the shelf, read once."""
    if paper_id not in shelf.documents:
        shelf.documents[paper_id] = document_of(shelf.rows[paper_id])
    return shelf.documents[paper_id]


def query_on(shelf: Shelf, profile: Profile) -> Query | None:
    """The query of an interest, read once."""
    return shelf.worked.query(words_on(shelf, profile), profile)


def asks_words(shelf: Shelf, profile: Profile) -> bool:
    """Whether an interest asks for words of papers; the query is read only where its kind and text
    leave that open."""
    if profile.kind is not ProfileKind.QUERY or ":" not in profile.text:
        return profile.kind in (ProfileKind.KEYWORDS, ProfileKind.QUERY)
    query = query_on(shelf, profile)
    return query is None or has_words(query)


def words_on(shelf: Shelf, profile: Profile) -> str:
    """``words_of`` an interest, put together once."""
    if profile.id not in shelf.words:
        shelf.words[profile.id] = words_of(profile)
    return shelf.words[profile.id]


def _listed_on(shelf: Shelf, paper_id: int) -> date | None:
    seen = shelf.sightings.get(paper_id)
    return seen[0][2] if seen else None


def place_of(paper: Paper, sightings: Sequence[tuple[str, str, date, str]]) -> str:
    """The category, or the source, by name."""
    if paper.categories:
        return paper.categories[0]
    if not sightings:
        return ""
    kind, title = sightings[0][:2]
    return "Hugging Face" if kind == "hf_daily" else title


def checked(
    session: Session, shelf: Shelf, begin: datetime, end: datetime, *, known: bool = False
) -> int:
    """How many papers became new from an instant on, until the day in which ``end`` falls is over.

    known: with the known papers listed on these days, as a first digest has them.
    """
    last_on = (end - timedelta(microseconds=1)).date()
    key = (begin, last_on, known)
    if key not in shelf.counts:
        made = papers_store.count_new(session, begin, day_bounds(last_on, last_on)[1])
        made += papers_store.count_known(session, begin.date(), last_on) if known else 0
        shelf.counts[key] = made
    return shelf.counts[key]
