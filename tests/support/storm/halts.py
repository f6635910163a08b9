"""Processes that stand still, run twice, or live by a clock that jumps (libfaketime)."""

import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from support.required import skip_unless_required
from support.storm.book import Tally
from support.storm.checker import taken
from support.storm.ground import Child, Ground
from support.storm.verdict import settle

LEASES = "+100m"
"""The clock of those who go on, while one stands still: three leases of thirty minutes."""

DUE = "2026-11-19 08:05:00"
"""When readers who were added the day before at nine are due."""


def by_clock(words: str) -> dict[str, str]:
    """The environment of a process that lives by another clock ("+100m", "@2026-11-19 08:05:00");
    skips (or fails, when required) without libfaketime."""
    for file in sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")):
        return {"LD_PRELOAD": str(file), "FAKETIME": words, "DONT_FAKE_MONOTONIC": "1"}
    skip_unless_required("faketime", "libfaketimeMT.so.1 is not installed")


def _wait(ground: Ground, target: int, child: Child, seconds: float = 120.0) -> int:
    end = time.monotonic() + seconds
    while child.poll() is None and ground.logged() < target and time.monotonic() < end:
        time.sleep(0.002)
    return ground.logged()


def stand_still(ground: Ground, tally: Tally, dice: random.Random, *, connections: int) -> None:
    """A sender is stopped in the middle; three leases later another one goes on; then the first
    wakes up and finds that the world has moved."""
    many = len(ground.plan.readers)
    first = ground.send()
    _wait(ground, dice.randint(1, many // 2), first)
    time.sleep(dice.uniform(0, 0.03))
    first.send_signal(signal.SIGSTOP)
    sent = ground.logged()
    begun = time.monotonic()
    other = ground.send(**by_clock(LEASES))
    other.communicate(timeout=300)
    tally.most(second_s=time.monotonic() - begun)
    went_on = ground.logged() - sent
    first.send_signal(signal.SIGCONT)
    first.communicate(timeout=300)
    tally.count(stops=1, sent_before=sent, sent_meanwhile=went_on)
    if first.poll() is None or first.returncode not in (0, 1):
        tally.breach(f"who stood still ended with {first.returncode}")
    is_locked = ground.url.startswith("sqlite") and other.returncode == 1
    if not went_on and is_locked and "is locked by another process" in ground.errors.read_text():
        tally.count(stood_on_the_lock=1)  # SQLite's one writer stood still: others say so and end
    elif not went_on:
        tally.breach("nobody went on while one stood still")
    settle(ground, tally, most_held=2 * connections, where=f"stop after {sent}")


def two_senders(ground: Ground, tally: Tally, number: int) -> None:
    """Two commands at once over the same readers."""
    both = [ground.send(), ground.send()]
    for one in both:
        one.communicate(timeout=300)
        if one.returncode not in (0, 1):
            tally.breach(f"start {number}: one ended with {one.returncode}")
    tally.count(starts=1)
    settle(ground, tally, most_held=0, where=f"start {number}")


@contextmanager
def served(ground: Ground, clock: str, count: int) -> Iterator[list[subprocess.Popen[str]]]:
    """So many `paperpost run` at once, by a clock of their own; told to end afterwards."""
    made = [ground.start("run", "--port", "0", **by_clock(clock)) for _ in range(count)]
    try:
        yield made
    finally:
        for one in made:
            with suppress(ProcessLookupError):
                one.send_signal(signal.SIGTERM)
        for one in made:
            try:
                one.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                one.kill()
                one.communicate()


def two_schedulers(ground: Ground, tally: Tally, number: int) -> None:
    """Two `paperpost run` at once when all readers are due: one edition, one mail each."""
    many = len(ground.plan.readers)
    with served(ground, f"@{DUE}", 2) as both:
        end = time.monotonic() + 90
        while len(taken(ground.events())) < many and time.monotonic() < end:
            time.sleep(0.05)
            if all(one.poll() is not None for one in both):
                break
        time.sleep(0.3)
    log = taken(ground.events())
    rows = ground.rows()
    tally.count(starts=1, mails=len(log), editions=len({row["edition_id"] for row in rows}))
    editions = len({row["edition_id"] for row in rows})
    if (len(rows), editions) != (many, 1):
        tally.breach(f"start {number}: {len(rows)} mails in {editions} editions")
    if sorted(one["to"] for one in log) != sorted(ground.plan.readers):
        tally.breach(
            f"start {number}: {len(log)} mails for {many} readers, states {ground.states()}"
        )
    if set(ground.states()) != {"accepted"}:
        tally.breach(f"start {number}: states {ground.states()}" + ground.errors.read_text()[-500:])


JUMPS = ("-3d", "-1h", "-5m", "-2s", "+0", "+7s", "+20m", "+45m", "+2h", "+6h")


def clock_jumps(ground: Ground, tally: Tally, dice: random.Random, *, connections: int) -> None:
    """The machine's clock is set ahead and back while mails go out; timers of the process go on."""
    file = ground.folder / "clock"
    file.write_text("+0\n")
    clock = by_clock("") | {"FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_CACHE_DURATION": "1"}
    clock.pop("FAKETIME")
    child = ground.send(**clock)
    jumps = 0
    while child.poll() is None:
        time.sleep(dice.uniform(0.3, 1.2))
        file.write_text(dice.choice(JUMPS) + "\n")
        jumps += 1
    child.communicate()
    file.write_text("+0\n")
    if child.returncode not in (0, 1):
        tally.breach(f"it ended with {child.returncode}: " + ground.errors.read_text()[-500:])
    tally.count(jumps=jumps, sends=1)
    settle(
        ground, tally, most_held=2 * connections * (1 + jumps), where=f"{jumps} jumps",
        may_have_ended=["expired"],  # planned three days ago, said the clock, for twenty hours
    )  # fmt: skip
