"""Late signals for one reader's mail: events of papers they had, for interests that ask for them.

load (a few statements for a chunk of readers) -> decide (``digest/signals``). Once: ``sent_paper``
with an occasion of its own; what is under way is not told again, what did not come is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from service.defaults import FIXED
from service.digest.excerpt import title as shown_title
from service.digest.model import Happening, Signal
from service.digest.signals import Event, Had, happened, joined, oldest_event, passed
from service.flows.runtime import Runtime
from service.flows.shelf import Shelf, document_on, load_papers, query_on
from service.matching.evaluate import Hit, evaluate
from service.store import signals as signals_store
from service.store.db import Session
from service.subscribers.cadence import local_date
from service.subscribers.model import Profile, ProfileKind, Subscriber
from service.subscribers.options import LateSignals, read_options

WAITS = timedelta(days=FIXED.signal_days)


@dataclass(slots=True)
class _Paper:
    """One paper of a reader: its events, and the mail that brought it."""

    mailed_at: datetime | None
    delivery_id: int | None
    events: list[Event]


@dataclass(slots=True)
class News:
    """Of the readers of a shelf who want late signals. papers: by reader and paper · under_way,
    back: papers in mails that are open, and in such as did not come (True: in doubt), with the
    instant when those were planned."""

    papers: dict[int, dict[int, _Paper]] = field(default_factory=dict)
    under_way: dict[int, set[int]] = field(default_factory=dict)
    back: dict[int, dict[int, tuple[datetime, bool]]] = field(default_factory=dict)


def wishes_of(profiles: Iterable[Profile]) -> dict[int, LateSignals]:
    """The opt-ins of a reader's interests, by interest."""
    found = {}
    for profile in profiles:
        wish = read_options(profile.options).signals
        if wish is not None and profile.kind is not ProfileKind.TRENDING and not profile.paused:
            found[profile.id] = wish
    return found


def load_news(rt: Runtime, session: Session, shelf: Shelf) -> News:
    """What happened to papers of the shelf's readers who want to know; empty where nobody does."""
    wishes = {i: made for i, each in shelf.profiles.items() if (made := wishes_of(each))}
    news = News()
    if not wishes:
        return news
    now, usual = rt.clock(), shelf.limits.signal_votes
    least = {
        usual if wish.votes is None else wish.votes
        for each in wishes.values()
        for wish in each.values()
    }
    readers = sorted(wishes)
    mailed = signals_store.list_mailed(
        session, readers, now - WAITS, testing=bool(rt.test_recipient)
    )
    for mail in mailed:
        if mail.is_open:
            news.under_way.setdefault(mail.subscriber_id, set()).update(mail.papers)
        else:
            back = news.back.setdefault(mail.subscriber_id, {})
            for paper_id in mail.papers:
                at, doubtful = back.get(paper_id, (mail.planned_at, False))
                back[paper_id] = (min(at, mail.planned_at), doubtful or mail.is_doubtful)
    since = oldest_event(now) - (WAITS if news.back else timedelta())
    events: dict[int, list[Event]] = {}
    for one in signals_store.list_late_events(session, since, min(least)):
        event = Event(one.kind, one.at, one.value)
        if event.kind != "votes" or any(passed(event, number) for number in least):
            events.setdefault(one.paper_id, []).append(event)
    for had in signals_store.list_had(session, readers, list(events)):
        if had.paper_id not in news.under_way.get(had.subscriber_id, ()):
            paper = _Paper(had.mailed_at, had.delivery_id, events[had.paper_id])
            news.papers.setdefault(had.subscriber_id, {})[had.paper_id] = paper
    return news


def signals_for(
    rt: Runtime,
    session: Session,
    shelf: Shelf,
    reader: Subscriber,
    due: Sequence[Profile],
    until: datetime,
) -> list[Signal]:
    """What one reader is told in a mail whose interests ``due`` ride in it. until: the end of the
    mail's day."""
    news = shelf.news or News()
    wishes, papers = wishes_of(due), news.papers.get(reader.id, {})
    if not wishes or not papers:
        return []
    load_papers(session, shelf, list(papers))
    shown = _shown_votes(session, papers, wishes, shelf.limits.signal_votes)
    made = []
    for paper_id, paper in papers.items():
        row = shelf.rows.get(paper_id)
        if row is None:
            continue
        back = news.back.get(reader.id, {}).get(paper_id)
        since = oldest_event(rt.clock() if back is None else back[0])
        had = Had(paper.mailed_at, shown.get(paper_id), row.withdrawn)
        told, hits = _told(shelf, due, wishes, paper_id, paper, had, since, until)
        if not told:
            continue
        value = shelf.papers[paper_id]
        at = [(hit.start, hit.end) for hit in hits if hit.where == "title"]
        made.append(
            Signal(
                paper_id=paper_id,
                scheme=value.key.scheme,
                value=value.key.value,
                title=shown_title(value.title, at),
                happenings=told,
                link=value.links.get("abs", ""),
                had_on=_had_on(paper, reader),
                again=back is not None and back[1],
            )
        )
    return made


def _told(
    shelf: Shelf,
    due: Sequence[Profile],
    wishes: Mapping[int, LateSignals],
    paper_id: int,
    paper: _Paper,
    had: Had,
    since: datetime,
    until: datetime,
) -> tuple[tuple[Happening, ...], tuple[Hit, ...]]:
    """What is told of one paper for those interests that want it, with the hits in its text."""
    lists: list[tuple[Happening, ...]] = []
    hits: tuple[Hit, ...] = ()
    for profile in due:
        wish, query = wishes.get(profile.id), query_on(shelf, profile)
        if wish is None or query is None:
            continue
        votes = shelf.limits.signal_votes
        found = happened(paper.events, had, wish, since, until, votes=votes)
        if not found:
            continue
        own = evaluate(query, document_on(shelf, paper_id))
        if own is not None:  # it came with another interest, or the words were changed since
            lists.append(found)
            hits += own
    return joined(lists), hits


def _shown_votes(
    session: Session,
    papers: Mapping[int, _Paper],
    wishes: Mapping[int, LateSignals],
    usual: int,
) -> dict[int, int]:
    """The votes that stood in the mail, of papers whose votes rose on its very day."""
    least = {usual if wish.votes is None else wish.votes for wish in wishes.values()}
    asked: dict[int, list[int]] = {}
    for paper_id, paper in papers.items():
        at, mail = paper.mailed_at, paper.delivery_id
        if at is None or mail is None:
            continue
        for event in paper.events:
            is_that_day = event.at <= at and event.at.date() == at.date()
            if event.kind == "votes" and is_that_day and any(passed(event, n) for n in least):
                asked.setdefault(mail, []).append(paper_id)
    found: dict[int, int] = {}
    contents = signals_store.list_contents(session, list(asked)) if asked else {}
    for mail, digest in contents.items():
        for section in digest.get("sections", ()):
            for entry in section.get("entries", ()):
                if entry["paper_id"] in asked[mail] and entry.get("votes") is not None:
                    found[entry["paper_id"]] = entry["votes"]
    return found


def _had_on(paper: _Paper, reader: Subscriber) -> date | None:
    return local_date(paper.mailed_at, reader.zone) if paper.mailed_at is not None else None
