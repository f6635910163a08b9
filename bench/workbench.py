"""The interests workbench over many readers: how long a count takes, and each of its pages.

Run from the checkout, over a folder that ``bench.desk_house`` filled:
``PYTHONPATH=.:tests python -m bench.workbench FOLDER``. The first run gives every reader five
keywords of their own out of 40,000 (each has an interest of the same two words before) and wants
of them by chance; then everything is counted, and each list is asked 20 times. Seconds are of a
processor; memory is the most that the process had.
"""

import resource
import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

from bench import desk_house
from bench.desk_rest import vary
from service.flows import workbench as flow
from service.flows.census import count_interests
from service.flows.contribution import list_shares

TIMES = 20


def timed(name: str, ask: Callable[[], Any]) -> None:
    """Print the middle and the longest of some times."""
    took = []
    for _ in range(TIMES):
        began = process_time()
        ask()
        took.append(1000 * (process_time() - began))
    took.sort()
    print(f"{name:44} p50 {took[len(took) // 2]:7.1f} ms   most {took[-1]:7.1f} ms", flush=True)


def main(folder: Path) -> None:
    """Vary, count, ask."""
    with desk_house.opened(folder) as house:
        rt = house.runtime
        vary(rt.db)
        made = count_interests(rt)
        print(made)
        timed("terms, most readers first", lambda: flow.list_terms(rt, limit=100))
        timed("terms, page 200", lambda: flow.list_terms(rt, limit=100, offset=20_000))
        timed("terms by what they bring", lambda: flow.list_terms(rt, sort="-brings", limit=100))
        timed("terms searched", lambda: flow.list_terms(rt, words="term123", limit=100))
        timed("all interests", lambda: flow.list_lines(rt, limit=100))
        timed("noisy interests", lambda: flow.list_lines(rt, "noisy", limit=100))
        timed("dead interests", lambda: flow.list_lines(rt, "dead", sort="made", limit=100))
        timed("interests searched", lambda: flow.list_lines(rt, words="term123", limit=100))
        timed("how many of each state", lambda: flow.count_states(rt))
        timed("what sources bring", lambda: list_shares(rt))
        timed("words tried", lambda: flow.try_words(rt, "diffusion, LoRA", other="speech"))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"memory at most {peak} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
