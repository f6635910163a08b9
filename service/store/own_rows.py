"""Rows of one reader, for the answers they get and the files they take along."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.listing import MailRow
from service.store.papers import SHOWN
from service.store.sent import TESTED
from service.store.tables import (
    AttemptRow,
    CarryRow,
    DeliveryRow,
    EditionRow,
    FeedbackRow,
    MatchRow,
    PaperRow,
    ProfileRow,
    SentPaperRow,
    SightingRow,
)

CAME = ("accepted", "presumed", "unknown", "sending")
"""States of a mail that came, as far as anybody can say."""


def _mails(subscriber_id: int) -> Any:
    return (
        sa.select(col(EditionRow.kind), col(EditionRow.slot), DeliveryRow)
        .join(EditionRow, col(EditionRow.id) == col(DeliveryRow.edition_id))
        .where(col(DeliveryRow.subscriber_id) == subscriber_id, col(EditionRow.kind) != "notice")
    )


def _rows(session: Session, query: Any) -> list[MailRow]:
    return [MailRow(kind, slot, row) for kind, slot, row in session.execute(query).all()]


def list_mails(
    session: Session, subscriber_id: int, *, offset: int, limit: int | None, only_came: bool = False
) -> tuple[int, list[MailRow]]:
    """A reader's digests, alerts and newsletters, newest first: how many there are, and some. No
    notices. only_came: of those that came."""
    query = _mails(subscriber_id)
    if only_came:
        query = query.where(col(DeliveryRow.state).in_(CAME))
    total = session.scalar(query.with_only_columns(sa.func.count())) or 0
    newest = col(DeliveryRow.planned_at).desc(), col(DeliveryRow.id).desc()
    return total, _rows(session, query.order_by(*newest).offset(offset).limit(limit))


def list_mails_on(
    session: Session, subscriber_id: int, on: date, start: datetime, end: datetime
) -> list[MailRow]:
    """What became of a local date: its digest, and what else was planned from ``start`` to
    ``end``, the bounds of that date; oldest first."""
    is_digest = col(EditionRow.kind) == "digest"
    meant = sa.or_(
        sa.and_(is_digest, col(EditionRow.slot) == on.isoformat()),
        sa.and_(
            sa.not_(is_digest),
            col(DeliveryRow.planned_at) >= start,
            col(DeliveryRow.planned_at) < end,
        ),
    )
    return _rows(session, _mails(subscriber_id).where(meant).order_by(col(DeliveryRow.id)))


def next_mail(session: Session, subscriber_id: int, on: date) -> MailRow | None:
    """The first digest after a date that came."""
    slot = col(EditionRow.slot)
    query = (
        _mails(subscriber_id)
        .where(
            col(EditionRow.kind) == "digest",
            slot > on.isoformat(),
            col(DeliveryRow.state).in_(CAME),
            col(DeliveryRow.reason) != TESTED,
        )
        .order_by(slot)
        .limit(1)
    )
    return next(iter(_rows(session, query)), None)


def last_before(session: Session, subscriber_id: int, on: date) -> MailRow | None:
    """The newest digest before a date, whatever became of it."""
    slot = col(EditionRow.slot)
    query = (
        _mails(subscriber_id)
        .where(col(EditionRow.kind) == "digest", slot < on.isoformat())
        .order_by(slot.desc())
        .limit(1)
    )
    return next(iter(_rows(session, query)), None)


def last_refused(session: Session, subscriber_id: int) -> MailRow | None:
    """The newest mail that a mail server refused for good."""
    query = (
        _mails(subscriber_id)
        .where(col(DeliveryRow.state) == "failed", col(DeliveryRow.code).is_not(None))
        .order_by(col(DeliveryRow.id).desc())
        .limit(1)
    )
    return next(iter(_rows(session, query)), None)


def list_came(
    session: Session, subscriber_id: int, paper_ids: Sequence[int]
) -> dict[int, list[tuple[str, MailRow]]]:
    """Per paper: (occasion, mail) of the mails that count as having brought it, or news of it."""
    found: dict[int, list[tuple[str, MailRow]]] = {}
    for start in range(0, len(paper_ids), 500):
        rows = session.execute(
            sa.select(
                col(SentPaperRow.paper_id),
                col(SentPaperRow.occasion),
                col(EditionRow.kind),
                col(EditionRow.slot),
                DeliveryRow,
            )
            .join(DeliveryRow, col(DeliveryRow.id) == col(SentPaperRow.delivery_id))
            .join(EditionRow, col(EditionRow.id) == col(DeliveryRow.edition_id))
            .where(
                col(SentPaperRow.subscriber_id) == subscriber_id,
                col(SentPaperRow.paper_id).in_(list(paper_ids[start : start + 500])),
            )
            .order_by(col(DeliveryRow.id))
        ).all()
        for paper_id, occasion, kind, slot, row in rows:
            found.setdefault(paper_id, []).append((occasion, MailRow(kind, slot, row)))
    return found


def is_had(session: Session, subscriber_id: int, paper_id: int) -> bool:
    """Whether a paper counts as mailed, also where its mail is not known any more."""
    return session.get(SentPaperRow, (subscriber_id, paper_id, "new")) is not None


def is_held(session: Session, paper_id: int) -> bool:
    """Whether a paper waits for the staff, with many others that came at once."""
    query = select(col(SightingRow.id)).where(
        col(SightingRow.paper_id) == paper_id, col(SightingRow.held) == sa.true()
    )
    return session.exec(query.limit(1)).first() is not None


def list_waiting_mails(
    session: Session, subscriber_id: int, states: Sequence[str]
) -> list[MailRow]:
    """Mails with papers in some states, newest first."""
    query = _mails(subscriber_id).where(
        col(DeliveryRow.state).in_(states), col(DeliveryRow.content_id).is_not(None)
    )
    return _rows(session, query.order_by(col(DeliveryRow.id).desc()).limit(50))


def list_carried_from(session: Session, subscriber_id: int, paper_ids: Sequence[int]) -> set[int]:
    """Those of the papers that wait for the reader's next mail."""
    found: set[int] = set()
    for start in range(0, len(paper_ids), 500):
        part = list(paper_ids[start : start + 500])
        query = sa.select(col(CarryRow.paper_id)).where(
            col(CarryRow.subscriber_id) == subscriber_id, col(CarryRow.paper_id).in_(part)
        )
        found.update(session.scalars(query))
    return found


