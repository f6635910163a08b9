"""Programs that are told of events, by the staff: added, changed, tried, ended; what was said to
each call."""

import base64
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from service.errors import PaperpostError
from service.flows.hook_calls import LEASE, bytes_of, end_hook
from service.flows.hooks import EVENTS, TEST, call_of, new_id
from service.flows.runtime import Runtime
from service.flows.staff import write_audit
from service.sources.address import why_refused
from service.store import hooks as store
from service.store.db import Priority, Session
from service.store.desk_tables import WebhookCallRow, WebhookRow

STATES = ("waiting", "done", "failed")
MOST_HOOKS = 50
MOST_NAME, MOST_URL = 120, 2000
OLD_FOR = timedelta(hours=24)
"""So long calls are signed with the secret of before, too."""


class HookError(PaperpostError):
    """A program that cannot be told of events, as it was given."""


class NoHookError(PaperpostError):
    """A program, or a call, that there is not."""


def read_name(text: str) -> str:
    """What a program is called. Raises HookError."""
    name = " ".join(text.split())
    if not name or len(name) > MOST_NAME or not name.isprintable():
        raise HookError(
            f"The name is empty or longer than {MOST_NAME} characters.", "name", "Name the program."
        )
    return name


def read_url(text: str, *, private: bool) -> str:
    """Where a program is called. private: it may lie in this house. Raises HookError."""
    url = text.strip()
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        parts, host = urlsplit(""), ""
    known = ("https", "http") if private else ("https",)
    if len(url) > MOST_URL or not (url.isascii() and url.isprintable()) or " " in url or not host:
        raise HookError("This is no address.", "url", "Type one, like https://example.org/hook.")
    if parts.scheme not in known:
        raise HookError("Only https is called.", "url", "Type an address that begins with https.")
    if parts.username or parts.password:
        raise HookError(
            "An address with a name or a password in it is not called.",
            "url",
            "Check the signature of calls instead.",
        )
    why = "" if private else why_refused(url)
    if why:
        raise HookError(
            f"This address is not called: {why}.",
            "url",
            "Use a public one; programs in this house need PAPERPOST_PRIVATE_SOURCES.",
        )
    return url


def read_events(events: Sequence[str]) -> list[str]:
    """Known events, each once. Raises HookError."""
    unknown = [one for one in events if one not in EVENTS]
    if unknown or not events:
        what = f"{unknown[0]!r} is no event." if unknown else "No event was chosen."
        raise HookError(what, "events", f"Use {', '.join(EVENTS)}.")
    return [one for one in EVENTS if one in events]


def add_hook(
    rt: Runtime,
    name: str,
    url: str,
    events: Sequence[str],
    *,
    tells_address: bool = False,
    by: str,
    address: str = "",
) -> dict[str, Any]:
    """A program that is told from now on; its facts, and ``secret``, which is told here and never
    again. Raises HookError."""
    name, events = read_name(name), read_events(events)
    url = read_url(url, private=rt.private_sources)

    def add(session: Session) -> dict[str, Any]:
        if store.find_hook(session, name) is not None:
            raise HookError(
                f"There is a webhook {name!r} already.", "name", "End it first, or take another."
            )
        if len(store.list_hooks(session, ended=False)) >= MOST_HOOKS:
            raise HookError(f"There are {MOST_HOOKS} webhooks.", "name", "End one first.")
        row = WebhookRow(
            name=name,
            url=url,
            events=list(events),
            secret=_secret(),
            tells_address=tells_address,
            created_by=by,
            created_at=rt.clock(),
        )
        session.add(row)
        session.flush()
        after = {"host": _host(url), "events": list(events), "tells_address": tells_address}
        _note(rt, session, "add webhook", row, by, address, after)
        return {**facts(row), "secret": row.secret}

    return rt.db.write(add, Priority.WEB)


def rotate_secret(rt: Runtime, number: int, by: str, address: str = "") -> dict[str, Any]:
    """Another secret, told here and never again; for a day calls are signed with both. Raises
    NoHookError."""

    def rotate(session: Session) -> dict[str, Any]:
        row = _told(session, number)
        row.old_secret, row.old_until = row.secret, rt.clock() + OLD_FOR
        row.secret = _secret()
        session.add(row)
        _note(rt, session, "rotate webhook", row, by, address)
        return {**facts(row), "secret": row.secret}

    return rt.db.write(rotate, Priority.WEB)


def end_by_hand(rt: Runtime, number: int, by: str, address: str = "") -> dict[str, Any]:
    """A program is told no more; what waits for it is not said. Raises NoHookError."""

    def end(session: Session) -> dict[str, Any]:
        row = _told(session, number)
        end_hook(session, row, f"ended by {by}", rt.clock())
        _note(rt, session, "end webhook", row, by, address)
        return facts(row)

    return rt.db.write(end, Priority.WEB)


def try_hook(rt: Runtime, number: int, by: str, address: str = "") -> dict[str, Any]:
    """A call that says nothing but that it is one, to one program; made within seconds. Raises
    NoHookError."""

    def ask(session: Session) -> dict[str, Any]:
        row, now = _told(session, number), rt.clock()
        call = call_of(row, TEST, new_id(), now, {"webhook": row.id, "name": row.name})
        session.add(call)
        session.flush()
        _note(rt, session, "test webhook", row, by, address)
        return call_facts(call)

    made = rt.db.write(ask, Priority.WEB)
    rt.engine.enqueue("hooks")
    return made


