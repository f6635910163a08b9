"""What editors picked for a day, in their order."""

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Session, col

from service.store.desk_tables import PickRow
from service.store.papers import SHOWN
from service.store.tables import PaperRow


def list_picks(session: Session, day: date) -> list[int]:
    """The papers of a day in their order; one that was joined to another is that one, hidden ones
    are left out."""
    now = sa.func.coalesce(col(PaperRow.merged_into), col(PaperRow.id))
    picked = (
        sa.select(now.label("paper_id"), sa.func.min(col(PickRow.place)).label("place"))
        .join(PaperRow, col(PaperRow.id) == col(PickRow.paper_id))
        .where(col(PickRow.day) == day)
        .group_by(now)
        .subquery()
    )
    rows = session.execute(
        sa.select(picked.c.paper_id)
        .join(PaperRow, col(PaperRow.id) == picked.c.paper_id)
        .where(*SHOWN)
        .order_by(picked.c.place)
    )
    return [int(paper_id) for (paper_id,) in rows]


def put_picks(
    session: Session, day: date, paper_ids: Sequence[int], by: str, now: datetime
) -> None:
    """The picks of a day are these, in this order."""
    session.execute(sa.delete(PickRow).where(col(PickRow.day) == day))
    session.add_all(
        PickRow(day=day, paper_id=paper_id, place=place, done_by=by, at=now)
        for place, paper_id in enumerate(paper_ids, 1)
    )
    session.flush()