def find_titled(session: Session, words: str, most: int) -> list[PaperRow]:
    """Papers that may be shown whose title is, or else contains, some words; newest first."""
    title = sa.func.lower(col(PaperRow.title))
    plain = words.lower()
    part = plain.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    for matches in (title == plain, title.like(f"%{part}%", escape="\\")):
        query = select(PaperRow).where(matches, *SHOWN).order_by(col(PaperRow.id).desc())
        if rows := list(session.exec(query.limit(most)).all()):
            return rows
    return []


# ---- what is taken along ----


def list_own_mails(
    session: Session, subscriber_id: int, after_id: int, limit: int
) -> list[tuple[str, str, DeliveryRow]]:
    """(kind of the edition, its slot, mail) of every mail of a reader, notices too, by id."""
    rows = session.execute(
        sa.select(col(EditionRow.kind), col(EditionRow.slot), DeliveryRow)
        .join(EditionRow, col(EditionRow.id) == col(DeliveryRow.edition_id))
        .where(col(DeliveryRow.subscriber_id) == subscriber_id, col(DeliveryRow.id) > after_id)
        .order_by(col(DeliveryRow.id))
        .limit(limit)
    ).all()
    return [(kind, slot, row) for kind, slot, row in rows]


def list_own_attempts(session: Session, delivery_ids: Sequence[int]) -> dict[int, list[AttemptRow]]:
    """Tries of some mails, first to last."""
    found: dict[int, list[AttemptRow]] = {}
    for row in session.exec(
        select(AttemptRow)
        .where(col(AttemptRow.delivery_id).in_(list(delivery_ids)))
        .order_by(col(AttemptRow.id))
    ):
        found.setdefault(row.delivery_id, []).append(row)
    return found


