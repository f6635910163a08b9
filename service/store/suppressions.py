"""Addresses never to be mailed, as a list."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from service.store.tables import SuppressionRow

ORDERS: Mapping[str, Any] = {
    "since": col(SuppressionRow.since),
    "reason": col(SuppressionRow.reason),
}


def _which(reason: str, hashed: str) -> list[Any]:
    made = []
    if reason:
        made.append(col(SuppressionRow.reason) == reason)
    if hashed:
        made.append(col(SuppressionRow.email_hash) == hashed)
    return made


def count_bars(session: Session, *, reason: str = "", hashed: str = "") -> int:
    """How many bars there are for a reason, or of one address."""
    query = sa.select(sa.func.count()).select_from(SuppressionRow)
    return int(session.execute(query.where(*_which(reason, hashed))).scalar_one())


def list_bars(
    session: Session,
    *,
    reason: str = "",
    hashed: str = "",
    order: str = "since",
    is_down: bool = True,
    limit: int,
    offset: int = 0,
) -> list[SuppressionRow]:
    """A page of them."""
    column = ORDERS[order]
    query = (
        select(SuppressionRow)
        .where(*_which(reason, hashed))
        .order_by(column.desc() if is_down else column, col(SuppressionRow.email_hash))
        .limit(limit)
        .offset(offset)
    )
    return list(session.exec(query).all())


def count_reasons(session: Session) -> dict[str, int]:
    """How many bars there are of each reason."""
    reason = col(SuppressionRow.reason)
    query = sa.select(reason, sa.func.count()).group_by(reason).order_by(reason)
    return {name: int(n) for name, n in session.execute(query)}


def list_after(session: Session, after: str, limit: int) -> list[tuple[str, str, datetime]]:
    """The next bars behind a code: (code, reason, since)."""
    hashed = col(SuppressionRow.email_hash)
    query = (
        sa.select(hashed, col(SuppressionRow.reason), col(SuppressionRow.since))
        .where(hashed > after)
        .order_by(hashed)
        .limit(limit)
    )
    return [(code, reason, since) for code, reason, since in session.execute(query)]


def add_bars(session: Session, reasons: Mapping[str, str], since: datetime, detail: str) -> None:
    """Bar addresses that are not: code -> reason. One that another process bars just now stays as
    it is there."""
    rows = [
        {"email_hash": code, "reason": reason, "since": since, "detail": detail}
        for code, reason in sorted(reasons.items())
    ]
    if rows:
        module = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
        session.execute(module.insert(SuppressionRow).on_conflict_do_nothing(), rows)
