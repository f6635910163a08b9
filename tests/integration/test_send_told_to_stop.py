"""A send that is told to stop: what is on the wire ends and is recorded, the rest stays ready."""

import asyncio
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.house import Clock, add, ingest_items, open_house, paper_item
from support.smtp_server import SmtpServer, hang, slow

from service.cli import sending
from service.cli.sending import SendingStopped, send_now
from service.flows import send
from service.flows.daily import plan_daily
from service.flows.runtime import Runtime
from service.store.deliveries import list_deliveries
from service.store.instance import set_setting

READERS = 8


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as made:
        yield made


@pytest.fixture
def rt(tmp_path: Path, server: SmtpServer) -> Iterator[Runtime]:
    with open_house(tmp_path, smtp_port=server.port, clock=Clock()) as house:
        rt = house.runtime
        for n in range(READERS):
            add(rt, f"reader{n}@example.org", "adapters")
        ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
        rt.db.write(lambda s: set_setting(s, "smtp_connections", "1"))
        plan_daily(rt)
        yield rt


def states(rt: Runtime) -> list[str]:
    return [row.state for row in rt.db.read(lambda s: list_deliveries(s))]


def told_while_one_waits_for_its_answer(
    server: SmtpServer, number: signal.Signals, *, then_answers: bool
) -> threading.Thread:
    """In a thread: the signal comes while a body is out; its answer comes after it, or never."""
    server.on("DOT", hang(), times=1)

    def tell() -> None:
        server.wait_until_hung(20)
        os.kill(os.getpid(), number)
        if then_answers:
            time.sleep(0.1)
            server.release()

    thread = threading.Thread(target=tell)
    thread.start()
    return thread


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_what_is_on_the_wire_ends_and_the_rest_stays_ready(
    rt: Runtime, server: SmtpServer, number: signal.Signals
) -> None:
    old = signal.getsignal(number)
    thread = told_while_one_waits_for_its_answer(server, number, then_answers=True)
    with pytest.raises(SendingStopped, match="stopped by a signal") as caught:
        send_now(rt)
    thread.join()
    assert "again" in str(caught.value.next_step)
    assert 1 <= len(server.accepted) <= 2  # the one, and whose envelope stood behind its dot
    assert states(rt).count("accepted") == len(server.accepted)
    assert states(rt).count("ready") == READERS - len(server.accepted)
    assert signal.getsignal(number) is old
    left = READERS - len(server.accepted)
    assert send_now(rt).accepted == left
    assert states(rt) == ["accepted"] * READERS
    assert len({m.message_id for m in server.accepted}) == len(server.accepted) == READERS


def test_a_signal_while_a_run_that_broke_off_winds_up_costs_no_answer(
    rt: Runtime, server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body is out, the database goes away for good, and only then somebody says stop."""
    server.on("DOT", hang(), times=1)
    is_out, is_broken = threading.Event(), threading.Event()

    async def some_moved(*_: object) -> None:
        await asyncio.to_thread(is_out.wait, 20)
        is_broken.set()
        raise RuntimeError("no database")

    def tell() -> None:
        server.wait_until_hung(20)
        is_out.set()
        assert is_broken.wait(20)
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.1)
        server.release()

    thread = threading.Thread(target=tell)
    thread.start()
    monkeypatch.setattr(send._Run, "some_moved", some_moved)
    with pytest.raises((SendingStopped, RuntimeError)):
        send_now(rt)
    thread.join()
    assert "unknown" not in states(rt)
    assert states(rt).count("accepted") == len(server.accepted) >= 1


@pytest.mark.slow  # waits out the drain
def test_a_relay_that_says_nothing_is_left_and_its_mail_is_in_doubt(
    rt: Runtime, server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "DRAIN", 0.3)
    thread = told_while_one_waits_for_its_answer(server, signal.SIGTERM, then_answers=False)
    begun = time.monotonic()
    with pytest.raises(SendingStopped):
        send_now(rt)
    thread.join()
    assert time.monotonic() - begun < 10
    assert sorted(states(rt)) == ["ready"] * (READERS - 1) + ["unknown"]


@pytest.mark.slow  # a second house
def test_without_a_signal_it_sends_all(rt: Runtime, server: SmtpServer) -> None:
    assert send_now(rt).accepted == READERS
    assert len(server.accepted) == READERS


@pytest.mark.slow
def test_told_to_stop_at_any_moment_nothing_is_lost_doubled_or_in_doubt(
    tmp_path: Path, server: SmtpServer
) -> None:
    """Again and again, at random moments, over more connections than one."""
    readers, draw = 80, random.Random(7)
    server.on("DOT", slow(0.08))
    server.on("RCPT", slow(0.005))
    with open_house(tmp_path, smtp_port=server.port, clock=Clock()) as house:
        rt = house.runtime
        for n in range(readers):
            add(rt, f"reader{n}@example.org", "adapters")
        ingest_items(rt, tmp_path, [paper_item(1, "Adapters that forget less")])
        plan_daily(rt)
        stops = 0
        for _ in range(60):
            timer = threading.Timer(draw.random() * 0.25, os.kill, (os.getpid(), signal.SIGTERM))
            old = signal.signal(signal.SIGTERM, lambda *_: None)  # it may come after the end
            try:
                timer.start()
                send_now(rt)
            except SendingStopped:
                stops += 1
            finally:
                timer.join()
                signal.signal(signal.SIGTERM, old)
            assert set(states(rt)) <= {"ready", "accepted"}
            if set(states(rt)) == {"accepted"}:
                break
        assert stops > 3
        assert states(rt) == ["accepted"] * readers
    assert len({m.recipient for m in server.accepted}) == len(server.accepted) == readers