@dataclass(frozen=True, slots=True)
class HadRow:
    """A paper that a reader had: when and in what kind of mail (None: not known any more)."""

    paper_id: int
    occasion: str
    kind: str | None
    slot: str | None
    accepted_at: datetime | None


def count_had(session: Session, subscriber_id: int) -> int:
    """How many papers a reader had."""
    query = (
        sa.select(sa.func.count())
        .select_from(SentPaperRow)
        .where(
            col(SentPaperRow.subscriber_id) == subscriber_id, col(SentPaperRow.occasion) == "new"
        )
    )
    return int(session.scalar(query) or 0)


def list_had(
    session: Session, subscriber_id: int, after: tuple[int, str], limit: int
) -> list[HadRow]:
    """Papers that a reader had, by (paper, occasion) from after one on."""
    key = sa.tuple_(col(SentPaperRow.paper_id), col(SentPaperRow.occasion))
    rows = session.execute(
        sa.select(
            col(SentPaperRow.paper_id),
            col(SentPaperRow.occasion),
            col(EditionRow.kind),
            col(EditionRow.slot),
            col(DeliveryRow.accepted_at),
        )
        .outerjoin(DeliveryRow, col(DeliveryRow.id) == col(SentPaperRow.delivery_id))
        .outerjoin(EditionRow, col(EditionRow.id) == col(DeliveryRow.edition_id))
        .where(col(SentPaperRow.subscriber_id) == subscriber_id, key > after)
        .order_by(col(SentPaperRow.paper_id), col(SentPaperRow.occasion))
        .limit(limit)
    ).all()
    return [HadRow(*row) for row in rows]


def list_marks(
    session: Session, subscriber_id: int, *, offset: int = 0, limit: int | None = None
) -> list[FeedbackRow]:
    """What a reader said of papers, newest first."""
    return list(
        session.exec(
            select(FeedbackRow)
            .where(col(FeedbackRow.subscriber_id) == subscriber_id)
            .order_by(col(FeedbackRow.at).desc(), col(FeedbackRow.id).desc())
            .offset(offset)
            .limit(limit)
        ).all()
    )


def count_marks(session: Session, subscriber_id: int) -> int:
    """How many papers a reader said something of."""
    return int(
        session.scalar(
            sa.select(sa.func.count())
            .select_from(FeedbackRow)
            .where(col(FeedbackRow.subscriber_id) == subscriber_id)
        )
        or 0
    )


def list_waiting_papers(session: Session, subscriber_id: int) -> list[int]:
    """Papers that wait for the next mail because an earlier one never came."""
    query = sa.select(col(CarryRow.paper_id)).where(col(CarryRow.subscriber_id) == subscriber_id)
    return sorted(session.scalars(query))


def list_own_matches(
    session: Session, subscriber_id: int, after: tuple[int, int], limit: int
) -> list[tuple[int, int, float]]:
    """(interest, paper, score) of the matches that are kept, from after a pair on."""
    key = sa.tuple_(col(MatchRow.profile_id), col(MatchRow.paper_id))
    rows = session.execute(
        sa.select(col(MatchRow.profile_id), col(MatchRow.paper_id), col(MatchRow.score))
        .join(ProfileRow, col(ProfileRow.id) == col(MatchRow.profile_id))
        .where(col(ProfileRow.subscriber_id) == subscriber_id, key > after)
        .order_by(col(MatchRow.profile_id), col(MatchRow.paper_id))
        .limit(limit)
    ).all()
    return [(profile, paper, score) for profile, paper, score in rows]
