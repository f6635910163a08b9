"""The embedded engine: one at a time, coalesced, failures contained, a drain that loses nothing."""

import asyncio
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session
from support.house import Clock, add, ingest_items, open_house, paper_item
from support.smtp_server import Act, SmtpServer, hang, slow

from service.engine import Embedded
from service.flows import manual
from service.flows.daily import plan_daily
from service.flows.own_link import ask_link
from service.flows.planning import digest_edition, plan_readers
from service.flows.runtime import Runtime
from service.store.deliveries import count_waiting, list_deliveries
from service.store.instance import set_setting
from service.store.subscribers import list_subscriber_rows


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as made:
        yield made


@pytest.fixture
def rt(tmp_path: Path, server: SmtpServer) -> Iterator[Runtime]:
    with open_house(tmp_path, smtp_port=server.port, clock=Clock()) as house:
        yield house.runtime


def plan(rt: Runtime, folder: Path, readers: int) -> None:
    for n in range(readers):
        add(rt, f"reader{n}@example.org", "adapters")
    ingest_items(rt, folder, [paper_item(1, "Adapters that forget less")])
    plan_daily(rt)


def wait_for_one(server: SmtpServer) -> None:
    wait(lambda: bool(server.accepted))


def wait(is_over: Callable[[], bool]) -> None:
    for _ in range(10_000):
        if is_over():
            return
        time.sleep(0.001)
    pytest.fail("it never came")


def states(rt: Runtime) -> list[str]:
    return [row.state for row in rt.db.read(lambda s: list_deliveries(s))]


def test_what_waits_is_sent_at_the_start(rt: Runtime, server: SmtpServer, tmp_path: Path) -> None:
    plan(rt, tmp_path, 3)

    async def run() -> None:
        engine = Embedded(rt)
        await engine.start()
        await engine.idle()
        await engine.stop()

    asyncio.run(run())
    assert len(server.accepted) == 3
    assert states(rt) == ["accepted"] * 3


def test_a_send_begins_at_its_time_without_a_tick(rt: Runtime, server: SmtpServer) -> None:
    add(rt, "ada@example.org", "adapters")
    plan = manual.draft(rt, kind="newsletter", subject="News", body="We open on Sunday.")
    at = rt.clock() + timedelta(seconds=0.2)
    manual.start(rt, replace(plan, at=at), expected=1)

    async def run() -> None:
        engine = Embedded(rt)
        await engine.start()
        await engine.idle()
        assert not server.accepted, "it is not its time"
        rt.clock.at = at
        for _ in range(200):
            if server.accepted:
                break
            await asyncio.sleep(0.01)
        await engine.idle()
        await engine.stop()

    asyncio.run(run())
    assert len(server.accepted) == 1


def test_a_wake_up_while_a_task_runs_runs_it_once_more(rt: Runtime) -> None:
    entered, leave = threading.Event(), threading.Event()
    runs: list[int] = []

    def flow() -> None:
        runs.append(1)
        entered.set()
        assert leave.wait(5)

    async def run() -> dict[str, int]:
        engine = Embedded(rt)
        engine._tasks["daily"] = lambda wanted: engine._in_turn(flow)
        await engine.start()
        await engine.idle()
        engine.enqueue("daily")
        await asyncio.to_thread(entered.wait, 5)
        for _ in range(20):
            engine.enqueue("daily")
        await asyncio.sleep(0.05)
        assert len(runs) == 1
        leave.set()
        await engine.idle()
        counts = {name: stats.runs for name, stats in engine.stats().items()}
        await engine.stop()
        return counts

    assert asyncio.run(run())["daily"] == 2
    assert len(runs) == 2


def test_tasks_that_compose_run_one_after_the_other(rt: Runtime) -> None:
    inside: list[int] = []
    most: list[int] = []

    def flow() -> None:
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.03)
        inside.pop()

    async def run() -> None:
        engine = Embedded(rt)
        for name in ("daily", "alerts", "tidy"):
            engine._tasks[name] = lambda wanted: engine._in_turn(flow)
        await engine.start()
        for name in ("daily", "alerts", "tidy"):
            engine.enqueue(name)
        await engine.idle()
        await engine.stop()

    asyncio.run(run())
    assert most == [1, 1, 1]


