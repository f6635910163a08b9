"""The newest day of each source's ledger, as a digest of a date speaks of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col

from service.store.tables import SourceDayRow, SourceRow


@dataclass(frozen=True, slots=True)
class NewestDay:
    """The newest expected day of a source's ledger up to a date."""

    kind: str
    params: Mapping[str, str]
    title: str
    day: date
    state: str
    items: int


def list_newest_days(session: Session, on: date) -> list[NewestDay]:
    """Per source that is asked: its newest expected day up to a reader's local date.

    The day before is looked at too: where the date begins early, the source's own day is that one.
    """
    rows = session.execute(
        sa.select(
            col(SourceRow.id),
            col(SourceRow.kind),
            col(SourceRow.params),
            col(SourceRow.title),
            col(SourceDayRow.day),
            col(SourceDayRow.state),
            col(SourceDayRow.items),
        )
        .join(SourceDayRow, col(SourceDayRow.source_id) == col(SourceRow.id))
        .where(
            col(SourceDayRow.day).in_([on, on - timedelta(days=1)]),
            col(SourceDayRow.expected) == sa.true(),
            col(SourceRow.state).not_in(["paused", "gone"]),
        )
        .order_by(col(SourceRow.id), col(SourceDayRow.day))
    ).all()
    newest = {source_id: NewestDay(*rest) for source_id, *rest in rows}
    return list(newest.values())


def list_late_titles(session: Session, day: date) -> list[str]:
    """Titles of sources whose newest list up to a reader's local date is late or stale."""
    return [x.title for x in list_newest_days(session, day) if x.state in ("late", "stale")]
