"""Send what is ready: claim a chunk, mark each just before its body, record what came of it.

Order of commits (delivery.md): lease -> MAIL, RCPT, DATA -> write-ahead mark -> body, dot -> the
answer and the papers in one transaction. A row in ``sending`` is never sent again on a guess.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from service.defaults import Defaults
from service.delivery.accounts import Accounts, account_of
from service.delivery.message import MessageError
from service.delivery.outcome import Broken, Refused, Stopped
from service.delivery.smtp import Mailer
from service.flows.ahead import Ahead, Letter
from service.flows.canary import judge
from service.flows.contents import Contents, whole
from service.flows.epoch import need, raise_epoch
from service.flows.failover import tell_accounts
from service.flows.journal import WAITS, Journal
from service.flows.outcomes import Job, SendReport, quarantine
from service.flows.pacing import NAP_S, Desk
from service.flows.quarantine import spoiling
from service.flows.routes import Learning
from service.flows.runtime import Runtime
from service.flows.settle import settle_editions
from service.flows.sweep import sweep
from service.store import consent as consent_store
from service.store import editions as editions_store
from service.store import leases as leases_store
from service.store import subscribers as subscribers_store
from service.store.db import DOUBTFUL, REFUSED, Session
from service.store.tables import DeliveryRow, EditionRow

MOST_IN_HAND = 256
"""Mails that one run has claimed at a time, at most."""


@dataclass(slots=True)
class _Run:
    """What the deliveries of one run share. owner: of its leases · held: deliveries that were
    claimed and have no answer yet · done: how many had one · is_in_doubt: there may be leases that
    nobody here knows of · resting: editions of which nothing more goes · broken_off: mails that
    ended by an error that nobody thought of."""

    rt: Runtime
    pool: Mailer | Accounts
    limits: Defaults
    report: SendReport
    desk: Desk
    journal: Journal
    ahead: Ahead
    owner: int
    held: set[int] = field(default_factory=set)
    done: int = 0
    is_in_doubt: bool = False
    resting: set[int] = field(default_factory=set)
    broken_off: list[Job] = field(default_factory=list)
    contents: Contents = field(default_factory=Contents)
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    enough: int = 0

    def take(self, jobs: Sequence[Job]) -> None:
        self.held.update(job.row.id or 0 for job in jobs)
        self.is_in_doubt = False
        self.ahead.add(jobs)

    def let_go(self, job: Job) -> None:
        self.held.discard(job.row.id or 0)
        self.done += 1
        if len(self.held) <= self.enough:
            self.moved.set()

    async def some_moved(self, enough: int) -> None:
        """Until no more than so many are held, one at least has its answer, or a moment is over:
        what came meanwhile need not wait for a relay that takes its time over another."""
        self.enough = min(enough, len(self.held) - 1)
        self.moved.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.moved.wait(), NAP_S)


@dataclass(slots=True)
class _Appetite:
    """How many to claim: about a second of work, so that a notice that comes meanwhile waits no
    longer behind a slow relay; ``least`` keeps every connection busy."""

    least: int
    done: int = 0
    at: float = 0.0
    wanted: int = 0

    @property
    def enough(self) -> int:
        """So many in hand, and more are claimed: half of it where few are wanted; of many less,
        since a claim costs the same however many it takes."""
        return max(self.least // 2, self.wanted // 4)

    def claims(self, in_hand: int, done: int, now: float) -> int:
        """How many to claim now, 0 while enough is in hand."""
        wanted = max(self.wanted, self.least)
        if in_hand > self.enough:
            return 0
        if done > self.done:
            rate = (done - self.done) / max(now - self.at, 0.001)
            self.wanted = wanted = max(self.least, min(MOST_IN_HAND, round(rate)))
        self.done, self.at = done, now
        return max(0, wanted - in_hand)


async def send_ready(
    rt: Runtime,
    edition_ids: Sequence[int] | None = None,
    *,
    mailer: Mailer | Accounts | None = None,
) -> SendReport:
    """Send everything whose time has come (of some editions, or of all); returns when none is left.

    The pool is closed at the end unless it was given. Raises InstanceHeld: a restored backup or a
    copy sends nothing before a person said which it is.
    """
    rt.read_templates()
    await asyncio.to_thread(need, rt)
    report = SendReport()
    limits = rt.defaults()
    report.expired += await asyncio.to_thread(sweep, rt)
    own = mailer is None
    pool = mailer or rt.open_mailer(limits)
    owner = await asyncio.to_thread(rt.owner)
    wires = 2 * limits.smtp_connections  # half wait, with an envelope that may follow at once
    account = partial(account_of, pool)
    journal = Journal(rt, owner.id, limits, report, account=account)
    ahead, desk = Ahead(rt, limits, wires), Desk(rt, limits, edition_ids, account=account)
    run = _Run(rt, pool, limits, report, desk, journal, ahead, owner.id)
    learning = Learning(rt)
    learning.begin()
    carrying = [asyncio.create_task(_carry(run)) for _ in range(wires)]
    loop, appetite = asyncio.get_running_loop(), _Appetite(wires)
    appetite.at = loop.time()
    try:
        while True:
            limit = appetite.claims(len(run.held), run.done, loop.time())
            if not limit:
                await run.some_moved(appetite.enough)
                continue
            if jobs := await _claimed(run, limit):
                await asyncio.to_thread(raise_epoch, rt)
                run.take(jobs)
                if isinstance(pool, Accounts):
                    await asyncio.to_thread(tell_accounts, rt, pool)
            elif run.held:
                await run.some_moved(len(run.held))
            elif not journal.is_idle:
                await journal.settled()  # what is written down may make a row ready again
            elif not await desk.waits():
                break
    finally:
        await _to_its_end(_wind_up(run, carrying, learning, closes=own))
    report.deferred += desk.put_off.total()
    report.said += desk.put_off
    await asyncio.to_thread(tell_accounts, rt, pool)
    await asyncio.to_thread(settle_editions, rt)
    await asyncio.to_thread(judge, rt)
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


async def _wind_up(
    run: _Run, carrying: Sequence[asyncio.Task[None]], learning: Learning, *, closes: bool
) -> None:
    """What is on the wire ends and is recorded; what was not begun is given back. The connections
    are closed also where the database refuses that."""
    try:
        left = await run.ahead.aclose()
        await asyncio.gather(*carrying)
        await run.journal.settled()
        await _give_back(run, [*left, *run.broken_off])
        await learning.aclose()
    finally:
        if closes:
            await run.pool.aclose()


async def _to_its_end(work: Coroutine[None, None, None]) -> None:
    """Do work to its end, also when the first cancellation of this task comes meanwhile (it is
    raised afterwards); the second one breaks it off."""
    task, me = asyncio.ensure_future(work), asyncio.current_task()
    assert me is not None
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        if me.cancelling() > 1:
            task.cancel()
        await task
        raise


def _jobs(run: _Run, session: Session, rows: Sequence[DeliveryRow]) -> list[Job]:
    """What goes with leased rows, read outside the writer: answers wait there to be written."""
    readers = {
        reader.id: reader
        for reader in subscribers_store.list_subscriber_rows(
            session, ids=[row.subscriber_id for row in rows if row.subscriber_id is not None]
        )
    }
    editions = {i: editions_store.get_edition(session, id=i) for i in {r.edition_id for r in rows}}
    contents = run.contents.read(session, rows)
    jobs = []
    for row in rows:
        edition = editions[row.edition_id]
        assert edition is not None
        hashed = consent_store.email_hash(run.rt.instance.key, row.recipient_key)
        reader, kept = readers.get(row.subscriber_id), contents.get(row.content_id or 0)
        jobs.append(Job(row, edition, reader, hashed, kept))
    return jobs


async def _carry(run: _Run) -> None:
    """One letter after the other, from the desk to its recorded outcome."""
    while (letter := await run.ahead.take()) is not None:
        try:
            await _deliver(run, letter)
        except Exception as error:
            run.rt.log("mail_broken_off", delivery=letter.job.row.id, error=type(error).__name__)
            run.broken_off.append(letter.job)
        finally:
            run.let_go(letter.job)


async def _deliver(run: _Run, letter: Letter) -> None:
    """What goes wrong harms this one alone."""
    job, envelope = letter.job, letter.envelope
    if job.row.content_id is not None and job.kept is None:  # its reader was erased meanwhile
        run.journal.note(job, Stopped())
        return
    if envelope is None:
        await _spoiled(run, job, letter.error)
        return
    tally, domain = run.rt.tally, job.row.domain
    few, some = run.limits.breaker_in_a_row // 4, run.limits.breaker_least // 2
    if tally.unheard[domain] >= max(1, few) or tally.unheard.total() >= max(1, some):
        # it, or the account, may rest by now: refusals come faster than they are kept
        await run.journal.settled()
        tally.unheard.clear()
    if tally.is_resting(domain, run.rt.clock()) or job.edition.id in run.resting:
        run.journal.note(job, Stopped())
        return
    try:
        outcome = await run.pool.deliver(envelope, partial(run.journal.mark, job, letter.sha))
    except REFUSED as error:  # of the mark: whether it was committed or not, no body was sent
        run.rt.log("mark_failed", delivery=job.row.id, error=type(error).__name__)
        outcome = Broken("rcpt", "the database did not take the mark")
    run.journal.note(job, outcome)
    if isinstance(outcome, Refused):
        tally.unheard[domain] += 1
    if isinstance(outcome, Stopped):
        await _look_again(run, job.edition)


async def _spoiled(run: _Run, job: Job, error: Exception | None) -> None:
    rt, row = run.rt, job.row
    if isinstance(error, MessageError) and (error.is_ours or rt.test_recipient):
        run.journal.note(job, Broken("connect", str(error)))  # a setting is wrong, not this mail
        return
    text = f"content: {type(error).__name__}: {error}"[:500]
    rt.log("render_failed", delivery=row.id, error=type(error).__name__)
    content: dict[str, Any] = {}
    broken: dict[int, str] = {}
    if job.kept is None or job.kept.fault is None:  # else nothing of it can be left out
        content = whole(row, job.kept)
        broken = await asyncio.to_thread(spoiling, rt, row, job.reader, content)
    await run.journal.write_down(
        row, lambda s: quarantine(s, row, rt.clock(), text, broken, content)
    )


async def _look_again(run: _Run, edition: EditionRow) -> None:
    """A mail was not to go: where all of its edition rests, those behind it never ask the relay."""
    now = await run.rt.db.aread(lambda s: editions_store.get_edition(s, id=edition.id or 0))
    if now is not None and (now.paused or now.state == "cancelled"):
        run.resting.add(edition.id or 0)


async def _claimed(run: _Run, limit: int) -> list[Job]:
    """Lease some more. A database that is away for a moment ends no run.

    Raises what the database did when it stays away.
    """
    for wait in (*WAITS, None):
        try:
            return await _lease(run, limit)
        except DOUBTFUL as error:
            run.is_in_doubt = True
            run.rt.log("claim_failed", error=type(error).__name__)
            if wait is None:
                raise
            await asyncio.sleep(wait)
    return []


async def _lease(run: _Run, limit: int) -> list[Job]:
    """What was leased by a COMMIT whose answer was lost, nobody here knows of: it is given back."""
    rt = run.rt
    if run.is_in_doubt:
        await run.journal.settled()
        held = set(run.held)
        await rt.db.awrite(lambda s: leases_store.return_unknown(s, held, run.owner))
        run.is_in_doubt = False
    rows = await run.desk.claim(run.owner, limit, is_warm=run.done > 0)
    rt.tally.claimed(row.domain for row in rows)
    run.is_in_doubt = bool(rows)  # until they are in hand
    return await rt.db.aread(lambda s: _jobs(run, s, rows)) if rows else []


async def _give_back(run: _Run, left: Sequence[Job]) -> None:
    """What was claimed and has no answer: anybody's again, or in doubt where it was marked."""
    leases = [(job.row.id or 0, job.row.fence) for job in left]
    try:
        if leases:
            await run.rt.db.awrite(lambda s: leases_store.return_unused(s, leases, run.owner))
        if run.is_in_doubt:
            await run.rt.db.awrite(lambda s: leases_store.return_unknown(s, set(), run.owner))
    except DOUBTFUL as error:  # then when this process ends, or the leases do
        run.rt.log("leases_not_returned", error=type(error).__name__)
