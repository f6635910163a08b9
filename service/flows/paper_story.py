"""What happened to one paper, newest first: what its sources said, and what people did with it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from service.flows.act_targets import Part, targets_of
from service.flows.staff import ROLES
from service.store import paper_story as store
from service.store.db import Session
from service.store.house_tables import AuditRow
from service.store.tables import PaperEventRow

MOST = 200
_EVENTS: Mapping[str, str] = {
    "words": "its words were read anew",
    "merged": "joined with another name of it",
    "votes": "votes elsewhere, before and after",
    "hidden": "hidden everywhere",
    "shown": "shown again",
}
_ACTS: Mapping[str, str] = {
    "hide paper": "hidden everywhere",
    "show paper": "shown again",
    "fetch paper again": "arXiv was asked again",
    "join papers": "joined with paper {other}",
    "part papers": "parted from paper {other}",
}
_OF_ACTS: Mapping[str, str] = {
    "hide paper": "hidden",
    "show paper": "shown",
    "join papers": "merged",
}
"""Events that an act left with itself: told once, by the act."""


@dataclass(frozen=True, slots=True)
class Told:
    """at · what, in words · by: who did it, "" = a source or the clock · more: a value, a reason ·
    page: where more of it stands, under /admin, or ""."""

    at: datetime
    what: str
    by: str = ""
    more: str = ""
    page: str = ""


def read_story(
    session: Session, paper_id: int, events: tuple[PaperEventRow, ...]
) -> tuple[Told, ...]:
    """Everything that is on record of a paper. events: those of its row."""
    acts = store.list_acts(session, paper_id, MOST)
    about = targets_of(session, acts, ROLES[0], at_home=str(paper_id))
    by_act = {(kind, one.at) for one in acts for kind in (_OF_ACTS.get(one.what), "words")}
    found = [
        *(_event(one) for one in events if (one.kind, one.at) not in by_act),
        *(_act(one, about[one.id or 0]) for one in acts),
        *_picks(session, paper_id),
        *_proposals(session, paper_id),
    ]
    return tuple(sorted(found, key=lambda one: one.at, reverse=True)[:MOST])


def _event(row: PaperEventRow) -> Told:
    return Told(row.at, _EVENTS.get(row.kind, row.kind), more=row.value)


def _act(row: AuditRow, about: tuple[Part, ...]) -> Told:
    other = about[0] if about else Part("")
    said = _ACTS[row.what].format(other=other.words)
    return Told(row.at, said, row.who, row.reason, other.page)


def _picks(session: Session, paper_id: int) -> Iterator[Told]:
    for row in store.list_picks(session, paper_id):
        day = row.day.isoformat()
        yield Told(row.at, f"picked for {day}, as number {row.place}", row.done_by,
                   page=f"papers?day={day}")  # fmt: skip


def _proposals(session: Session, paper_id: int) -> Iterator[Told]:
    for row in store.list_proposals(session, paper_id):
        page = "submissions"
        yield Told(row.at, "proposed by a reader", page=page)
        if row.decided_at is not None:
            day = f", on the page of {row.listed_on}" if row.listed_on else ""
            what = f"the proposal was {row.state}{day}"
            yield Told(row.decided_at, what, row.decided_by, page=page)
