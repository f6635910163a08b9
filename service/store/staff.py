"""The staff: accounts, sessions, failed log-ins, and the record of every act."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from service.store.house_tables import AdminRow, AuditRow, PaceRow, SessionRow

LOGIN = "login"
"""Scope in ``pace`` of failed log-ins; the key is a name, a network or a browser."""

RENAMED = "rename account"
"""What the record calls it; its before and after tell the names."""


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


def find_session_row(session: Session, session_id: int) -> tuple[SessionRow, AdminRow] | None:
    """A session by the number of its row, and whose it is."""
    row = session.get(SessionRow, session_id)
    admin = session.get(AdminRow, row.admin_id) if row is not None else None
    return (row, admin) if row is not None and admin is not None else None


def list_sessions(
    session: Session, *, seen_since: datetime, begun_since: datetime, admin_id: int | None = None
) -> list[tuple[SessionRow, AdminRow]]:
    """Sessions that are not over by idleness or age, those used last first; of one account, or of
    all who have not ended."""
    query = (
        select(SessionRow, AdminRow)
        .join(AdminRow, col(AdminRow.id) == col(SessionRow.admin_id))
        .where(
            col(SessionRow.seen_at) > seen_since,
            col(SessionRow.created_at) > begun_since,
            col(AdminRow.disabled).is_(False),
        )
        .order_by(col(SessionRow.seen_at).desc(), col(SessionRow.id).desc())
    )
    if admin_id is not None:
        query = query.where(SessionRow.admin_id == admin_id)
    return [(row, admin) for row, admin in session.exec(query).all()]


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


def take_try(
    session: Session, key: str, most: int, now: datetime, until: datetime
) -> datetime | None:
    """One more try, the first of a window opens it; None. Where there were ``most`` already none is
    taken: when the window ends. One statement, so that tries at once are counted as if they came
    one after the other, in whatever process."""
    dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    made = dialect.insert(PaceRow).values(
        scope=LOGIN, key=key[:254], at=now, until=until, count=1, windows={}
    )
    is_over = sa.or_(col(PaceRow.until).is_(None), col(PaceRow.until) <= now)
    taken = session.execute(
        made.on_conflict_do_update(
            index_elements=["scope", "key"],
            set_={
                "at": now,
                "until": sa.case((is_over, until), else_=col(PaceRow.until)),
                "count": sa.case((is_over, 1), else_=col(PaceRow.count) + 1),
            },
            where=sa.or_(is_over, col(PaceRow.count) < most),
        ).returning(col(PaceRow.id))
    ).first()
    return None if taken is not None else _pace(session, key).until


def give_back(session: Session, key: str) -> None:
    """A try that was a good log-in is none."""
    session.execute(
        sa.update(PaceRow)
        .where(col(PaceRow.scope) == LOGIN, col(PaceRow.key) == key[:254], col(PaceRow.count) > 0)
        .values(count=col(PaceRow.count) - 1)
    )


def delete_tries(session: Session, key: str) -> None:
    """A good log-in clears the window."""
    session.execute(
        sa.delete(PaceRow).where(col(PaceRow.scope) == LOGIN, col(PaceRow.key) == key[:254])
    )


def forget_tries(session: Session, now: datetime, limit: int) -> int:
    """Windows of failed log-ins that are over."""
    ids = (
        sa.select(col(PaceRow.id))
        .where(col(PaceRow.scope) == LOGIN, col(PaceRow.until) < now)
        .limit(limit)
    )
    gone = session.execute(sa.delete(PaceRow).where(col(PaceRow.id).in_(ids)))
    return int(gone.rowcount)  # type: ignore[attr-defined]


def _pace(session: Session, key: str) -> PaceRow:
    return session.exec(
        select(PaceRow).where(PaceRow.scope == LOGIN, PaceRow.key == key[:254])
    ).one()


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
) -> int:
    """One act, by whom, from where and why. Returns its number."""
    row = AuditRow(
        at=at,
        who=who[:120],
        what=what[:64],
        target=target,
        before=dict(before) if before is not None else None,
        after=dict(after) if after is not None else None,
        address=address[:64],
        reason=reason,
    )
    session.add(row)
    session.flush()
    assert row.id is not None
    return row.id


def set_after(session: Session, number: int, after: Mapping[str, Any]) -> None:
    """What an act that goes on has done by now."""
    session.execute(sa.update(AuditRow).where(col(AuditRow.id) == number).values(after=dict(after)))


def was_done(session: Session, what: str, target: str) -> bool:
    """Whether an act of this kind to this target is kept."""
    query = select(AuditRow.id).where(AuditRow.what == what, AuditRow.target == target)
    return session.exec(query.limit(1)).first() is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActsWanted:
    """Which acts: parts of who, to what and why, whatever their case; ``what`` begins with these
    words; ``by`` one of these names exactly; from an instant on, and before one."""

    who: str = ""
    by: Sequence[str] = ()
    what: str = ""
    target: str = ""
    since: datetime | None = None
    until: datetime | None = None


_EVERY = ActsWanted()
_ORDERS = {
    "at": col(AuditRow.id), "who": col(AuditRow.who), "what": col(AuditRow.what),
    "target": col(AuditRow.target),
}  # fmt: skip
ACT_ORDERS = tuple(_ORDERS)


def list_audit(
    session: Session,
    *,
    wanted: ActsWanted = _EVERY,
    sort: str = "-at",
    limit: int = 100,
    offset: int = 0,
    before_id: int | None = None,
) -> list[AuditRow]:
    """Acts, newest first, or by a column of ``ACT_ORDERS`` ("-who": downwards). before_id: only
    older ones, for reading all of them piece by piece."""
    column = _ORDERS[sort.removeprefix("-")]
    order = column.desc() if sort.startswith("-") else column.asc()
    query = _where(select(AuditRow), wanted).order_by(order, col(AuditRow.id).desc())
    if before_id is not None:
        query = query.where(col(AuditRow.id) < before_id)
    return list(session.exec(query.offset(offset).limit(limit)).all())


def count_audit(session: Session, wanted: ActsWanted = _EVERY) -> int:
    """How many acts are kept."""
    query = _where(sa.select(sa.func.count()).select_from(AuditRow), wanted)
    return int(session.execute(query).scalar_one())


def list_act_names(session: Session) -> list[str]:
    """What acts there were, each once."""
    return list(session.exec(select(AuditRow.what).distinct().order_by(AuditRow.what)).all())


class Rename(NamedTuple):
    """An account that was called otherwise. act: the number of the act."""

    act: int
    old: str
    new: str


def list_renames(session: Session) -> list[Rename]:
    """Every other name that an account was given, newest first."""
    query = select(AuditRow).where(col(AuditRow.what) == RENAMED).order_by(col(AuditRow.id).desc())
    return [
        Rename(
            row.id or 0,
            str((row.before or {}).get("name", "")),
            str((row.after or {}).get("name", "")),
        )
        for row in session.exec(query).all()
    ]


def last_changes(session: Session, what: str) -> dict[str, AuditRow]:
    """The newest act of a kind for each of its targets."""
    newest = (
        sa.select(sa.func.max(col(AuditRow.id)))
        .where(col(AuditRow.what) == what)
        .group_by(col(AuditRow.target))
    )
    query = select(AuditRow).where(col(AuditRow.id).in_(newest))
    return {row.target: row for row in session.exec(query).all()}


def list_changes(session: Session, what: str, target: str, limit: int) -> list[AuditRow]:
    """The newest acts of a kind to one target."""
    query = (
        select(AuditRow)
        .where(col(AuditRow.what) == what, col(AuditRow.target) == target)
        .order_by(col(AuditRow.id).desc())
        .limit(limit)
    )
    return list(session.exec(query).all())


def _where(query: Any, wanted: ActsWanted) -> Any:
    for column, part in (
        (AuditRow.who, wanted.who), (AuditRow.target, wanted.target),
    ):  # fmt: skip
        if part:
            query = query.where(col(column).icontains(part, autoescape=True))
    if wanted.by:
        query = query.where(col(AuditRow.who).in_(wanted.by))
    if wanted.what:
        query = query.where(col(AuditRow.what).istartswith(wanted.what, autoescape=True))
    if wanted.since is not None:
        query = query.where(col(AuditRow.at) >= wanted.since)
    if wanted.until is not None:
        query = query.where(col(AuditRow.at) < wanted.until)
    return query
