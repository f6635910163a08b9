"""Send what is ready: claim a chunk, mark each just before its body, record what came of it.

Order of commits (delivery.md): lease -> MAIL, RCPT -> write-ahead mark -> DATA, body, dot -> the
answer and the papers in one transaction. A row in ``sending`` is never sent again on a guess.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from service.defaults import Defaults
from service.delivery.outcome import Accepted, Broken, Envelope, Outcome, Refused, Reply, Stopped
from service.delivery.retry import Verdict, judge
from service.delivery.smtp import Mailer
from service.delivery.states import State
from service.errors import PaperpostError
from service.flows.letter import envelope_of, sha_of
from service.flows.runtime import Runtime
from service.flows.settle import settle_editions
from service.store import consent as consent_store
from service.store import deliveries as deliveries_store
from service.store import editions as editions_store
from service.store import leases as leases_store
from service.store import subscribers as subscribers_store
from service.store.db import Priority, Session
from service.store.processes import end_processes
from service.store.tables import DeliveryRow, EditionRow, SubscriberRow

DOUBT = timedelta(minutes=30)
"""A digest in unknown becomes presumed after this long without proof."""


@dataclass(kw_only=True)
class SendReport:
    """What became of the rows of this run; ``deferred`` are left for later, ``held`` are unknown
    or presumed (nobody can say whether the relay took them)."""

    accepted: int = 0
    deferred: int = 0
    failed: int = 0
    held: int = 0
    stopped: int = 0
    expired: int = 0
    editions: set[int] = field(default_factory=set)

    @property
    def tried(self) -> int:
        return self.accepted + self.deferred + self.failed + self.held + self.stopped


@dataclass(frozen=True, slots=True)
class _Job:
    row: DeliveryRow
    edition: EditionRow
    reader: SubscriberRow | None
    hashed: str


async def send_ready(
    rt: Runtime, edition_ids: Sequence[int] | None = None, *, mailer: Mailer | None = None
) -> SendReport:
    """Send everything whose time has come (of some editions, or of all); returns when none is left.

    The pool is closed at the end unless it was given.
    """
    report = SendReport()
    limits = rt.defaults()
    await asyncio.to_thread(sweep, rt, report)
    own = mailer is None
    pool = mailer or rt.open_mailer(limits)
    owner = await asyncio.to_thread(rt.owner)
    gate = asyncio.Semaphore(limits.smtp_connections)
    running: set[asyncio.Task[None]] = set()
    try:
        while True:
            jobs = await rt.db.awrite(
                lambda s: _claim(rt, s, owner.id, limits.smtp_connections * 2, edition_ids)
            )
            if not jobs:
                if not running:
                    break
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                continue
            for job in jobs:
                await gate.acquire()
                task = asyncio.create_task(_deliver(rt, pool, job, limits, report, owner.id))
                running.add(task)
                task.add_done_callback(lambda t: (running.discard(t), gate.release()))  # type: ignore[func-returns-value]
    finally:
        if running:
            await asyncio.gather(*running)
        if own:
            await pool.aclose()
    await asyncio.to_thread(settle_editions, rt)
    if report.tried:
        rt.log(
            "send",
            accepted=report.accepted,
            deferred=report.deferred,
            failed=report.failed,
            held=report.held,
            stopped=report.stopped,
        )
    return report


def _claim(
    rt: Runtime, session: Session, owner: int, limit: int, edition_ids: Sequence[int] | None
) -> list[_Job]:
    rows = leases_store.claim(
        session, owner=owner, now=rt.clock(), limit=limit, edition_ids=edition_ids
    )
    jobs = []
    for row in rows:
        edition = editions_store.get_edition(session, id=row.edition_id)
        assert edition is not None
        reader = (
            subscribers_store.get_subscriber_row(session, id=row.subscriber_id)
            if row.subscriber_id is not None
            else None
        )
        hashed = consent_store.email_hash(rt.instance.key, row.recipient_key)
        jobs.append(_Job(row, edition, reader, hashed))
    for job in jobs:
        for value in (job.row, job.edition, job.reader):
            if value is not None and value in session:
                session.expunge(value)
    return jobs


async def _deliver(
    rt: Runtime, pool: Mailer, job: _Job, limits: Defaults, report: SendReport, owner: int
) -> None:
    """One delivery from lease to recorded outcome."""
    row = job.row
    try:
        envelope: Envelope = await asyncio.to_thread(envelope_of, rt, row, job.edition, job.reader)
    except (PaperpostError, ValueError, KeyError, AssertionError, LookupError) as error:
        text = f"content: {type(error).__name__}: {error}"[:500]
        rt.log("render_failed", delivery=row.id, error=type(error).__name__)
        await rt.db.awrite(lambda s: _quarantine(rt, s, row, text, report))
        return
    sha = sha_of(envelope.message)

    async def mark() -> bool:
        return await rt.db.awrite(
            lambda s: leases_store.mark_sending(
                s,
                delivery_id=row.id or 0,
                fence=row.fence,
                owner=owner,
                hashed=job.hashed,
                now=rt.clock(),
                sha=sha,
            )
        )

    outcome = await pool.deliver(envelope, mark)
    await rt.db.awrite(lambda s: _record(rt, s, job, outcome, limits, report))


def _record(
    rt: Runtime, session: Session, job: _Job, outcome: Outcome, limits: Defaults, report: SendReport
) -> None:
    row, now = job.row, rt.clock()
    assert row.id is not None
    if isinstance(outcome, Stopped):
        report.stopped += 1
        _stop(rt, session, job, now)
        return
    deadline = row.deadline_at or now + timedelta(hours=limits.notice_deadline_hours)
    n = max(1, row.attempts)
    verdict = judge(outcome, n, now, deadline, random.random(), limits)  # nosec B311
    _attempt(session, row.id, n, outcome, now)
    _apply(session, row, verdict, now, report)
    if verdict.kind == "failed" and verdict.reason == "person" and job.reader is not None:
        consent_store.add_suppression(
            session,
            job.hashed,
            "hard",
            now,
            f"{verdict.code} {verdict.enhanced} {verdict.text}"[:300],
        )
        subscribers_store.set_state(session, job.reader.id or 0, "bounced")


def _apply(
    session: Session, row: DeliveryRow, verdict: Verdict, now: datetime, report: SendReport
) -> None:
    words = {"code": verdict.code or None, "enhanced": verdict.enhanced}
    match verdict.kind:
        case "accepted":
            if leases_store.mark_outcome(session, row, State.ACCEPTED, now, reason="", **words):
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
        case "expired":
            leases_store.mark_expired(session, row, now, verdict.text[:500], **words)
            report.expired += 1
        case "failed":
            reason = f"{verdict.reason}: {verdict.text}"[:500]
            leases_store.mark_outcome(session, row, State.FAILED, now, reason=reason, **words)
            report.failed += 1
        case "unknown":
            leases_store.mark_outcome(
                session, row, State.UNKNOWN, now, reason=verdict.text[:500], **words
            )
            report.held += 1


def _attempt(session: Session, delivery_id: int, n: int, outcome: Outcome, now: datetime) -> None:
    phase, reply = "reply", Reply(0)
    if isinstance(outcome, Accepted):
        reply = outcome.reply
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
    )


def _stop(rt: Runtime, session: Session, job: _Job, now: datetime) -> None:
    """The mark was refused: say why on the row, or give it back."""
    row = job.row
    edition = editions_store.get_edition(session, id=row.edition_id)
    if edition is not None and edition.state == "cancelled":
        leases_store.mark_outcome(session, row, State.CANCELLED, now, reason="cancelled")
        return
    if edition is not None and edition.paused:
        leases_store.mark_outcome(session, row, State.READY, now)
        return
    reader = (
        subscribers_store.get_subscriber_row(session, id=row.subscriber_id)
        if row.subscriber_id is not None
        else None
    )
    state = reader.state if reader is not None else "erased"
    reason = state if state != "active" else "suppressed"
    leases_store.mark_outcome(session, row, State.SUPPRESSED, now, reason=reason)


def _quarantine(
    rt: Runtime, session: Session, row: DeliveryRow, text: str, report: SendReport
) -> None:
    """A mail that cannot be rendered harms one delivery, not the edition."""
    now = rt.clock()
    leases_store.mark_outcome(session, row, State.FAILED, now, reason=text)
    deliveries_store.add_attempt(
        session, delivery_id=row.id or 0, n=row.attempts, phase="render", at=now, text=text
    )
    report.failed += 1


def sweep(rt: Runtime, report: SendReport | None = None) -> None:
    """Give back what dead processes held, expire what is overdue, settle what stays in doubt."""
    now = rt.clock()
    dead = rt.owner().dead()
    if dead:
        ready, unknown = rt.db.write(lambda s: leases_store.release(s, dead), Priority.MAIL)
        rt.db.write(lambda s: end_processes(s, dead), Priority.MAIL)
        rt.log("recovered", processes=len(dead), ready=ready, unknown=unknown)
    for row in rt.db.read(lambda s: leases_store.list_overdue(s, now)):
        rt.db.write(
            lambda s, r=row: leases_store.mark_expired(s, r, now, r.reason or "deadline"),  # type: ignore[misc]
            Priority.MAIL,
        )
        if report is not None:
            report.expired += 1
    for row in rt.db.read(lambda s: leases_store.list_doubtful(s, now - DOUBT)):
        rt.db.write(lambda s, r=row: _settle_doubt(s, r, now), Priority.MAIL)  # type: ignore[misc]


def _settle_doubt(session: Session, row: DeliveryRow, now: datetime) -> None:
    """By kind: a notice is sent again (same Message-ID), a digest becomes presumed and its papers
    ride in the next one, a newsletter stays held until an admin decides."""
    edition = editions_store.get_edition(session, id=row.edition_id)
    if edition is None or edition.kind == "newsletter":
        return
    if edition.kind == "notice":
        leases_store.mark_outcome(session, row, State.READY, now, reason="sent again after doubt")
    else:
        leases_store.mark_outcome(session, row, State.PRESUMED, now)
