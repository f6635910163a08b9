"""Other programs are told of events (webhooks out): what there is to tell, and the telling.

A call is a row, written in the transaction of its cause: none is lost by a crash, and none is made
for what did not happen. ``hook_calls`` makes the calls.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from service.store import hooks as store
from service.store.db import Session
from service.store.desk_tables import WebhookCallRow, WebhookRow
from service.store.tables import SubscriberRow

EVENTS: Mapping[str, str] = {
    "edition.done": "an edition is over and its balance taken",
    "reader.joined": "somebody is mailed from now on: confirmed, added, or come back",
    "reader.left": "somebody left, or was erased",
    "bounce.received": "a report about a mail of ours came in",
    "source.late": "a source's batch is due and not there",
    "source.back": "a late batch came",
    "alarm.raised": "something is wrong",
    "alarm.over": "it is over",
}

TEST = "webhook.test"
"""Told by hand alone, to one program."""


def tell(
    session: Session, now: datetime, event: str, data: Mapping[str, Any], *, email: str = ""
) -> None:
    """Tell whoever is to know, in the transaction of the cause. data: plain values, no address;
    email: a reader's, for the programs that are told addresses."""
    rows = store.hooks_of(session, event)
    if not rows:
        return
    event_id = new_id()
    for row in rows:
        session.add(call_of(row, event, event_id, now, data, email))


def tell_reader(session: Session, now: datetime, event: str, row: SubscriberRow, how: str) -> None:
    """The same about one reader. how: confirmed added returned, left erased."""
    tell(session, now, event, {"reader": row.id, "how": how}, email=row.email)


def new_id() -> str:
    """What an event is called at each try, to all who are told of it."""
    return f"evt_{uuid.uuid4().hex}"


def call_of(
    hook: WebhookRow,
    event: str,
    event_id: str,
    now: datetime,
    data: Mapping[str, Any],
    email: str = "",
) -> WebhookCallRow:
    """A call that waits to be made."""
    assert hook.id is not None
    told = {**data, "email": email} if email and hook.tells_address else dict(data)
    return WebhookCallRow(
        webhook_id=hook.id,
        event_id=event_id,
        event=event,
        body={"type": event, "timestamp": now.isoformat(), "data": told},
        at=now,
        next_at=now,
    )
