"""Kill -9 at random moments of a send, restarted at once: the server's own log against the plan."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.house import ingest_items, open_house, paper_item

from service.flows.readers import import_readers
from service.store.db import make_engine

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]
ROOT = Path(__file__).resolve().parents[2]
READERS, KILLS = 1000, 30


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A relay in a process of its own; it logs each message before it answers 250."""
    log = tmp_path / "relay.jsonl"
    log.touch()
    command = [sys.executable, "-m", "tests.support.smtp_server", "--port", "0", "--log", str(log)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        yield int(child.stdout.readline()), log
        child.kill()


def lines(log: Path) -> int:
    return log.read_bytes().count(b"\n")


def start(folder: Path, url: str, port: int) -> subprocess.Popen[bytes]:
    """`paperpost send daily`, as an operator would run it."""
    env = {
        "PATH": os.environ["PATH"],
        "PAPERPOST_DATA_DIR": str(folder),
        "PAPERPOST_DATABASE_URL": url,
        "PAPERPOST_SMTP_URL": f"smtp://127.0.0.1:{port}",
        "PAPERPOST_TIMEZONE": "UTC",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "service", "send", "daily", "--on", "2026-11-18", "--json"],
        cwd=ROOT,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_nothing_is_lost_and_nothing_doubled(tmp_path, database_url, relay):
    port, log = relay
    folder = tmp_path / "data"
    with open_house(folder, smtp_port=port, database_url=database_url) as house:
        items = [paper_item(n, f"Adapters, part {n}") for n in range(1, 9)]
        ingest_items(house.runtime, tmp_path, items)
        table = "email,keywords\n" + "".join(f"r{n}@example.org,adapters\n" for n in range(READERS))
        assert import_readers(house.runtime, table.encode()).added == READERS
    dice = random.Random(20261118)
    kills = 0
    while True:
        before = lines(log)
        child = start(folder, database_url, port)
        # somewhere within the next stretch of mails, or while it still plans
        target = before + dice.randint(0, 2 * (READERS - before) // max(1, KILLS - kills))
        deadline = time.monotonic() + 60
        while child.poll() is None and lines(log) < target and time.monotonic() < deadline:
            time.sleep(0.002)
        if kills < KILLS and child.poll() is None:
            time.sleep(dice.random() * 0.05)
            child.send_signal(signal.SIGKILL)
            child.wait()
            kills += 1
            continue
        child.wait(120)
        break
    engine = make_engine(database_url)
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT message_id, state FROM delivery")).all()
    engine.dispose()
    taken = Counter(json.loads(line)["message_id"] for line in log.read_text().splitlines())
    states = Counter(state for _, state in rows)
    held = [m for m, state in rows if state in ("unknown", "presumed")]
    print(f"kills {kills}, states {dict(states)}, held that arrived {sum(taken[m] for m in held)}")
    assert len(rows) == READERS
    assert set(states) <= {"accepted", "unknown"}
    assert max(taken.values()) == 1  # none doubled
    assert all(taken[m] == 1 for m, state in rows if state == "accepted")  # none lost
    assert set(taken) <= {m for m, _ in rows}
    assert kills >= KILLS // 2
    assert len(held) <= kills * 10  # at most one in doubt per connection
