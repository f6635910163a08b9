"""The clock ticks what it should, never twice at once, and keeps nothing."""

import asyncio
from datetime import UTC, datetime, timedelta

from service.engine.embedded import Embedded
from service.flows.runtime import NoEngine
from service.scheduler import AT_START, TICKS, make_scheduler, mend_ticks, start


class Wakes(NoEngine):
    def __init__(self) -> None:
        self.tasks: list[str] = []

    def enqueue(self, task: str, ids: tuple[int, ...] = (), *, priority: int = 5) -> None:
        self.tasks.append(task)


def test_every_tick_is_a_task_that_the_engine_knows() -> None:
    tasks = set(Embedded(rt=None)._tasks)  # type: ignore[arg-type]
    assert {name for name, _, _ in TICKS} <= tasks
    assert set(AT_START) <= tasks


def test_late_ticks_are_made_up_once() -> None:
    scheduler = make_scheduler(Wakes())
    jobs = {job.id: job for job in scheduler.get_jobs()}
    assert set(jobs) == {name for name, _, _ in TICKS}

    async def begun() -> None:
        scheduler.start(paused=True)
        for job in scheduler.get_jobs():
            assert (job.misfire_grace_time, job.coalesce, job.max_instances) == (None, True, 1)
            assert job.next_run_time.utcoffset() == timedelta()
        scheduler.shutdown(wait=False)

    asyncio.run(begun())


def test_a_missed_tick_wakes_the_engine_once() -> None:
    wakes = Wakes()

    async def run() -> None:
        scheduler = make_scheduler(wakes)
        scheduler.start(paused=True)
        job = scheduler.get_job("daily")
        job.modify(next_run_time=datetime.now(UTC) - timedelta(hours=5))  # 300 ticks ago
        scheduler.resume()
        await asyncio.sleep(0.2)
        scheduler.shutdown(wait=False)

    asyncio.run(run())
    assert wakes.tasks.count("daily") == 1


def test_starting_makes_one_round_at_once() -> None:
    wakes = Wakes()

    async def run() -> None:
        start(wakes).shutdown(wait=False)

    asyncio.run(run())
    assert wakes.tasks == list(AT_START)
    assert "refold" in wakes.tasks, "a house that is started anew within the hour"


def test_a_machine_whose_clock_was_set_back_goes_on_ticking() -> None:
    """A tick that was planned by the later clock would come only when that hour comes again."""
    wakes = Wakes()

    async def run() -> None:
        scheduler = start(wakes, look=0.05)
        for job in scheduler.get_jobs():
            job.modify(next_run_time=datetime.now(UTC) + timedelta(days=2))
        wakes.tasks.clear()
        await asyncio.sleep(0.2)
        assert mend_ticks(scheduler) == 0, "they were brought back, and are not brought again"
        scheduler.shutdown(wait=False)

    asyncio.run(run())
    assert sorted(wakes.tasks) == sorted(name for name, _, _ in TICKS)
