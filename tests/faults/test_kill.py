"""Kill -9 at random moments of a send, restarted at once: the server's own log against the plan.

`make faults` kills 30 times in a send to 1,000 readers, `make test-all` 10 times in one to 400.
Another run of the dice: ``PAPERPOST_TEST_SEED=7 .venv/bin/pytest -s tests/faults/test_kill.py``.
"""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.house import START, Clock, ingest_items, open_house, paper_item
from support.smtp_server import SmtpServer

from service.flows.daily import plan_daily
from service.flows.readers import import_readers
from service.flows.send import send_ready
from service.store.db import make_engine
from service.store.deliveries import list_deliveries

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
ROOT = Path(__file__).resolve().parents[2]
IS_WHOLE = bool(os.environ.get("PAPERPOST_TEST_WHOLE"))
READERS, KILLS, PAPERS = (1000, 30, 8) if IS_WHOLE else (400, 10, 8)
CONNECTIONS = 10  # the default: so many mails can be in doubt at one kill
RESERVE = 60  # mails kept back for after the last kill
WEDNESDAY = START.date()


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A relay in a process of its own; it logs each message before it answers 250.

    It takes 20 ms for an answer, so that no machine is too fast to be interrupted.
    """
    log = tmp_path / "relay.jsonl"
    log.touch()
    command = [sys.executable, "-m", "tests.support.smtp_server", "--port", "0", "--log", str(log),
               "--on", "DOT=slow 0.02"]  # fmt: skip
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        yield int(child.stdout.readline()), log
        child.kill()


class Sender:
    """`paperpost`, as an operator would start it, again and again over the same data."""

    def __init__(self, folder: Path, url: str, port: int, log: Path) -> None:
        self.url, self.log = url, log
        self._errors = folder.parent / "errors"
        self._env = {
            "PATH": os.environ["PATH"],
            "PAPERPOST_DATA_DIR": str(folder),
            "PAPERPOST_DATABASE_URL": url,
            "PAPERPOST_SMTP_URL": f"smtp://127.0.0.1:{port}",
            "PAPERPOST_TIMEZONE": "UTC",
        }

    def start(self, *words: str) -> subprocess.Popen[str]:
        with self._errors.open("w") as errors:
            return subprocess.Popen(
                [sys.executable, "-m", "service", *words, "--json"], cwd=ROOT, env=self._env,
                stdout=subprocess.PIPE, stderr=errors, text=True,
            )  # fmt: skip

    def say(self, *words: str, code: int = 0) -> Any:
        """What a command says as JSON, ending with ``code``."""
        with self.start(*words) as child:
            said, _ = child.communicate(timeout=300)
        assert child.returncode == code, said + self._errors.read_text()
        return json.loads(said)

    def logged(self) -> int:
        """Messages that the relay took so far."""
        return self.log.read_bytes().count(b"\n")

    def left(self) -> int:
        """Mails that may still be sent, read from a second connection."""
        engine = make_engine(self.url)
        with engine.connect() as connection:
            begun = connection.execute(
                sa.text("SELECT count(*) FROM delivery WHERE state NOT IN "
                        "('planned', 'ready', 'leased')")
            ).scalar_one()  # fmt: skip
        engine.dispose()
        return READERS - int(begun)

    def kill_one(self, dice: random.Random, kills: int) -> int:
        """Start a send and kill it at a random moment; returns how many mails it had sent."""
        before, left = self.logged(), self.left()
        stretch = 2 * max(0, left - RESERVE) // (KILLS - kills + 4)
        target = before + dice.randint(1, max(1, stretch))
        # one in five while it still starts, plans or gives back what the dead one held
        patience = dice.uniform(0.1, 3.0) if dice.random() < 0.2 else 60.0
        then = dice.uniform(0.0, 0.02)  # of the time that one answer takes
        child = self.start("send", "daily", "--on", str(WEDNESDAY))
        end = time.monotonic() + patience
        while child.poll() is None and self.logged() < target and time.monotonic() < end:
            time.sleep(0.002)
        time.sleep(then)
        child.send_signal(signal.SIGKILL)
        said, _ = child.communicate()
        assert child.returncode == -signal.SIGKILL, (
            f"it ended by itself before kill {kills + 1}, {left} were left: {said}"
            + self._errors.read_text()
        )
        return self.logged() - before


def test_nothing_is_lost_and_nothing_doubled(tmp_path, database_url, relay):
    port, log = relay
    folder = tmp_path / "data"
    seed = int(os.environ.get("PAPERPOST_TEST_SEED") or random.SystemRandom().randrange(10**6))
    print(f"PAPERPOST_TEST_SEED={seed}")
    with open_house(folder, smtp_port=port, database_url=database_url) as house:
        items = [paper_item(n, f"Adapters, part {n}") for n in range(1, PAPERS + 1)]
        ingest_items(house.runtime, tmp_path, items)
        table = "email,keywords\n" + "".join(f"r{n}@example.org,adapters\n" for n in range(READERS))
        assert import_readers(house.runtime, table.encode()).added == READERS
    dice, sender = random.Random(seed), Sender(folder, database_url, port, log)
    began = time.monotonic()
    steps = [sender.kill_one(dice, kills) for kills in range(KILLS)]
    print(f"{len(steps)} kills after {steps} mails in {time.monotonic() - began:.0f} s")
    last = sender.say("send", "daily", "--on", str(WEDNESDAY), code=1)  # 1: some are held
    listed = sender.say("deliveries", "list")
    held = sender.say("deliveries", "list", "--state", "held")

    taken = Counter(json.loads(line)["message_id"] for line in log.read_text().splitlines())
    arrived = sum(taken[row["message_id"]] for row in held)
    print(f"then {last['accepted']}; {len(held)} held, of which {arrived} had arrived")
    plan = {row["message_id"] for row in listed}
    accepted = {row["message_id"] for row in listed if row["state"] == "accepted"}
    assert len([sent for sent in steps if sent]) >= KILLS // 2  # most in the middle of the mails
    assert len(plan) == len(listed) == READERS
    assert set(taken) <= plan
    assert {row["state"] for row in listed} <= {"accepted", "unknown"}
    assert max(taken.values()) == 1  # none doubled
    assert accepted <= set(taken)  # none lost
    assert {row["message_id"] for row in held} == plan - accepted  # held ones listed
    assert last["held"] == len(held) <= KILLS * CONNECTIONS
    _what_was_held_rides_in_the_next_mail(tmp_path, database_url, {row["email"] for row in held})


def _what_was_held_rides_in_the_next_mail(folder: Path, url: str, held: set[str]) -> None:
    """Half an hour later they are presumed; tomorrow their readers, and no others, get a mail."""
    clock = Clock(datetime.now(UTC) + timedelta(minutes=31))  # the sends had the real time
    with (
        SmtpServer() as server,
        open_house(
            folder / "data", smtp_port=server.port, database_url=url, clock=clock
        ) as house,
    ):  # fmt: skip
        rt = house.runtime
        assert asyncio.run(send_ready(rt)).tried == 0
        presumed = rt.db.read(lambda s: list_deliveries(s, states=["presumed"]))
        assert {row.rcpt for row in presumed} == held
        clock.at = START + timedelta(days=1)
        report = plan_daily(rt)
        assert (report.ready, report.skipped) == (len(held), {"nothing_new": READERS - len(held)})
        assert asyncio.run(send_ready(rt)).accepted == len(held)
        assert sorted(m.recipient for m in server.accepted) == sorted(held)
        for message in server.accepted:
            assert b"may have seen" in message.data
            assert all(b"Adapters, part %d" % n in message.data for n in range(1, PAPERS + 1))
