"""Tokens for programs: made once, shown once, kept as a hash, ended at any time.

A request by a token writes nothing but what it does: its last use is remembered in the process and
written with the sweep (``keep_uses``).
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from service.errors import PaperpostError
from service.flows.runtime import Runtime
from service.flows.staff import secret_hash, write_audit
from service.store import api_tokens as store
from service.store.db import Priority, Session
from service.store.house_tables import ApiTokenRow

SCOPES: Mapping[str, str] = {
    "deliveries:read": "look at editions and deliveries, with addresses and the servers' words",
    "deliveries:send": "send by hand, pause, resume, cancel, send refused mails again, and say "
    "what became of held ones",
    "readers:read": "look at readers, their interests, tags and stories, with addresses",
    "readers:write": "add, change, import and erase readers, see the very mail of one, and bar "
    "addresses",
    "sources:read": "look at sources and their days",
    "sources:write": "add, poll, pause and remove sources, and decide on bursts",
    "papers:write": "pick, hide and join papers, write notes and topics, decide on proposals, and "
    "release a daily",
    "settings:read": "look at the settings",
    "settings:write": "change settings of taste, and webhooks",
    "audit:read": "look at the record of acts",
}
"""What a token may be for; none is part of another."""

PREFIX = "paperpost_"
"""So that a token is known for one where it was left by mistake."""

MOST_NAME = 120
MOST_DAYS = 3650
"""So long a token may last that is to end by itself."""

GROUPS = tuple(dict.fromkeys(scope.partition(":")[0] for scope in SCOPES))
"""What scopes are about, in their order."""


class TokenNameError(PaperpostError):
    """A name or a scope that cannot be, or a token that is not there."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A program that came with a token."""

    id: int
    name: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        """True when the token is for this."""
        return scope in self.scopes

    @property
    def signature(self) -> str:
        """Who acted, in the record of acts."""
        return f"token {self.name}"


def read_scopes(scopes: Sequence[str]) -> list[str]:
    """Known scopes, each once. Raises TokenNameError."""
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        what = (
            f"{unknown[0]!r} is no scope." if unknown else "A token without a scope opens nothing."
        )
        raise TokenNameError(what, "scope", f"Use {' or '.join(SCOPES)}.")
    return [scope for scope in SCOPES if scope in scopes]


def read_name(name: str) -> str:
    """A name for a token. Raises TokenNameError."""
    name = " ".join(name.split())
    if not name or len(name) > MOST_NAME or not name.isprintable():
        what = "The token needs a name." if not name else "This is no name for a token."
        raise TokenNameError(what, "name", "Name the program that will use it.")
    return name


def make_token(
    rt: Runtime,
    name: str,
    scopes: Sequence[str],
    by: str,
    address: str = "",
    *,
    days: int | None = None,
) -> dict[str, Any]:
    """A new token: id, name, scopes, ends_at, and ``token``, which is told here and never again.

    days: it ends by itself after so many. Raises TokenNameError: also where a token of this name
    has not ended.
    """
    name, scopes = read_name(name), read_scopes(scopes)
    token = PREFIX + secrets.token_urlsafe(32)
    ends_at = rt.clock() + timedelta(days=read_days(days)) if days is not None else None

    def make(session: Session) -> int:
        same = store.get_token(session, name)
        if same is not None and same.ends_at is not None and same.ends_at <= rt.clock():
            same.ended_at = same.ends_at
        elif same is not None:
            raise TokenNameError(
                f"There is a token {name!r} already.", "name", "End it first, or take another name."
            )
        row = store.add_token(
            session,
            name=name,
            token_hash=secret_hash(token),
            scopes=scopes,
            created_by=by,
            now=rt.clock(),
            ends_at=ends_at,
        )
        after = {"scopes": list(scopes)} | ({"days": days} if days else {})
        _note(rt, session, "make token", name, by, address, after)
        return row.id or 0

    number = rt.db.write(make, Priority.WEB)
    return {
        "id": number,
        "name": name,
        "scopes": list(scopes),
        "ends_at": ends_at,
        "token": token,
    }


