"""A million random questions: oracle = evaluation = index = search over stored papers.

Run from the checkout: ``make sweep`` (``ARGS=clock``: the clock's sweep instead, see ``clock``;
``ARGS=200000``: so many pairs in all; ``ARGS="0 again"``:
forget what was done). A pair is one random query and one random paper, asked of every matcher.
Pairs come in blocks of 10 queries and 5 papers; block n is the same in every run. What was done is
kept in bench/results/oracle_sweep.json after every 200 blocks, and the next run goes on from there.
Ends with 1 when any two disagreed; the cases stand in the result.
"""

import random
import subprocess
import sys
import time
from datetime import date

from support.captures import shared_data
from support.match_cases import check_block, real_sentences

from bench.campaigns import clock
from bench.captured.papers import RESULTS, ROOT
from bench.measured.process import Figures, keep, kept, machine

SEED = 20261121
PAIRS = 1_000_000
AT_ONCE = 200
MOST_SHOWN = 20
RESULT = RESULTS / "oracle_sweep.json"


def fresh() -> Figures:
    """A sweep of which nothing is done."""
    return {
        "what": "oracle = evaluate = Index.match = Index.match_ids = Shelf.search, hits too",
        "command": "make sweep",
        "seed": SEED,
        "blocks": 0,
        "pairs": 0,
        "matches": 0,
        "disagreements": 0,
        "cases": [],
        "cpu_s": 0.0,
        "runs": [],
    }


def head() -> str:
    """The commit that is checked out."""
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    return done.stdout.strip() or "unknown"


def main() -> None:
    """Go on until the wanted number of pairs is done."""
    if "clock" in sys.argv[1:]:
        clock.main([word for word in sys.argv[1:] if word != "clock"])
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS
    done = fresh() if "again" in sys.argv else (kept(RESULT) or fresh())
    pool = real_sentences(shared_data())
    run = {"on": date.today().isoformat(), "commit": head(), "from_block": done["blocks"]}
    done["runs"].append(run)
    while done["pairs"] < wanted:
        begun = time.process_time()
        for _ in range(AT_ONCE):
            found = check_block(random.Random(f"{SEED}:{done['blocks']}"), pool)
            done["blocks"] += 1
            done["pairs"] += found.pairs
            done["matches"] += found.matches
            done["disagreements"] += len(found.disagreements)
            room = MOST_SHOWN - len(done["cases"])
            done["cases"] += [
                f"block {done['blocks'] - 1}: {c}" for c in found.disagreements[:room]
            ]
        done["cpu_s"] = round(done["cpu_s"] + time.process_time() - begun, 1)
        run["to_block"] = done["blocks"]
        done["machine"] = machine()
        keep(RESULT, done)
        sys.stdout.write(
            f"{done['pairs']} pairs, {done['matches']} matches, {done['disagreements']} "
            f"disagreements, {done['cpu_s']:.0f} s\n"
        )
        sys.stdout.flush()
    raise SystemExit(1 if done["disagreements"] else 0)


if __name__ == "__main__":
    main()