def send_again(
    rt: Runtime, call_id: int, by: str, address: str = "", *, with_address: bool = True
) -> dict[str, Any]:
    """Make a call once more, or now where its next try is far off, with the same id and body; the
    waits after it begin anew. Raises NoHookError, HookError."""

    def again(session: Session) -> dict[str, Any]:
        call = store.get_call(session, call_id, hold=True)
        if call is None:
            raise _no_call(call_id)
        row = _told(session, call.webhook_id)
        now = rt.clock()
        if not can_call(call.state, call.next_at, now):
            minutes = LEASE.seconds // 60
            raise HookError(
                f"Call {call_id} is being made, or is tried within {minutes} minutes.",
                "id",
                "Look at its tries in a moment.",
            )
        said = {"at": now.isoformat(), "code": 0, "words": f"asked for by {by}", "ms": 0}
        call.tries = [*call.tries, {**said, "again": True}]
        call.state, call.next_at, call.done_at = "waiting", now, None
        session.add(call)
        _note(rt, session, "call webhook again", row, by, address, {"call": call_id})
        return call_facts(call, with_address=with_address)

    made = rt.db.write(again, Priority.WEB)
    rt.engine.enqueue("hooks")
    return made


def can_call(state: str, next_at: datetime | None, now: datetime) -> bool:
    """Whether a call may be asked for: not while a process has it, or is about to."""
    return state != "waiting" or (next_at is not None and next_at > now + LEASE)


def list_facts(session: Session) -> list[dict[str, Any]]:
    """Every program, also ended ones, with how many calls wait, came and failed; no secret."""
    counts = store.count_states(session)
    return [
        {**facts(row), "calls": {s: counts.get(row.id or 0, {}).get(s, 0) for s in STATES}}
        for row in store.list_hooks(session)
    ]


def get_facts(session: Session, number: int) -> dict[str, Any]:
    """One of them. Raises NoHookError."""
    row = store.get_hook(session, number)
    if row is None:
        raise _unknown(number)
    counts = {state: store.count_calls(session, number, state) for state in STATES}
    return {**facts(row), "calls": counts}


def log_of(
    session: Session,
    number: int,
    *,
    state: str = "",
    sort: str = "-at",
    limit: int | None = None,
    offset: int = 0,
    with_address: bool = True,
) -> list[dict[str, Any]]:
    """Calls to one program, each with its tries. sort: of ``CALL_ORDERS``. Raises NoHookError."""
    if store.get_hook(session, number) is None:
        raise _unknown(number)
    rows = store.list_calls(session, number, state=state, sort=sort, limit=limit, offset=offset)
    return [call_facts(row, with_address=with_address) for row in rows]


def get_call(session: Session, number: int) -> dict[str, Any]:
    """One call. Raises NoHookError."""
    row = store.get_call(session, number)
    if row is None:
        raise _no_call(number)
    return call_facts(row)


def facts(row: WebhookRow) -> dict[str, Any]:
    """What is told of a program."""
    return {
        "id": row.id,
        "name": row.name,
        "url": row.url,
        "events": row.events,
        "tells_address": row.tells_address,
        "created_by": row.created_by,
        "created_at": row.created_at.isoformat(),
        "failures": row.failures,
        "failing_since": _iso(row.failing_since),
        "ended_at": _iso(row.ended_at),
        "ended_why": row.ended_why,
    }


def call_facts(row: WebhookCallRow, *, with_address: bool = True) -> dict[str, Any]:
    """What is told of a call. with_address: else its body is without the reader's."""
    body = row.body
    if not with_address:
        told = {name: value for name, value in body["data"].items() if name != "email"}
        body = {**body, "data": told}
    return {
        "id": row.id,
        "webhook": row.webhook_id,
        "event_id": row.event_id,
        "event": row.event,
        "state": row.state,
        "at": row.at.isoformat(),
        "next_at": _iso(row.next_at),
        "done_at": _iso(row.done_at),
        "body": bytes_of(body).decode(),
        "tries": row.tries,
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _told(session: Session, number: int) -> WebhookRow:
    row = store.get_hook(session, number, hold=True)
    if row is None:
        raise _unknown(number)
    if row.ended_at is not None:
        raise NoHookError(
            f"Webhook {number} has ended: {row.ended_why}.", "id", "Add the program anew."
        )
    return row


def _no_call(number: int) -> NoHookError:
    return NoHookError(f"There is no call {number}.", "id", "paperpost webhooks log ID")


def _unknown(number: int) -> NoHookError:
    return NoHookError(f"There is no webhook {number}.", "id", "paperpost webhooks list")


def _note(
    rt: Runtime,
    session: Session,
    what: str,
    row: WebhookRow,
    by: str,
    address: str,
    after: Mapping[str, Any] | None = None,
) -> None:
    write_audit(
        session, rt.clock(), who=by, what=what, target=f"webhook {row.id} {row.name}",
        after=after, address=address,
    )  # fmt: skip