def test_a_task_that_fails_is_noted_and_runs_again(rt: Runtime) -> None:
    said: list[str] = []
    rt.log = lambda event, **facts: said.append(event)
    calls: list[int] = []

    def flow() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("the disk is full")

    async def run() -> tuple[int, str]:
        engine = Embedded(rt)
        engine._tasks["tidy"] = lambda wanted: engine._in_turn(flow)
        await engine.start()
        engine.enqueue("tidy")
        await engine.idle()
        stats = engine.stats()["tidy"]
        first = (stats.failures, stats.last_error)
        engine.enqueue("tidy")
        await engine.idle()
        assert (stats.runs, stats.failures, stats.last_error) == (2, 1, "")
        await engine.stop()
        return first

    failures, words = asyncio.run(run())
    assert failures == 1
    assert "the disk is full" in words
    assert "task_failed" in said


def test_an_unknown_task_is_refused(rt: Runtime) -> None:
    with pytest.raises(KeyError):
        Embedded(rt).enqueue("dance")


def test_wake_ups_may_come_from_any_thread(rt: Runtime, server: SmtpServer, tmp_path: Path) -> None:
    async def run() -> None:
        engine = Embedded(rt)
        rt.engine = engine
        await engine.start()
        await engine.idle()
        await asyncio.to_thread(plan, rt, tmp_path, 2)
        await asyncio.to_thread(engine.enqueue, "send")
        await asyncio.sleep(0.01)
        await engine.idle()
        await engine.stop()
        engine.enqueue("send")  # after the end: nothing happens, nothing breaks

    asyncio.run(run())
    assert len(server.accepted) == 2


def test_connections_live_on_between_runs(rt: Runtime, server: SmtpServer, tmp_path: Path) -> None:
    async def run() -> None:
        engine = Embedded(rt)
        await engine.start()
        await engine.idle()
        for n in range(3):
            await asyncio.to_thread(plan_one, rt, tmp_path, n)
            engine.enqueue("send")
            await asyncio.sleep(0.01)
            await engine.idle()
        await engine.stop()

    asyncio.run(run())
    assert len(server.accepted) == 3
    assert server.connections == 1


def plan_one(rt: Runtime, folder: Path, n: int) -> None:
    add(rt, f"one{n}@example.org", f"word{n}")
    ingest_items(rt, folder, [paper_item(n, f"About word{n}")])
    plan_daily(rt)


@pytest.mark.slow
def test_stopping_finishes_what_is_in_flight_and_begins_nothing_new(
    rt: Runtime, server: SmtpServer, tmp_path: Path
) -> None:
    plan(rt, tmp_path, 40)
    server.on("DOT", slow(0.1))

    async def run() -> float:
        engine = Embedded(rt)
        await engine.start()
        await asyncio.to_thread(wait_for_one, server)
        begun = time.monotonic()
        await engine.stop(30)
        return time.monotonic() - begun

    seconds = asyncio.run(run())
    assert seconds < 10
    counts = rt.db.read(lambda s: count_waiting(s))
    assert set(counts) <= {"ready"}  # nothing leased, nothing in doubt
    assert 0 < len(server.accepted) < 40
    assert states(rt).count("accepted") == len(server.accepted)
    # the next process goes on, and nobody gets two
    server.clear()

    async def again() -> None:
        engine = Embedded(rt)
        await engine.start()
        await engine.idle()
        await engine.stop()

    asyncio.run(again())
    assert sorted(m.recipient for m in server.accepted) == sorted(
        f"reader{n}@example.org" for n in range(40)
    )


