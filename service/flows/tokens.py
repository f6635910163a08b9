"""Tokens for programs: made once, shown once, kept as a hash, ended at any time.

A request by a token writes nothing but what it does: its last use is remembered in the process and
written with the sweep (``keep_uses``).
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.errors import PaperpostError
from service.flows.runtime import Runtime
from service.flows.staff import secret_hash, write_audit
from service.store import api_tokens as store
from service.store.db import Priority, Session

SCOPES: Mapping[str, str] = {
    "deliveries:read": "look at editions and deliveries, with addresses and the servers' words",
    "deliveries:send": "send by hand, pause, resume, cancel, send refused mails again, and say "
    "what became of held ones",
    "readers:read": "look at readers, their interests, tags and stories, with addresses",
    "readers:write": "add, change, import and erase readers, and bar addresses",
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
    rt: Runtime, name: str, scopes: Sequence[str], by: str, address: str = ""
) -> dict[str, Any]:
    """A new token: id, name, scopes, and ``token``, which is told here and never again.

    Raises TokenNameError: also where a token of this name has not ended.
    """
    name, scopes = read_name(name), read_scopes(scopes)
    token = PREFIX + secrets.token_urlsafe(32)

    def make(session: Session) -> int:
        if store.get_token(session, name) is not None:
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
        )
        _note(rt, session, "make token", name, by, address, {"scopes": list(scopes)})
        return row.id or 0

    number = rt.db.write(make, Priority.WEB)
    return {"id": number, "name": name, "scopes": list(scopes), "token": token}


def end_token(rt: Runtime, name: str, by: str, address: str = "") -> None:
    """The token opens nothing from now on. Raises TokenNameError."""

    def end(session: Session) -> None:
        row = store.get_token(session, name)
        if row is None:
            raise TokenNameError(f"There is no token {name!r}.", "name", "paperpost tokens list")
        row.ended_at = rt.clock()
        session.add(row)
        _note(rt, session, "end token", name, by, address)

    rt.db.write(end, Priority.WEB)


def list_tokens(rt: Runtime) -> list[dict[str, Any]]:
    """Every token, also ended ones, without what it opens by."""
    return [
        {
            "id": row.id,
            "name": row.name,
            "scopes": row.scopes,
            "created_by": row.created_by,
            "created_at": row.created_at,
            "seen_at": max(
                filter(None, (row.seen_at, rt.token_uses.get(row.id or 0))), default=None
            ),
            "ended_at": row.ended_at,
        }
        for row in rt.db.read(store.list_tokens)
    ]


def find_caller(rt: Runtime, token: str) -> Caller | None:
    """Whose token this is, None for one that is not ours or has ended."""
    if not token.startswith(PREFIX) or len(token) > 200:
        return None
    row = rt.db.read(lambda s: store.find_token(s, secret_hash(token)))
    if row is None or row.id is None:
        return None
    rt.token_uses[row.id] = rt.clock()
    return Caller(row.id, row.name, frozenset(row.scopes))


def keep_uses(rt: Runtime) -> None:
    """Write down when tokens were used last."""
    used = dict(rt.token_uses)
    if used:
        rt.db.write(lambda s: store.set_seen(s, used), Priority.MAIL)
        for number, at in used.items():
            if rt.token_uses.get(number) == at:
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
