"""The newest papers of a list, as a feed has them: of the day, of words, of a topic."""

from dataclasses import dataclass
from datetime import date, datetime

from service.flows.browse import Chosen, Order, in_order
from service.flows.match import learn
from service.flows.release import is_free
from service.flows.runtime import Runtime
from service.flows.search import read_search
from service.flows.topics import Topic
from service.matching.query import Query
from service.papers.model import Paper
from service.store import listing
from service.store import papers as papers_store
from service.store import picks as picks_store
from service.store.db import Session

_MOST_DAYS = 3


@dataclass(frozen=True, slots=True)
class Item:
    """on: the day it was listed, or became new · seen_at: when it came here, or its last change ·
    is_picked: by the editors, for that day."""

    paper: Paper
    on: date
    seen_at: datetime
    is_picked: bool = False


def of_newest_days(rt: Runtime, chosen: Chosen, order: Order, most: int) -> tuple[list[Item], str]:
    """The newest day's chosen papers in the page's order, then those of the days before it while
    there is room: who asks once a day misses none. Also the title of the chosen source."""
    return rt.db.read(lambda s: _of_newest_days(rt, s, chosen, order, most))


def _of_newest_days(
    rt: Runtime, session: Session, chosen: Chosen, order: Order, most: int
) -> tuple[list[Item], str]:
    found: dict[int, date] = {}
    picked: dict[int, date] = {}
    on = listing.shown_days(session, source=chosen.source)
    for _ in range(_MOST_DAYS):
        if on is None or len(found) >= most:
            break
        rows = [row for row in listing.list_day(session, on) if chosen.takes(row)]
        picks = picks_store.list_picks(session, on) if is_free(rt, session, on) else []
        picked.update(dict.fromkeys(picks, on))
        if not chosen:
            found.update({i: on for i in picks if i not in found})
        for row in in_order(session, rows, order, on):
            found.setdefault(row.paper_id, on)
        on = listing.shown_days(session, before=on, source=chosen.source)
    papers = papers_store.get_papers(session, list(found)[:most])
    at = listing.last_changes(session, list(papers))
    asked = [] if chosen.source is None else [chosen.source]
    items = [
        Item(papers[i], day, at.get(i, rt.clock()), picked.get(i) == day)
        for i, day in found.items()
        if i in papers
    ]
    return items, listing.source_titles(session, asked).get(chosen.source or 0, "")


def of_words(rt: Runtime, text: str, most: int) -> list[Item]:
    """The newest stored papers with these words. Raises QueryError."""
    return _of_query(rt, read_search(text), most)


def of_topic(rt: Runtime, topic: Topic, most: int) -> list[Item]:
    """The newest papers of a topic; none where its words are read no more."""
    return _of_query(rt, topic.query, most) if topic.query is not None else []


def _of_query(rt: Runtime, query: Query, most: int) -> list[Item]:
    learn(rt)
    corpus = rt.corpus.corpus
    with corpus.reading():
        found = corpus.latest(query, corpus.wanted_often(query.root), most)

    def read(session: Session) -> list[Item]:
        ids = [one.paper_id for one in found]
        papers = papers_store.get_papers(session, ids)
        at = listing.last_changes(session, ids)
        return [
            Item(papers[one.paper_id], one.day, at.get(one.paper_id, rt.clock()))
            for one in found
            if one.paper_id in papers
        ]

    return rt.db.read(read)
