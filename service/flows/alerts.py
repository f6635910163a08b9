"""Alerts: an interest with cadence instant is mailed soon after the poll that brought the paper.

At most one mail per reader in 15 minutes, none in quiet hours, at most four a day; what is left
rides in the digest. Same ledger, same ``sent_paper``.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from service.defaults import Defaults
from service.delivery.states import State
from service.digest.model import Digest
from service.errors import PaperpostError
from service.flows.compose import TURNS, digest_for
from service.flows.epoch import need, standing
from service.flows.freeze import content_of, may_freeze
from service.flows.match import match_new
from service.flows.planning import plan_row
from service.flows.runtime import Runtime
from service.flows.score import is_resting
from service.flows.shelf import load_shelf
from service.store import alerts as alerts_store
from service.store import contents as contents_store
from service.store import editions as editions_store
from service.store import sent as sent_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.missed_rows import RESTED
from service.store.tables import SubscriberRow
from service.subscribers.cadence import awake_until, is_quiet, local_date, quiet_hours


@dataclass(kw_only=True)
class AlertReport:
    """planned: alerts ready to go · waiting: readers with papers who must wait, per reason."""

    editions: list[int] = field(default_factory=list)
    planned: int = 0
    waiting: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Asked:
    """on: the date meant, None for today · forced: a person's send · by: who asked."""

    on: date | None
    forced: bool
    by: str


def quiet_of(row: SubscriberRow, limits: Defaults) -> tuple[int, int]:
    """The hours [from, until) of the reader's clock in which no alert begins."""
    usual = (limits.alert_quiet_from, limits.alert_quiet_until)
    return quiet_hours(row.quiet_from, row.quiet_until, usual)


def quarter(now: datetime) -> str:
    """The slot of an alert edition: its UTC quarter hour."""
    at = now.astimezone(UTC)
    return at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0).isoformat()


def plan_alerts(
    rt: Runtime,
    *,
    on: date | None = None,
    email_key: str | None = None,
    forced: bool = False,
    created_by: str = "clock",
) -> AlertReport:
    """Compose the alerts that may go now. ``forced``: a person's send, quiet hours do not count.

    Nothing from a database that must not send (``epoch``); a person's send raises InstanceHeld.
    """
    if forced:
        need(rt)
    elif standing(rt).held:
        return AlertReport()
    rt.read_templates()
    match_new(rt)
    report = AlertReport()
    asked = _Asked(on, forced, created_by)
    limits = rt.defaults()
    for row in rt.db.read(alerts_store.list_instant_readers):
        if email_key is not None and row.email_key != email_key:
            continue
        try:
            _alert(rt, limits, row, asked, report)
        except (PaperpostError, ValueError, KeyError, OSError, RecursionError) as error:
            # a clock that cannot be read, or a paper that cannot be shown, harms nobody else
            rt.log("alert_failed", reader=row.id, error=f"{type(error).__name__}: {error}"[:200])
    if report.planned:
        rt.log("alerts", planned=report.planned)
        rt.engine.enqueue("send")
    return report


def _alert(
    rt: Runtime,
    limits: Defaults,
    row: SubscriberRow,
    asked: _Asked,
    report: AlertReport,
) -> None:
    for _ in range(TURNS):
        digest = rt.db.read(lambda s: _decide(rt, s, limits, row, asked, report))
        if digest is None or rt.db.write(
            lambda s, d=digest: _plan_one(rt, s, limits, row, asked, d, report),  # type: ignore[misc]
            Priority.MAIL,
        ):
            return


def _wait_reason(
    session: Session, limits: Defaults, row: SubscriberRow, now: datetime, on: date, forced: bool
) -> str:
    if row.paused_until is not None and row.paused_until > on:
        return "paused"
    if is_resting(row, now):
        return RESTED
    if not forced and is_quiet(now, row.zone, *quiet_of(row, limits)):
        return "quiet"
    times = alerts_store.list_alert_times(session, row.id or 0)
    if not forced and alerts_store.has_open_alert(session, row.id or 0):
        return "bundled"
    if not forced and any(
        abs(now - at) < timedelta(minutes=limits.alert_bundle_minutes) for at in times
    ):
        return "bundled"
    today = local_date(now, row.zone)
    if sum(1 for at in times if local_date(at, row.zone) == today) >= limits.alerts_a_day:
        return "capped"
    return ""


def _decide(
    rt: Runtime,
    session: Session,
    limits: Defaults,
    row: SubscriberRow,
    asked: _Asked,
    report: AlertReport,
) -> Digest | None:
    now = rt.clock()
    assert row.id is not None
    local = asked.on or local_date(now, row.zone)
    reason = _wait_reason(session, limits, row, now, local, asked.forced)
    if reason:
        report.waiting[reason] = report.waiting.get(reason, 0) + 1
        return None
    on = asked.on or max(local, now.astimezone(UTC).date())
    shelf = load_shelf(rt, session, limits, [row.id], on)
    digest = digest_for(rt, session, shelf, subscribers_store.to_subscriber(row), on, "alert")
    if not isinstance(digest, Digest):
        return None
    if alerts_store.has_alert(session, quarter(now), row.email_key):
        report.waiting["bundled"] = report.waiting.get("bundled", 0) + 1
        return None
    return digest


def _plan_one(
    rt: Runtime,
    session: Session,
    limits: Defaults,
    row: SubscriberRow,
    asked: _Asked,
    digest: Digest,
    report: AlertReport,
) -> bool:
    """Write the alert, unless another process wrote one meanwhile. False: to be decided again,
    since a paper of it went into another mail."""
    now = rt.clock()
    local = asked.on or local_date(now, row.zone)
    assert row.id is not None
    sent_store.hold_readers(session, [row.id], wait=True)
    there = subscribers_store.list_subscriber_rows(session, ids=[row.id], state="active")
    if not there:  # left or erased meanwhile
        return True
    row = there[0]
    if _wait_reason(session, limits, row, now, local, asked.forced):
        return True
    assert row.id is not None
    if not may_freeze(session, {row.id: digest}, now):
        return False
    edition, _ = editions_store.add_edition(
        session,
        kind="alert",
        slot=quarter(now),
        now=now,
        closes_at=now + timedelta(minutes=15),
        created_by=asked.by,
    )
    ends = awake_until(
        now,
        limits.alert_deadline_hours,
        row.zone,
        *quiet_of(row, limits),
    )
    content = content_of(digest, row) | ({"forced": True} if asked.forced else {})
    (held,) = contents_store.put(session, [content])
    made = plan_row(
        rt,
        session,
        edition,
        recipient_key=row.email_key,
        rcpt=row.email,
        kind="alert",
        now=now,
        deadline=ends - now,
        state=State.READY,
        subscriber_id=row.id,
        locale=row.locale,
        **held,
    )
    if made is not None:
        report.planned += 1
        if edition.id not in report.editions and edition.id is not None:
            report.editions.append(edition.id)
    return True
