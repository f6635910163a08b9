"""Whether a probe of the doctor came in."""

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.report_tables import InboundRow


def has_probe(session: Session, token: str) -> bool:
    """Whether the probe with this token was taken by a way that says whom a mail was for."""
    query = select(InboundRow.id).where(
        col(InboundRow.form) == "probe", sa.cast(col(InboundRow.rcpts), sa.Text).contains(token)
    )
    return session.exec(query.limit(1)).first() is not None
