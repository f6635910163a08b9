"""Send what is ready: claim a chunk, mark each just before its body, record what came of it.

Order of commits (delivery.md): lease -> MAIL, RCPT -> write-ahead mark -> DATA, body, dot -> the
answer and the papers in one transaction. A row in ``sending`` is never sent again on a guess.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from service.defaults import Defaults
from service.delivery.message import MessageError
from service.delivery.outcome import Accepted, Broken, Envelope, Outcome, Refused, Reply, Stopped
from service.delivery.retry import Verdict, judge
from service.delivery.smtp import Mailer
from service.delivery.states import State
from service.errors import PaperpostError
from service.flows.alerts import quiet_of
from service.flows.deferred import words_of
from service.flows.letter import envelope_of, sha_of
from service.flows.quarantine import hide, left_of, spoiling
from service.flows.runtime import Runtime
from service.flows.settle import settle_editions
from service.flows.sweep import sweep
from service.store import alerts as alerts_store
from service.store import consent as consent_store
from service.store import deliveries as deliveries_store
from service.store import editions as editions_store
from service.store import leases as leases_store
from service.store import subscribers as subscribers_store
from service.store.db import DOUBTFUL, Session
from service.store.sent import TESTED
from service.store.tables import DeliveryRow, EditionRow, SubscriberRow
from service.subscribers.cadence import after_quiet

WAITS = (0.1, 1.0, 5.0, 20.0)
"""Seconds between tries to write an answer down when the database does not take it."""


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
    said: Counter[str] = field(default_factory=Counter)

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
class _Job:
    row: DeliveryRow
    edition: EditionRow
    reader: SubscriberRow | None
    hashed: str


@dataclass(frozen=True, slots=True)
class _Run:
    """What the deliveries of one run share. desk: one mail is rendered at a time, so that the
    answers of the relay do not wait behind rendering."""

    rt: Runtime
    pool: Mailer
    limits: Defaults
    report: SendReport
    desk: asyncio.Semaphore


async def send_ready(
    rt: Runtime, edition_ids: Sequence[int] | None = None, *, mailer: Mailer | None = None
) -> SendReport:
    """Send everything whose time has come (of some editions, or of all); returns when none is left.

    The pool is closed at the end unless it was given.
    """
    rt.read_templates()
    report = SendReport()
    limits = rt.defaults()
    report.expired += await asyncio.to_thread(sweep, rt)
    own = mailer is None
    pool = mailer or rt.open_mailer(limits)
    owner = await asyncio.to_thread(rt.owner)
    gate = asyncio.Semaphore(limits.smtp_connections)
    run = _Run(rt, pool, limits, report, asyncio.Semaphore(1))
    running: set[asyncio.Task[None]] = set()
    try:
        while True:
            held_by = owner.id
            rows = await rt.db.awrite(
                lambda s, o=held_by: _claim(s, o, rt.clock(), limits, edition_ids)  # type: ignore[misc]
            )
            if not rows:
                if not running:
                    break
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                continue
            for job in await rt.db.aread(lambda s, r=rows: _jobs(rt, s, r)):  # type: ignore[misc]
                await gate.acquire()
                task = asyncio.create_task(_deliver(run, job, held_by))
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
            **({"said": report.said.most_common(3)} if report.said else {}),
        )
    return report


def _claim(
    session: Session,
    owner: int,
    now: datetime,
    limits: Defaults,
    edition_ids: Sequence[int] | None,
) -> list[DeliveryRow]:
    """Lease what may go; alerts whose readers sleep by now wait for their morning."""
    for delivery_id, reader in alerts_store.list_due_alerts(session, now, edition_ids):
        wakes = _awake(now, reader, limits)
        if wakes > now:
            alerts_store.rest_until(session, delivery_id, wakes)
    return leases_store.claim(
        session,
        owner=owner,
        now=now,
        limit=limits.smtp_connections * 2,
        edition_ids=edition_ids,
    )


def _awake(at: datetime, reader: SubscriberRow, limits: Defaults) -> datetime:
    """``at``, or the end of the quiet hours it lies in; a zone that cannot be read has none."""
    try:
        return after_quiet(at, reader.zone, *quiet_of(reader, limits))
    except (ValueError, KeyError, OSError):
        return at


def _jobs(rt: Runtime, session: Session, rows: Sequence[DeliveryRow]) -> list[_Job]:
    """What goes with leased rows, read outside the writer: answers wait there to be written."""
    readers = {
        reader.id: reader
        for reader in subscribers_store.list_subscriber_rows(
            session, ids=[row.subscriber_id for row in rows if row.subscriber_id is not None]
        )
    }
    editions = {i: editions_store.get_edition(session, id=i) for i in {r.edition_id for r in rows}}
    jobs = []
    for row in rows:
        edition = editions[row.edition_id]
        assert edition is not None
        hashed = consent_store.email_hash(rt.instance.key, row.recipient_key)
        jobs.append(_Job(row, edition, readers.get(row.subscriber_id), hashed))
    return jobs


async def _deliver(run: _Run, job: _Job, owner: int) -> None:
    """One delivery from lease to recorded outcome. What goes wrong harms this one alone."""
    rt, row = run.rt, job.row
    try:
        async with run.desk:
            envelope: Envelope = await asyncio.to_thread(
                envelope_of, rt, row, job.edition, job.reader
            )
    except (PaperpostError, ValueError, KeyError, AssertionError, LookupError) as error:
        if isinstance(error, MessageError) and (error.is_ours or rt.test_recipient):
            waits = Broken("connect", str(error))  # a setting is wrong, not this mail
            await _write_down(run, row, lambda s: _record(rt, s, job, waits, run.limits))
            return
        text = f"content: {type(error).__name__}: {error}"[:500]
        rt.log("render_failed", delivery=row.id, error=type(error).__name__)
        broken = await asyncio.to_thread(spoiling, rt, row, job.reader)
        await _write_down(run, row, lambda s: _quarantine(s, row, rt.clock(), text, broken))
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

    try:
        outcome = await run.pool.deliver(envelope, mark)
    except DOUBTFUL as error:  # of the mark: whether it was committed or not, no body was sent
        rt.log("mark_failed", delivery=row.id, error=type(error).__name__)
        outcome = Broken("rcpt", "the database did not take the mark")
    await _write_down(run, row, lambda s: _record(rt, s, job, outcome, run.limits))


async def _write_down(run: _Run, row: DeliveryRow, work: Callable[[Session], SendReport]) -> None:
    """Record an answer; a database that is away for a moment must not cost it.

    A COMMIT without an answer may have been done: the row is read again before each further try.
    In the end the lease runs out, and the row is in doubt.
    """
    for wait in (*WAITS, None):
        try:
            run.report.add(await run.rt.db.awrite(work))
            return
        except DOUBTFUL as error:
            run.rt.log("record_failed", delivery=row.id, error=type(error).__name__)
            if wait is None:
                return
            await asyncio.sleep(wait)


def _is_held(session: Session, row: DeliveryRow) -> bool:
    """Whether the outcome of this lease is still to be written."""
    now = deliveries_store.read_again(session, row.id or 0)
    return now is not None and now[1] == row.fence and now[0] in ("leased", "sending", "unknown")


def _record(
    rt: Runtime, session: Session, job: _Job, outcome: Outcome, limits: Defaults
) -> SendReport:
    row, now = job.row, rt.clock()
    assert row.id is not None
    if not _is_held(session, row):
        return SendReport()
    if isinstance(outcome, Stopped):
        _stop(session, job, now)
        return SendReport(stopped=1)
    deadline = row.deadline_at or now + timedelta(hours=limits.notice_deadline_hours)
    n = max(1, row.attempts)
    verdict = judge(outcome, n, now, deadline, random.random(), limits)  # nosec B311
    if verdict.until is not None and job.edition.kind == "alert" and job.reader is not None:
        verdict = replace(verdict, until=_awake(verdict.until, job.reader, limits))
    _attempt(session, row.id, n, outcome, now)
    report = _apply(session, row, verdict, now, accepted=TESTED if rt.test_recipient else "")
    # in test mode the refused mailbox is the operator's own, and a pending request just ends
    if verdict.suppresses and job.reader is not None and not rt.test_recipient:
        consent_store.add_suppression(
            session,
            job.hashed,
            "hard",
            now,
            f"{verdict.code} {verdict.enhanced} {verdict.text}"[:300],
        )
        subscribers_store.set_state(session, job.reader.id or 0, "bounced", only="active")
    return report


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
    words = {"code": verdict.code or None, "enhanced": verdict.enhanced}
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
            reason = f"{verdict.reason}: {verdict.text}"[:500]
            leases_store.mark_outcome(session, row, State.FAILED, now, reason=reason, **words)
            report.failed += 1
        case "unknown":
            leases_store.mark_outcome(
                session, row, State.UNKNOWN, now, reason=verdict.text[:500], **words
            )
            report.held += 1
    return report


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


def _stop(session: Session, job: _Job, now: datetime) -> None:
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
    if bar is not None and is_notice and bar.reason in leases_store.LIFTED_BY_BEGIN:
        bar = None
    if state == "active" and bar is None:  # paused, or the lease was lost: nothing is wrong with it
        leases_store.mark_outcome(session, row, State.READY, now)
        return
    reason = state if state != "active" else "suppressed"
    leases_store.mark_outcome(session, row, State.SUPPRESSED, now, reason=reason)


def _quarantine(
    session: Session, row: DeliveryRow, now: datetime, text: str, broken: Mapping[int, str]
) -> SendReport:
    """A mail that cannot be rendered harms one delivery, not the edition; where papers of it are to
    blame they are hidden, and it goes out without them."""
    if not _is_held(session, row):
        return SendReport()
    hide(session, broken, now)
    is_first = not row.body_sha  # what was tried before keeps its bytes
    if broken and is_first and (left := left_of(row.content or {}, broken)):
        leases_store.mark_outcome(session, row, State.READY, now, content=left)
        return SendReport()
    leases_store.mark_outcome(session, row, State.FAILED, now, reason=text)
    deliveries_store.add_attempt(
        session, delivery_id=row.id or 0, n=row.attempts, phase="render", at=now, text=text
    )
    return SendReport(failed=1)
