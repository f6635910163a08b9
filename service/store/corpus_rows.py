"""What the corpus asks of the papers' table: their days, what has changed, and papers whole."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.papers import SHOWN, day_of
from service.store.tables import PaperEventRow, PaperRow

_AT_ONCE = 500

CHANGES = ("words", "merged", "hidden", "shown")
"""Kinds of events after which a paper has other words, is gone, or is there again."""


def list_days(session: Session) -> dict[int, date]:
    """The day of every paper that was not merged into another (hidden ones included).

    Each statement reads one index from end to end, and no row.
    """
    listed = session.execute(sa.select(col(PaperRow.id), col(PaperRow.listed_on))).all()
    days: dict[int, date | None] = dict(tuple(row) for row in listed)
    arrived = sa.select(col(PaperRow.id), col(PaperRow.eligible_at))
    for paper_id, at in session.execute(arrived.where(col(PaperRow.eligible_at).is_not(None))):
        days[paper_id] = at.date()
    merged = sa.select(col(PaperRow.id)).where(col(PaperRow.merged_into).is_not(None))
    for (paper_id,) in session.execute(merged):
        days.pop(paper_id, None)
    bare = [paper_id for paper_id, day in days.items() if day is None]
    for some in _parts(bare):
        seen = sa.select(col(PaperRow.id), col(PaperRow.first_seen_at))
        for paper_id, at in session.execute(seen.where(col(PaperRow.id).in_(some))):
            days[paper_id] = at.date()
    return {paper_id: day for paper_id, day in days.items() if day is not None}


def list_ids_after(session: Session, paper_id: int) -> list[int]:
    """Papers with a higher number."""
    query = sa.select(col(PaperRow.id)).where(col(PaperRow.id) > paper_id)
    return list(session.execute(query.order_by(col(PaperRow.id))).scalars())


def get_documents(session: Session, ids: Iterable[int]) -> Iterator[tuple[PaperRow, date]]:
    """(row, the day it counts for) of those of the papers that may be found."""
    for some in _parts(list(ids)):
        rows = session.exec(
            select(PaperRow).where(
                col(PaperRow.id).in_(some),
                *SHOWN,
            )
        ).all()
        yield from ((row, day_of(row)) for row in rows)
        session.expunge_all()


def list_facts(session: Session, before_id: int, limit: int) -> list[Any]:
    """Rows (id, votes, comments, hidden, day), the highest numbers first."""
    gone = sa.or_(col(PaperRow.merged_into).is_not(None), col(PaperRow.quarantined) != "")
    asked: tuple[Any, ...] = (PaperRow.id, PaperRow.votes, PaperRow.comments)
    of_day: tuple[Any, ...] = (PaperRow.eligible_at, PaperRow.listed_on, PaperRow.first_seen_at)
    rows: list[Any] = list(
        session.execute(
            sa.select(*asked, *of_day, gone.label("hidden"))
            .where(col(PaperRow.id) < before_id)
            .order_by(col(PaperRow.id).desc())
            .limit(limit)
        )
    )
    return [(row.id, row.votes, row.comments, row.hidden, day_of(row)) for row in rows]


def list_changed(
    session: Session, after_id: int, kinds: Sequence[str] = CHANGES
) -> list[tuple[int, int]]:
    """(event, paper) of what has changed papers since an event."""
    query = sa.select(col(PaperEventRow.id), col(PaperEventRow.paper_id)).where(
        col(PaperEventRow.id) > after_id, col(PaperEventRow.kind).in_(kinds)
    )
    return [(event, paper_id) for event, paper_id in session.execute(query)]


def last_event(session: Session) -> int:
    """The number of the last event; 0 where there is none."""
    return session.execute(sa.select(sa.func.max(col(PaperEventRow.id)))).scalar() or 0


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE))
