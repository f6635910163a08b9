"""Addresses never to be mailed, as a list."""

from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class BarsWanted:
    """Which bars: for a reason, of one address by its code, with these words of who brought them
    and why; all where nothing is named."""

    reason: str = ""
    hashed: str = ""
    words: str = ""


_EVERY = BarsWanted()


def _which(wanted: BarsWanted) -> list[Any]:
    made = []
    if wanted.reason:
        made.append(col(SuppressionRow.reason) == wanted.reason)
    if wanted.hashed:
        made.append(col(SuppressionRow.email_hash) == wanted.hashed)
    if wanted.words:
        made.append(col(SuppressionRow.detail).icontains(wanted.words, autoescape=True))
    return made


def count_bars(session: Session, wanted: BarsWanted = _EVERY) -> int:
    """How many there are."""
    query = sa.select(sa.func.count()).select_from(SuppressionRow)
    return int(session.execute(query.where(*_which(wanted))).scalar_one())


def list_bars(
    session: Session,
    wanted: BarsWanted = _EVERY,
    *,
    order: str = "since",
    is_down: bool = True,
    limit: int | None = None,
    offset: int = 0,
) -> list[SuppressionRow]:
    """A page of them, all without a limit."""
    column = ORDERS[order]
    query = (
        select(SuppressionRow)
        .where(*_which(wanted))
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
