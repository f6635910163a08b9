"""A hundred thousand hostile texts: each is compiled within 50 ms or refused in words.

Run from the checkout: ``make hostile`` (``ARGS=5000``: so many). Texts are nested, exploding, full
of stars, up to 20,000 characters long, naughty strings, and pieces of the language in any order
(tests/support/hostile_queries.py); some of 1 MB come last. Of what is read every fifth is also
matched against a paper of 2,400 letters made of the text itself. Prints the figures and keeps them
in bench/results/hostile_queries.json; ends with 1 when a limit was passed.
"""

import random
import sys
from datetime import date

from support.captures import shared_data
from support.hostile_queries import READERS, Trial, hostile, naughty_strings, shaped, try_out

from bench.captured.papers import RESULTS
from bench.measured.process import Figures, keep, machine
from service.matching.parse import parse_query

SEED = 20261121
TEXTS = 100_000
LONG = 200
LIMIT_S = 0.05
MATCH_LIMIT_S = 1.0
"""A paper that says nothing but the query's own words, against a phrase of hundreds of words: no
reader's query and no source's paper, so it only must end soon."""
RESULT = RESULTS / "hostile_queries.json"


def main() -> None:
    """Try all texts; a slow one is tried again, since the machine may have been busy."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else TEXTS
    naughty = naughty_strings(shared_data())
    times: list[float] = []
    matched: list[float] = []
    slow: list[str] = []
    was_read, slowest = 0, (0.0, "")
    parse_query("the grammar is read")
    for number in range(count + LONG):
        chance = random.Random(f"{SEED}:{number}")
        text = hostile(chance, naughty) if number < count else shaped(chance, 1_000_000)
        read = chance.choice(READERS)
        match = number % 5 == 0
        trial = try_out(text, read, match=match)
        if is_slow(trial):
            trial = min(
                (try_out(text, read, match=match) for _ in range(3)), key=lambda one: one.compile_s
            )
        if is_slow(trial):
            slow.append(
                f"text {number}: {trial.compile_s:.3f} s, {trial.match_s:.3f} s: {text[:80]!r}"
            )
        if trial.compile_s > slowest[0]:
            slowest = (trial.compile_s, text[:80])
        times.append(trial.compile_s)
        was_read += not trial.refused
        matched += [trial.match_s] if match and not trial.refused else []
    result: Figures = {
        "on": date.today().isoformat(),
        "command": "make hostile" + (f" ARGS={count}" if count != TEXTS else ""),
        "seed": SEED,
        "machine": machine(),
        "texts": count,
        "texts_of_1_mb": LONG,
        "read": was_read,
        "refused": len(times) - was_read,
        "compile_or_refuse_ms": spread(times),
        "match_a_paper_of_its_words_ms": spread(matched),
        "slowest": slowest[1],
        "over_a_limit": len(slow),
        "slow": slow[:20],
    }
    for name, value in result.items():
        sys.stdout.write(f"{name:32}{value}\n")
    if count == TEXTS:
        keep(RESULT, result)
    raise SystemExit(1 if slow else 0)


def is_slow(trial: Trial) -> bool:
    """Over one of the limits?"""
    return trial.compile_s > LIMIT_S or trial.match_s > MATCH_LIMIT_S


def spread(seconds: list[float]) -> dict[str, float]:
    """p50, p99, p99.9 and the most, in milliseconds."""
    row = sorted(seconds)
    shares = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
    return {
        name: round(1000 * row[min(len(row) - 1, int(share * len(row)))], 2)
        for name, share in shares.items()
    }


if __name__ == "__main__":
    main()
