"""Once a day: what has had its time goes, in bounded steps.

Never-confirmed readers are forgotten when their link has ended, those who left after some days
(only the keyed hash stays, so that no import revives them). Raw polls, attempts, contents of
digests, which papers came, stale matches, old sessions and ledgers go after the days of the
settings.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from service.defaults import FIXED
from service.flows import imported, rejoin
from service.flows.day_figures import BY_DOMAIN
from service.flows.import_erased import forget_erased
from service.flows.leave import erase_row
from service.flows.match import LOOK_BACK
from service.flows.once import KEPT
from service.flows.runtime import Runtime
from service.store import (
    alarms,
    answers,
    day_figures,
    hooks,
    keeping,
    mail_caps,
    reports,
    rests,
    routes,
    send_pace,
)
from service.store import matches as matches_store
from service.store import staff as staff_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.subscribers.cadence import local_date

STEP = 500
"""Rows in one transaction at most, so that a reader's click never waits long."""

_LAST = timedelta(minutes=30)
"""The end of a date, in which its addresses are forgotten; the clock comes by every ten minutes."""

STEPS = 2000
"""Steps of one kind in one run at most; the rest waits for tomorrow."""


@dataclass(kw_only=True)
class TidyReport:
    """removed: how many of each kind went · failed: kinds that could not be thrown away now, with
    the reason; they are tried again tomorrow."""

    removed: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.removed.values())


def tidy(rt: Runtime) -> TidyReport:
    """Throw away what is over; safe to run at any time, and again."""
    report = TidyReport(removed={**_forget_readers(rt)})
    forget_erased(rt)
    for name, step in _steps(rt).items():
        count = 0
        try:
            for _ in range(STEPS):
                done = rt.db.write(step, Priority.BULK)
                count += done
                if done < STEP:
                    break
        except Exception as error:  # what cannot go now keeps nothing else from going
            report.failed[name] = f"{type(error).__name__}: {error}"[:300]
            rt.log("tidy_failed", step=name, error=type(error).__name__)
        if count:
            report.removed[name] = count
    rt.db.empty_log()
    rt.log("tidy", **report.removed)
    return report


def forget_unconfirmed(rt: Runtime) -> int:
    """Forget those who never confirmed on the very date that their mail named, in its last half
    hour: until then their link can be asked for again by one press. Safe to run at any time."""
    now = rt.clock()
    day = local_date(now + _LAST, rt.zone)
    ended = [
        row.id
        for row in rt.db.read(lambda s: subscribers_store.list_expired_pending(s, now))
        if row.confirm_until is not None and local_date(row.confirm_until, rt.zone) < day
    ]
    gone = _forget_all(rt, "never_confirmed", ended)
    if gone:
        rt.log("forgotten", never_confirmed=gone)
    return gone


