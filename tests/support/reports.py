"""Days on which mails go out and come back: what a relay took, and what is said of it later."""

import asyncio
from pathlib import Path
from typing import Any

from support.house import Clock, add, ingest_items, paper_item, rows

from service.defaults import DAYS
from service.flows.bounces import get_inbound
from service.flows.daily import plan_daily
from service.flows.inbound import Taken, take_read
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.reports.model import Kind, Read, Report, Traces
from service.store import consent as consent_store
from service.store.instance import set_setting
from service.store.report_lists import Filter, Found, list_found
from service.store.subscribers import get_subscriber_row
from service.store.tables import DeliveryRow, SubscriberRow

NOBODY = {"reason": "no_such_user", "status": "5.1.1", "code": 550, "words": "550 no such user"}
FULL = {"reason": "mailbox_full", "status": "4.2.2", "code": 452, "words": "mailbox is full"}
BLOCKED = {"reason": "reputation", "status": "5.7.1", "code": 550, "words": "you are listed"}

EVERY_DAY = ",".join(DAYS)


def mailed(rt: Runtime, folder: Path, *readers: str) -> dict[str, DeliveryRow]:
    """The mails of this day, by address, after the relay was asked to take them."""
    rt.db.write(lambda s: set_setting(s, "spread_minutes", "0"))
    for reader in readers:
        add(rt, reader, weekdays=EVERY_DAY)
    number = (rt.clock() - Clock().at).days + 1
    ingest_items(rt, folder, [paper_item(number, f"Attention {number}")], rt.clock().date())
    plan_daily(rt)
    asyncio.run(send_ready(rt))
    newest = max(row.edition_id for row in rows(rt, "digest"))
    return {row.rcpt or "": row for row in rows(rt, "digest") if row.edition_id == newest}


def next_day(rt: Runtime, folder: Path, *, days: float = 1) -> dict[str, DeliveryRow]:
    """The mails of a later day."""
    assert isinstance(rt.clock, Clock)
    rt.clock.go(days=days)
    return mailed(rt, folder)


def said_of(row: DeliveryRow | None, kind: Kind, **values: Any) -> Read:
    """A report about a mail by its return path. values: of ``Report`` and ``Read``."""
    traces = Traces(bounce_ids=(row.bounce_id,) if row is not None else ())
    mail = {"traces": traces, "form": "dsn", "sender": "", "is_sure": True}
    mail |= {name: values.pop(name) for name in mail if name in values}
    told = {"reason": "other", "recipient": (row.rcpt or "") if row is not None else "", **values}
    return Read(reports=(Report(kind=kind, **told),), **mail)


def report(
    rt: Runtime, row: DeliveryRow | None, kind: Kind, *, data: bytes = b"", **values: Any
) -> Taken:
    """Such a report comes in. data: its bytes, else some of its own for each kind and instant."""
    number = row.id if row is not None else 0
    data = data or f"Subject: {kind} of {number}\n\n{rt.clock()}\n".encode()
    return take_read(rt, data, said_of(row, kind, **values), way="pipe")


def reader(rt: Runtime, email: str) -> SubscriberRow:
    found = rt.db.read(lambda s: get_subscriber_row(s, email_key=email))
    assert found is not None
    return found


def bar(rt: Runtime, email: str) -> str:
    """Why an address is barred, "" = it is not."""
    hashed = consent_store.email_hash(rt.instance.key, email)
    row = rt.db.read(lambda s: consent_store.get_suppression(s, hashed))
    return row.reason if row is not None else ""


def found(rt: Runtime, **wanted: Any) -> list[Found]:
    """Reports as they are kept, newest first."""
    return rt.db.read(lambda s: list_found(s, Filter(**wanted), limit=None))


def whole(rt: Runtime, taken: Taken) -> dict[str, Any]:
    """A mail that came in, with its bytes."""
    return rt.db.read(lambda s: get_inbound(s, taken.id))
