"""Pace kept in the database, so that every process together asks as slowly as one may.

A key (arXiv, a host) has one turn at a time and a gap between the end of one and the start of the
next, so that two requests are never closer than the gap, however long one was under way. A turn
whose process died ends by itself; a key that was told to wait is paused for all. The clocks of
several hosts are taken to agree (NTP).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlmodel import Session, col, select

from service.store.db import insert_once
from service.store.house_tables import PaceRow

KEPT_DAYS = 30
"""Days whose requests stay counted."""


@dataclass(frozen=True, slots=True)
class Turn:
    """granted: go now, and call ``end_turn`` afterwards. Else ``at`` is when to try again, at the
    latest. paused: the server asked for it; else others have their turn, or the gap is not over.
    refused: how often in a row the key was told to wait."""

    granted: bool
    at: datetime
    paused: bool = False
    refused: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceState:
    """One key: requests of a UTC day, the seconds kept between two (so that a day holds at most
    86,400 / gap_seconds of them), until when it asked us to wait (None = it did not; may be past),
    and how often in a row it did."""

    key: str
    today: int
    gap_seconds: float
    paused_until: datetime | None = None
    refused: int = 0

    @property
    def most_a_day(self) -> int | None:
        """How many requests a day could hold at this pace; None before one was made."""
        return int(86_400 / self.gap_seconds) if self.gap_seconds else None


def claim_turn(
    session: Session, scope: str, key: str, *, now: datetime, gap: timedelta, hold: timedelta
) -> Turn:
    """Take the turn of ``key`` if it is free. hold: how long the turn lasts at most."""
    row = _row(session, scope, key)
    refused = int(row.windows.get("refused", 0))
    free_at = max(row.at + gap if row.at else now, row.until or now)
    if row.at is not None and row.at > now + hold:  # a clock that ran ahead must not stop us
        free_at = now
    if free_at > now:
        return Turn(False, free_at, bool(row.windows.get("paused")), refused)
    day = now.astimezone(UTC).date()
    row.at, row.until, row.count = now, now + hold, row.count + 1
    row.windows = {
        "days": _counted(row.windows.get("days", {}), day),
        "gap": gap.total_seconds(),
        "refused": refused,
        "paused": False,
    }
    session.add(row)
    return Turn(True, now, refused=refused)


def _counted(days: dict[str, int], day: date) -> dict[str, int]:
    first = (day - timedelta(days=KEPT_DAYS)).isoformat()
    kept = {name: count for name, count in days.items() if name > first}
    return {**kept, day.isoformat(): kept.get(day.isoformat(), 0) + 1}


def end_turn(
    session: Session,
    scope: str,
    key: str,
    *,
    now: datetime | None = None,
    paused_until: datetime | None = None,
    refused: int = 0,
) -> None:
    """Give the turn back; the gap counts from ``now``. With ``paused_until`` nobody asks before
    then; refused: how often in a row this key was told to wait."""
    row = _row(session, scope, key)
    row.at = max(row.at, now) if row.at and now else row.at
    row.until = paused_until
    row.windows = {**row.windows, "refused": refused, "paused": paused_until is not None}
    session.add(row)


def list_paces(session: Session, day: date, scope: str = "fetch") -> list[PaceState]:
    """The pace of every key that was ever asked, those with most requests on ``day`` first."""
    rows = session.exec(select(PaceRow).where(PaceRow.scope == scope).order_by(col(PaceRow.key)))
    states = [
        PaceState(
            key=row.key,
            today=int(row.windows.get("days", {}).get(day.isoformat(), 0)),
            gap_seconds=float(row.windows.get("gap", 0.0)),
            paused_until=row.until if row.windows.get("paused") else None,
            refused=int(row.windows.get("refused", 0)),
        )
        for row in rows
    ]
    return sorted(states, key=lambda state: -state.today)


def _row(session: Session, scope: str, key: str) -> PaceRow:
    """The row of a key, made when missing and held until the end of the transaction."""
    query = select(PaceRow).where(PaceRow.scope == scope, PaceRow.key == key[:254])
    row = session.exec(query.with_for_update()).first()
    if row is None:
        insert_once(session, PaceRow(scope=scope, key=key[:254]))
        row = session.exec(query.with_for_update()).one()
    return row