def _steps(rt: Runtime) -> dict[str, Callable[[Session], int]]:
    now, limits = rt.clock(), rt.defaults()

    def ago(days: int) -> timedelta:
        return timedelta(days=days)

    steps: dict[str, Callable[[Session], int]] = {
        "raw_polls": lambda s: keeping.delete_raw_polls(s, now - ago(limits.keep_raw_days), STEP),
        "attempts": lambda s: keeping.delete_attempts(s, now - ago(limits.keep_attempt_days), STEP),
        "inbound": lambda s: reports.clear_whole(s, now - ago(limits.keep_inbound_days), STEP),
        "reports": lambda s: reports.clear_words(s, now - ago(limits.keep_attempt_days), STEP),
        "contents": lambda s: keeping.clear_contents(s, now - ago(limits.keep_digest_days), STEP),
        "sent": lambda s: keeping.delete_sent(s, now - ago(limits.keep_sent_days), STEP),
        "sessions": lambda s: keeping.delete_sessions(
            s,
            idle_before=now - timedelta(hours=limits.session_idle_hours),
            made_before=now - ago(limits.session_days),
            limit=STEP,
        ),
        "processes": lambda s: keeping.delete_ended_processes(
            s, now - ago(FIXED.keep_process_days), STEP
        ),
        "source_days": lambda s: keeping.delete_source_days(
            s, (now - ago(FIXED.keep_watch_days)).date(), STEP
        ),
        "votes": lambda s: keeping.delete_votes(s, now - ago(FIXED.keep_votes_days), STEP),
        "drafts": lambda s: keeping.delete_drafts(s, now - ago(FIXED.keep_draft_days), STEP),
        "carried": lambda s: keeping.delete_carried(s, now - ago(LOOK_BACK), STEP),
        "send_counts": lambda s: send_pace.forget_quiet(s, now),
        "rests": lambda s: rests.forget_closed(s, now - ago(FIXED.keep_route_days), STEP),
        "alarms": lambda s: alarms.forget_ended(s, now - ago(limits.keep_attempt_days), STEP),
        "routes": lambda s: routes.forget_routes(s, now - ago(FIXED.keep_route_days)),
        "mail_caps": lambda s: mail_caps.delete_ended(s, now, STEP),
        "requests": lambda s: keeping.clear_requests(s, now - ago(limits.confirm_days), STEP),
        "consents": lambda s: keeping.delete_consents(s, now - ago(FIXED.keep_consent_days), STEP),
        "webhook_calls": lambda s: hooks.delete_calls(s, now - ago(FIXED.keep_call_days), STEP),
        "answers": lambda s: answers.delete_answers(s, now - KEPT, STEP),
        "domain_figures": lambda s: day_figures.forget_days(
            s, (now - ago(FIXED.keep_domain_days)).date(), BY_DOMAIN, 1
        ),
        "login_tries": lambda s: staff_store.forget_tries(s, now, STEP),
        "imports": lambda s: imported.forget(rt, s),
        "audit": lambda s: keeping.delete_audit(s, now - ago(limits.keep_audit_days), STEP),
    }
    newest = rt.db.read(matches_store.newest_eligible)
    if newest is not None:  # counted from the newest paper, as matching does: replays keep theirs
        stale = min(newest, now) - ago(LOOK_BACK)
        steps["matches"] = lambda s: keeping.delete_stale_matches(s, stale, STEP)
    return steps


def _forget_readers(rt: Runtime) -> dict[str, int]:
    now = rt.clock()
    before = now - timedelta(days=rt.defaults().keep_left_days)
    ended = [
        ("never_confirmed", [r.id for r in rt.db.read(
            lambda s: subscribers_store.list_expired_pending(s, now))]),
        ("left", [r.id for r in rt.db.read(
            lambda s: subscribers_store.list_left_before(s, before))]),
    ]  # fmt: skip
    counts = {name: _forget_all(rt, name, ids) for name, ids in ended}
    return {name: count for name, count in counts.items() if count}


def _forget_all(rt: Runtime, name: str, ids: Sequence[int | None]) -> int:
    """Forget readers one by one, so that nobody's click waits long; how many went."""
    return sum(
        rt.db.write(lambda s, i=i: _forget(rt, s, i, name), Priority.BULK)  # type: ignore[misc]
        for i in ids
        if i is not None
    )


def _forget(rt: Runtime, session: Session, reader_id: int, name: str) -> bool:
    """Erase one reader, unless they confirmed or came back meanwhile."""
    row = subscribers_store.get_subscriber_row(session, id=reader_id)
    if row is None or row.state not in ("pending", "left"):
        return False
    still_over = row.confirm_until is not None and row.confirm_until < rt.clock()
    if row.state == "pending" and not still_over:
        return False
    asked_since = rt.clock() - timedelta(days=rt.defaults().confirm_days)
    if row.state == "left" and rejoin.is_awaited(session, row, asked_since):
        return False
    erase_row(rt, session, row, by=f"tidy: {name}")
    return True
