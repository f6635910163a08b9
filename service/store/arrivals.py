"""Who showed a chunk of papers before, in a statement for all of them."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, SQLModel, col, select

from service.store.tables import SightingRow, SourceRow


def list_showers(session: Session, paper_ids: Sequence[int]) -> list[tuple[int, int, str, str]]:
    """(paper, source, its kind, its title) for each source that showed each paper."""
    rows = session.execute(
        sa.select(
            col(SightingRow.paper_id),
            col(SightingRow.source_id),
            col(SourceRow.kind),
            col(SourceRow.title),
        )
        .join(SourceRow, col(SourceRow.id) == col(SightingRow.source_id))
        .where(col(SightingRow.paper_id).in_(paper_ids))
        .distinct()
    ).all()
    return [(paper_id, source_id, kind, title) for paper_id, source_id, kind, title in rows]


def list_shown(session: Session, paper_ids: Sequence[int], source_id: int) -> list[SightingRow]:
    """How one source showed these papers before."""
    return list(
        session.exec(
            select(SightingRow)
            .where(
                col(SightingRow.paper_id).in_(paper_ids), col(SightingRow.source_id) == source_id
            )
            .order_by(col(SightingRow.listed_on))
        ).all()
    )


def add_rows(session: Session, rows: Sequence[SQLModel]) -> None:
    """Insert rows whose new ids nobody needs: one statement for each table."""
    session.flush()
    by_table: dict[type[SQLModel], list[dict[str, Any]]] = {}
    for row in rows:
        by_table.setdefault(type(row), []).append(row.model_dump(exclude={"id"}))
    for table, values in by_table.items():
        session.execute(sa.insert(table), values)
