"""Papers that may be why mails are refused for their content."""

from collections import Counter, defaultdict
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col

from service.delivery.states import State
from service.store.tables import ContentRow, DeliveryRow, SentPaperRow

MOST = 200
"""Refused mails that are looked at, the newest."""

_TOO_LONG = ("5.3.4", "5.2.3")


def list_suspects(session: Session, since: datetime, *, mails: int, domains: int) -> dict[int, str]:
    """Papers that so many mails to so many domains held which were refused as such, and no mail
    that was accepted meanwhile; with the server's words. Nothing where as many were not accepted:
    then it is not a paper. What was only too long blames none."""
    refused = session.execute(
        sa.select(col(ContentRow.papers), col(DeliveryRow.domain), col(DeliveryRow.reason))
        .join(ContentRow, col(ContentRow.id) == col(DeliveryRow.content_id))
        .where(
            col(DeliveryRow.state) == str(State.FAILED),
            col(DeliveryRow.meaning) == "content",
            col(DeliveryRow.code).is_not(None),
            col(DeliveryRow.code) != 552,
            col(DeliveryRow.enhanced).not_in(_TOO_LONG),
            col(DeliveryRow.planned_at) >= since,
        )
        .order_by(col(DeliveryRow.id).desc())
        .limit(MOST)
    ).all()
    held: Counter[int] = Counter()
    where: defaultdict[int, set[str]] = defaultdict(set)
    words: dict[int, str] = {}
    for papers, domain, reason in refused:
        for paper in set(papers):
            held[paper] += 1
            where[paper].add(domain)
            words.setdefault(paper, str(reason).partition(": ")[2])
    found = [p for p, n in held.items() if n >= mails and len(where[p]) >= domains]
    if not found or not _were_accepted(session, since, mails):
        return {}
    fine = set(
        session.execute(
            sa.select(col(SentPaperRow.paper_id))
            .join(DeliveryRow, col(DeliveryRow.id) == col(SentPaperRow.delivery_id))
            .where(col(SentPaperRow.paper_id).in_(found), col(DeliveryRow.accepted_at) >= since)
        ).scalars()
    )
    return {paper: words[paper] for paper in found if paper not in fine}


def _were_accepted(session: Session, since: datetime, mails: int) -> bool:
    """Whether so many mails with papers were accepted."""
    query = (
        sa.select(col(SentPaperRow.delivery_id))
        .distinct()
        .join(DeliveryRow, col(DeliveryRow.id) == col(SentPaperRow.delivery_id))
    )
    found = session.execute(query.where(col(DeliveryRow.accepted_at) >= since).limit(mails)).all()
    return len(found) >= mails
