"""One reader's whole story, in time order: what they agreed to, mails, what came back, marks, and
what the staff did."""

from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select
from sqlmodel.sql.sqltypes import UTCDateTime

from service.store.house_tables import AuditRow
from service.store.report_tables import ReportRow
from service.store.tables import (
    ConsentRow,
    DeliveryRow,
    EditionRow,
    FeedbackRow,
    ProfileRow,
)


class Event(NamedTuple):
    """kind: consent, interest, mail, report, mark, act · id: of its row · at: when."""

    kind: str
    id: int
    at: datetime


def _events(reader_id: int, kind: str = "") -> Any:
    def part(name: str, row: Any, at: Any, *which: Any) -> Any:
        return sa.select(
            sa.literal(name).label("kind"), col(row.id).label("id"), at.label("at")
        ).where(*which)

    target = f"reader {reader_id}"
    parts = {
        "consent": part("consent", ConsentRow, col(ConsentRow.at),
                        col(ConsentRow.subscriber_id) == reader_id),
        "interest": part("interest", ProfileRow, col(ProfileRow.created_at),
                         col(ProfileRow.subscriber_id) == reader_id),
        "mail": part("mail", DeliveryRow,
                     sa.func.coalesce(col(DeliveryRow.accepted_at), col(DeliveryRow.planned_at),
                                      type_=UTCDateTime()),
                     col(DeliveryRow.subscriber_id) == reader_id),
        "report": part("report", ReportRow, col(ReportRow.at),
                       col(ReportRow.subscriber_id) == reader_id),
        "mark": part("mark", FeedbackRow, col(FeedbackRow.at),
                     col(FeedbackRow.subscriber_id) == reader_id),
        "act": part("act", AuditRow, col(AuditRow.at), col(AuditRow.target) == target),
    }  # fmt: skip
    chosen = [parts[kind]] if kind in parts else list(parts.values())
    return sa.union_all(*chosen).subquery()


def count_events(session: Session, reader_id: int, kind: str = "") -> int:
    """How many things there are to tell of a reader; kind: of these alone."""
    events = _events(reader_id, kind)
    return int(session.execute(sa.select(sa.func.count()).select_from(events)).scalar_one())


def list_events(
    session: Session, reader_id: int, *, kind: str = "", limit: int, offset: int = 0
) -> list[Event]:
    """A page of them, newest first."""
    events = _events(reader_id, kind)
    query = (
        sa.select(events.c.kind, events.c.id, events.c.at)
        .order_by(events.c.at.desc(), events.c.kind, events.c.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return [Event(*row) for row in session.execute(query)]


def get_rows(session: Session, row: type[Any], ids: list[int]) -> dict[int, Any]:
    """Rows of a table by their numbers."""
    found = session.exec(select(row).where(col(row.id).in_(ids))).all() if ids else []
    return {one.id: one for one in found}


def get_mails(session: Session, ids: list[int]) -> dict[int, tuple[DeliveryRow, EditionRow]]:
    """Deliveries with their editions, by number."""
    if not ids:
        return {}
    query = (
        select(DeliveryRow, EditionRow)
        .join(EditionRow, col(EditionRow.id) == col(DeliveryRow.edition_id))
        .where(col(DeliveryRow.id).in_(ids))
    )
    return {d.id or 0: (d, e) for d, e in session.exec(query)}


def list_dailies(
    session: Session, reader_id: int, first: date, last: date
) -> dict[str, DeliveryRow]:
    """The daily of each local date from first to last that has one, by the date as it is written
    in its edition."""
    query = (
        select(DeliveryRow, col(EditionRow.slot))
        .join(EditionRow, col(EditionRow.id) == col(DeliveryRow.edition_id))
        .where(
            col(DeliveryRow.subscriber_id) == reader_id,
            col(EditionRow.kind) == "digest",
            col(EditionRow.slot) >= first.isoformat(),
            col(EditionRow.slot) <= last.isoformat(),
        )
    )
    return {slot: row for row, slot in session.exec(query)}
