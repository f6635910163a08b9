"""Sources as the staff look at them: what is held, what would stay, what a poll brought."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.papers import SHOWN
from service.store.tables import (
    PaperRow,
    ProfileRow,
    SightingRow,
    SourceDayRow,
    SourceRow,
    SubscriberRow,
)


def set_answer(session: Session, source_id: int, answer: Mapping[str, Any]) -> None:
    """What the newest poll brought, with ``at``."""
    session.execute(
        sa.update(SourceRow).where(col(SourceRow.id) == source_id).values(answer=dict(answer))
    )


def count_remove(session: Session, source_id: int) -> dict[str, int]:
    """papers: of a source · alone: those that no other source showed; they leave the daily pages
    with it · held: those that still wait for a decision."""
    other = sa.orm.aliased(SightingRow)
    mine = sa.select(col(SightingRow.paper_id)).where(col(SightingRow.source_id) == source_id)
    elsewhere = sa.exists().where(
        col(other.paper_id) == col(PaperRow.id), col(other.source_id) != source_id
    )
    papers, alone = session.execute(
        sa.select(
            sa.func.count(), sa.func.coalesce(sa.func.sum(sa.case((elsewhere, 0), else_=1)), 0)
        )
        .select_from(PaperRow)
        .where(col(PaperRow.id).in_(mine), *SHOWN)
    ).one()
    return {"papers": int(papers), "alone": int(alone), "held": count_held(session, source_id)}


def count_held(session: Session, source_id: int) -> int:
    """Papers of a burst."""
    query = sa.select(sa.func.count(sa.distinct(col(SightingRow.paper_id)))).where(
        col(SightingRow.source_id) == source_id, col(SightingRow.held) == sa.true()
    )
    return int(session.execute(query).scalar_one())


def list_held(session: Session, source_id: int, limit: int) -> list[PaperRow]:
    """Papers of a burst, those that were published last first."""
    held = sa.select(col(SightingRow.paper_id)).where(
        col(SightingRow.source_id) == source_id, col(SightingRow.held) == sa.true()
    )
    return list(
        session.exec(
            select(PaperRow)
            .where(col(PaperRow.id).in_(held), *SHOWN)
            .order_by(col(PaperRow.published_on).desc(), col(PaperRow.id).desc())
            .limit(limit)
        )
    )


def span_held(session: Session, source_id: int) -> tuple[date | None, date | None, datetime | None]:
    """(oldest, newest day of publication, when the first of a burst came)."""
    row = session.execute(
        sa.select(
            sa.func.min(col(PaperRow.published_on)),
            sa.func.max(col(PaperRow.published_on)),
            sa.func.min(col(SightingRow.first_seen_at)),
        )
        .join(PaperRow, col(PaperRow.id) == col(SightingRow.paper_id))
        .where(col(SightingRow.source_id) == source_id, col(SightingRow.held) == sa.true())
    ).one()
    return (row[0], row[1], row[2])


def list_owners(session: Session, profile_ids: list[int]) -> dict[int, tuple[int, str]]:
    """Per interest that is not paused: (its active reader, its cadence)."""
    found: dict[int, tuple[int, str]] = {}
    for start in range(0, len(profile_ids), 500):
        rows = session.execute(
            sa.select(col(ProfileRow.id), col(SubscriberRow.id), col(ProfileRow.cadence))
            .join(SubscriberRow, col(SubscriberRow.id) == col(ProfileRow.subscriber_id))
            .where(
                col(ProfileRow.id).in_(profile_ids[start : start + 500]),
                col(ProfileRow.paused) == sa.false(),
                col(SubscriberRow.state) == "active",
            )
        )
        found.update((profile, (reader, cadence)) for profile, reader, cadence in rows)
    return found


def want_days(session: Session, source_id: int, days: list[date]) -> None:
    """Past days of which nothing came are to be brought in."""
    for day in days:
        query = select(SourceDayRow).where(
            col(SourceDayRow.source_id) == source_id, col(SourceDayRow.day) == day
        )
        row = session.exec(query.with_for_update()).first()
        if row is None:
            row = SourceDayRow(source_id=source_id, day=day)
        row.state = "wanted"
        session.add(row)


def forget_words(session: Session, source_id: int) -> int:
    """The papers of a source are folded again in the background: they are found by its title."""
    mine = sa.select(col(SightingRow.paper_id)).where(col(SightingRow.source_id) == source_id)
    change = sa.update(PaperRow).where(col(PaperRow.id).in_(mine)).values(fold_version=0)
    done = session.execute(change.execution_options(synchronize_session=False))
    return int(done.rowcount)  # type: ignore[attr-defined]
