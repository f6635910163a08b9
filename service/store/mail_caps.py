"""How many mails were asked for: per address in the last weeks, per network and in all by hours.

Rows of ``pace`` that end by themselves. Whatever is asked, the same statements are made: an upsert
that adds nothing takes as long as one that adds one.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from service.store.house_tables import PaceRow

ADDRESS = "mail-address"
"""Scope of rows whose key is a kind and the keyed hash of a folded address."""

HOUR = "mail-hour"
"""Scope of rows whose key is a kind, an hour and a network, or ``ALL``."""

ALL = "all"


def hold(session: Session, now: datetime) -> None:
    """Let no other process ask until this transaction is over, so that what is counted is true
    until it is written (SQLite has one writer anyway)."""
    _upsert(
        session, HOUR, "held", now, now + timedelta(days=1), {"count": 0, "windows": {}}, adds=True
    )


def asked_at(session: Session, key: str) -> list[datetime]:
    """When mails to an address were asked for, oldest first."""
    found = session.execute(_of(ADDRESS, [key])).first()
    return [datetime.fromisoformat(one) for one in found.windows.get("at", ())] if found else []


def set_asked(
    session: Session, key: str, times: Sequence[datetime], now: datetime, until: datetime
) -> None:
    """Keep these instants of an address until ``until``."""
    said = {"at": [at.isoformat() for at in times]}
    _upsert(session, ADDRESS, key, now, until, {"count": len(times), "windows": said})


def counts(session: Session, keys: Sequence[str]) -> dict[str, int]:
    """How many places of these hours are taken."""
    return {key: count for key, count, _ in session.execute(_of(HOUR, keys))}


def add(session: Session, key: str, more: int, now: datetime, until: datetime) -> None:
    """Take ``more`` places of an hour that ends at ``until``."""
    _upsert(session, HOUR, key, now, until, {"count": more, "windows": {}}, adds=True)


def delete_ended(session: Session, now: datetime, limit: int) -> int:
    """Forget addresses and hours that count no more."""
    ids = (
        sa.select(col(PaceRow.id))
        .where(col(PaceRow.scope).in_((ADDRESS, HOUR)), col(PaceRow.until) < now)
        .limit(limit)
    )
    gone = session.execute(sa.delete(PaceRow).where(col(PaceRow.id).in_(ids)))
    return int(gone.rowcount)  # type: ignore[attr-defined]


def _of(scope: str, keys: Sequence[str]) -> Any:
    return sa.select(col(PaceRow.key), col(PaceRow.count), col(PaceRow.windows)).where(
        col(PaceRow.scope) == scope, col(PaceRow.key).in_(keys)
    )


def _upsert(
    session: Session,
    scope: str,
    key: str,
    now: datetime,
    until: datetime,
    values: dict[str, Any],
    *,
    adds: bool = False,
) -> None:
    dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    made = dialect.insert(PaceRow).values(scope=scope, key=key, at=now, until=until, **values)
    counted = col(PaceRow.count) + made.excluded.count if adds else made.excluded.count
    session.execute(
        made.on_conflict_do_update(
            index_elements=["scope", "key"],
            set_={
                "at": made.excluded.at,
                "until": made.excluded.until,
                "count": counted,
                "windows": made.excluded.windows,
            },
        )
    )
