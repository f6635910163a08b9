"""Which profiles want which papers, and which papers have still to meet them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.events import add_event
from service.store.papers import SHOWN
from service.store.tables import MatchRow, PaperRow


def list_unmatched(session: Session, limit: int) -> list[PaperRow]:
    """New papers that have not met the profiles yet."""
    return list(
        session.exec(
            select(PaperRow)
            .where(
                col(PaperRow.eligible_at).is_not(None),
                col(PaperRow.matched_at).is_(None),
                *SHOWN,
            )
            .order_by(col(PaperRow.id))
            .limit(limit)
        ).all()
    )


def list_unchanged(session: Session, papers: Sequence[PaperRow]) -> list[int]:
    """Those of the papers, as they were read a moment ago, that are still the same."""
    read = {row.id: (row.folded, row.votes, row.comments) for row in papers}
    rows = session.execute(
        sa.select(
            col(PaperRow.id), col(PaperRow.folded), col(PaperRow.votes), col(PaperRow.comments)
        ).where(col(PaperRow.id).in_(list(read)), col(PaperRow.merged_into).is_(None))
    ).all()
    return [paper_id for paper_id, *rest in rows if tuple(rest) == read[paper_id]]


def set_matched(session: Session, ids: Sequence[int], now: datetime) -> None:
    """These papers have met the profiles."""
    session.execute(sa.update(PaperRow).where(col(PaperRow.id).in_(ids)).values(matched_at=now))


def set_quarantined(session: Session, paper_id: int, reason: str, now: datetime) -> None:
    """Take a paper that harms out of every digest, with the reason."""
    session.execute(
        sa.update(PaperRow).where(col(PaperRow.id) == paper_id).values(quarantined=reason[:500])
    )
    add_event(session, paper_id, "hidden", now, reason[:500])


def add_matches(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert (profile_id, paper_id, score); pairs that exist get the new score.

    In the order of their keys: two processes that write the same pairs must not lock each other.
    """
    rows = sorted(rows, key=lambda r: (r["profile_id"], r["paper_id"]))
    for start in range(0, len(rows), 500):
        part = rows[start : start + 500]
        dialect = session.get_bind().dialect.name
        if dialect == "sqlite":
            from sqlalchemy.dialects.sqlite import insert as sqlite_insert

            made: Any = sqlite_insert(MatchRow).values(list(part))
        else:
            from sqlalchemy.dialects.postgresql import insert as pg_insert

            made = pg_insert(MatchRow).values(list(part))
        session.execute(
            made.on_conflict_do_update(
                index_elements=["profile_id", "paper_id"], set_={"score": made.excluded.score}
            )
        )


def delete_matches(
    session: Session, *, paper_ids: Sequence[int] = (), profile_ids: Sequence[int] = ()
) -> None:
    """Forget matches of papers that changed, or of profiles that changed."""
    for column, ids in ((MatchRow.paper_id, paper_ids), (MatchRow.profile_id, profile_ids)):
        for start in range(0, len(ids), 500):
            some = ids[start : start + 500]
            session.execute(sa.delete(MatchRow).where(col(column).in_(some)))


def list_matched(
    session: Session, profile_ids: Sequence[int], start: datetime, end: datetime
) -> dict[int, tuple[int, ...]]:
    """Per profile: its papers that became new in [start, end), by id. Profiles without any have no
    entry."""
    found: dict[int, list[int]] = {}
    for at in range(0, len(profile_ids), 500):
        rows = session.execute(
            sa.select(col(MatchRow.profile_id), col(MatchRow.paper_id))
            .join(PaperRow, col(PaperRow.id) == col(MatchRow.paper_id))
            .where(
                col(MatchRow.profile_id).in_(list(profile_ids[at : at + 500])),
                col(PaperRow.eligible_at) >= start,
                col(PaperRow.eligible_at) < end,
                *SHOWN,
            )
        ).all()
        for profile_id, paper_id in rows:
            found.setdefault(profile_id, []).append(paper_id)
    return {profile_id: tuple(sorted(papers)) for profile_id, papers in found.items()}


def list_eligible(session: Session, paper_ids: Sequence[int]) -> dict[int, datetime]:
    """When papers became new, of those that did."""
    found: dict[int, datetime] = {}
    for at in range(0, len(paper_ids), 500):
        rows = session.execute(
            sa.select(col(PaperRow.id), col(PaperRow.eligible_at)).where(
                col(PaperRow.id).in_(list(paper_ids[at : at + 500])),
                col(PaperRow.eligible_at).is_not(None),
            )
        ).all()
        found.update((paper_id, eligible_at) for paper_id, eligible_at in rows)
    return found


def list_instants(session: Session, since: datetime) -> list[datetime]:
    """The instants from one on at which papers became new, in order: those of polls, few."""
    at = col(PaperRow.eligible_at)
    return list(session.scalars(sa.select(at).where(at >= since).distinct().order_by(at)))


def newest_eligible(session: Session) -> datetime | None:
    """When the newest paper became new."""
    return session.exec(
        select(col(PaperRow.eligible_at))
        .where(col(PaperRow.eligible_at).is_not(None))
        .order_by(col(PaperRow.eligible_at).desc())
        .limit(1)
    ).first()


def list_eligible_after(
    session: Session, start: datetime, after_id: int, limit: int
) -> list[PaperRow]:
    """Papers that became new at or after ``start``, by id from ``after_id`` on."""
    return list(
        session.exec(
            select(PaperRow)
            .where(
                col(PaperRow.id) > after_id,
                col(PaperRow.eligible_at) >= start,
                *SHOWN,
            )
            .order_by(col(PaperRow.id))
            .limit(limit)
        ).all()
    )


def list_new_scores(
    session: Session, profile_ids: Sequence[int], since: datetime
) -> dict[int, list[float]]:
    """Scores of the matches of profiles among papers that became new from an instant on."""
    found: dict[int, list[float]] = {}
    rows = session.execute(
        sa.select(col(MatchRow.profile_id), col(MatchRow.score))
        .join(PaperRow, col(PaperRow.id) == col(MatchRow.paper_id))
        .where(col(MatchRow.profile_id).in_(list(profile_ids)), col(PaperRow.eligible_at) >= since)
    )
    for profile_id, score in rows:
        found.setdefault(profile_id, []).append(score)
    return found


def list_scores(session: Session, profile_ids: Sequence[int]) -> dict[int, list[float]]:
    """Scores of the matches that profiles have of late, the lowest first."""
    found: dict[int, list[float]] = {}
    rows = session.execute(
        sa.select(col(MatchRow.profile_id), col(MatchRow.score))
        .where(col(MatchRow.profile_id).in_(list(profile_ids)))
        .order_by(col(MatchRow.score))
    )
    for profile_id, score in rows:
        found.setdefault(profile_id, []).append(score)
    return found
