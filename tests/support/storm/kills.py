"""Kill -9 at random moments of a send, started again at once, until it is through."""

import random
import signal
import time
from typing import Any

from support.storm.book import Tally
from support.storm.ground import Ground
from support.storm.verdict import settle

ANSWER_S = 0.02
"""The relay takes so long for an answer after the dot: no machine is too fast to be killed."""
SCRIPT: dict[str, Any] = {"rules": [{"step": "DOT", "act": "slow", "seconds": ANSWER_S}]}
KEPT_BACK = 0.05
"""Of all mails, for after the last kill."""


def script(readers: int) -> dict[str, Any]:
    """The same for a send of so many: a long one is slow enough by itself."""
    seconds = ANSWER_S if readers < 2000 else ANSWER_S / 5
    return {"rules": [{**SCRIPT["rules"][0], "seconds": seconds}]}


def kill_one(ground: Ground, dice: random.Random, left: int) -> int:
    """Start a send and kill it; left: kills to come, this one included. Returns how many mails it
    had handed over. Raises AssertionError: it was through before."""
    before = ground.arrived()
    many = len(ground.plan.readers)
    open_ones = many - before
    stretch = 2 * max(0, open_ones - int(many * KEPT_BACK)) // (left + 3)
    target = before + dice.randint(1, max(1, stretch))
    # one in five while it still starts, plans, or gives back what the dead one held
    patience = dice.uniform(0.05, 2.0) if left % 5 == 0 else 300.0
    then = dice.uniform(0.0, ANSWER_S)
    child = ground.send()
    end = time.monotonic() + patience
    while child.poll() is None and ground.arrived() < target and time.monotonic() < end:
        time.sleep(0.004)
    time.sleep(then)
    child.send_signal(signal.SIGKILL)
    said, _ = child.communicate()
    assert child.returncode == -signal.SIGKILL, (
        f"it ended by itself, {left} kills too early: {said}" + ground.errors.read_text()[-2000:]
    )
    return ground.arrived() - before


def run(ground: Ground, tally: Tally, seed: str, kills: int, connections: int) -> None:
    """So many kills in one send, then its end, then the mail of the day after."""
    for number in range(kills):
        sent = kill_one(ground, random.Random(f"{seed}:{number}"), kills - number)
        tally.count(kills=1, in_the_middle=1 if sent else 0)
    tally.count(sends=1, readers=len(ground.plan.readers))
    settle(ground, tally, most_held=kills * 2 * connections)