@pytest.mark.slow
def test_stopped_at_any_moment_and_started_again_nobody_is_missed_or_mailed_twice(
    rt: Runtime, server: SmtpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moments are counted by what the relay hears: a slow machine has them, too."""
    rt.db.write(lambda s: set_setting(s, "smtp_connections", "2"))
    plan(rt, tmp_path, 40)
    server.on("DOT", slow(0.08))
    server.on("RCPT", slow(0.005))
    draw, answers = random.Random(7), server.rule_for
    heard: list[str] = []

    def hearing(step: str, line: str) -> Act | None:
        heard.append(step)
        return answers(step, line)

    monkeypatch.setattr(server, "rule_for", hearing)

    async def once() -> None:
        engine = Embedded(rt)
        until = len(heard) + draw.randrange(20)
        await engine.start()
        await asyncio.to_thread(wait, lambda: len(heard) >= until or len(server.accepted) == 40)
        await asyncio.sleep(draw.random() * 0.02)
        await engine.stop()

    starts = 0
    while set(states(rt)) != {"accepted"} and starts < 60:
        asyncio.run(once())
        starts += 1
        assert set(states(rt)) <= {"ready", "accepted"}
    assert 3 < starts < 60
    assert len({m.recipient for m in server.accepted}) == len(server.accepted) == 40


def test_a_mail_that_a_stranger_asked_for_begins_apart_from_the_request(
    rt: Runtime,
) -> None:
    add(rt, "ada@example.org", "adapters")

    async def ask() -> None:
        engine = Embedded(rt)
        await engine.start()
        await asyncio.to_thread(ask_link, rt, "ada@example.org")
        await engine.stop()

    asyncio.run(ask())
    (row,) = [row for row in rt.db.read(lambda s: list_deliveries(s)) if row.kind == "manage-link"]
    assert row.not_before is not None
    assert (row.not_before - row.planned_at).total_seconds() == 0.5
    assert rt.apart.total_seconds() == 0


def test_a_write_that_nobody_waits_for_any_more_harms_no_other(rt: Runtime) -> None:
    """Stopping cancels tasks that wait for the writer; the writer must live on."""
    begun, leave = threading.Event(), threading.Event()

    def slow_work(session: Session) -> None:
        begun.set()
        assert leave.wait(5)

    async def run() -> str:
        first = asyncio.create_task(rt.db.awrite(slow_work))
        await asyncio.to_thread(begun.wait, 5)
        given_up = asyncio.create_task(rt.db.awrite(lambda s: "given up"))
        last = asyncio.create_task(rt.db.awrite(lambda s: "written"))
        await asyncio.sleep(0)
        first.cancel()
        given_up.cancel()
        await asyncio.sleep(0)
        leave.set()
        return await asyncio.wait_for(last, 5)

    assert asyncio.run(run()) == "written"


def test_a_relay_that_says_nothing_is_left_after_the_drain(
    rt: Runtime, server: SmtpServer, tmp_path: Path
) -> None:
    plan(rt, tmp_path, 1)
    server.on("DOT", hang())

    async def run() -> float:
        engine = Embedded(rt)
        await engine.start()
        await asyncio.to_thread(server.wait_until_hung)
        begun = time.monotonic()
        await engine.stop(0.3)
        return time.monotonic() - begun

    assert asyncio.run(run()) < 6
    assert states(rt) == ["unknown"]  # held: nobody can say, so nothing is sent again


def test_digests_that_a_dead_process_left_planned_are_composed(
    rt: Runtime, server: SmtpServer, tmp_path: Path
) -> None:
    add(rt, "ada@example.org", "adapters")
    ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])

    def half(session: Session) -> None:
        now, hours = rt.clock(), timedelta(hours=20)
        edition = digest_edition(session, now.date(), now)
        readers = list_subscriber_rows(session)
        plan_readers(rt, session, edition, readers, kind="digest", now=now, deadline=hours)

    rt.db.write(half)
    clock = rt.clock
    assert isinstance(clock, Clock)

    async def run() -> None:
        engine = Embedded(rt)
        await engine.start()
        await engine.idle()
        assert states(rt) == ["planned"]  # it may still be at work
        clock.go(minutes=11)
        engine.enqueue("sweep")
        await asyncio.sleep(0.01)
        await engine.idle()
        await engine.stop()

    asyncio.run(run())
    assert states(rt) == ["accepted"]
    assert len(server.accepted) == 1
