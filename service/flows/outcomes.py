"""What came of one try is written down: the row, the try with the server's words, the person.

An answer and the papers of its mail are one unit of work, under the fence of the lease.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from service.defaults import Defaults
from service.delivery.outcome import Accepted, Broken, Outcome, Refused, Reply, Stopped
from service.delivery.relay_log import queued_as
from service.delivery.retry import Verdict, doubted, judge
from service.delivery.states import State
from service.flows.alerts import quiet_of
from service.flows.breakers import Counted, Told, listen
from service.flows.contents import Kept
from service.flows.deferred import words_of
from service.flows.doubt import is_doubtful
from service.flows.quarantine import hide, left_of
from service.flows.runtime import Runtime
from service.store import consent as consent_store
from service.store import deliveries as deliveries_store
from service.store import editions as editions_store
from service.store import leases as leases_store
from service.store import subscribers as subscribers_store
from service.store.db import Session
from service.store.sent import TESTED
from service.store.tables import DeliveryRow, EditionRow, SubscriberRow
from service.subscribers.cadence import after_quiet


@dataclass(kw_only=True)
class SendReport:
    """What became of the rows of this run; ``deferred`` are left for later, ``held`` are unknown
    or presumed (nobody can say whether the relay took them). told: what the breakers are to hear;
    empty in the report of a run."""

    accepted: int = 0
    deferred: int = 0
    failed: int = 0
    held: int = 0
    stopped: int = 0
    expired: int = 0
    editions: set[int] = field(default_factory=set)
    said: Counter[str] = field(default_factory=Counter)
    told: list[Told] = field(default_factory=list)

    def add(self, one: "SendReport") -> None:
        """Count what became of one row in."""
        self.accepted += one.accepted
        self.deferred += one.deferred
        self.failed += one.failed
        self.held += one.held
        self.stopped += one.stopped
        self.expired += one.expired
        self.said += one.said

    @property
    def tried(self) -> int:
        return self.accepted + self.deferred + self.failed + self.held + self.stopped


@dataclass(frozen=True, slots=True)
class Job:
    """One claimed mail. kept: its content, where others may have the same."""

    row: DeliveryRow
    edition: EditionRow
    reader: SubscriberRow | None
    hashed: str
    kept: Kept | None = None


def awake(at: datetime, reader: SubscriberRow, limits: Defaults) -> datetime:
    """``at``, or the end of the quiet hours it lies in; a zone that cannot be read has none."""
    try:
        return after_quiet(at, reader.zone, *quiet_of(reader, limits))
    except (ValueError, KeyError, OSError):
        return at


_HELD = frozenset({State.LEASED, State.SENDING, State.UNKNOWN})
_PROVEN = _HELD | {State.PRESUMED}
"""The relay's own word is proof, also when nobody waited for it any more."""


def _is_held(session: Session, row: DeliveryRow, states: frozenset[State] = _HELD) -> bool:
    """Whether the outcome of this lease is still to be written."""
    now = deliveries_store.read_again(session, row.id or 0)
    return now is not None and now[1] == row.fence and now[0] in states


def record(
    rt: Runtime, session: Session, job: Job, outcome: Outcome, limits: Defaults
) -> SendReport:
    row, now = job.row, rt.clock()
    assert row.id is not None
    if not _is_held(session, row, _PROVEN if isinstance(outcome, Accepted) else _HELD):
        return SendReport()
    if isinstance(outcome, Stopped):
        _stop(session, job, now)
        return SendReport(stopped=1)
    n = max(1, row.attempts)
    if isinstance(outcome, Refused) and row.rcpt and deliveries_store.is_forgotten(session, row.id):
        # erased while it was on the wire: there is nobody to try again, and words name the address
        _attempt(session, row.id, n, replace(outcome, reply=replace(outcome.reply, text="")), now)
        leases_store.mark_outcome(session, row, State.FAILED, now, reason="erased")
        return SendReport(failed=1)
    deadline = row.deadline_at or now + timedelta(hours=limits.notice_deadline_hours)
    verdict = judge(outcome, n, now, deadline, random.random(), limits)  # nosec B311
    if (
        verdict.suppresses
        and job.reader is not None
        and not rt.test_recipient
        and is_doubtful(session, row, now, limits)
    ):
        verdict = doubted(verdict, n, now, deadline, random.random(), limits)  # nosec B311
    if verdict.until is not None and job.edition.kind == "alert" and job.reader is not None:
        verdict = replace(verdict, until=awake(verdict.until, job.reader, limits))
    _attempt(session, row.id, n, outcome, now)
    report = _apply(session, row, verdict, now, accepted=TESTED if rt.test_recipient else "")
    if verdict.kind != "accepted":
        of = "notices" if job.edition.kind == "notice" else str(row.edition_id)
        report.told.append(Told(of, row.domain, verdict, row.kind == "alarm"))
    # in test mode the refused mailbox is the operator's own, and a pending request just ends
    if verdict.suppresses and job.reader is not None and not rt.test_recipient:
        consent_store.add_suppression(
            session,
            job.hashed,
            "hard",
            now,
            f"{verdict.code} {verdict.enhanced} {verdict.text}"[:300],
        )
        if job.reader.email_key == row.recipient_key:  # not an address they had, or asked to have
            subscribers_store.set_state(session, job.reader.id or 0, "bounced", only="active")
    return report


