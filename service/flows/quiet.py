"""The quiet mail: once in a reader's life, after days without a mail, why nothing came.

It says what was checked, what each word brings alone, and offers wider words. The row in the
ledger is what remembers that it was sent; there is never a second one.
"""

from datetime import datetime, timedelta
from typing import Any

from service.delivery.states import State
from service.errors import PaperpostError
from service.flows.estimate import estimate
from service.flows.freeze import framed
from service.flows.live import query_of
from service.flows.planning import plan_row
from service.flows.runtime import Runtime
from service.matching.counting import Asked
from service.store import editions as editions_store
from service.store import papers as papers_store
from service.store import quiet as quiet_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.tables import SubscriberRow

EMPTY_ROWS = 2
"""Digests that held nothing, at least: one empty week of a weekly reader says little."""

MOST = 200
"""Quiet mails in one run; the rest follows with the next."""

WORDS, WIDER = 12, 2
WEEKDAYS_A_MONTH = 22


def plan_quiet(rt: Runtime) -> int:
    """Write the quiet mail of everybody who is due one; returns how many."""
    limits, now = rt.defaults(), rt.clock()
    if not limits.quiet_days:
        return 0
    since = now - timedelta(days=limits.quiet_days)
    rows = rt.db.read(lambda s: quiet_store.list_quiet_readers(s, since, EMPTY_ROWS, MOST))
    planned = 0
    for row in rows:
        try:
            data = _tell(rt, row, now)
        except (PaperpostError, ValueError, KeyError) as error:
            rt.log("quiet_failed", reader=row.id, error=f"{type(error).__name__}: {error}"[:200])
            continue
        if data is not None:
            planned += rt.db.write(lambda s, r=row, d=data: _plan(rt, s, r, d, now), Priority.MAIL)  # type: ignore[misc]
    if planned:
        rt.log("quiet", planned=planned)
        rt.engine.enqueue("send")
    return planned


def _tell(rt: Runtime, row: SubscriberRow, now: datetime) -> dict[str, Any] | None:
    """What the mail says; None when nothing was checked at all (then the silence is ours)."""
    assert row.id is not None
    reader_id = row.id
    last = rt.db.read(lambda s: quiet_store.last_mail_at(s, reader_id))
    begun = last or row.confirmed_at or row.created_at
    checked = rt.db.read(lambda s: papers_store.count_new(s, begun, now))
    if not checked:
        return None
    words: dict[str, int] = {}
    wider: list[tuple[str, int, int]] = []
    for profile in rt.db.read(lambda s: subscribers_store.list_profile_rows(s, reader_id)):
        if profile.paused:
            continue
        query = query_of(profile.kind, profile.text, profile.compiled, profile.options)
        if query is None:
            continue
        made = estimate(rt, Asked(query), 30).estimate
        words |= made.per_term
        wider += [
            (s.text, round(s.per_day * WEEKDAYS_A_MONTH), profile.id or 0)
            for s in made.suggestions
            if made.warning == "none" and round(s.per_day * WEEKDAYS_A_MONTH) > 0
        ]
    return {
        "days": (now - begun).days,
        "checked": checked,
        "words": sorted(words.items(), key=lambda w: -w[1])[:WORDS],
        "widenings": wider[:WIDER],
    }


def _plan(
    rt: Runtime, session: Session, row: SubscriberRow, data: dict[str, Any], now: datetime
) -> bool:
    deadline = timedelta(hours=rt.defaults().digest_deadline_hours)
    edition, _ = editions_store.add_edition(
        session,
        kind=quiet_store.KIND,
        slot=now.date().isoformat(),
        now=now,
        closes_at=now + timedelta(days=1) + deadline,
        created_by="clock",
    )
    made = plan_row(
        rt,
        session,
        edition,
        recipient_key=row.email_key,
        rcpt=row.email,
        kind=quiet_store.KIND,
        now=now,
        deadline=deadline,
        state=State.READY,
        content=framed({"notice": "quiet", "data": data, "papers": []}, row),
        subscriber_id=row.id,
        locale=row.locale,
    )
    return made is not None
