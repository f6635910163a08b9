"""Sending, side by side in one run: Postfix's smtp-source (before and after), ours, aiosmtplib,
nodemailer's pool, and the naive service, all into Postfix's smtp-sink with the same bytes.

Run from the checkout: ``PYTHONPATH=.:tests python bench/send.py [--readers N] [--caps 4,9,20]
[--sessions 1,10,50] [--interests N] [--on sqlite|postgres] [--only ours]``; needs Debian's package
postfix (not started) and, for nodemailer, node with nodemailer in NODE_PATH. The result is
``results/send.json``.

Ours: readers of 400 distinct interests, each with a name, tokens and links of their own; papers are
matched and rows planned before. Composing is measured as it is done (all mails of a date, then they
go); sending is from claim to recorded answer: render, mark, hand over, record. ``ratio`` is our
rate over that of the slower of both anchors; ``with_compose`` adds the time of composing to ours.
A row is ``disturbed`` when its anchors differ by more than 15 %.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # also as a file
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.captured.papers import RESULTS
from bench.measured.process import MOST_APART, Figures, figures_of, keep, kept, machine
from bench.sending.ground import DATABASES, Ground, cluster_of, composed, module
from bench.sending.house import INTERESTS
from bench.sending.sink import PROGRAMS, Sink, sink, source, told

HERE = Path(__file__).resolve().parent
FILE = RESULTS / "send.json"
READERS = 30_000
NAIVE = 300
"""So few mails of the naive service are enough: it is that slow."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Of one house. cap: papers of a mail."""

    readers: int
    cap: int
    interests: int
    is_only_ours: bool

    def name(self, database: str) -> str:
        words = [f"{self.cap} papers"]
        words += [database] if database != "sqlite" else []
        words += [f"{self.interests} interests"] if self.interests != INTERESTS else []
        words += [f"{self.readers} readers"] if self.readers != READERS else []
        return ", ".join(words)


def ours(into: Sink, ground: Ground, sessions: int, count: int) -> Figures:
    with ground.copy() as copy:
        before = into.processor_s()
        more = (into.port, sessions, copy.database)
        made = module("bench.sending.ours", "send", copy.folder, *more)
        assert made["taken"] == count, f"{made['taken']} of {count} were taken"
        assert copy.accepted() == count
    figures = told(count, made["wall"], made["used"], into.processor_s() - before)
    return {**figures, "peak_mb": made["peak_mb"]}


def rival(into: Sink, name: str, what: object, count: int, sessions: int) -> Figures:
    before = into.processor_s()
    if name == "nodemailer":
        script = str(HERE / "sending" / "nodemailer.mjs")
        made = figures_of("node", script, str(into.port), str(what), str(count), str(sessions))
    else:
        made = module("bench.sending.rivals", name, into.port, what, count, sessions)
    assert made["taken"] == count
    return told(count, made["wall"], made["used"], into.processor_s() - before)


def row(into: Sink, ground: Ground, message: Path, sessions: int, asked: Asked) -> Figures:
    """All senders at one size and number of sessions."""
    count = asked.readers
    figures: Figures = {"before": source(into, message, count, sessions)}
    figures["ours"] = ours(into, ground, sessions, count)
    figures["after"] = source(into, message, count, sessions)
    if not asked.is_only_ours:
        figures["aiosmtplib"] = rival(into, "plain", message, count, sessions)
        if shutil.which("node"):
            figures["nodemailer"] = rival(into, "nodemailer", message, count, sessions)
        figures["naive"] = rival(into, "naive", asked.cap, NAIVE, sessions)
    rates = [figures[name]["per_second"] for name in ("before", "after")]
    used = statistics.mean(figures[name]["cpu_us"] for name in ("before", "after"))
    figures["apart"] = round(max(rates) / min(rates) - 1, 3)
    figures["disturbed"] = figures["apart"] > MOST_APART
    figures["ratio"] = round(figures["ours"]["per_second"] / statistics.mean(rates), 3)
    figures["cpu_times"] = round(figures["ours"]["cpu_us"] / used, 1)
    return figures


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--readers", type=int, default=READERS)
    asked.add_argument("--caps", default="4,9,20")
    asked.add_argument("--sessions", default="1,10,50")
    asked.add_argument("--interests", type=int, default=INTERESTS)
    asked.add_argument("--on", default="sqlite", choices=DATABASES)
    asked.add_argument("--only", default="", choices=["", "ours"])
    asked.add_argument("--keep", default=str(FILE))
    chosen = asked.parse_args()
    if not (PROGRAMS / "smtp-sink").exists():
        print("Left out: Debian's package postfix (smtp-source, smtp-sink) is not here.")
        return
    place = Path(chosen.keep)
    result: dict[str, Any] = kept(place)
    result["machine"] = machine()
    at = {
        "date": datetime.now(UTC).isoformat(timespec="minutes"),  # noqa: TID251
        "command": " ".join(["python", "bench/send.py", *sys.argv[1:]]),
        "readers": chosen.readers,
    }
    with (
        tempfile.TemporaryDirectory(prefix="paperpost-send-") as temporary,
        cluster_of(chosen.on) as cluster,
    ):
        for cap in map(int, chosen.caps.split(",")):
            one = Asked(chosen.readers, cap, chosen.interests, chosen.only == "ours")
            folder, message = Path(temporary) / f"cap{cap}", Path(temporary) / "typical.eml"
            name = one.name(chosen.on)
            with composed(folder, cluster, one.readers, cap, one.interests) as (ground, compose):
                made = module("bench.sending.sample", folder, message, ground.database)
                result[name] = {**at, "compose": compose, "bytes": made["bytes"]}
                for sessions in map(int, chosen.sessions.split(",")):
                    with sink() as into:
                        figures = row(into, ground, message, sessions, one)
                    result[name][f"{sessions} sessions"] = figures
                    print(name, sessions, json.dumps(figures), flush=True)
                    keep(place, result)


if __name__ == "__main__":
    main()
