"""Readers' votes for papers."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col

from service.store.db import insert_once
from service.store.desk_tables import VoteRow


def count_votes(session: Session, paper_ids: Sequence[int]) -> dict[int, int]:
    """How many readers voted for each of some papers, where any did."""
    found: dict[int, int] = {}
    for start in range(0, len(paper_ids), 500):
        rows = session.execute(
            sa.select(col(VoteRow.paper_id), sa.func.count())
            .where(col(VoteRow.paper_id).in_(list(paper_ids[start : start + 500])))
            .group_by(col(VoteRow.paper_id))
        )
        found.update((int(paper_id), int(n)) for paper_id, n in rows)
    return found


def list_voted(session: Session, reader_id: int) -> dict[int, datetime]:
    """The papers that a reader voted for, and when."""
    rows = session.execute(
        sa.select(col(VoteRow.paper_id), col(VoteRow.at))
        .where(col(VoteRow.subscriber_id) == reader_id)
        .order_by(col(VoteRow.at), col(VoteRow.paper_id))
    )
    return {int(paper_id): at for paper_id, at in rows}


def put_vote(session: Session, paper_id: int, reader_id: int, now: datetime) -> bool:
    """A reader's vote for a paper; False where it stands already."""
    if session.get(VoteRow, (paper_id, reader_id)) is not None:
        return False
    return insert_once(session, VoteRow(paper_id=paper_id, subscriber_id=reader_id, at=now))


def end_vote(session: Session, paper_id: int, reader_id: int) -> bool:
    """Taken back; False where there is none."""
    done = session.execute(
        sa.delete(VoteRow).where(
            col(VoteRow.paper_id) == paper_id, col(VoteRow.subscriber_id) == reader_id
        )
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]
