"""Accounts of the staff and their sessions: who there is, who is in, from where, and out again."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from service.errors import PaperpostError
from service.flows.runtime import Runtime
from service.flows.staff import ROLES, Member, StaffError, read_name, turn, write_audit
from service.store import staff as staff_store
from service.store.db import Priority, Session
from service.store.house_tables import AdminRow
from service.store.staff import ActsWanted
from service.subscribers.address import AddressError, read_address

_BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"),
    ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


class RoleError(PaperpostError):
    """An act that one's role does not allow."""


class NoSuchAccountError(StaffError):
    """There is no account of this name or number."""


class NoSuchSessionError(StaffError):
    """This session has ended, or never was, or is none of one's own."""


@dataclass(frozen=True, slots=True)
class SessionSeen:
    """One session. id: of its row · browser: "Firefox on Linux" · address: where it began."""

    id: int
    hash: str
    name: str
    role: str
    since: datetime
    seen: datetime
    address: str
    browser: str

    def facts(self) -> dict[str, Any]:
        """For JSON: what opens nothing."""
        return {
            "id": self.id, "name": self.name, "role": self.role, "since": self.since,
            "seen": self.seen, "address": self.address, "browser": self.browser,
        }  # fmt: skip


def browser_of(agent: str) -> str:
    """ "Firefox on Linux"; the first word of what is no browser, "" for nothing."""
    program = next((name for sign, name in _BROWSERS if sign in agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in agent), "")
    if not program:
        return re.split(r"[\s/]", agent.strip(), maxsplit=1)[0][:40]
    return f"{program} on {system}" if system else program


def list_sessions(
    rt: Runtime, *, admin_id: int | None = None, seen: Mapping[str, datetime] | None = None
) -> list[SessionSeen]:
    """Sessions that open the desk now, those used last first. seen: when this process saw one
    later than the table says (looking at pages writes nothing)."""
    limits, now, later = rt.defaults(), rt.clock(), seen or {}
    idle = timedelta(hours=limits.session_idle_hours)
    begun = now - timedelta(days=limits.session_days)
    longest = begun if later else now - idle  # one that only looked is not over
    found = rt.db.read(
        lambda s: staff_store.list_sessions(
            s, seen_since=longest, begun_since=begun, admin_id=admin_id
        )
    )
    made = [
        SessionSeen(
            row.id or 0, row.id_hash, admin.name, admin.role, row.created_at,
            max(row.seen_at, later.get(row.id_hash, row.seen_at)), row.address,
            browser_of(row.agent),
        )
        for row, admin in found
    ]  # fmt: skip
    return sorted((one for one in made if now - one.seen < idle), key=_last_first)


def _last_first(one: SessionSeen) -> tuple[float, int]:
    return -one.seen.timestamp(), -one.id


def list_accounts(rt: Runtime, seen: Mapping[str, datetime] | None = None) -> list[dict[str, Any]]:
    """Every account by name: id, name, role, email, created_at, state (in use, ended, or waiting
    for its password), link_until where a one-time link is open, sessions, seen (last, None where
    nobody is in)."""
    now, sessions = rt.clock(), list_sessions(rt, seen=seen)
    made = []
    for row in rt.db.read(staff_store.list_admins):
        own = [one for one in sessions if one.name == row.name]
        made.append(
            {
                "id": row.id,
                "name": row.name,
                "role": row.role,
                "email": row.email,
                "created_at": row.created_at,
                "state": _state(row),
                "link_until": row.link_until
                if row.link_hash and row.link_until and row.link_until > now
                else None,
                "sessions": len(own),
                "seen": max((one.seen for one in own), default=None),
            }
        )
    return made


def _state(row: AdminRow) -> str:
    if row.disabled:
        return "ended"
    return "in use" if row.password_hash else "waiting for its password"


def find_account(
    rt: Runtime, admin_id: int, seen: Mapping[str, datetime] | None = None
) -> dict[str, Any]:
    """One account as in the list. Raises NoSuchAccountError."""
    found = next((one for one in list_accounts(rt, seen) if one["id"] == admin_id), None)
    if found is None:
        raise NoSuchAccountError("There is no such account.", "name", "paperpost admin list")
    return found


def need_account(rt: Runtime, name: str) -> int:
    """The number of an account. Raises NoSuchAccountError."""
    return rt.db.read(lambda s: _need(s, name)).id or 0


_NAMED = 10


