"""Up to which arXiv id a source's announcements are known."""

from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col

from service.store.tables import PaperAliasRow, SightingRow

_LOOK_BACK = timedelta(days=60)


def highest_arxiv_id(session: Session, before: date, began: datetime) -> str:
    """The highest id that any source listed as new before a day, "" where none did of late.

    began: the instant at which that day began; what came later may be of a later day, whatever day
    its feed named.
    """
    is_before = (
        col(SightingRow.announce_type) == "new",
        col(SightingRow.listed_on) < before,
        col(SightingRow.first_seen_at) < began,
    )
    day = session.execute(
        sa.select(sa.func.max(col(SightingRow.listed_on))).where(
            *is_before, col(SightingRow.listed_on) >= before - _LOOK_BACK
        )
    ).scalar()
    if day is None:
        return ""
    found = session.execute(  # ids are given in order: the highest is of the newest day
        sa.select(sa.func.max(col(PaperAliasRow.value)))
        .join(SightingRow, col(SightingRow.paper_id) == col(PaperAliasRow.paper_id))
        .where(
            *is_before,
            col(SightingRow.listed_on) == day,
            col(PaperAliasRow.scheme) == "arxiv",
            col(PaperAliasRow.value).like("____.%"),
        )
    ).scalar()
    return str(found or "")
