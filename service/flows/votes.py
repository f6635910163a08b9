"""Votes of confirmed readers for papers: one each, taken back, a signal beside the source's votes.

They order a day's page where that is asked for ("here"); no mail is ordered by them, since a few
readers of one house would decide what all others see.
"""

from dataclasses import dataclass
from datetime import date

from service.errors import Sentence
from service.flows.browse import NotHereError, Shown, newest_day, read_day
from service.flows.manage import ManageError, mailed_reader
from service.flows.runtime import Runtime
from service.store import listing
from service.store import votes as store
from service.store.db import Priority, Session


@dataclass(frozen=True, slots=True)
class Ballot:
    """A day's papers for one reader. voted: ids of those they voted for · days before and after."""

    on: date | None
    papers: tuple[Shown, ...]
    voted: frozenset[int]
    total: int = 0
    previous: date | None = None
    next: date | None = None


def check_open(rt: Runtime) -> None:
    """Raises ManageError where the house takes no votes."""
    if rt.defaults().votes != "on":
        raise ManageError(Sentence("Readers do not vote here."), "votes",
                          Sentence("Your interests say what you want to read."))  # fmt: skip


def read_ballot(rt: Runtime, token: str, on: date | None, offset: int, limit: int) -> Ballot:
    """The papers of a day (the newest one), with what the reader voted for. Raises TokenError,
    ManageError."""
    check_open(rt)
    reader_id = rt.db.read(lambda s: mailed_reader(rt, s, token)).id or 0
    voted = frozenset(rt.db.read(lambda s: store.list_voted(s, reader_id)))
    day = on or newest_day(rt)
    if day is None:
        return Ballot(None, (), voted)
    page = read_day(rt, day, offset=offset, limit=limit)
    return Ballot(day, page.papers, voted, page.total, page.previous, page.next)


def vote(rt: Runtime, token: str, scheme: str, value: str, *, is_for: bool) -> int:
    """Vote for a paper, or take the vote back; the same again changes nothing. Returns how many
    readers voted for it. Raises TokenError, ManageError, NotHereError."""
    check_open(rt)

    def act(session: Session) -> int:
        reader = mailed_reader(rt, session, token)
        paper = listing.find_shown(session, scheme, value)
        if paper is None or paper.id is None:
            raise NotHereError(Sentence("This paper is not in our lists."))
        assert reader.id is not None
        if is_for:
            store.put_vote(session, paper.id, reader.id, rt.clock())
        else:
            store.end_vote(session, paper.id, reader.id)
        return store.count_votes(session, [paper.id]).get(paper.id, 0)

    return rt.db.write(act, Priority.WEB)
