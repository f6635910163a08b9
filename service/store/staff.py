"""The staff: accounts, sessions, failed log-ins, and the record of every act."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from service.store.house_tables import AdminRow, AuditRow, PaceRow, SessionRow

LOGIN = "login"
"""Scope in ``pace`` of failed log-ins; the key is a name or a network."""


def get_admin(
    session: Session,
    *,
    id: int | None = None,
    name: str | None = None,
    link_hash: str | None = None,
) -> AdminRow | None:
    """One account by id, name, or the hash of its one-time link."""
    if id is not None:
        return session.get(AdminRow, id)
    query = select(AdminRow)
    if name is not None:
        query = query.where(AdminRow.name == name)
    elif link_hash:
        query = query.where(AdminRow.link_hash == link_hash)
    else:
        raise ValueError("name an id, a name or a link")
    return session.exec(query).first()


def list_admins(session: Session) -> list[AdminRow]:
    """Every account by name."""
    return list(session.exec(select(AdminRow).order_by(col(AdminRow.name))).all())


def add_session(
    session: Session, *, admin_id: int, id_hash: str, now: datetime, address: str, agent: str
) -> None:
    """A log-in."""
    session.add(
        SessionRow(
            admin_id=admin_id,
            id_hash=id_hash,
            created_at=now,
            seen_at=now,
            address=address[:64],
            agent=agent[:300],
        )
    )
    session.flush()


def get_session(session: Session, id_hash: str) -> tuple[SessionRow, AdminRow] | None:
    """A session and whose it is."""
    found = session.exec(
        select(SessionRow, AdminRow)
        .join(AdminRow, col(AdminRow.id) == col(SessionRow.admin_id))
        .where(SessionRow.id_hash == id_hash)
    ).first()
    return (found[0], found[1]) if found is not None else None


def set_seen(session: Session, id_hash: str, now: datetime) -> None:
    """The session was used."""
    session.execute(
        sa.update(SessionRow).where(col(SessionRow.id_hash) == id_hash).values(seen_at=now)
    )


def delete_sessions(
    session: Session,
    *,
    admin_id: int | None = None,
    id_hash: str | None = None,
    keep: str = "",
    unseen_since: datetime | None = None,
    older_than: datetime | None = None,
) -> int:
    """End sessions: of one account (but for the hash ``keep``), one by hash, or those that are
    over by idleness or age."""
    change = sa.delete(SessionRow).where(col(SessionRow.id_hash) != keep)
    if admin_id is not None:
        change = change.where(col(SessionRow.admin_id) == admin_id)
    if id_hash is not None:
        change = change.where(col(SessionRow.id_hash) == id_hash)
    if unseen_since is not None and older_than is not None:
        change = change.where(
            sa.or_(col(SessionRow.seen_at) < unseen_since, col(SessionRow.created_at) < older_than)
        )
    return int(session.execute(change).rowcount)  # type: ignore[attr-defined]


def get_tries(session: Session, key: str, now: datetime) -> tuple[int, datetime | None]:
    """(failed log-ins in the window, when the window ends)."""
    row = _pace(session, key)
    if row is None or row.until is None or row.until <= now:
        return 0, None
    return row.count, row.until


def add_try(session: Session, key: str, now: datetime, until: datetime) -> None:
    """One more failed log-in; the first one of a window opens it."""
    row = _pace(session, key)
    if row is None:
        row = PaceRow(scope=LOGIN, key=key[:254])
    if row.until is None or row.until <= now:
        row.count, row.until = 0, until
    row.count += 1
    row.at = now
    session.add(row)
    session.flush()


def delete_tries(session: Session, key: str) -> None:
    """A good log-in clears the window."""
    session.execute(
        sa.delete(PaceRow).where(col(PaceRow.scope) == LOGIN, col(PaceRow.key) == key[:254])
    )


def _pace(session: Session, key: str) -> PaceRow | None:
    return session.exec(
        select(PaceRow).where(PaceRow.scope == LOGIN, PaceRow.key == key[:254])
    ).first()


def add_audit(
    session: Session,
    *,
    at: datetime,
    who: str,
    what: str,
    target: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    address: str = "",
    reason: str = "",
) -> None:
    """One act, by whom, from where and why."""
    session.add(
        AuditRow(
            at=at,
            who=who[:120],
            what=what[:64],
            target=target,
            before=dict(before) if before is not None else None,
            after=dict(after) if after is not None else None,
            address=address[:64],
            reason=reason,
        )
    )


def list_audit(session: Session, *, limit: int = 100, offset: int = 0) -> list[AuditRow]:
    """Acts, newest first."""
    return list(
        session.exec(
            select(AuditRow).order_by(col(AuditRow.id).desc()).offset(offset).limit(limit)
        ).all()
    )


def was_done(session: Session, what: str, target: str) -> bool:
    """Whether an act of this kind to this target is kept."""
    query = select(AuditRow.id).where(AuditRow.what == what, AuditRow.target == target)
    return session.exec(query.limit(1)).first() is not None


def count_audit(session: Session) -> int:
    """How many acts are kept."""
    return int(session.execute(sa.select(sa.func.count()).select_from(AuditRow)).scalar_one())
