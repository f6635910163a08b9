"""Mails that come in: whose they are, and what follows from them, once."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from support.house import Clock, add, ingest_items, paper_item, rows

from service.flows.daily import plan_daily
from service.flows.inbound import Taken, take_read
from service.flows.runtime import Runtime
from service.flows.send import send_ready
from service.reports.model import Kind, Read, Report, Traces
from service.store import consent as consent_store
from service.store.instance import set_setting
from service.store.subscribers import get_subscriber_row
from service.store.tables import DeliveryRow, SubscriberRow

NOBODY = {"reason": "no_such_user", "status": "5.1.1", "code": 550, "words": "550 no such user"}
FULL = {"reason": "mailbox_full", "status": "4.2.2", "code": 452, "words": "mailbox is full"}


def mailed(rt: Runtime, folder: Path, *readers: str, paper: int = 1) -> list[DeliveryRow]:
    """The day's mails, accepted by the relay."""
    rt.db.write(lambda s: set_setting(s, "spread_minutes", "0"))
    for reader in readers:
        add(rt, reader)
    ingest_items(rt, folder, [paper_item(paper, f"Sparse attention {paper}")], rt.clock().date())
    plan_daily(rt)
    asyncio.run(send_ready(rt))
    newest = max(row.edition_id for row in rows(rt, "digest"))
    return [row for row in rows(rt, "digest") if row.edition_id == newest]


def report(rt: Runtime, row: DeliveryRow | None, kind: Kind, **values) -> Taken:
    """Tell of a mail by its return path; ``traces`` and ``data`` instead where they are given."""
    traces = values.pop("traces", None)
    if traces is None:
        traces = Traces(bounce_ids=(row.bounce_id,) if row is not None else ())
    data = values.pop("data", b"")
    is_sure = values.pop("is_sure", True)
    said = {"reason": "other", "recipient": (row.rcpt or "") if row is not None else "", **values}
    read = Read(reports=(Report(kind=kind, **said),), traces=traces, form="dsn", is_sure=is_sure)
    data = data or f"Subject: {kind} {row.id if row else 0} {rt.clock()}\n".encode()
    return take_read(rt, data, read, way="pipe")


def reader(rt: Runtime, email: str) -> SubscriberRow:
    found = rt.db.read(lambda s: get_subscriber_row(s, email_key=email))
    assert found is not None
    return found


def bar(rt: Runtime, email: str) -> str:
    hashed = consent_store.email_hash(rt.instance.key, email)
    row = rt.db.read(lambda s: consent_store.get_suppression(s, hashed))
    return row.reason if row is not None else ""


def test_nobody_there_bars_the_address_with_the_words(rt, tmp_path):
    (row,) = mailed(rt, tmp_path, "ada@lab.example")
    taken = report(rt, row, Kind.HARD, **NOBODY)
    assert (taken.state, taken.said, taken.is_new) == ("done", ("suppressed",), True)
    assert reader(rt, "ada@lab.example").state == "bounced"
    assert bar(rt, "ada@lab.example") == "hard"
