"""Calls to other programs: signed, made, tried again, given up. Signed by Standard Webhooks 1.0:
``webhook-id``, ``webhook-timestamp`` and ``webhook-signature`` (v1, HMAC-SHA256).

A call is made at least once: where the process dies between the call and its record it is made
again, with the same ``webhook-id``.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from service.flows.alarms import Alarm, raise_alarm
from service.flows.runtime import Runtime
from service.sources.post import Posted, Poster
from service.store import hooks as store
from service.store.db import Priority, Session
from service.store.desk_tables import WebhookCallRow, WebhookRow

STEPS = tuple(
    timedelta(seconds=s)
    for s in (5, 300, 1800, 7200, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 20 * 3600)
)
"""How long to wait after each try that failed; together three days."""

ENDED_AFTER = timedelta(days=5)
"""A program that took nothing for so long is told no more."""

LEASE = timedelta(minutes=2)
"""A call that a process took and did not record is made again after this."""

ALARM = "webhook"
GONE = 410
_AT_ONCE, _EACH, _MOST = 8, 10, 50


@dataclass(kw_only=True)
class CallReport:
    """calls: how many were made · done, failed: of them taken, given up."""

    calls: int = 0
    done: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class _Call:
    id: int
    url: str
    body: bytes
    headers: Mapping[str, str]


def signature(secret: str, event_id: str, at: int, body: bytes) -> str:
    """One signature as it stands in ``webhook-signature``. secret: ``whsec_`` and base64."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{event_id}.{at}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def bytes_of(body: Mapping[str, Any]) -> bytes:
    """A call's body as it is sent and signed, the same at each try."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


async def call_due(rt: Runtime) -> CallReport:
    """Make the calls that are due, a few at once, until none is."""
    report = CallReport()
    while await rt.db.aread(lambda s: store.has_due(s, rt.clock())):
        taken = await rt.db.awrite(lambda s: _claim(rt, s), Priority.BULK)
        if not taken:
            break
        places = asyncio.Semaphore(_AT_ONCE)
        async with rt.open_poster() as poster:
            ends = await asyncio.gather(*(_make(rt, poster, places, one) for one in taken))
        report.calls += len(ends)
        report.done += ends.count("done")
        report.failed += ends.count("failed")
    return report


def _claim(rt: Runtime, session: Session) -> list[_Call]:
    now = rt.clock()
    rows = store.claim_due(session, now, now + LEASE, limit=_MOST, each=_EACH)
    hooks = {row.id: row for row in store.list_hooks(session)}
    return [_call_of(row, hooks[row.webhook_id], now) for row in rows]


def _call_of(row: WebhookCallRow, hook: WebhookRow, now: datetime) -> _Call:
    body, at = bytes_of(row.body), int(now.timestamp())
    secrets = [hook.secret]
    if hook.old_secret and hook.old_until is not None and hook.old_until > now:
        secrets.append(hook.old_secret)
    headers = {
        "content-type": "application/json",
        "webhook-id": row.event_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(signature(s, row.event_id, at, body) for s in secrets),
    }
    return _Call(row.id or 0, hook.url, body, headers)


async def _make(rt: Runtime, poster: Poster, places: asyncio.Semaphore, call: _Call) -> str:
    async with places:
        begun = time.monotonic()
        said = await poster.post(call.url, call.body, call.headers)
        ms = round((time.monotonic() - begun) * 1000)
    return await rt.db.awrite(lambda s: _record(rt, s, call.id, said, ms), Priority.BULK)


def _record(rt: Runtime, session: Session, number: int, said: Posted, ms: int) -> str:
    """Write a try down; the call's state."""
    row = store.get_call(session, number, hold=True)
    hook = store.get_hook(session, row.webhook_id, hold=True) if row is not None else None
    if row is None or hook is None or row.state != "waiting":
        return "" if row is None else row.state
    now = rt.clock()
    one = {"at": now.isoformat(), "code": said.status, "words": said.words, "ms": ms}
    row.tries = [*row.tries, one]
    if 200 <= said.status < 300:
        row.state, row.next_at, row.done_at = "done", None, now
        hook.failures, hook.failing_since = 0, None
    else:
        _failed(row, said, now)
        hook.failures += 1
        hook.failing_since = hook.failing_since or now
    session.add(row)
    session.add(hook)
    session.flush()
    if said.status == GONE:
        end_hook(session, hook, "the program answered 410: it wants no more calls", now)
    elif hook.failing_since is not None and now - hook.failing_since >= ENDED_AFTER:
        days = (now - hook.failing_since).days
        end_hook(session, hook, f"{hook.failures} tries failed in {days} days", now)
        _tell(rt, session, hook)
    return "failed" if hook.ended_at is not None and row.state == "waiting" else row.state


def _failed(row: WebhookCallRow, said: Posted, now: datetime) -> None:
    """Tried again later, or given up."""
    made = tries_since(row)
    if made > len(STEPS) or said.status == GONE:
        row.state, row.next_at, row.done_at = "failed", None, now
        return
    wait = STEPS[made - 1] * random.uniform(1.0, 1.1)  # nosec B311: only apart from others
    if said.retry_after is not None:
        wait = max(wait, timedelta(seconds=said.retry_after))
    row.next_at = now + wait


def tries_since(row: WebhookCallRow) -> int:
    """Tries since the event, or since somebody asked for it once more."""
    count = 0
    for one in row.tries:
        count = 0 if one.get("again") else count + 1
    return count


def end_hook(session: Session, hook: WebhookRow, why: str, now: datetime) -> None:
    """A program is told no more; what waits for it is over."""
    hook.ended_at, hook.ended_why = now, why
    session.add(hook)
    store.fail_waiting(session, hook.id or 0, now)
    session.info.pop("hooks", None)


def _tell(rt: Runtime, session: Session, hook: WebhookRow) -> None:
    raise_alarm(
        rt,
        session,
        Alarm(
            kind=ALARM,
            key=str(hook.id),
            what=f"The program {hook.name} is told of events no more: {hook.ended_why}.",
            place="webhooks",
            next_step=f"See what it answered: paperpost webhooks log {hook.id}; then add it anew.",
        ),
    )
