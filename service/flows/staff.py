"""The staff: made on the command line, let in by a one-time link, then by name and password.

Links and sessions are stored as hashes only, as are passwords (``flows/passwords``).
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from service.errors import PaperpostError
from service.flows import tries
from service.flows.passwords import check_password, hashed, is_right
from service.flows.runtime import Runtime
from service.flows.tries import LoginError
from service.store import staff as staff_store
from service.store.db import Priority, Session
from service.store.house_tables import AdminRow

ROLES = ("viewer", "editor", "sender", "owner")
"""Each may do what those before it may."""

LINK_HOURS = 24
_SEEN_STEP = timedelta(minutes=1)


class StaffError(PaperpostError):
    """An account that cannot be made or changed."""


class LinkError(PaperpostError):
    """A one-time link that was used, has ended, or never was."""


@dataclass(frozen=True, slots=True)
class Member:
    """One of the staff, with the session by which they came (its hash)."""

    id: int
    name: str
    role: str
    session: str = ""

    def may(self, role: str) -> bool:
        """True when this role includes ``role``."""
        return ROLES.index(self.role) >= ROLES.index(role)


def secret_hash(token: str) -> str:
    """What is stored of a link or a session (the same as pages.sessions.session_hash)."""
    return hashlib.sha256(token.encode()).hexdigest()


def write_audit(
    session: Session,
    now: datetime,
    *,
    who: str,
    what: str,
    target: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    address: str = "",
    reason: str = "",
) -> int:
    """Record one act inside the transaction that does it; returns the number of its row. reason:
    in the words of who did it."""
    return staff_store.add_audit(
        session,
        at=now,
        who=who or "?",
        what=what,
        target=target,
        before=before,
        after=after,
        address=address,
        reason=reason,
    )


def audit_edition(
    session: Session,
    now: datetime,
    edition_id: int,
    by: str,
    what: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    address: str = "",
    reason: str = "",
) -> None:
    """Record an act on one edition."""
    write_audit(
        session,
        now,
        who=by,
        what=what,
        target=f"edition {edition_id}",
        before=before,
        after=after,
        address=address,
        reason=reason,
    )


def audit(
    rt: Runtime,
    who: str,
    what: str,
    target: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    address: str = "",
    reason: str = "",
) -> None:
    """Record one act that another flow has done."""
    rt.db.write(
        lambda s: write_audit(
            s,
            rt.clock(),
            who=who,
            what=what,
            target=target,
            before=before,
            after=after,
            address=address,
            reason=reason,
        ),
        Priority.WEB,
    )


def read_name(text: str) -> str:
    """The name of an account, blanks made single. Raises StaffError."""
    name = " ".join(text.split())
    if not name or len(name) > 120 or not name.isprintable():
        what = "The name is empty or longer than 120 characters."
        raise StaffError(what, "name", "Type one, like ann.")
    return name


def create_admin(rt: Runtime, name: str, role: str, by: str, address: str = "") -> str:
    """Make an account, or a fresh link for one that exists (with this role from now on).

    Returns the link, good once within 24 hours. Raises StaffError.
    """
    name = read_name(name)
    if role not in ROLES:
        raise StaffError(f"{role!r} is no role.", "role", f"Use {', '.join(ROLES)}.")
    token = secrets.token_urlsafe(24)

    def make(session: Session) -> None:
        now = rt.clock()
        row = staff_store.get_admin(session, name=name)
        before: dict[str, Any] | None = {"role": row.role} if row is not None else None
        if row is not None and row.disabled:
            before = {"role": row.role, "ended": True}
            row.password_hash = ""  # nosec B105: of whoever had it before, the link alone lets in
        if row is None:
            row = AdminRow(name=name, role=role, created_at=now)
        elif row.role != role:
            turn(session, row, role)
        row.disabled = False
        row.link_hash, row.link_until = secret_hash(token), now + timedelta(hours=LINK_HOURS)
        session.add(row)
        write_audit(
            session,
            now,
            who=by,
            what="admin link",
            target=name,
            before=before,
            after={"role": role},
            address=address,
        )

    rt.db.write(make, Priority.WEB)
    return rt.links.to(f"/admin/link/{token}")


def owner_link(rt: Runtime, by: str) -> str:
    """A link for the account "owner", "" once somebody of the staff has a password."""
    if any(a.password_hash and not a.disabled for a in rt.db.read(staff_store.list_admins)):
        return ""
    return create_admin(rt, "owner", "owner", by)


def turn(session: Session, row: AdminRow, role: str) -> None:
    """Give an account another role; whoever is in by it logs in anew. Raises StaffError."""
    if role not in ROLES:
        raise StaffError(f"{role!r} is no role.", "role", f"Use {', '.join(ROLES)}.")
    need_other_owner(session, row, "role")
    row.role = role
    staff_store.delete_sessions(session, admin_id=row.id)


def need_other_owner(session: Session, row: AdminRow, where: str) -> None:
    """Raises StaffError: without this account nobody would be left who can make one."""
    others = (a for a in staff_store.list_admins(session) if a.id != row.id)
    if row.role == "owner" and not any(a.role == "owner" and not a.disabled for a in others):
        raise StaffError("This is the only owner.", where, "Make another owner first.")


def look_at_link(rt: Runtime, token: str) -> str:
    """Whose one-time link this is; nothing changes. Raises LinkError."""
    return rt.db.read(lambda s: _by_link(s, token, rt.clock())).name


def _by_link(session: Session, token: str, now: datetime) -> AdminRow:
    row = staff_store.get_admin(session, link_hash=secret_hash(token))
    if row is None or row.link_until is None or row.link_until <= now or row.disabled:
        raise LinkError(
            "This link was used, or has ended.",
            "",
            "An owner makes a new one: paperpost admin create NAME --role ROLE",
        )
    return row


def redeem(rt: Runtime, token: str, password: str, *, address: str = "") -> str:
    """Set the password by a one-time link, which ends with it, as do all sessions and the wait
    after failed tries.

    Returns the name. Raises LinkError, PasswordError.
    """
    check_password(password, look_at_link(rt, token), rt.site.name)
    stored = hashed(password)

    def change(session: Session) -> str:
        now = rt.clock()
        row = _by_link(session, token, now)
        row.password_hash, row.link_hash, row.link_until = stored, "", None
        session.add(row)
        staff_store.delete_sessions(session, admin_id=row.id)
        staff_store.delete_tries(session, tries.of_name(row.name))  # made by who lost the password
        write_audit(
            session, now, who=row.name, what="password set", target=row.name, address=address
        )
        return row.name

    return rt.db.write(change, Priority.WEB)


def change_password(rt: Runtime, member: Member, old: str, new: str, *, address: str = "") -> None:
    """Set a new password; every other session of this account ends.

    Tries with a wrong old one count like those of a log-in: whoever finds a desk open cannot guess
    on. Raises LoginError (the old one is wrong, or there were too many tries), PasswordError.
    """
    check_password(new, member.name, rt.site.name)
    most = {tries.of_change(member.id): rt.defaults().login_tries}
    tries.take(rt, most)
    row = rt.db.read(lambda s: staff_store.get_admin(s, id=member.id))
    if row is None or not is_right(old, row.password_hash):
        audit(rt, member.name, "password not changed", address=address)
        raise LoginError("This is not your present password.", "old")
    stored = hashed(new)

    def change(session: Session) -> None:
        found = staff_store.get_admin(session, id=member.id)
        assert found is not None
        found.password_hash = stored
        session.add(found)
        staff_store.delete_sessions(session, admin_id=member.id, keep=member.session)
        tries.give_back(session, most)
        write_audit(
            session,
            rt.clock(),
            who=member.name,
            what="password changed",
            target=member.name,
            address=address,
        )

    rt.db.write(change, Priority.WEB)


def disable(rt: Runtime, name: str, by: str, address: str = "") -> None:
    """End an account and its sessions. Raises StaffError: unknown, or the only owner."""

    def end(session: Session) -> None:
        row = staff_store.get_admin(session, name=name)
        if row is None:
            raise StaffError(f"There is no account {name!r}.", "name")
        need_other_owner(session, row, "name")
        row.disabled, row.link_hash = True, ""
        session.add(row)
        staff_store.delete_sessions(session, admin_id=row.id)
        write_audit(session, rt.clock(), who=by, what="admin ended", target=name, address=address)

    rt.db.write(end, Priority.WEB)


def log_in(
    rt: Runtime, name: str, password: str, address: str, agent: str, *, device: str = ""
) -> str:
    """Return the token of a new session. Raises LoginError.

    device: a browser in which this name has logged in before, as the door has proved
    (``flows/tries``).
    """
    name = " ".join(name.split())[:120]
    limits, now = rt.defaults(), rt.clock()
    most = tries.limits_of(rt, name, address, device)
    tries.take(rt, most)
    row = rt.db.read(lambda s: staff_store.get_admin(s, name=name))
    usable = row is not None and not row.disabled
    if not is_right(password, row.password_hash if row is not None and usable else ""):
        audit(rt, name, "log in failed", address=address)
        raise LoginError("Name or password is wrong.")
    token = secrets.token_urlsafe(32)
    assert row is not None
    assert row.id is not None
    admin_id = row.id

    def begin(session: Session) -> None:
        tries.give_back(session, most)
        staff_store.delete_sessions(
            session,
            unseen_since=now - timedelta(hours=limits.session_idle_hours),
            older_than=now - timedelta(days=limits.session_days),
        )
        staff_store.add_session(
            session,
            admin_id=admin_id,
            id_hash=secret_hash(token),
            now=now,
            address=address,
            agent=agent,
        )
        write_audit(session, now, who=name, what="log in", address=address)

    rt.db.write(begin, Priority.WEB)
    return token


def find_session(rt: Runtime, id_hash: str, *, seen: datetime | None = None) -> Member | None:
    """Whose session this is, while it is valid; nothing changes. seen: when the caller last saw it,
    if later than what is stored (looking at pages writes nothing)."""
    found = rt.db.read(lambda s: staff_store.get_session(s, id_hash))
    if found is None:
        return None
    row, admin = found
    limits, now = rt.defaults(), rt.clock()
    last = max(row.seen_at, seen) if seen is not None else row.seen_at
    over = now - last >= timedelta(hours=limits.session_idle_hours)
    old = now - row.created_at >= timedelta(days=limits.session_days)
    if over or old or admin.disabled:
        return None
    assert admin.id is not None
    return Member(admin.id, admin.name, admin.role, id_hash)


def touch_session(rt: Runtime, id_hash: str) -> None:
    """The session was used for an act; noted once a minute."""

    def note(session: Session) -> None:
        found, now = staff_store.get_session(session, id_hash), rt.clock()
        if found is not None and now - found[0].seen_at >= _SEEN_STEP:
            staff_store.set_seen(session, id_hash, now)

    rt.db.write(note, Priority.WEB)


def log_out(rt: Runtime, member: Member, address: str = "") -> None:
    """End the session by which somebody came."""

    def end(session: Session) -> None:
        staff_store.delete_sessions(session, id_hash=member.session)
        write_audit(session, rt.clock(), who=member.name, what="log out", address=address)

    rt.db.write(end, Priority.WEB)
