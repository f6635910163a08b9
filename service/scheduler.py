"""The clock: a few fixed ticks that wake the engine. Due-ness itself lives in table columns.

Never a job per subscriber: a tick that is late or comes twice changes nothing.
"""

import asyncio
from datetime import timedelta
from typing import Any

from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from service.flows.runtime import Engine
from service.wiring import now

TICKS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("sweep", "interval", {"seconds": 60}),
    ("daily", "interval", {"seconds": 60}),
    ("alerts", "interval", {"seconds": 60}),
    ("clocks", "interval", {"seconds": 60}),
    ("poll", "interval", {"seconds": 60}),
    ("hooks", "interval", {"seconds": 15}),
    ("watchdog", "interval", {"minutes": 5}),
    ("settle", "interval", {"minutes": 10}),
    ("proposals", "interval", {"minutes": 10}),
    ("corpus", "interval", {"seconds": 60}),
    ("words", "interval", {"minutes": 10}),
    ("tidy", "cron", {"hour": 3, "minute": 17}),
    ("refold", "interval", {"hours": 1}),
    ("census", "cron", {"hour": 4, "minute": 11}),
)
"""Task, trigger, its arguments. Weekdays in a cron trigger would be names, never numbers."""

AT_START = (
    "sweep",
    "clocks",
    "poll",
    "daily",
    "alerts",
    "corpus",
    "words",
    "refold",
    "watchdog",
    "hooks",
)


_SLACK = timedelta(seconds=5)

LOOK = 30.0
"""Seconds, by a clock that never jumps, after which it is looked whether the machine's did."""


def make_scheduler(engine: Engine) -> AsyncIOScheduler:
    """Return the scheduler, not started; it keeps nothing on disk.

    A missed tick is made up once (``coalesce``), however late (``misfire_grace_time=None``).
    """
    scheduler = AsyncIOScheduler(
        jobstores={"default": MemoryJobStore()},
        executors={"default": AsyncIOExecutor()},
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        timezone="UTC",
    )

    async def tick(task: str) -> None:
        engine.enqueue(task)

    for task, trigger, when in TICKS:
        scheduler.add_job(tick, trigger, args=[task], id=task, name=task, **when)
    return scheduler


def start(engine: Engine, *, look: float = LOOK) -> AsyncIOScheduler:
    """Start ticking in the running loop, with one round at once. ``shutdown`` ends it."""
    scheduler = make_scheduler(engine)
    scheduler.start()
    for task in AT_START:
        engine.enqueue(task)
    _watch(scheduler, asyncio.get_running_loop(), look)
    return scheduler


def _watch(scheduler: AsyncIOScheduler, loop: asyncio.AbstractEventLoop, look: float) -> None:
    """Look at the ticks again and again: by the machine's clock they would wait for an hour when it
    is set back by one."""
    if scheduler.running:
        mend_ticks(scheduler)
        loop.call_later(look, _watch, scheduler, loop, look)


def mend_ticks(scheduler: AsyncIOScheduler) -> int:
    """Ticks that are further ahead than their own distance come now; returns how many."""
    late = 0
    for job in scheduler.get_jobs():
        apart = getattr(job.trigger, "interval", timedelta(days=1))
        if job.next_run_time is not None and job.next_run_time - now() > apart + _SLACK:
            job.modify(next_run_time=now())
            late += 1
    return late
