"""Two stored papers turn out to be one: all that hangs on the younger row goes to the older."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.papers.model import Alias
from service.store.desk_tables import SubmissionRow
from service.store.events import add_event, move_events
from service.store.tables import MatchRow, PaperAliasRow, PaperRow, SightingRow


def merge_papers(
    session: Session, keep: int, gone: int, now: datetime, name: Alias | None = None
) -> None:
    """Names, sightings, matches, what readers had or said, what is carried, events, an editor's
    picks, readers' votes and proposals follow.

    The paper is new from the later of the two days: nobody loses what was still to come, and who
    had either has had both. It meets the profiles again. name: of the twin, for the event.
    """
    rows = _held(session, keep, gone)
    _move(session, PaperAliasRow, keep, gone)
    _move_sightings(session, keep, gone)
    for table, key, more in (
        ("sent_paper", "subscriber_id", ", occasion, delivery_id"),
        ("carry", "subscriber_id", ", delivery_id"),
        ("match", "profile_id", ", score"),
        ("vote", "subscriber_id", ", at"),
        ("pick", "day", ", place, done_by, at"),
    ):
        session.execute(
            sa.text(
                f"INSERT INTO {table} ({key}, paper_id{more}) "  # nosec B608
                f"SELECT {key}, :keep{more} FROM {table} WHERE paper_id = :gone "
                "ON CONFLICT DO NOTHING"
            ),
            {"keep": keep, "gone": gone},
        )
    for table in ("carry", "vote", "pick"):
        session.execute(
            sa.text(f"DELETE FROM {table} WHERE paper_id = :gone"),  # nosec B608
            {"gone": gone},
        )
    _move(session, SubmissionRow, keep, gone)
    session.execute(sa.delete(MatchRow).where(col(MatchRow.paper_id) == gone))
    _move_feedback(session, keep, gone)
    move_events(session, keep, gone)
    _join_rows(session, rows[keep], rows[gone], now)
    session.execute(  # whoever was merged before stands for the same paper, in one step
        sa.update(PaperRow).where(col(PaperRow.merged_into) == gone).values(merged_into=keep)
    )
    add_event(session, keep, "merged", now, f"{name.scheme}:{name.value}" if name else "")


def _held(session: Session, keep: int, gone: int) -> dict[int, PaperRow]:
    """Both rows; nobody writes that a reader had either of them before this transaction ends."""
    query = (
        select(PaperRow)
        .where(col(PaperRow.id).in_([keep, gone]))
        .order_by(col(PaperRow.id))
        .with_for_update()
    )
    return {row.id: row for row in session.exec(query) if row.id is not None}


def _join_rows(session: Session, keep: PaperRow, gone: PaperRow, now: datetime) -> None:
    days = [at for at in (keep.eligible_at, gone.eligible_at) if at is not None]
    keep.eligible_at = max(days, default=None)
    keep.first_seen_at = min(keep.first_seen_at, gone.first_seen_at)
    listed = [day for day in (keep.listed_on, gone.listed_on) if day is not None]
    keep.listed_on = min(listed, default=None)
    keep.matched_at = None
    gone.merged_into, gone.eligible_at, gone.matched_at = keep.id, None, now
    session.add_all((keep, gone))
    session.flush()
    if days:  # what one source holds back is news by the other
        session.execute(
            sa.update(SightingRow).where(col(SightingRow.paper_id) == keep.id).values(held=False)
        )


def _move(session: Session, table: Any, keep: int, gone: int) -> None:
    session.execute(sa.update(table).where(table.paper_id == gone).values(paper_id=keep))


def _move_sightings(session: Session, keep: int, gone: int) -> None:
    """Where both stand on a day's list of one source, one row is enough."""
    other = sa.orm.aliased(SightingRow)
    there = sa.exists().where(
        col(other.paper_id) == keep,
        col(other.source_id) == col(SightingRow.source_id),
        col(other.listed_on) == col(SightingRow.listed_on),
    )
    session.execute(
        sa.delete(SightingRow)
        .where(col(SightingRow.paper_id) == gone, there)
        .execution_options(synchronize_session="fetch")
    )
    _move(session, SightingRow, keep, gone)


def _move_feedback(session: Session, keep: int, gone: int) -> None:
    """Of two words of one reader the newer counts."""
    for mine, other, order in ((keep, gone, "<"), (gone, keep, "<=")):
        session.execute(
            sa.text(
                "DELETE FROM feedback WHERE paper_id = :mine AND EXISTS (SELECT 1 FROM feedback f "  # nosec B608
                "WHERE f.subscriber_id = feedback.subscriber_id AND f.paper_id = :other "
                f"AND feedback.at {order} f.at)"
            ),
            {"mine": mine, "other": other},
        )
    session.execute(
        sa.text("UPDATE feedback SET paper_id = :keep WHERE paper_id = :gone"),
        {"keep": keep, "gone": gone},
    )


def current_ids(session: Session, ids: Sequence[int]) -> dict[int, int]:
    """Each id, and that of the paper it stands for now."""
    found = {paper_id: paper_id for paper_id in ids}
    for start in range(0, len(ids), 500):
        rows = session.execute(
            sa.select(col(PaperRow.id), col(PaperRow.merged_into)).where(
                col(PaperRow.id).in_(list(ids[start : start + 500])),
                col(PaperRow.merged_into).is_not(None),
            )
        )
        found.update((gone, keep) for gone, keep in rows)
    return found
