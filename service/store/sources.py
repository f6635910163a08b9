"""Sources and their days."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.db import insert_once
from service.store.tables import SightingRow, SourceDayRow, SourceRow

_KEY = 700
"""Characters of ``params_key``; sources of before it ended with a hash have theirs cut there."""


def params_key(params: Mapping[str, str]) -> str:
    """The parameters as one comparable text; a long one ends with a hash of the whole."""
    whole = _written(params)
    if len(whole) <= _KEY:
        return whole
    seal = f"#{hashlib.sha256(whole.encode()).hexdigest()}"
    return whole[: _KEY - len(seal)] + seal


def _written(params: Mapping[str, str]) -> str:
    return json.dumps(dict(sorted(params.items())), ensure_ascii=False)


def add_source(
    session: Session,
    *,
    kind: str,
    params: Mapping[str, str],
    title: str,
    now: datetime,
    state: str = "ok",
    next_poll_at: datetime | None = None,
) -> SourceRow:
    """Insert a source, or return the one of this kind and these parameters."""
    key = params_key(params)
    row = find_source(session, kind, params)
    if row is None:
        row = SourceRow(
            kind=kind,
            params=dict(params),
            params_key=key,
            title=title,
            created_at=now,
            state=state,
            next_poll_at=next_poll_at,
        )
        session.add(row)
        session.flush()
    return row


def find_source(session: Session, kind: str, params: Mapping[str, str]) -> SourceRow | None:
    """The source of this kind and these parameters."""
    key, of_before = params_key(params), _written(params)[:_KEY]
    rows = session.exec(
        select(SourceRow).where(
            col(SourceRow.kind) == kind, col(SourceRow.params_key).in_({key, of_before})
        )
    )
    return next((x for x in rows if x.params_key == key or x.params == dict(params)), None)


def list_sources(session: Session, kind: str | None = None) -> list[SourceRow]:
    """Every source in the order they were added."""
    query = select(SourceRow).order_by(col(SourceRow.id))
    if kind is not None:
        query = query.where(col(SourceRow.kind) == kind)
    return list(session.exec(query).all())


def get_source(session: Session, source_id: int) -> SourceRow | None:
    """One source by id."""
    return session.get(SourceRow, source_id)


def hold_source(session: Session, source_id: int) -> SourceRow | None:
    """One source as it is now; nobody else writes it before this transaction ends."""
    query = select(SourceRow).where(col(SourceRow.id) == source_id).with_for_update(key_share=True)
    return session.exec(query.execution_options(populate_existing=True)).first()


def list_due_sources(session: Session, now: datetime) -> list[SourceRow]:
    """Sources whose time has come, most overdue first."""
    return list(
        session.exec(
            select(SourceRow)
            .where(
                col(SourceRow.next_poll_at) <= now,
                col(SourceRow.state).not_in(["paused", "gone"]),
            )
            .order_by(col(SourceRow.next_poll_at), col(SourceRow.id))
        ).all()
    )


def list_ahead(session: Session, now: datetime, longest: timedelta) -> list[SourceRow]:
    """Sources that were asked later than now, or wait longer than any source does: the clock was
    ahead."""
    return list(
        session.exec(
            select(SourceRow).where(
                col(SourceRow.next_poll_at) > now,
                sa.or_(
                    col(SourceRow.last_poll_at) > now + timedelta(minutes=5),
                    col(SourceRow.next_poll_at) > now + longest,
                ),
            )
        )
    )


def delete_source(session: Session, source_id: int) -> bool:
    """Remove a source; its papers stay."""
    result = session.execute(sa.delete(SourceRow).where(col(SourceRow.id) == source_id))
    return bool(result.rowcount)  # type: ignore[attr-defined]


def get_source_day(session: Session, source_id: int, day: date) -> SourceDayRow:
    """The ledger row of a source and day, made when missing, as it is now; nobody else writes it
    before this transaction ends."""
    query = (
        select(SourceDayRow)
        .where(col(SourceDayRow.source_id) == source_id, col(SourceDayRow.day) == day)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    row = session.exec(query).first()
    if row is None:
        insert_once(session, SourceDayRow(source_id=source_id, day=day))
        row = session.exec(query).one()
    return row


def list_source_days(
    session: Session, since: date, source_id: int | None = None
) -> list[SourceDayRow]:
    """Ledger rows from a day on, oldest first."""
    query = (
        select(SourceDayRow)
        .where(col(SourceDayRow.day) >= since)
        .order_by(col(SourceDayRow.day), col(SourceDayRow.source_id))
    )
    if source_id is not None:
        query = query.where(col(SourceDayRow.source_id) == source_id)
    return list(session.exec(query).all())


def seen_paper_ids(session: Session, source_id: int, paper_ids: list[int]) -> set[int]:
    """Which of these papers this source has shown before."""
    return set(
        session.exec(
            select(col(SightingRow.paper_id)).where(
                col(SightingRow.source_id) == source_id, col(SightingRow.paper_id).in_(paper_ids)
            )
        ).all()
    )


@dataclass(frozen=True, slots=True)
class Habit:
    """What is usual for a source: papers per day and on how many days it showed any."""

    per_day: float | None
    days: int


def get_habit(session: Session, source_id: int, before: date | None = None) -> Habit:
    """Mean papers per day with papers, by the day of first sight; of the days before a day."""
    query = sa.select(col(SourceDayRow.new) + col(SourceDayRow.known)).where(
        col(SourceDayRow.source_id) == source_id,
        col(SourceDayRow.new) + col(SourceDayRow.known) > 0,
    )
    if before is not None:
        query = query.where(col(SourceDayRow.day) < before)
    rows = session.execute(query).all()
    counts = [int(row[0]) for row in rows]
    return Habit(sum(counts) / len(counts) if counts else None, len(counts))


def summary(session: Session) -> list[dict[str, Any]]:
    """One object per source for `sources list`, the admin page and /sources."""
    counts = dict(
        session.execute(
            sa.select(
                col(SightingRow.source_id), sa.func.count(sa.distinct(col(SightingRow.paper_id)))
            ).group_by(col(SightingRow.source_id))
        ).all()
    )
    newest = dict(
        session.execute(
            sa.select(col(SightingRow.source_id), sa.func.max(col(SightingRow.listed_on))).group_by(
                col(SightingRow.source_id)
            )
        ).all()
    )
    return [
        {
            "id": row.id,
            "kind": row.kind,
            "what": " ".join(f"{v}" for v in row.params.values()),
            "title": row.title,
            "state": row.state,
            "papers": counts.get(row.id, 0),
            "was_read": row.first_polled or bool(counts.get(row.id)),
            "newest_on": newest[row.id].isoformat() if newest.get(row.id) else None,
            "last_poll_at": row.last_poll_at.isoformat() if row.last_poll_at else None,
            "next_poll_at": row.next_poll_at.isoformat() if row.next_poll_at else None,
            "failures": row.failures,
            "last_error": row.last_error,
        }
        for row in list_sources(session)
    ]
