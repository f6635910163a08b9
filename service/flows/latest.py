"""The newest papers of a list, as a feed has them: of the day, of words, of a topic."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from service.flows.browse import Chosen, Order, Shown, newest_day, read_day, show_papers
from service.flows.match import learn
from service.flows.runtime import Runtime
from service.flows.search import read_search
from service.flows.topics import Topic
from service.matching.query import Query
from service.papers.model import Paper
from service.store import listing
from service.store.db import Session

_MOST_DAYS = 7


@dataclass(frozen=True, slots=True)
class Item:
    """on: the day it was listed, or became new · seen_at: when it came here, or its last change."""

    paper: Paper
    on: date
    seen_at: datetime


def of_newest_days(rt: Runtime, chosen: Chosen, order: Order, most: int) -> tuple[list[Item], str]:
    """The newest day's chosen papers in the page's order, then those of the days before it while
    there is room: who asks once a day misses none. Also the title of the chosen source."""
    found: list[tuple[Shown, date]] = []
    on, source = newest_day(rt, chosen.source), ""
    for _ in range(_MOST_DAYS):
        if on is None or len(found) >= most:
            break
        page = read_day(rt, on, order=order, limit=most - len(found), chosen=chosen)
        found += [(one, on) for one in page.papers]
        source = {number: title for number, title, _ in page.sources}.get(chosen.source or 0, "")
        on = page.previous
    return _items(rt, found), source


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
    days = {one.paper_id: one.day for one in found}
    return _items(rt, [(one, days[one.paper.id]) for one in show_papers(rt, found)])


def _items(rt: Runtime, found: Sequence[tuple[Shown, date]]) -> list[Item]:
    """With the instants; a paper that is listed on two days stands once, on the later one."""
    once = {one.paper.id or 0: (one.paper, on) for one, on in reversed(found)}
    ids = list(dict.fromkeys(one.paper.id or 0 for one, _ in found))

    def read(session: Session) -> dict[int, datetime]:
        return listing.last_changes(session, ids)

    at = rt.db.read(read)
    return [Item(*once[i], at.get(i, rt.clock())) for i in ids]
