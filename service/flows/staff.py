"""The staff: made on the command line, let in by a one-time link, then by name and password.

Passwords are hashed with argon2 (pwdlib), links and sessions are stored as hashes only.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pwdlib import PasswordHash

from service.defaults import FIXED
from service.errors import PaperpostError
from service.flows.runtime import Runtime
from service.store import staff as staff_store
from service.store.db import Priority, Session
from service.store.house_tables import AdminRow

ROLES = ("viewer", "editor", "sender", "owner")
"""Each may do what those before it may."""

LINK_HOURS = 24
TRY_WINDOW = timedelta(minutes=FIXED.login_minutes)
SHORTEST, LONGEST = 10, 200
_SEEN_STEP = timedelta(minutes=1)

_hasher = PasswordHash.recommended()
_nobody = _hasher.hash(secrets.token_urlsafe(16))
"""Checked when the name is unknown, so that the answer takes the same time."""


class StaffError(PaperpostError):
    """An account that cannot be made or changed."""


class LinkError(PaperpostError):
    """A one-time link that was used, has ended, or never was."""


class LoginError(PaperpostError):
    """Name or password are wrong, or there were too many tries."""


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
) -> None:
    """Record one act inside the transaction that does it. reason: in the words of who did it."""
    staff_store.add_audit(
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
        before = {"role": row.role} if row is not None else None
        if row is None:
            row = AdminRow(name=name, role=role, created_at=now)
        elif row.role == "owner" and role != "owner" and not _other_owner(session, row):
            raise StaffError("This is the only owner.", "role", "Make another owner first.")
        row.role, row.disabled = role, False
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


def _other_owner(session: Session, row: AdminRow) -> bool:
    return any(
        a.role == "owner" and not a.disabled and a.id != row.id
        for a in staff_store.list_admins(session)
    )


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


def check_password(password: str) -> None:
    """Raises StaffError: too short or too long. Nothing else is asked of it (NIST SP 800-63B)."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise StaffError(
            f"The password has {len(password)} characters.",
            "password",
            f"Use {SHORTEST} to {LONGEST}.",
        )


def redeem(rt: Runtime, token: str, password: str, *, address: str = "") -> str:
    """Set the password by a one-time link, which ends with it, as do all sessions and the wait
    after failed tries.

    Returns the name. Raises LinkError, StaffError.
    """
    check_password(password)
    hashed = _hasher.hash(password)

    def change(session: Session) -> str:
        now = rt.clock()
        row = _by_link(session, token, now)
        row.password_hash, row.link_hash, row.link_until = hashed, "", None
        session.add(row)
        staff_store.delete_sessions(session, admin_id=row.id)
        staff_store.delete_tries(session, _tries_of(row.name))  # made by whoever lost the password
        write_audit(
            session, now, who=row.name, what="password set", target=row.name, address=address
        )
        return row.name

    return rt.db.write(change, Priority.WEB)


def change_password(rt: Runtime, member: Member, old: str, new: str, *, address: str = "") -> None:
    """Set a new password; every other session of this account ends.

    Raises LoginError (the old one is wrong), StaffError.
    """
    check_password(new)
    row = rt.db.read(lambda s: staff_store.get_admin(s, id=member.id))
    if row is None or not _hasher.verify(old, row.password_hash or _nobody):
        raise LoginError("This is not your present password.", "old")
    hashed = _hasher.hash(new)

    def change(session: Session) -> None:
        found = staff_store.get_admin(session, id=member.id)
        assert found is not None
        found.password_hash = hashed
        session.add(found)
        staff_store.delete_sessions(session, admin_id=member.id, keep=member.session)
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
        if row.role == "owner" and not _other_owner(session, row):
            raise StaffError("This is the only owner.", "name", "Make another owner first.")
        row.disabled, row.link_hash = True, ""
        session.add(row)
        staff_store.delete_sessions(session, admin_id=row.id)
        write_audit(session, rt.clock(), who=by, what="admin ended", target=name, address=address)

    rt.db.write(end, Priority.WEB)


def log_in(rt: Runtime, name: str, password: str, address: str, agent: str) -> str:
    """Return the token of a new session. Raises LoginError.

    A few tries in 15 minutes, counted by name and by network: the right password does not help
    while the window is full.
    """
    name = " ".join(name.split())[:120]
    limits, now = rt.defaults(), rt.clock()
    keys = [_tries_of(name)] + ([f"network:{address}"] if address else [])
    most = {keys[0]: limits.login_tries} | dict.fromkeys(keys[1:], limits.login_tries * 4)
    for key in keys:
        tries, until = rt.db.read(lambda s, k=key: staff_store.get_tries(s, k, now))  # type: ignore[misc]
        if tries >= most[key] and until is not None:
            minutes = max(1, round((until - now).total_seconds() / 60))
            wait = "a minute" if minutes == 1 else f"{minutes} minutes"
            raise LoginError(f"{tries} tries failed.", "", f"Try again in {wait}.")
    row = rt.db.read(lambda s: staff_store.get_admin(s, name=name))
    usable = row is not None and bool(row.password_hash) and not row.disabled
    stored = row.password_hash if row is not None and usable else _nobody
    if not _hasher.verify(password[: LONGEST + 1], stored) or not usable or row is None:
        rt.db.write(lambda s: _note_failure(s, keys, name, now, address), Priority.WEB)
        raise LoginError("Name or password is wrong.")
    token = secrets.token_urlsafe(32)
    assert row.id is not None
    admin_id = row.id

    def begin(session: Session) -> None:
        staff_store.delete_tries(session, keys[0])
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


def _tries_of(name: str) -> str:
    return f"name:{name.lower()}"


def _note_failure(
    session: Session, keys: list[str], name: str, now: datetime, address: str
) -> None:
    for key in keys:
        staff_store.add_try(session, key, now, now + TRY_WINDOW)
    write_audit(session, now, who=name, what="log in failed", address=address)


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


def log_out(rt: Runtime, id_hash: str) -> None:
    """End one session."""
    rt.db.write(lambda s: staff_store.delete_sessions(s, id_hash=id_hash), Priority.WEB)