def hear(
    rt: Runtime,
    session: Session,
    accepted: Sequence[DeliveryRow],
    report: SendReport,
    limits: Defaults,
) -> Counted:
    """Let the breakers hear what came of some mails: those that were accepted, and all others from
    ``report.told``. After the commit: ``keep_heard``."""
    return listen(rt, session, accepted, report.told, limits)


def keep_heard(rt: Runtime, heard: Counted) -> None:
    """What was heard is committed."""
    rt.tally.unheard -= heard.told
    rt.tally.keep(heard.good, heard.written, heard.rests)


def _apply(
    session: Session,
    row: DeliveryRow,
    verdict: Verdict,
    now: datetime,
    *,
    accepted: str,
) -> SendReport:
    """Write the verdict on the row. accepted: the reason of an accepted mail."""
    report = SendReport()
    words = {
        "code": verdict.code or None,
        "enhanced": verdict.enhanced,
        "meaning": str(verdict.meaning or ""),
    }
    match verdict.kind:
        case "accepted":
            if leases_store.mark_outcome(
                session, row, State.ACCEPTED, now, reason=accepted, **words
            ):
                report.accepted += 1
        case "deferred":
            leases_store.mark_outcome(
                session,
                row,
                State.DEFERRED,
                now,
                not_before=verdict.until,
                reason=verdict.text[:500],
                **words,
            )
            report.deferred += 1
            report.said[words_of(verdict.code, verdict.text)] += 1
        case "expired":
            if leases_store.mark_expired(session, row, now, verdict.text[:500], **words):
                report.expired += 1
        case "failed":
            reason = f"{verdict.meaning}: {verdict.text}"[:500]
            leases_store.mark_outcome(session, row, State.FAILED, now, reason=reason, **words)
            report.failed += 1
        case "unknown":
            leases_store.mark_outcome(
                session, row, State.UNKNOWN, now, reason=verdict.text[:500], **words
            )
            report.held += 1
    return report


def _attempt(session: Session, delivery_id: int, n: int, outcome: Outcome, now: datetime) -> None:
    phase, reply, relay_id = "reply", Reply(0), ""
    if isinstance(outcome, Accepted):
        reply = outcome.reply
        relay_id = queued_as(reply.text)
    elif isinstance(outcome, Refused):
        phase, reply = outcome.phase, outcome.reply
    elif isinstance(outcome, Broken):
        phase, reply = outcome.phase, Reply(0, "", outcome.text)
    deliveries_store.add_attempt(
        session,
        delivery_id=delivery_id,
        n=n,
        phase=phase,
        at=now,
        code=reply.code,
        enhanced=reply.enhanced,
        text=reply.text,
        relay_id=relay_id,
    )


def _stop(session: Session, job: Job, now: datetime) -> None:
    """The mark was refused: say why on the row, or give it back."""
    row = job.row
    edition = editions_store.get_edition(session, id=row.edition_id)
    if edition is not None and edition.state == "cancelled":
        leases_store.mark_outcome(session, row, State.CANCELLED, now, reason="cancelled")
        return
    reader = (
        subscribers_store.get_subscriber_row(session, id=row.subscriber_id)
        if row.subscriber_id is not None
        else None
    )
    bar = consent_store.get_suppression(session, job.hashed)
    is_notice = edition is not None and edition.kind == "notice"
    state = "active" if is_notice else reader.state if reader is not None else "erased"
    if bar is not None and is_notice and consent_store.lets_pass(bar.reason, row.kind):
        bar = None
    if state == "active" and bar is None:  # paused, or the lease was lost: nothing is wrong with it
        tries = max(0, row.attempts - 1)  # this one was none
        leases_store.mark_outcome(session, row, State.READY, now, attempts=tries)
        return
    reason = state if state != "active" else "suppressed"
    leases_store.mark_outcome(session, row, State.SUPPRESSED, now, reason=reason)


def quarantine(
    session: Session,
    row: DeliveryRow,
    now: datetime,
    text: str,
    broken: Mapping[int, str],
    content: Mapping[str, Any],
) -> SendReport:
    """A mail that cannot be rendered harms one delivery, not the edition; where papers of it are to
    blame they are hidden, and it goes out without them. content: what the row holds."""
    if not _is_held(session, row):
        return SendReport()
    hide(session, broken, now)
    is_first = not row.body_sha  # what was tried before keeps its bytes
    if broken and is_first and (left := left_of(content, broken)):
        leases_store.mark_outcome(session, row, State.READY, now, content=left)
        return SendReport()
    leases_store.mark_outcome(session, row, State.FAILED, now, reason=text, meaning="content")
    deliveries_store.add_attempt(
        session, delivery_id=row.id or 0, n=row.attempts, phase="render", at=now, text=text
    )
    return SendReport(failed=1)
