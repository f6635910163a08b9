"""The embedded engine: tasks by name in the one event loop, each at most once at a time.

A wake-up that comes while its task runs makes it run once more; many make it run once. Rows hold
the truth, so a lost or doubled wake-up harms nothing. Sending never waits for other tasks; those
that plan and compose run one after the other, in threads.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from service.defaults import Defaults
from service.delivery.accounts import Accounts
from service.delivery.smtp import Mailer
from service.errors import PaperpostError
from service.flows.alarms import keep_alarms
from service.flows.alerts import plan_alerts
from service.flows.breakers import keep_breakers
from service.flows.census import count_interests
from service.flows.clocks import set_clocks
from service.flows.daily import plan_due
from service.flows.day_figures import count_days
from service.flows.edition_lists import keep_counts
from service.flows.epoch import InstanceHeld
from service.flows.failover import tell_accounts
from service.flows.hidden import take_out_hidden
from service.flows.hook_calls import call_due
from service.flows.import_erased import forget_erased
from service.flows.imports import go_on
from service.flows.manual import complete_left
from service.flows.poll import poll_due
from service.flows.progress import next_begin
from service.flows.rates import watch_rates
from service.flows.refold import RefoldReport, learn_categories, refold_some
from service.flows.relay import RelayWatch
from service.flows.runtime import SEND_SOON, Runtime, Stats
from service.flows.send import send_ready
from service.flows.settle import settle_editions
from service.flows.stock import PATIENCE, fill_corpus
from service.flows.submissions import look_up
from service.flows.sweep import sweep
from service.flows.tidy import forget_unconfirmed, tidy
from service.flows.tokens import keep_uses
from service.flows.watch import mark_late, resume_planned
from service.flows.watchdog import watch_runs
from service.flows.words import learn_words
from service.store import deliveries as deliveries_store
from service.store import imports as imports_store
from service.store import leases as leases_store
from service.store import workbench as workbench_store
from service.store.db import Priority

SOON = (0.5, 1.5)
"""Seconds after which ``SEND_SOON`` sends."""

IDLE = 30.0
"""Seconds after which connections to the relay that nobody uses are closed."""

ASKED_FOR = timedelta(hours=1)
"""So long a count that somebody asked for is tried."""

AHEAD = timedelta(seconds=90)
"""A send that begins within so long wakes the engine by itself; others a sweep finds before."""

DRAIN = 30.0

REST = 0.05
"""Seconds between two chunks of work that nobody waits for."""


@dataclass(slots=True)
class _Wanted:
    """What a task is asked to do next: everything, or some ids."""

    everything: bool = False
    ids: set[int] = field(default_factory=set)

    def add(self, ids: tuple[int, ...]) -> None:
        self.everything = self.everything or not ids
        self.ids.update(ids)

    def __bool__(self) -> bool:
        return self.everything or bool(self.ids)


class Embedded:
    """Runs tasks of one runtime. Made outside the loop, started and stopped inside it.

    Tasks: send, poll, proposals, daily, alerts, clocks, sweep, settle, hooks, watchdog, tidy,
    corpus, words, refold,
    census, looks, imports.
    """

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._relay = RelayWatch(rt)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wanted: dict[str, _Wanted] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._stats: dict[str, Stats] = {}
        self._closing = False
        self._bench: asyncio.Lock | None = None
        self._mailer: Mailer | Accounts | None = None
        self._mailer_shape: tuple[int, int] = (0, 0)
        self._rest: asyncio.TimerHandle | None = None
        self._begin: asyncio.TimerHandle | None = None
        self._tasks: dict[str, Callable[[_Wanted], Awaitable[Any]]] = {
            "send": self._send,
            "poll": self._poll,
            "proposals": lambda wanted: look_up(rt),
            "daily": lambda wanted: self._in_turn(lambda: plan_due(rt)),
            "alerts": lambda wanted: self._in_turn(lambda: plan_alerts(rt)),
            "clocks": lambda wanted: self._in_turn(lambda: set_clocks(rt)),
            "sweep": lambda wanted: self._in_turn(self._sweep),
            "settle": lambda wanted: self._in_turn(self._settle),
            "hooks": lambda wanted: call_due(rt),
            "watchdog": lambda wanted: asyncio.to_thread(self._watch),
            "looks": lambda wanted: asyncio.to_thread(go_on, rt, self._is_open, ["looking"]),
            "imports": lambda wanted: asyncio.to_thread(self._imports),
            "tidy": lambda wanted: self._in_turn(lambda: tidy(rt)),
            "refold": lambda wanted: asyncio.to_thread(self._refold),
            "corpus": lambda wanted: asyncio.to_thread(self._fill_corpus),
            "words": lambda wanted: asyncio.to_thread(self._learn_words),
            "census": lambda wanted: asyncio.to_thread(count_interests, rt),
        }

    def enqueue(self, task: str, ids: tuple[int, ...] = (), *, priority: int = 5) -> None:
        """Run ``task`` soon; may be called from any thread. Raises KeyError for an unknown name."""
        if task not in self._tasks and task != SEND_SOON:
            raise KeyError(task)
        loop = self._loop
        if loop is None or self._closing:
            return  # before the start and after the end rows wait for the next sweep
        if task == SEND_SOON:
            wait = random.uniform(*SOON)  # nosec B311: no secret, only apart from the request
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(loop.call_later, wait, self._wake, "send", ())
            return
        with contextlib.suppress(RuntimeError):  # the loop was closed under our feet
            loop.call_soon_threadsafe(self._wake, task, ids)

    async def start(self) -> None:
        """Take over what a dead process left, and begin to listen for wake-ups."""
        self._loop = asyncio.get_running_loop()
        self._bench = asyncio.Lock()
        self._closing = False
        self._rt.corpus.patience = PATIENCE
        self._rt.apart = timedelta(seconds=SOON[0])
        await asyncio.to_thread(self._rt.owner)  # one owner, made before threads ask for it
        for task in ("sweep", "send", "looks", "imports"):
            self.enqueue(task)

    async def stop(self, drain: float = DRAIN) -> None:
        """Begin nothing new; finish what is in flight within ``drain`` seconds, then break it off.

        Mails whose body is under way are brought to their end and recorded; leases that were not
        used are given back at once.
        """
        self._closing = True
        self._rt.apart = timedelta(0)
        self._rt.corpus.patience = 0.0  # what is there answers; no more papers are read
        if self._rest is not None:
            self._rest.cancel()
        if self._begin is not None:
            self._begin.cancel()
        if self._mailer is not None:
            self._mailer.drain()  # who waits for a connection is given back
        for name in ("send", "poll"):  # stops claiming; what was begun is finished in its finally
            if task := self._running.get(name):
                task.cancel()
        left = set(self._running.values())
        if left:
            _, left = await asyncio.wait(left, timeout=drain)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=5)
        if self._mailer is not None:
            await self._mailer.aclose()
            self._mailer = None
            await self._give_back()
        self._rt.corpus.patience = None
        self._loop = None

    def stats(self) -> dict[str, Stats]:
        """Per task that ever ran: its figures."""
        return dict(self._stats)

    def beside(self, name: str) -> Stats:
        """Where the figures go of somebody who works in this process beside the tasks."""
        return self._stats.setdefault(name, Stats())

    async def idle(self) -> None:
        """Wait until nothing runs and nothing is asked for (for tests and one-off commands)."""
        await asyncio.sleep(0)
        while self._running:
            await asyncio.wait(set(self._running.values()))
            await asyncio.sleep(0)

    def _wake(self, task: str, ids: tuple[int, ...]) -> None:
        if self._closing:
            return
        self._wanted.setdefault(task, _Wanted()).add(ids)
        if task not in self._running:
            self._running[task] = asyncio.get_running_loop().create_task(self._work(task))

    async def _work(self, name: str) -> None:
        stats = self._stats.setdefault(name, Stats())
        stats.running = True
        try:
            while not self._closing and (wanted := self._wanted.pop(name, None)):
                await self._once(name, wanted, stats)
        finally:
            stats.running = False
            self._running.pop(name, None)

    async def _once(self, name: str, wanted: _Wanted, stats: Stats) -> None:
        stats.runs += 1
        stats.last_at = self._rt.clock()
        try:
            await self._tasks[name](wanted)
            stats.last_error = ""
        except Exception as error:  # a task that fails is tried again at its next tick
            stats.failures += 1
            words = str(error) if isinstance(error, PaperpostError) else repr(error)
            stats.last_error = words[:500]
            self._rt.log("task_failed", task=name, error=stats.last_error)

    async def _in_turn(self, flow: Callable[[], object]) -> None:
        """Plan and compose in a thread, one task after the other."""
        assert self._bench is not None
        async with self._bench:
            await asyncio.to_thread(flow)

    async def _send(self, wanted: _Wanted) -> None:
        if self._rest is not None:
            self._rest.cancel()
        mailer = await self._persistent(await asyncio.to_thread(self._rt.defaults))
        try:
            await send_ready(self._rt, mailer=mailer)
            await self._wake_at_begin()
        except InstanceHeld:
            return  # the sweep has told the staff; a person says what this database is
        finally:
            if self._loop is not None and not self._closing:
                self._rest = self._loop.call_later(IDLE, self._let_rest)

    async def _wake_at_begin(self) -> None:
        """A send whose undo time, or the time that was set for it, is over begins at that instant
        and not with the next sweep."""
        now = self._rt.clock()
        at = await self._rt.db.aread(lambda s: next_begin(s, now, now + AHEAD))
        if self._begin is not None:
            self._begin.cancel()
        if at is not None and self._loop is not None and not self._closing:
            wait = (at - now).total_seconds()
            self._begin = self._loop.call_later(wait, self._wake, "send", ())

    async def _persistent(self, limits: Defaults) -> Mailer | Accounts:
        """The one pool of connections; a new one when its settings were changed."""
        shape = (limits.smtp_connections, limits.per_connection)
        if self._mailer is not None and shape != self._mailer_shape:
            await self._mailer.aclose()
            self._mailer = None
        if self._mailer is None:
            self._mailer, self._mailer_shape = self._rt.open_mailer(limits), shape
        return self._mailer

    def _let_rest(self) -> None:
        if self._mailer is not None and "send" not in self._running and self._loop is not None:
            task = self._loop.create_task(self._mailer.rest())
            self._running["rest"] = task
            task.add_done_callback(lambda _: self._running.pop("rest", None))

    async def _give_back(self) -> None:
        """Leases of this process that were not used are free at once; a body that was broken off
        is in doubt."""
        owner = await asyncio.to_thread(self._rt.owner)
        await self._rt.db.awrite(lambda s: leases_store.release(s, [owner.id]), Priority.MAIL)

    async def _poll(self, wanted: _Wanted) -> None:
        if wanted.everything:
            await poll_due(self._rt)
            return
        for source_id in sorted(wanted.ids):
            await poll_due(self._rt, source_id)

    def _fill_corpus(self) -> None:
        """The same, for what is searched."""
        while not self._closing and fill_corpus(self._rt, self._is_open):
            time.sleep(REST)

    def _learn_words(self) -> None:
        learn_words(self._rt, going_on=self._is_open)

    def _is_open(self) -> bool:
        return not self._closing

    def _imports(self) -> None:
        """Lists that wait, or are to be undone; those who were erased go from what is kept."""
        forget_erased(self._rt)
        go_on(self._rt, self._is_open, ["wanted", "running", "undoing"])

    def _settle(self) -> int:
        forget_unconfirmed(self._rt)
        return settle_editions(self._rt)

    def _watch(self) -> None:
        watch_runs(self._rt)
        watch_rates(self._rt)
        count_days(self._rt)
        keep_counts(self._rt)

    def _refold(self) -> None:
        """In the background, beside everything else, with a rest after each chunk."""
        learn_categories(self._rt)
        report = RefoldReport()
        while not self._closing and refold_some(self._rt, report):
            time.sleep(REST)

    def _sweep(self) -> None:
        sweep(self._rt)
        take_out_hidden(self._rt)
        keep_uses(self._rt)
        resume_planned(self._rt)
        complete_left(self._rt)
        mark_late(self._rt)
        tell_accounts(self._rt, self._mailer)
        self._relay.try_unheard()
        keep_breakers(self._rt)
        keep_alarms(self._rt)
        if self._rt.db.read(imports_store.is_waited_for):
            self.enqueue("looks")
            self.enqueue("imports")
        since = self._rt.clock() - ASKED_FOR
        if "census" not in self._running and self._rt.db.read(
            lambda s: workbench_store.is_count_asked(s, since)
        ):
            self.enqueue("census")
        if self._rt.db.read(deliveries_store.count_waiting):
            self.enqueue("send")
