"""What happened to a paper since it came in, for whoever reads its page."""

from dataclasses import dataclass
from datetime import date

from service.store.db import Session
from service.store.events import list_events
from service.store.tables import PaperEventRow
from service.subscribers.zone import clock_of

MOST_VOTES = 6
"""Points of the votes over time that are shown; the first and the last are always among them."""


@dataclass(frozen=True, slots=True)
class Changed:
    """One change. kind and value as ``store/events`` says · on: the installation's own date."""

    kind: str
    on: date
    value: str


@dataclass(frozen=True, slots=True)
class PaperHistory:
    """changes: oldest first, votes apart · votes_before: what it had when it came in, None where
    its source had no figure · votes: (date, figure) when they rose, a few of many."""

    changes: tuple[Changed, ...] = ()
    votes_before: int | None = None
    votes: tuple[tuple[date, int], ...] = ()


def read_changes(session: Session, paper_id: int, zone: str) -> PaperHistory:
    """The paper's events as a reader is told them."""
    rows = list_events(session, paper_id)
    votes = [row for row in rows if row.kind == "votes"]
    before = votes[0].value.split(" ")[:-1] if votes else []
    by_day = {row.at.astimezone(clock_of(zone)).date(): _after(row) for row in votes}
    return PaperHistory(
        changes=tuple(
            Changed(row.kind, row.at.astimezone(clock_of(zone)).date(), row.value)
            for row in rows
            if row.kind != "votes"
        ),
        votes_before=int(before[0]) if before else None,
        votes=tuple(_few(sorted(by_day.items()))),
    )


def _after(row: PaperEventRow) -> int:
    return int(row.value.split(" ")[-1])


def _few(points: list[tuple[date, int]]) -> list[tuple[date, int]]:
    if len(points) <= MOST_VOTES:
        return points
    step = (len(points) - 1) / (MOST_VOTES - 1)
    return [points[round(number * step)] for number in range(MOST_VOTES)]
