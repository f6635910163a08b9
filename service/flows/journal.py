"""Marks and answers of all mails under way, written down together.

Whatever waits while the writer is busy is its next unit of work: no timer, and one commit for as
many mails as there are conversations. Answers that the relay took go in a few statements, all
others one after the other; what fails for many is written one by one.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from service.defaults import Defaults
from service.delivery.outcome import Accepted, Outcome
from service.delivery.states import State
from service.flows.breakers import Counted
from service.flows.outcomes import Job, SendReport, hear, keep_heard, record
from service.flows.pacing import pace_of
from service.flows.runtime import Runtime
from service.store import deliveries as deliveries_store
from service.store.db import DOUBTFUL, Priority, Session
from service.store.sent import TESTED
from service.store.tables import DeliveryRow
from service.store.wire import Mark, Taken, accept_many, mark_sending
from service.store.wire_pace import Asked, has_limits, let_through

WAITS = (0.1, 1.0, 5.0, 20.0)
"""Seconds between tries to write an answer down when the database does not take it."""


PATIENCE_S = 20.0
"""So long a mail waits at the relay's 354 for a limit a second or a minute, then it goes back."""

LEAST_NAP_S = 0.01

Lease = tuple[int, int]
"""A delivery and its fence."""


@dataclass(frozen=True, slots=True)
class _Marked:
    """leases: of which the body may be sent now · later: limits are reached, ask again then."""

    leases: set[Lease]
    later: dict[Lease, datetime]

    def of(self, mark: Mark) -> bool | datetime:
        lease = (mark.delivery_id, mark.fence)
        return self.later.get(lease, lease in self.leases)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one mail."""

    job: Job
    outcome: Outcome


class Journal:
    """Belongs to one run of sending and its event loop. owner: of the leases · account: the name of
    the one that takes mails now."""

    def __init__(
        self,
        rt: Runtime,
        owner: int,
        limits: Defaults,
        report: SendReport,
        *,
        account: Callable[[], str] = lambda: "",
    ) -> None:
        self._rt = rt
        self._owner = owner
        self._limits = limits
        self._report = report
        self._account = account
        self._is_limited = has_limits(pace_of(limits, ""))
        self._marks: list[tuple[Job, Mark, asyncio.Future[bool | datetime]]] = []
        self._answers: list[Answer] = []
        self._writing: asyncio.Task[None] | None = None
        self._again: set[asyncio.Task[None]] = set()

    async def mark(self, job: Job, sha: str) -> bool:
        """The write-ahead mark of one mail; False = nothing of it may be sent.

        Raises what the database did: whether it was committed or not, nothing may be sent.
        """
        mark = Mark(job.row.id or 0, job.row.fence, job.hashed, sha)
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE_S
        while True:
            done: asyncio.Future[bool | datetime] = loop.create_future()
            self._marks.append((job, mark, done))
            self._wake()
            answer = await done
            if isinstance(answer, bool):
                return answer
            nap = max(LEAST_NAP_S, (answer - self._rt.clock()).total_seconds())
            if loop.time() + nap > end:
                return False
            await asyncio.sleep(nap)

    def note(self, job: Job, outcome: Outcome) -> None:
        """Have an answer written down soon; ``settled`` waits for all."""
        self._answers.append(Answer(job, outcome))
        self._wake()

    @property
    def is_idle(self) -> bool:
        """Whether everything is written down, or was given up."""
        return self._writing is None and not self._again

    async def settled(self) -> None:
        """Wait until it is."""
        while self._writing is not None or self._again:
            waits = {*self._again, *([self._writing] if self._writing is not None else ())}
            await asyncio.wait(waits)

    def _wake(self) -> None:
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._marks or self._answers:
                marks, self._marks = self._marks, []
                answers, self._answers = self._answers, []
                await self._commit(marks, answers)
        finally:
            self._writing = None

    async def _commit(
        self,
        marks: list[tuple[Job, Mark, "asyncio.Future[bool | datetime]"]],
        answers: list[Answer],
    ) -> None:
        """All in one transaction; where it fails, the marks by themselves and each answer alone."""
        asked = [(job, mark) for job, mark, _ in marks]
        marked: _Marked | BaseException
        try:
            marked, (noted, heard) = await self._rt.db.awrite(
                lambda s: (self._mark(s, asked), self._record(s, answers)), Priority.MAIL
            )
            keep_heard(self._rt, heard)
            self._report.add(noted)
        except DOUBTFUL as error:  # perhaps it was committed: nothing may be sent on a guess
            self._rt.log("mails_not_written", error=type(error).__name__)
            marked = error
            self._each_alone(answers)
        except Exception as error:  # surely nothing was committed
            self._rt.log("mails_not_written", error=type(error).__name__)
            marked = await self._marked_again(asked) if answers else error
            self._each_alone(answers)
        for _, mark, done in marks:
            if done.done():  # nobody waits any more
                continue
            if isinstance(marked, BaseException):
                done.set_exception(marked)
            else:
                done.set_result(marked.of(mark))

    async def _marked_again(self, asked: list[tuple[Job, Mark]]) -> _Marked | BaseException:
        try:
            return await self._rt.db.awrite(lambda s: self._mark(s, asked), Priority.MAIL)
        except Exception as error:
            return error

    def _each_alone(self, answers: list[Answer]) -> None:
        for answer in answers:
            task = asyncio.get_running_loop().create_task(self._alone(answer))
            self._again.add(task)
            task.add_done_callback(self._again.discard)

    async def _alone(self, answer: Answer) -> None:
        """The answer first; what the breakers make of it, by itself: it must never cost one."""
        rt, limits, row = self._rt, self._limits, answer.job.row
        noted = await self.write_down(row, partial(_recorded, rt, limits, answer))
        if noted is None:
            return
        accepted = [row] if noted.accepted else []
        try:
            heard = await rt.db.awrite(
                lambda s: hear(rt, s, accepted, noted, limits), Priority.MAIL
            )
            keep_heard(rt, heard)
        except Exception as error:
            rt.log("not_heard", delivery=row.id, error=type(error).__name__)

    async def write_down(
        self, row: DeliveryRow, work: Callable[[Session], SendReport]
    ) -> SendReport | None:
        """Write something about one mail, and count it. A database that is away for a moment must
        not cost an answer.

        A COMMIT without an answer may have been done: the row is read again before each further
        try. In the end the lease runs out, and the row is in doubt (None).
        """
        for wait in (*WAITS, None):
            try:
                noted = await self._rt.db.awrite(work, Priority.MAIL)
                self._report.add(noted)
                return noted
            except DOUBTFUL as error:
                self._rt.log("record_failed", delivery=row.id, error=type(error).__name__)
                if wait is None:
                    return None
                await asyncio.sleep(wait)
            except Exception as error:  # harms this one alone: its lease runs out
                self._rt.log("record_failed", delivery=row.id, error=type(error).__name__)
                return None
        return None

    def _mark(self, session: Session, asked: list[tuple[Job, Mark]]) -> _Marked:
        later: dict[Lease, datetime] = {}
        if asked and self._is_limited:
            mails = [
                Asked((mark.delivery_id, mark.fence), job.row.domain, job.row.priority == 0)
                for job, mark in asked
            ]
            pace = pace_of(self._limits, self._account())
            later = let_through(session, pace, mails, self._rt.clock())
        marks = [mark for _, mark in asked if (mark.delivery_id, mark.fence) not in later]
        if not marks:
            return _Marked(set(), later)
        now = self._rt.clock()
        to = self._rt.test_recipient or None
        marked = mark_sending(session, marks, owner=self._owner, now=now, tested_to=to)
        return _Marked(marked, later)

    def _record(self, session: Session, answers: list[Answer]) -> tuple[SendReport, Counted]:
        """All of them, or none."""
        report = SendReport()
        taken = [answer for answer in answers if isinstance(answer.outcome, Accepted)]
        if taken:
            tested = TESTED if self._rt.test_recipient else ""
            mails = [_taken(answer) for answer in taken]
            accept_many(session, mails, self._rt.clock(), reason=tested)
            report.accepted += len(taken)
        for answer in answers:
            if not isinstance(answer.outcome, Accepted):
                one = record(self._rt, session, answer.job, answer.outcome, self._limits)
                report.told += one.told
                report.add(one)
        if not answers:
            return report, Counted()
        accepted = [answer.job.row for answer in taken]
        return report, hear(self._rt, session, accepted, report, self._limits)


def _recorded(rt: Runtime, limits: Defaults, answer: Answer, session: Session) -> SendReport:
    report = record(rt, session, answer.job, answer.outcome, limits)
    if not report.tried and isinstance(answer.outcome, Accepted):
        # written down before, by a COMMIT whose answer was lost
        row = answer.job.row
        now = deliveries_store.read_again(session, row.id or 0)
        report.accepted = int(now == (str(State.ACCEPTED), row.fence))
    return report


def _taken(answer: Answer) -> Taken:
    assert isinstance(answer.outcome, Accepted)
    row, reply = answer.job.row, answer.outcome.reply
    return Taken(
        row.id or 0,
        row.fence,
        max(1, row.attempts),
        reply.code,
        reply.enhanced,
        reply.text.replace("\0", ""),  # PostgreSQL takes none
    )