def read_days(days: int) -> int:
    """After how many days a token ends. Raises TokenNameError."""
    if not 1 <= days <= MOST_DAYS:
        raise TokenNameError(
            f"A token cannot end after {days} days.", "days", f"Use 1 to {MOST_DAYS}."
        )
    return days


def rotate_token(rt: Runtime, name: str, by: str, address: str = "") -> dict[str, Any]:
    """The same token with another secret, told here and never again; the old one opens nothing
    from now on. Raises TokenNameError."""
    token = PREFIX + secrets.token_urlsafe(32)

    def rotate(session: Session) -> dict[str, Any]:
        row = _need(session, name)
        row.token_hash = secret_hash(token)
        session.add(row)
        _note(rt, session, "rotate token", name, by, address)
        return {"id": row.id, "name": name, "scopes": row.scopes, "ends_at": row.ends_at}

    return {**rt.db.write(rotate, Priority.WEB), "token": token}


def _need(session: Session, name: str) -> ApiTokenRow:
    row = store.get_token(session, name)
    if row is None:
        raise TokenNameError(f"There is no token {name!r}.", "name", "paperpost tokens list")
    return row


def end_token(rt: Runtime, name: str, by: str, address: str = "") -> None:
    """The token opens nothing from now on. Raises TokenNameError."""

    def end(session: Session) -> None:
        row = _need(session, name)
        row.ended_at = rt.clock()
        session.add(row)
        _note(rt, session, "end token", name, by, address)

    rt.db.write(end, Priority.WEB)


def list_tokens(rt: Runtime) -> list[dict[str, Any]]:
    """Every token, also ended ones, without what it opens by."""
    return [_facts(rt, row) for row in rt.db.read(store.list_tokens)]


def _facts(rt: Runtime, row: ApiTokenRow) -> dict[str, Any]:
    used = rt.token_uses.get(row.id or 0)
    is_newer = used is not None and (row.seen_at is None or used[0] > row.seen_at)
    seen_at, seen_from = used if used is not None and is_newer else (row.seen_at, row.seen_from)
    is_over = row.ended_at is None and row.ends_at is not None and row.ends_at <= rt.clock()
    return {
        "id": row.id,
        "name": row.name,
        "scopes": row.scopes,
        "created_by": row.created_by,
        "created_at": row.created_at,
        "seen_at": seen_at,
        "seen_from": seen_from,
        "ends_at": row.ends_at,
        "ended_at": row.ends_at if is_over else row.ended_at,
    }


def find_caller(rt: Runtime, token: str, address: str | None = None) -> Caller | None:
    """Whose token this is, None for one that is not ours or has ended. address: where it is used
    from, kept with its last use; None: this is no use."""
    if not token.startswith(PREFIX) or len(token) > 200:
        return None
    row, now = rt.db.read(lambda s: store.find_token(s, secret_hash(token))), rt.clock()
    if row is None or row.id is None or (row.ends_at is not None and row.ends_at <= now):
        return None
    if address is not None:
        rt.token_uses[row.id] = now, address[:64]
    return Caller(row.id, row.name, frozenset(row.scopes))


def keep_uses(rt: Runtime) -> None:
    """Write down when and from where tokens were used last."""
    used = dict(rt.token_uses)
    if used:
        rt.db.write(lambda s: store.set_seen(s, used), Priority.MAIL)
        for number, use in used.items():
            if rt.token_uses.get(number) == use:
                del rt.token_uses[number]


def _note(
    rt: Runtime,
    session: Session,
    what: str,
    name: str,
    by: str,
    address: str,
    after: Mapping[str, Any] | None = None,
) -> None:
    write_audit(
        session,
        rt.clock(),
        who=by,
        what=what,
        target=f"token {name}",
        after=after,
        address=address,
    )
