"""What the write-ahead mark costs: the same house sent with it, and with all mails marked when they
are claimed, so that no body waits for a commit (what a sender does that may send twice).

Run from the checkout: ``PYTHONPATH=.:tests python bench/mark.py [--readers N] [--cap PAPERS]
[--sessions N,N] [--tries N] [--on sqlite,postgres]``; needs Debian's package postfix (not
started). On SQLite (``synchronous=FULL``) and PostgreSQL (``fsync`` on), in turns; medians; the
result is ``results/mark.json``. Counted after each: rows accepted.
"""

import argparse
import json
import statistics
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

if __name__ == "__main__":  # also as a file
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.captured.papers import RESULTS
from bench.measured.process import Figures, keep, kept, machine
from bench.sending.ground import Ground, cluster_of, composed, module
from bench.sending.house import INTERESTS
from bench.sending.sink import PROGRAMS, sink, told

FILE = RESULTS / "mark.json"


def once(ground: Ground, act: str, sessions: int, count: int) -> Figures:
    with ground.copy() as copy, sink() as into:
        made = module("bench.sending.ours", act, copy.folder, into.port, sessions, copy.database)
        assert made["taken"] == count == copy.accepted(), made
        return told(count, made["wall"], made["used"], into.processor_s())


def compared(ground: Ground, sessions: int, count: int, tries: int) -> Figures:
    runs: dict[str, list[Figures]] = {"send": [], "unmarked": []}
    for _ in range(tries):
        for act, done in runs.items():
            done.append(once(ground, act, sessions, count))
    figures: Figures = {}
    for act, name in (("send", "with"), ("unmarked", "without")):
        for key in ("per_second", "cpu_us"):
            values = [run[key] for run in runs[act]]
            figures[f"{name}_{key}"] = statistics.median(values)
            figures[f"{name}_{key}_all"] = values
    figures["rate_with_of_without"] = round(
        figures["with_per_second"] / figures["without_per_second"], 3
    )
    figures["mark_cpu_us"] = round(figures["with_cpu_us"] - figures["without_cpu_us"], 1)
    return figures


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--readers", type=int, default=6000)
    asked.add_argument("--cap", type=int, default=9)
    asked.add_argument("--sessions", default="1,10,50")
    asked.add_argument("--tries", type=int, default=3)
    asked.add_argument("--on", default="sqlite,postgres")
    asked.add_argument("--keep", default=str(FILE))
    chosen = asked.parse_args()
    if not (PROGRAMS / "smtp-sink").exists():
        print("Left out: Debian's package postfix (smtp-sink) is not here.")
        return
    place = Path(chosen.keep)
    result = kept(place)
    result["machine"] = machine()
    for database in chosen.on.split(","):
        with (
            tempfile.TemporaryDirectory(prefix="paperpost-mark-") as temporary,
            cluster_of(database) as cluster,
            composed(Path(temporary) / "house", cluster, chosen.readers, chosen.cap, INTERESTS) as (
                ground,
                _,
            ),
        ):
            result[database] = {
                "date": datetime.now(UTC).isoformat(timespec="minutes"),  # noqa: TID251
                "command": " ".join(["python", "bench/mark.py", *sys.argv[1:]]),
                "readers": chosen.readers,
            }
            for sessions in map(int, chosen.sessions.split(",")):
                figures = compared(ground, sessions, chosen.readers, chosen.tries)
                result[database][f"{sessions} sessions"] = figures
                print(database, sessions, json.dumps(figures), flush=True)
                keep(place, result)


if __name__ == "__main__":
    main()
