"""What goes after its time, in bounded steps: each call removes at most ``limit`` rows."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from service.delivery.states import FINAL
from service.store import contents
from service.store.editions import DRAFT
from service.store.house_tables import AuditRow, ProcessRow, SessionRow
from service.store.tables import (
    AttemptRow,
    CarryRow,
    ConsentRow,
    DeliveryRow,
    EditionRow,
    MatchRow,
    PaperEventRow,
    PaperRow,
    RawPollRow,
    SentPaperRow,
    SourceDayRow,
)


def delete_raw_polls(session: Session, before: datetime, limit: int) -> int:
    """Raw bytes of polls older than an instant."""
    ids = sa.select(col(RawPollRow.id)).where(col(RawPollRow.at) < before).limit(limit)
    return _delete(session, RawPollRow, ids)


def delete_attempts(session: Session, before: datetime, limit: int) -> int:
    """Attempts older than an instant, of deliveries that have an end."""
    ids = (
        sa.select(col(AttemptRow.id))
        .join(DeliveryRow, col(DeliveryRow.id) == col(AttemptRow.delivery_id))
        .where(col(AttemptRow.at) < before, col(DeliveryRow.state).in_([str(s) for s in FINAL]))
        .limit(limit)
    )
    return _delete(session, AttemptRow, ids)


def clear_contents(session: Session, before: datetime, limit: int) -> int:
    """Digests planned before an instant lose their content; the row stays for the balance.

    A content goes with the last row that holds it. Numbers follow time: only rows before the first
    of a later edition are looked at, the youngest first, so that not the whole ledger is read.
    """
    later = (
        sa.select(col(DeliveryRow.id))
        .join(EditionRow, col(EditionRow.id) == col(DeliveryRow.edition_id))
        .where(col(EditionRow.opened_at) >= before)
        .order_by(col(EditionRow.id), col(DeliveryRow.id))
        .limit(1)
    )
    end = session.execute(later).scalar_one_or_none()
    old = (
        sa.select(col(DeliveryRow.id), col(DeliveryRow.content_id))
        .where(
            sa.true() if end is None else col(DeliveryRow.id) < end,
            sa.or_(col(DeliveryRow.content_id).is_not(None), col(DeliveryRow.own).is_not(None)),
            col(DeliveryRow.planned_at) < before,
            # by number, not by the index of states: a step ends with its last row
            (col(DeliveryRow.state) + "").in_([str(s) for s in FINAL]),
        )
        .order_by(col(DeliveryRow.id).desc())
        .limit(limit)
    )
    found = session.execute(old).all()
    if found:
        session.execute(
            sa.update(DeliveryRow)
            .where(col(DeliveryRow.id).in_([number for number, _ in found]))
            .values(own=None, content_id=None)
            .execution_options(synchronize_session=False)
        )
        contents.delete_unused(session, {content_id for _, content_id in found})
    return len(found)


def delete_stale_matches(session: Session, before: datetime, limit: int) -> int:
    """Matches of papers that became new before an instant, or are no longer new at all."""
    pair = col(MatchRow.profile_id), col(MatchRow.paper_id)
    stale = (
        sa.select(*pair)
        .join(PaperRow, col(PaperRow.id) == col(MatchRow.paper_id))
        .where(sa.or_(col(PaperRow.eligible_at).is_(None), col(PaperRow.eligible_at) < before))
        .limit(limit)
    )
    return _delete_pairs(session, MatchRow, pair, stale)


def delete_sent(session: Session, before: datetime, limit: int) -> int:
    """Which papers came in mails planned before an instant: the oldest mails first, each whole.

    Only the oldest ``limit`` rows are looked at: numbers of mails follow time, so that where these
    are young, all are.
    """
    oldest = (
        sa.select(col(SentPaperRow.delivery_id))
        .where(col(SentPaperRow.delivery_id).is_not(None))
        .order_by(col(SentPaperRow.delivery_id))
        .limit(limit)
        .subquery()
    )
    mails = sa.select(col(DeliveryRow.id)).where(
        col(DeliveryRow.id).in_(sa.select(oldest.c.delivery_id)),
        col(DeliveryRow.planned_at) < before,
    )
    found = [row[0] for row in session.execute(mails).all()]
    if not found:
        return 0
    gone = sa.delete(SentPaperRow).where(col(SentPaperRow.delivery_id).in_(found))
    return int(session.execute(gone).rowcount)  # type: ignore[attr-defined]


def delete_carried(session: Session, before: datetime, limit: int) -> int:
    """Papers carried from mails planned before an instant, and those that came another way."""
    came = sa.exists().where(
        col(SentPaperRow.subscriber_id) == col(CarryRow.subscriber_id),
        col(SentPaperRow.paper_id) == col(CarryRow.paper_id),
        col(SentPaperRow.occasion) == "new",
    )
    pair = col(CarryRow.subscriber_id), col(CarryRow.paper_id)
    done = (
        sa.select(*pair)
        .join(DeliveryRow, col(DeliveryRow.id) == col(CarryRow.delivery_id))
        .where(sa.or_(col(DeliveryRow.planned_at) < before, came))
        .limit(limit)
    )
    return _delete_pairs(session, CarryRow, pair, done)


def delete_sessions(
    session: Session, *, idle_before: datetime, made_before: datetime, limit: int
) -> int:
    """Sessions of staff that were not used for long, or are old."""
    ids = (
        sa.select(col(SessionRow.id))
        .where(
            sa.or_(col(SessionRow.seen_at) < idle_before, col(SessionRow.created_at) < made_before)
        )
        .limit(limit)
    )
    return _delete(session, SessionRow, ids)


def delete_ended_processes(session: Session, before: datetime, limit: int) -> int:
    """Rows of processes that said good-bye (or were found dead) long ago."""
    ids = (
        sa.select(col(ProcessRow.id))
        .where(col(ProcessRow.ended) == sa.true(), col(ProcessRow.started_at) < before)
        .limit(limit)
    )
    return _delete(session, ProcessRow, ids)


def delete_drafts(session: Session, before: datetime, limit: int) -> int:
    """What was composed by hand, kept before an instant and never begun."""
    ids = (
        sa.select(col(EditionRow.id))
        .where(col(EditionRow.kind) == DRAFT, col(EditionRow.opened_at) < before)
        .limit(limit)
    )
    return _delete(session, EditionRow, ids)


def delete_source_days(session: Session, before: date, limit: int) -> int:
    """Ledger rows of days long past."""
    ids = sa.select(col(SourceDayRow.id)).where(col(SourceDayRow.day) < before).limit(limit)
    return _delete(session, SourceDayRow, ids)


def delete_votes(session: Session, before: datetime, limit: int) -> int:
    """How votes rose, day by day, before an instant; whatever else happened to a paper stays."""
    ids = (
        sa.select(col(PaperEventRow.id))
        .where(col(PaperEventRow.kind) == "votes", col(PaperEventRow.at) < before)
        .limit(limit)
    )
    return _delete(session, PaperEventRow, ids)


def delete_consents(session: Session, before: datetime, limit: int) -> int:
    """Keyed records of consent of readers who were erased, older than an instant."""
    ids = (
        sa.select(col(ConsentRow.id))
        .where(col(ConsentRow.subscriber_id).is_(None), col(ConsentRow.at) < before)
        .limit(limit)
    )
    return _delete(session, ConsentRow, ids)


def clear_requests(session: Session, before: datetime, limit: int) -> int:
    """What was typed by somebody who had left and never began; the record of consent stays."""
    ids = (
        sa.select(col(ConsentRow.id))
        .where(
            col(ConsentRow.act) == "request",
            col(ConsentRow.at) < before,
            col(ConsentRow.detail).like("{%"),
        )
        .limit(limit)
    )
    found = [row[0] for row in session.execute(ids).all()]
    if found:
        session.execute(
            sa.update(ConsentRow).where(col(ConsentRow.id).in_(found)).values(detail="")
        )
    return len(found)


def delete_audit(session: Session, before: datetime, limit: int) -> int:
    """Audit rows older than an instant."""
    ids = sa.select(col(AuditRow.id)).where(col(AuditRow.at) < before).limit(limit)
    return _delete(session, AuditRow, ids)


def _delete(session: Session, table: Any, ids: "sa.Select[Any]") -> int:
    found = [row[0] for row in session.execute(ids).all()]
    if found:
        session.execute(sa.delete(table).where(table.id.in_(found)))
    return len(found)


def _delete_pairs(
    session: Session, table: Any, key: tuple[Any, Any], pairs: "sa.Select[Any, Any]"
) -> int:
    """As _delete, of a table whose key is two columns."""
    found = [tuple(row) for row in session.execute(pairs).all()]
    if found:
        session.execute(sa.delete(table).where(sa.tuple_(*key).in_(found)))
    return len(found)
