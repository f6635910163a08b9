"""Pace kept in the database, so that every process together asks as slowly as one may.

A key (arXiv, a host) has one turn at a time and a gap between the starts of two turns. A turn whose
process died ends by itself; a key that was told to wait is paused for all.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, select

from service.store.house_tables import PaceRow


@dataclass(frozen=True, slots=True)
class Turn:
    """granted: go now, and call ``end_turn`` afterwards. Else ``at`` is when to try again."""

    granted: bool
    at: datetime


def claim_turn(
    session: Session, scope: str, key: str, *, now: datetime, gap: timedelta, hold: timedelta
) -> Turn:
    """Take the turn of ``key`` if it is free. hold: how long the turn lasts at most."""
    row = _row(session, scope, key)
    free_at = max(row.at + gap if row.at else now, row.until or now)
    if row.at is not None and row.at > now + hold:  # a clock that ran ahead must not stop us
        free_at = now
    if free_at > now:
        return Turn(False, free_at)
    row.at, row.until, row.count = now, now + hold, row.count + 1
    session.add(row)
    return Turn(True, now)


def end_turn(
    session: Session, scope: str, key: str, *, paused_until: datetime | None = None
) -> None:
    """Give the turn back; with ``paused_until`` nobody asks before then."""
    row = _row(session, scope, key)
    row.until = paused_until
    session.add(row)


def _row(session: Session, scope: str, key: str) -> PaceRow:
    """The row of a key, made when missing and held until the end of the transaction."""
    query = select(PaceRow).where(PaceRow.scope == scope, PaceRow.key == key[:254])
    row = session.exec(query.with_for_update()).first()
    if row is None:
        row = PaceRow(scope=scope, key=key[:254])
        session.add(row)
        session.flush()
    return row
