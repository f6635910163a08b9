"""Every zone of tzdata over two years: each local date that exists has one digest, at its hour.

Run from the checkout: ``make sweep ARGS=clock`` (``ARGS="clock 2010 2011"``: other years;
``ARGS="clock package"``: by the tzdata package instead of the machine's files; ``ARGS="clock
again"``: forget what was done). A zone's offset is asked at each quarter of an hour; from that
alone ``tests/support/wall.py`` tells which dates exist and when an hour begins on them. The planner
of the daily is then asked at each quarter hour for readers of every hour of the day. What was done
is kept in bench/results/clock_sweep.json after each zone, and the next run goes on from there.
Ends with 1 when any pair of a zone's hour and local date had another number of digests than one, or
had it at another time.

``make sweep ARGS="clock lives 100"``: sixteen days of six readers, a hundred times, over the real
flows, a real database and SMTP (``tests/support/clock_life.py``), kept in clock_lives.json.
"""

import sys
import time
import zoneinfo
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from support.clock_life import one_life
from support.wall import check, every_quarter, tzdata_version

from bench.captured.papers import RESULTS
from bench.measured.process import Figures, keep, kept, machine

YEARS = (2026, 2027)
MOST_SHOWN = 20
RESULT = RESULTS / "clock_sweep.json"
LIVES = RESULTS / "clock_lives.json"


def fresh(first: int, last: int) -> Figures:
    """A sweep of which nothing is done."""
    return {
        "from": f"{first}-01-01",
        "until": f"{last}-12-31",
        "tzdata": tzdata_version(),
        "zones": 0,
        "zones_that_changed": 0,
        "dates": 0,
        "pairs": 0,
        "other_than_one": 0,
        "cases": [],
        "cpu_s": 0.0,
        "last": "",
    }


def go_on(all_done: Figures, run: Figures, first: int, last: int) -> None:
    """Check the zones that are left."""
    start, end = datetime(first, 1, 1, tzinfo=UTC), datetime(last + 1, 1, 1, tzinfo=UTC)
    for zone in sorted(zoneinfo.available_timezones()):
        if zone <= run["last"]:
            continue
        begun = time.process_time()
        rules = every_quarter(zone, start, end)
        made = check(rules)
        run["zones"] += 1
        run["zones_that_changed"] += bool(rules.changes())
        run["dates"] += len(rules.dates())
        run["pairs"] += made.pairs
        run["other_than_one"] += len(made.wrong)
        run["cases"] += made.wrong[: MOST_SHOWN - len(run["cases"])]
        run["cpu_s"] = round(run["cpu_s"] + time.process_time() - begun, 1)
        run["last"] = zone
        run["on"] = date.today().isoformat()
        if run["zones"] % 20 == 0:
            keep(RESULT, all_done)
            tell(run)


def tell(run: Figures) -> None:
    """One line of where the sweep stands."""
    sys.stdout.write(
        f"tzdata {run['tzdata']}, {run['from']} to {run['until']}: {run['zones']} zones, "
        f"{run['pairs']} pairs, {run['other_than_one']} other than one, {run['cpu_s']:.0f} s\n"
    )
    sys.stdout.flush()


def lives(wanted: int, *, again: bool) -> None:
    """Go on until so many lives were lived; seed n is the same in every run."""
    done = {} if again else kept(LIVES)
    done = done or {
        "what": "weeks over the real flows: moves, pauses, leaving, outages, a clock that jumps",
        "command": f'make sweep ARGS="clock lives {wanted}"',
        "tzdata": tzdata_version(),
        "lives": 0,
        "happened": {},
        "faults": 0,
        "cases": [],
        "cpu_s": 0.0,
    }
    while done["lives"] < wanted:
        begun, seed = time.process_time(), done["lives"]
        with TemporaryDirectory() as folder:
            told, faults = one_life(seed, Path(folder))
        done["happened"] = dict(Counter(done["happened"]) + told)
        done["lives"], done["faults"] = seed + 1, done["faults"] + len(faults)
        done["cases"] += [f"life {seed}: {x}" for x in faults[: MOST_SHOWN - len(done["cases"])]]
        done["cpu_s"] = round(done["cpu_s"] + time.process_time() - begun, 1)
        done |= {"on": date.today().isoformat(), "machine": machine()}
        keep(LIVES, done)
        sys.stdout.write(f"{done['lives']} lives, {done['faults']} faults, {done['cpu_s']:.0f} s\n")
        sys.stdout.flush()
    raise SystemExit(1 if done["faults"] else 0)


def main(words: list[str]) -> None:
    """Go on until every zone is done."""
    if "lives" in words:
        numbers = [int(word) for word in words if word.isdecimal()]
        lives(numbers[0] if numbers else 100, again="again" in words)
    if "package" in words:
        zoneinfo.reset_tzpath(to=[])
    years = [int(word) for word in words if word.isdecimal()] or list(YEARS)
    all_done = kept(RESULT) or {
        "what": "pairs of (zone and hour, local date) with other than one digest",
        "command": "make sweep ARGS=clock",
        "runs": {},
    }
    name = f"{years[0]} to {years[-1]}, tzdata {tzdata_version()}"
    if "again" in words or name not in all_done["runs"]:
        all_done["runs"][name] = fresh(years[0], years[-1])
    run = all_done["runs"][name]
    go_on(all_done, run, years[0], years[-1])
    all_done["machine"] = machine()
    keep(RESULT, all_done)
    tell(run)
    raise SystemExit(1 if run["other_than_one"] else 0)
