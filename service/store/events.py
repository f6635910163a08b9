"""What happened to papers: one row a change, compact, in the words of ``papers/refresh``.

kinds: votes (at most one row a day), code, project, doi, version, withdrawn, title, merged (value:
the name of the twin, ``doi:10.1000/x``); hidden (value: the reason), shown (again) and words
(folded anew) are not for readers.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.tables import PaperEventRow

LONGEST = 500
UNTOLD = ("hidden", "shown", "words")


def add_event(session: Session, paper_id: int, kind: str, now: datetime, value: str = "") -> None:
    """Record what changed."""
    session.add(PaperEventRow(paper_id=paper_id, kind=kind, at=now, value=value[:LONGEST]))


def list_events(session: Session, paper_id: int) -> list[PaperEventRow]:
    """What readers may know of a paper, oldest first."""
    return list(
        session.exec(
            select(PaperEventRow)
            .where(col(PaperEventRow.paper_id) == paper_id, col(PaperEventRow.kind).not_in(UNTOLD))
            .order_by(col(PaperEventRow.at), col(PaperEventRow.id))
        ).all()
    )


def list_open_events(
    session: Session, paper_ids: Sequence[int], now: datetime
) -> list[PaperEventRow]:
    """What the next change is compared with: the papers' versions, and their votes of this day."""
    start = now.replace(hour=0, minute=0, second=0, microsecond=0)
    kind, at = col(PaperEventRow.kind), col(PaperEventRow.at)
    of_today = sa.and_(kind == "votes", at >= start, at < start + timedelta(days=1))
    return list(
        session.exec(
            select(PaperEventRow).where(
                col(PaperEventRow.paper_id).in_(paper_ids), sa.or_(kind == "version", of_today)
            )
        ).all()
    )


def move_events(session: Session, keep: int, gone: int) -> None:
    """Events of a twin become the paper's own."""
    session.execute(
        sa.update(PaperEventRow).where(col(PaperEventRow.paper_id) == gone).values(paper_id=keep)
    )
