"""Notices (confirm, manage link, report, ...): through the same ledger, sent first.

The web request only writes the row, so it takes the same time for everybody.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from service.delivery.states import State
from service.flows.planning import plan_row
from service.flows.runtime import Runtime
from service.store import editions as editions_store
from service.store.db import Session
from service.store.tables import DeliveryRow

ASKED = frozenset({"confirm", "already-subscribed", "manage-link", "address-change"})
"""Mails that strangers can ask for. A send that runs just then must not take them at once: the page
that is asked for next would be slower, and tell that this address gets mail."""


def add_notice(
    rt: Runtime,
    session: Session,
    kind: str,
    *,
    email: str,
    email_key: str,
    data: Mapping[str, Any],
    now: datetime,
    subscriber_id: int | None = None,
    locale: str = "en",
    not_before: datetime | None = None,
    key: str = "",
) -> DeliveryRow | None:
    """Write one notice, ready to go; the same ``key`` twice writes one. data: plain JSON values."""
    if kind in ASKED and rt.apart:
        not_before = max(not_before or now, now + rt.apart)
    edition, _ = editions_store.add_edition(
        session,
        kind="notice",
        slot=f"{kind}:{key or secrets.token_hex(8)}",
        now=now,
        planned=1,
    )
    return plan_row(
        rt,
        session,
        edition,
        recipient_key=email_key,
        rcpt=email,
        kind=kind,
        now=now,
        deadline=timedelta(hours=rt.defaults().notice_deadline_hours)
        + ((not_before - now) if not_before and not_before > now else timedelta()),
        state=State.READY,
        own={"notice": kind, "data": dict(data)},
        subscriber_id=subscriber_id,
        locale=locale,
        not_before=not_before,
    )
