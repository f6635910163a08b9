"""What is kept of a join by hand, so that the two papers can be parted again."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.events import add_event
from service.store.tables import (
    MatchRow,
    PaperAliasRow,
    PaperEventRow,
    PaperRow,
    SightingRow,
    SourceRow,
)
from service.store.workbench_tables import PaperJoinRow

_TIMES = ("eligible_at", "first_seen_at")


def before_of(session: Session, keep: PaperRow, gone: PaperRow) -> dict[str, Any]:
    """Where the two stand before they are joined, as JSON values."""
    return {
        "keep": _row_facts(keep),
        "gone": _row_facts(gone),
        "names": [[a.scheme, a.value] for a in _rows(session, PaperAliasRow, gone)],
        "kept_on": [
            [s.source_id, s.listed_on.isoformat()] for s in _rows(session, SightingRow, keep)
        ],
        "sightings": [s.model_dump(mode="json", exclude={"id", "paper_id"})
                      for s in _rows(session, SightingRow, gone)],
        "events": [e.id for e in _rows(session, PaperEventRow, gone)],
        "twins": list(session.scalars(
            sa.select(col(PaperRow.id)).where(col(PaperRow.merged_into) == gone.id))),
    }  # fmt: skip


def _row_facts(row: PaperRow) -> dict[str, Any]:
    return {
        "eligible_at": row.eligible_at.isoformat() if row.eligible_at else None,
        "first_seen_at": row.first_seen_at.isoformat(),
        "listed_on": row.listed_on.isoformat() if row.listed_on else None,
    }


def _rows(session: Session, table: Any, paper: PaperRow) -> list[Any]:
    return list(session.exec(select(table).where(table.paper_id == paper.id).order_by(table.id)))


def get_join(session: Session, join_id: int) -> PaperJoinRow | None:
    """One join, held."""
    query = select(PaperJoinRow).where(col(PaperJoinRow.id) == join_id).with_for_update()
    return session.exec(query.execution_options(populate_existing=True)).first()


def newest_join(session: Session, paper_ids: Iterable[int]) -> PaperJoinRow | None:
    """The newest join that still holds and has to do with any of these papers."""
    ids = list(paper_ids)
    query = select(PaperJoinRow).where(
        sa.or_(col(PaperJoinRow.keep_id).in_(ids), col(PaperJoinRow.gone_id).in_(ids)),
        col(PaperJoinRow.undone_at).is_(None),
    )
    return session.exec(query.order_by(col(PaperJoinRow.id).desc()).limit(1)).first()


def part_papers(
    session: Session, join: PaperJoinRow, keep: PaperRow, gone: PaperRow, now: datetime
) -> None:
    """Names, appearances, events and days go back. Who had either counts as having had both;
    marks, votes, picks, proposals and what came since stay with ``keep``."""
    before: Mapping[str, Any] = join.before
    for scheme, value in before["names"]:
        _give(session, PaperAliasRow, keep, gone, scheme=scheme, value=value)
    kept = {(source, on) for source, on in before["kept_on"]}
    for one in before["sightings"]:
        place = {"source_id": one["source_id"], "listed_on": date.fromisoformat(one["listed_on"])}
        if (one["source_id"], one["listed_on"]) not in kept:
            _give(session, SightingRow, keep, gone, **place)
        elif session.get(SourceRow, one["source_id"]) is not None:
            session.add(SightingRow.model_validate({**one, "paper_id": gone.id}))
    if before["events"]:
        session.execute(
            sa.update(PaperEventRow)
            .where(col(PaperEventRow.id).in_(before["events"]))
            .values(paper_id=gone.id)
        )
    session.execute(  # readers are told of the join no more
        sa.delete(PaperEventRow).where(
            col(PaperEventRow.paper_id) == keep.id,
            col(PaperEventRow.kind) == "merged",
            col(PaperEventRow.at) == join.at,
        )
    )
    gone.merged_into = None
    if before["twins"]:
        session.execute(
            sa.update(PaperRow)
            .where(col(PaperRow.id).in_(before["twins"]), col(PaperRow.merged_into) == keep.id)
            .values(merged_into=gone.id)
        )
    for row, was in ((keep, before["keep"]), (gone, before["gone"])):
        for name in _TIMES:
            setattr(row, name, datetime.fromisoformat(was[name]) if was[name] else None)
        row.listed_on = date.fromisoformat(was["listed_on"]) if was["listed_on"] else None
        row.matched_at = None
        session.add(row)
        add_event(session, row.id or 0, "words", now)
    join.undone_at = now
    session.add(join)
    session.flush()
    session.execute(
        sa.text(
            "INSERT INTO sent_paper (subscriber_id, paper_id, occasion, delivery_id) "
            "SELECT subscriber_id, :gone, occasion, delivery_id FROM sent_paper "
            "WHERE paper_id = :keep ON CONFLICT DO NOTHING"
        ),
        {"keep": keep.id, "gone": gone.id},
    )
    session.execute(sa.delete(MatchRow).where(col(MatchRow.paper_id).in_([keep.id, gone.id])))


def _give(session: Session, table: Any, keep: PaperRow, gone: PaperRow, **where: Any) -> None:
    named = [getattr(table, name) == value for name, value in where.items()]
    session.execute(
        sa.update(table).where(table.paper_id == keep.id, *named).values(paper_id=gone.id)
    )
