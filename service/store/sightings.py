"""Appearances of papers in sources: list days and who showed what."""

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.papers import SHOWN
from service.store.tables import PaperRow, SightingRow, SourceRow


def list_sightings(
    session: Session, paper_ids: Sequence[int]
) -> dict[int, list[tuple[str, str, date, str]]]:
    """Per paper: (source kind, source title, list date, submitter), newest list date first."""
    found: dict[int, list[tuple[str, str, date, str]]] = {}
    for start in range(0, len(paper_ids), 500):
        rows = session.execute(
            sa.select(
                col(SightingRow.paper_id),
                col(SourceRow.kind),
                col(SourceRow.title),
                col(SightingRow.listed_on),
                col(SightingRow.submitter),
            )
            .join(SourceRow, col(SourceRow.id) == col(SightingRow.source_id))
            .where(col(SightingRow.paper_id).in_(list(paper_ids[start : start + 500])))
            .order_by(col(SightingRow.listed_on).desc(), col(SightingRow.id))
        ).all()
        for paper_id, kind, title, listed_on, submitter in rows:
            found.setdefault(paper_id, []).append((kind, title, listed_on, submitter))
    return found


def list_days(
    session: Session,
    *,
    before: date | None = None,
    after: date | None = None,
    kinds: Sequence[str] | None = None,
    limit: int = 1,
) -> list[date]:
    """Days that have papers: newest first, or with ``after`` the next ones in order."""
    query = (
        sa.select(col(SightingRow.listed_on)).where(col(SightingRow.held) == sa.false()).distinct()
    )
    if kinds is not None:
        query = query.join(SourceRow, col(SourceRow.id) == col(SightingRow.source_id)).where(
            col(SourceRow.kind).in_(kinds)
        )
    if before is not None:
        query = query.where(col(SightingRow.listed_on) <= before)
    if after is not None:
        query = query.where(col(SightingRow.listed_on) > after).order_by(col(SightingRow.listed_on))
    else:
        query = query.order_by(col(SightingRow.listed_on).desc())
    return [row[0] for row in session.execute(query.limit(limit)).all()]


def list_listed(
    session: Session, days: Sequence[date], *, kinds: Sequence[str] | None = None
) -> list[tuple[int, date]]:
    """(paper id, newest list date among ``days``) of everything listed on those days."""
    query = (
        sa.select(col(SightingRow.paper_id), sa.func.max(col(SightingRow.listed_on)))
        .join(PaperRow, col(PaperRow.id) == col(SightingRow.paper_id))
        .where(
            col(SightingRow.listed_on).in_(days),
            *SHOWN,
            col(SightingRow.held) == sa.false(),
        )
        .group_by(col(SightingRow.paper_id))
        .order_by(col(SightingRow.paper_id))
    )
    if kinds is not None:
        query = query.join(SourceRow, col(SourceRow.id) == col(SightingRow.source_id)).where(
            col(SourceRow.kind).in_(kinds)
        )
    return [(i, day) for i, day in session.execute(query).all()]


def list_arrivals(
    session: Session, since: date, source_ids: Sequence[int]
) -> list[tuple[int, date, datetime, int]]:
    """(source, list day, instant, papers of it that came then) from a list day on."""
    rows = session.execute(
        sa.select(
            col(SightingRow.source_id),
            col(SightingRow.listed_on),
            col(SightingRow.first_seen_at),
            sa.func.count(),
        )
        .where(col(SightingRow.listed_on) >= since, col(SightingRow.source_id).in_(source_ids))
        .group_by(
            col(SightingRow.source_id), col(SightingRow.listed_on), col(SightingRow.first_seen_at)
        )
    ).all()
    return [(source, day, at, int(count)) for source, day, at, count in rows]


def release_held(session: Session, source_id: int, eligible_at: datetime | None) -> list[int]:
    """Held sightings of a source are taken: as new (with an instant) or as known (None). Returns
    their papers."""
    ids = list(
        session.exec(
            select(col(SightingRow.paper_id)).where(
                col(SightingRow.source_id) == source_id, col(SightingRow.held) == sa.true()
            )
        ).all()
    )
    session.execute(
        sa.update(SightingRow).where(col(SightingRow.source_id) == source_id).values(held=False)
    )
    if eligible_at is not None and ids:
        session.execute(
            sa.update(PaperRow)
            .where(col(PaperRow.id).in_(ids), col(PaperRow.eligible_at).is_(None))
            .values(eligible_at=eligible_at)
        )
    return ids


def first_day(session: Session) -> date | None:
    """The oldest day on which any source listed a paper."""
    return session.exec(select(sa.func.min(col(SightingRow.listed_on)))).first()
