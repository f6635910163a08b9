"""The clock: a few fixed ticks that wake the engine. Due-ness itself lives in table columns.

Never a job per subscriber: a tick that is late or comes twice changes nothing.
"""

from typing import Any

from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from service.flows.runtime import Engine

TICKS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("sweep", "interval", {"seconds": 60}),
    ("daily", "interval", {"seconds": 60}),
    ("alerts", "interval", {"seconds": 60}),
    ("poll", "interval", {"seconds": 60}),
    ("settle", "interval", {"minutes": 10}),
    ("corpus", "interval", {"seconds": 60}),
    ("words", "interval", {"minutes": 10}),
    ("tidy", "cron", {"hour": 3, "minute": 17}),
    ("refold", "interval", {"hours": 1}),
)
"""Task, trigger, its arguments. Weekdays in a cron trigger would be names, never numbers."""

AT_START = ("sweep", "poll", "daily", "alerts", "corpus", "words", "refold")


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


def start(engine: Engine) -> AsyncIOScheduler:
    """Start ticking in the running loop, with one round at once. ``shutdown`` ends it."""
    scheduler = make_scheduler(engine)
    scheduler.start()
    for task in AT_START:
        engine.enqueue(task)
    return scheduler
