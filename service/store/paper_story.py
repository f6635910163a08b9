"""What people did with one paper: its rows in the tables of picks, proposals, joins and acts."""

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.desk_tables import PickRow, SubmissionRow
from service.store.house_tables import AuditRow

ONE = ("hide paper", "show paper", "fetch paper again")
TWO = ("join papers", "part papers")
"""Acts whose target is a paper's number, and those whose target is two with a space between."""


def list_picks(session: Session, paper_id: int) -> list[PickRow]:
    """The days for which it is picked."""
    return list(session.exec(select(PickRow).where(col(PickRow.paper_id) == paper_id)))


def list_proposals(session: Session, paper_id: int) -> list[SubmissionRow]:
    """Readers' proposals that became it."""
    return list(session.exec(select(SubmissionRow).where(col(SubmissionRow.paper_id) == paper_id)))


def list_acts(session: Session, paper_id: int, limit: int) -> list[AuditRow]:
    """The staff's acts on it that are still on record, the newest first."""
    target = col(AuditRow.target)
    query = select(AuditRow).where(
        sa.or_(
            sa.and_(col(AuditRow.what).in_(ONE), target == str(paper_id)),
            sa.and_(
                col(AuditRow.what).in_(TWO),
                sa.or_(target.like(f"{paper_id} %"), target.like(f"% {paper_id}")),
            ),
        )
    )
    return list(session.exec(query.order_by(col(AuditRow.id).desc()).limit(limit)))
