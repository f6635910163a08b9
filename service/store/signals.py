"""Late signals in the tables: events of papers that readers had, and which were told already.

Told is told by ``sent_paper`` with the occasion ``signal``; a digest names its signals in
``signals`` of its content as it names its papers in ``papers``.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from service.store import contents
from service.store.sent import TESTED, UNDER_WAY
from service.store.tables import DeliveryRow, PaperEventRow, PaperRow, SentPaperRow

OCCASION = "signal"
KINDS = ("votes", "code", "doi", "withdrawn")
_LEFT_OPEN = ("failed", "expired", "presumed")


@dataclass(frozen=True, slots=True)
class LateEvent:
    """What happened to a paper."""

    paper_id: int
    kind: str
    at: datetime
    value: str


@dataclass(frozen=True, slots=True)
class HadPaper:
    """A paper that a reader had and was not told of yet. delivery_id, mailed_at: of the mail that
    brought it, where that is known."""

    subscriber_id: int
    paper_id: int
    delivery_id: int | None
    mailed_at: datetime | None


def list_late_events(session: Session, since: datetime, votes: int) -> list[LateEvent]:
    """Events from an instant on, of all papers. votes: papers with less have none of votes."""
    event, paper = PaperEventRow, PaperRow
    rows = session.execute(
        sa.select(col(event.paper_id), col(event.kind), col(event.at), col(event.value))
        .join(paper, col(paper.id) == col(event.paper_id))
        .where(
            col(event.kind).in_(KINDS),
            col(event.at) >= since,
            sa.or_(col(event.kind) != "votes", col(paper.votes) >= votes),
            col(paper.merged_into).is_(None),
            col(paper.quarantined) == "",
        )
        .order_by(col(event.paper_id), col(event.at), col(event.id))
    )
    return [LateEvent(*row) for row in rows]


def list_had(
    session: Session, subscriber_ids: Sequence[int], paper_ids: Sequence[int]
) -> list[HadPaper]:
    """Which of the papers these readers had and were not told of yet."""
    sent, told = SentPaperRow, sa.orm.aliased(SentPaperRow)
    is_told = sa.exists().where(
        col(told.subscriber_id) == col(sent.subscriber_id),
        col(told.paper_id) == col(sent.paper_id),
        col(told.occasion) == OCCASION,
    )
    found: list[HadPaper] = []
    for start in range(0, len(paper_ids), 500):
        rows = session.execute(
            sa.select(
                col(sent.subscriber_id),
                col(sent.paper_id),
                col(sent.delivery_id),
                col(DeliveryRow.planned_at),
            )
            .outerjoin(DeliveryRow, col(DeliveryRow.id) == col(sent.delivery_id))
            .where(
                col(sent.subscriber_id).in_(list(subscriber_ids)),
                col(sent.paper_id).in_(list(paper_ids[start : start + 500])),
                col(sent.occasion) == "new",
                sa.not_(is_told),
            )
            .order_by(col(sent.subscriber_id), col(sent.paper_id))
        )
        found += [HadPaper(*row) for row in rows]
    return found


@dataclass(frozen=True, slots=True)
class Mailed:
    """Signals of one mail. doubtful: nobody can say whether it came."""

    subscriber_id: int
    papers: tuple[int, ...]
    planned_at: datetime
    is_open: bool
    is_doubtful: bool


def list_mailed(
    session: Session,
    subscriber_ids: Sequence[int],
    since: datetime | None = None,
    *,
    testing: bool = False,
) -> list[Mailed]:
    """Mails with signals that are under way (is_open: they must not ride twice); with ``since``
    also those planned from then on that did not come, whose signals ride in the next.

    testing: what went to the operator's address counts as under way.
    """
    states: list[sa.ColumnElement[bool]] = [col(DeliveryRow.state).in_(UNDER_WAY)]
    if since is not None:
        is_back = col(DeliveryRow.state).in_(_LEFT_OPEN)
        states.append(sa.and_(is_back, col(DeliveryRow.planned_at) >= since))
    if testing:
        is_test = col(DeliveryRow.reason) == TESTED
        states.append(sa.and_(is_test, col(DeliveryRow.state) == "accepted"))
    rows = session.execute(
        sa.select(
            col(DeliveryRow.subscriber_id), col(DeliveryRow.content_id),
            col(DeliveryRow.planned_at), col(DeliveryRow.state),
        ).where(
            col(DeliveryRow.subscriber_id).in_(list(subscriber_ids)),
            sa.or_(*states),
            col(DeliveryRow.content_id).is_not(None),
        )
    ).all()  # fmt: skip
    told = contents.list_signals(session, {content_id for _, content_id, *_ in rows})
    return [
        Mailed(reader, tuple(told[held]), at, state not in _LEFT_OPEN, state == "presumed")
        for reader, held, at, state in rows
        if held in told
    ]


def list_taken_signals(
    session: Session, wanted: Mapping[int, Collection[int]]
) -> dict[int, set[int]]:
    """Per reader: which of these papers were told of, or are being told. Under way is read first:
    what is accepted between the two statements is in one of them."""
    asked = {reader: set(papers) for reader, papers in wanted.items() if papers}
    if not asked:
        return {}
    taken: dict[int, set[int]] = {}
    for mail in list_mailed(session, list(asked)):
        taken.setdefault(mail.subscriber_id, set()).update(
            asked[mail.subscriber_id].intersection(mail.papers)
        )
    rows = session.execute(
        sa.select(col(SentPaperRow.subscriber_id), col(SentPaperRow.paper_id)).where(
            col(SentPaperRow.subscriber_id).in_(list(asked)),
            col(SentPaperRow.paper_id).in_(sorted(set().union(*asked.values()))),
            col(SentPaperRow.occasion) == OCCASION,
        )
    )
    for reader, paper in rows:
        if paper in asked[reader]:
            taken.setdefault(reader, set()).add(paper)
    return {reader: papers for reader, papers in taken.items() if papers}


def list_contents(session: Session, delivery_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The frozen digests of some mails, of those that still have one."""
    held = session.execute(
        sa.select(col(DeliveryRow.id), col(DeliveryRow.content_id)).where(
            col(DeliveryRow.id).in_(list(delivery_ids)), col(DeliveryRow.content_id).is_not(None)
        )
    ).all()
    rows = contents.list_rows(session, {content_id for _, content_id in held})
    bodies = {row.id: row.body for row in rows}
    return {
        delivery_id: bodies[content_id]["digest"]
        for delivery_id, content_id in held
        if "digest" in bodies[content_id]
    }
