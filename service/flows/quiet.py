"""The quiet mail: once in a reader's life, after days without a mail, why nothing came.

It says what was checked, what each word brings alone, and offers wider words. The row in the
ledger is what remembers that it was sent; there is never a second one.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from service.delivery.states import State
from service.digest.model import Asks
from service.errors import PaperpostError
from service.flows.estimate import estimate
from service.flows.freeze import framed
from service.flows.live import query_of
from service.flows.planning import plan_row
from service.flows.runtime import Runtime
from service.matching.backtest import Estimate
from service.matching.counting import Asked
from service.matching.query import has_words
from service.store import editions as editions_store
from service.store import papers as papers_store
from service.store import quiet as quiet_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.tables import SubscriberRow
from service.subscribers.options import read_options

EMPTY_ROWS = 2
"""Digests that held nothing, at least: one empty week of a weekly reader says little."""

MOST = 200
"""Quiet mails in one run; the rest follows with the next."""

DAYS, WORDS, WIDER = 30, 12, 2
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
    asks: Asks = "interests"
    wider: list[tuple[str, int, int]] = []
    for profile in rt.db.read(lambda s: subscribers_store.list_profile_rows(s, reader_id)):
        if profile.paused:
            continue
        query = query_of(profile.kind, profile.text, profile.compiled, profile.options)
        if query is None:
            continue
        if has_words(query):
            asks = "words"
        own = read_options(profile.options).own
        made = estimate(rt, Asked(query, profile.threshold, own), DAYS).estimate
        words |= made.per_term
        wider += [(text, papers, profile.id or 0) for text, papers in _wider(made)]
    return {
        "days": (now - begun).days,
        "checked": checked,
        "asks": asks,
        "words": sorted(words.items(), key=lambda w: -w[1])[:WORDS],
        "widenings": wider[:WIDER],
    }


def _wider(made: Estimate) -> Iterator[tuple[str, int]]:
    """Wider words for an interest that brought nothing lately, and how many papers a month they
    would bring: words that say less, then other forms of its words."""
    if made.warning == "broad":
        return
    weekdays = max(1, sum(1 for day in made.per_day if day.weekday() < 5))
    found = [(s.text, s.per_day) for s in made.suggestions]
    found += [(e.text, (made.total + e.brings) / weekdays) for e in made.expansions]
    for text, per_day in dict(found).items():
        if per_day > made.mean_per_weekday and (papers := round(per_day * WEEKDAYS_A_MONTH)):
            yield text, papers


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
        own=framed({"notice": "quiet", "data": data, "papers": []}, row),
        subscriber_id=row.id,
        locale=row.locale,
    )
    return made is not None
