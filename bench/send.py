"""Sending, side by side in one run: Postfix's smtp-source (before and after), ours, aiosmtplib,
nodemailer's pool, and the naive service, all into Postfix's smtp-sink with the same bytes.

Run from the checkout: ``PYTHONPATH=. python bench/send.py [--readers N] [--caps 4,9,20]
[--sessions 1,10,50] [--database URL] [--parts ...]``; needs Debian's package postfix (not started)
and, for nodemailer, node with nodemailer in NODE_PATH. The result is ``results/send.json``.

Ours: readers of 400 distinct interests, each with a name, tokens and links of their own; papers are
matched and rows planned before. Composing is measured as it is done (all mails of a date, then they
go); sending is from claim to recorded answer: render, mark, hand over, record. ``ratio`` is our
rate over that of the slower of both anchors; ``with_compose`` adds the time of composing to ours.
A row is ``disturbed`` when its anchors differ by more than 15 %.
"""

import argparse
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # also as a file
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.captured.papers import RESULTS
from bench.measured.process import MARK, MOST_APART, Figures, keep, kept, machine
from bench.sending.sink import PROGRAMS, Sink, sink, source, told

HERE = Path(__file__).resolve().parent
FILE = RESULTS / "send.json"
NAIVE = 300
"""So few mails of the naive service are enough: it is that slow."""


def apart(*command: str) -> Figures:
    """The figures of a command that tells them on its last line."""
    done = subprocess.run(
        [*command], check=False, stdout=subprocess.PIPE, text=True, cwd=HERE.parent,
        env={**os.environ, "PYTHONPATH": str(HERE.parent)},
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if done.returncode or not lines:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}.\n{done.stdout}")
    figures: Figures = json.loads(lines[-1].removeprefix(MARK))
    return figures


def module(name: str, *more: object) -> Figures:
    return apart(sys.executable, "-m", name, *map(str, more))


def prepared(folder: Path, readers: int, cap: int) -> Figures:
    """A house with its day composed, in ``folder``; what composing took of each digest."""
    subprocess.run(
        [sys.executable, "-m", "bench.sending.ours", "fill", str(folder), str(readers), str(cap)],
        check=True,
        cwd=HERE.parent,
    )
    made = module("bench.sending.ours", "plan", folder)
    assert made["ready"] == readers, f"{made['ready']} of {readers} digests are ready"
    return {
        "compose_us": round(made["compose_s"] / readers * 1e6),
        "compose_cpu_us": round(made["compose_cpu_s"] / readers * 1e6),
        "plan_cpu_us": round((made["all_cpu_s"] - made["compose_cpu_s"]) / readers * 1e6),
        "peak_mb": made["peak_mb"],
    }


def typical(folder: Path, into: Path) -> int:
    """Put a mail of about the mean size of the house's into a file; its bytes."""
    figures = module("bench.sending.sample", folder, into)
    return int(figures["bytes"])


def ours(into: Sink, folder: Path, work: Path, sessions: int, count: int) -> Figures:
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(folder, work)
    before = into.processor_s()
    made = module("bench.sending.ours", "send", work, into.port, sessions)
    assert made["taken"] == count, f"{made['taken']} of {count} were taken"
    with sqlite3.connect(work / "paperpost.db") as rows:
        query = "SELECT count(*) FROM delivery WHERE state = 'accepted' AND code = 250"
        assert rows.execute(query).fetchone() == (count,)
    figures = told(count, made["wall"], made["used"], into.processor_s() - before)
    return {**figures, "peak_mb": made["peak_mb"]}


def rival(into: Sink, name: str, what: object, count: int, sessions: int) -> Figures:
    before = into.processor_s()
    if name == "nodemailer":
        script = str(HERE / "sending" / "nodemailer.mjs")
        made = apart("node", script, str(into.port), str(what), str(count), str(sessions))
    else:
        made = module("bench.sending.rivals", name, into.port, what, count, sessions)
    assert made["taken"] == count
    return told(count, made["wall"], made["used"], into.processor_s() - before)


def row(into: Sink, folder: Path, work: Path, sessions: int, count: int, cap: int) -> Figures:
    """All senders at one size and number of sessions."""
    message = folder / "typical.eml"
    figures: Figures = {"bytes": message.stat().st_size}
    figures["before"] = source(into, message, count, sessions)
    figures["ours"] = ours(into, folder, work, sessions, count)
    figures["after"] = source(into, message, count, sessions)
    figures["aiosmtplib"] = rival(into, "plain", message, count, sessions)
    if shutil.which("node"):
        figures["nodemailer"] = rival(into, "nodemailer", message, count, sessions)
    figures["naive"] = rival(into, "naive", cap, NAIVE, sessions)
    rates = [figures[name]["per_second"] for name in ("before", "after")]
    used = statistics.mean(figures[name]["cpu_us"] for name in ("before", "after"))
    figures["apart"] = round(max(rates) / min(rates) - 1, 3)
    figures["disturbed"] = figures["apart"] > MOST_APART
    figures["ratio"] = round(figures["ours"]["per_second"] / statistics.mean(rates), 3)
    figures["cpu_times"] = round(figures["ours"]["cpu_us"] / used, 1)
    return figures


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--readers", type=int, default=30_000)
    asked.add_argument("--caps", default="4,9,20")
    asked.add_argument("--sessions", default="1,10,50")
    asked.add_argument("--keep", default=str(FILE))
    chosen = asked.parse_args()
    if not (PROGRAMS / "smtp-sink").exists():
        print("Left out: Debian's package postfix (smtp-source, smtp-sink) is not here.")
        return
    place = Path(chosen.keep)
    result: dict[str, Any] = kept(place)
    result |= {
        "machine": machine(),
        "date": datetime.now(UTC).isoformat(timespec="minutes"),  # noqa: TID251
        "command": " ".join(["python", "bench/send.py", *sys.argv[1:]]),
    }
    with tempfile.TemporaryDirectory(prefix="paperpost-send-") as temporary:
        for cap in map(int, chosen.caps.split(",")):
            folder, work = Path(temporary) / f"cap{cap}", Path(temporary) / "work"
            name = f"{cap} papers"
            result.setdefault(name, {})
            result[name]["compose"] = prepared(folder, chosen.readers, cap)
            result[name]["bytes"] = typical(folder, folder / "typical.eml")
            for sessions in map(int, chosen.sessions.split(",")):
                with sink() as into:
                    figures = row(into, folder, work, sessions, chosen.readers, cap)
                result[name][f"{sessions} sessions"] = figures
                print(name, sessions, json.dumps(figures), flush=True)
                keep(place, result)
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