def refusal(rt: Runtime, who: Member, role: str) -> RoleError:
    """What somebody is told who may not do what ``role`` may: which role it needs, who has it and
    can log in, and who could give it."""
    rows = [
        one for one in rt.db.read(staff_store.list_admins)
        if _state(one) == "in use" and ROLES.index(one.role) >= ROLES.index(role)
    ]  # fmt: skip
    able = [f"{one.name} ({one.role})" for one in rows[:_NAMED]]
    more = f" and {len(rows) - _NAMED:,} more" if len(rows) > _NAMED else ""
    owners = ", ".join(one.name for one in rows if one.role == "owner")
    names = f"Who may: {', '.join(able)}{more}." if role != "owner" else f"Who may: {owners}."
    return RoleError(
        f"This needs the role {role}; yours is {who.role}.",
        "",
        f"Nothing was changed. {names if rows else 'Nobody who can log in has that role.'} "
        "An owner changes roles, on the page Staff.",
    )


def acts_of(session: Session, name: str) -> ActsWanted:
    """The acts of an account, also under the names it had before."""
    names = [name]
    for _, old, new in staff_store.list_renames(session):
        if new == names[-1]:
            names.append(old)
    return ActsWanted(by=tuple(names))


def change_role(rt: Runtime, name: str, role: str, by: str, address: str = "") -> None:
    """Give an account another role; its sessions end, so that nothing is done by the old one.

    Raises StaffError: unknown, no role, or the only owner.
    """

    def change(session: Session) -> None:
        row = _need(session, name)
        before = row.role
        if before == role:
            raise StaffError(f"{name} has this role already.", "role")
        turn(session, row, role)
        session.add(row)
        _note(rt, session, "change role", name, by, address, {"role": before}, {"role": role})

    rt.db.write(change, Priority.WEB)


def rename(rt: Runtime, name: str, new: str, by: str, address: str = "") -> str:
    """Call an account by another name, by which its person logs in from now on; returns it.

    Sessions stay, and the record keeps old acts under the old name. Raises StaffError.
    """
    new = read_name(new)

    def change(session: Session) -> None:
        row = _need(session, name)
        other = staff_store.get_admin(session, name=new)
        if other is not None:
            raise StaffError(f"There is an account {new!r} already.", "new", "Take another name.")
        row.name = new
        session.add(row)
        _note(rt, session, staff_store.RENAMED, new, by, address, {"name": name}, {"name": new})

    rt.db.write(change, Priority.WEB)
    return new


def set_email(rt: Runtime, name: str, text: str, by: str, address: str = "") -> str:
    """Where reports of this person's sends go; "" = to the installation's. Returns the address.

    Raises StaffError: it can be none, or there is no such account.
    """
    email = ""
    if text.strip():
        try:
            email = read_address(text).email
        except AddressError as error:
            raise StaffError(error.what, "email", error.next_step) from None

    def change(session: Session) -> None:
        row = _need(session, name)
        before = row.email
        if before == email:
            return
        row.email = email
        session.add(row)
        _note(rt, session, "report address", name, by, address, {"email": before}, {"email": email})

    rt.db.write(change, Priority.WEB)
    return email


def end_session(rt: Runtime, session_id: int, by: Member, address: str = "") -> str:
    """End one session: of one's own, or anybody's for an owner. Returns whose it was.

    Raises NoSuchSessionError.
    """

    def end(session: Session) -> str:
        found = staff_store.find_session_row(session, session_id)
        if found is None or (found[1].id != by.id and not by.may("owner")):
            raise NoSuchSessionError("This session has ended.", "session", "Look at the list anew.")
        row, admin = found
        staff_store.delete_sessions(session, id_hash=row.id_hash)
        _note(rt, session, "end session", admin.name, by.name, address, _told(row), None)
        return admin.name

    return rt.db.write(end, Priority.WEB)


def end_sessions(rt: Runtime, name: str, by: str, address: str = "", *, keep: str = "") -> int:
    """End all sessions of an account but for the hash ``keep``; how many. Raises StaffError."""

    def end(session: Session) -> int:
        row = _need(session, name)
        ended = staff_store.delete_sessions(session, admin_id=row.id, keep=keep)
        if ended:
            _note(rt, session, "end sessions", name, by, address, None, {"ended": ended})
        return ended

    return rt.db.write(end, Priority.WEB)


def revoke(rt: Runtime, session_id: int, by: str) -> str:
    """End one session from the command line; whose it was. Raises NoSuchSessionError."""
    return end_session(rt, session_id, Member(0, by, "owner"))


def _told(row: Any) -> dict[str, Any]:
    return {
        "since": row.created_at.isoformat(),
        "from": row.address,
        "browser": browser_of(row.agent),
    }


def _need(session: Session, name: str) -> AdminRow:
    row = staff_store.get_admin(session, name=name)
    if row is None:
        raise NoSuchAccountError(f"There is no account {name!r}.", "name", "paperpost admin list")
    return row


def _note(
    rt: Runtime,
    session: Session,
    what: str,
    target: str,
    by: str,
    address: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> None:
    write_audit(
        session, rt.clock(), who=by, what=what, target=target, before=before, after=after,
        address=address,
    )  # fmt: skip
