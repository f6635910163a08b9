"""Polls of many good sources and some that are slow, huge, endless or broken: figures as JSON.

``python -m tests.support.fault_round``; ``--help`` names its options. Every source has a host of
its own (names lead to 127.0.0.1); the fault server is another process. Three rounds: the good ones
alone (after one to warm up), all of them for the first time, and all again, when the bad ones are
known. In the second some good ones become due again while the slowest are still asked.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from service.flows.poll import poll_due
from service.flows.sources import add_source
from service.settings import load_settings
from service.sources.fetch import SECONDS, Fetcher
from service.sources.parse_pool import DEADLINE_SECONDS, ParsePool
from service.store.tables import PaperRow, SourceRow
from service.wiring import House

BAD = [
    "two_gb", "drip", "silence", "nested", "gzip_bomb_on_a_redirect", "drip_after_a_megabyte",
    "slow_headers", "endless_headers", "endless_continue", "xml_bomb", "silence",
    "two_gb_in_chunks", "drip", "nested", "quadratic_bomb", "reset_in_the_body", "no_name",
    "endless_header", "drip_after_a_megabyte", "no_name",
]  # fmt: skip
ROOT = Path(__file__).resolve().parents[2]
AGAIN_AFTER, AGAIN = 6.0, 10
"""In the second round so many good sources become due again after so many seconds."""


def lead_names_home() -> None:
    """Every name is 127.0.0.1; one that holds "no-name" keeps its asker waiting for 20 s."""
    real = socket.getaddrinfo

    def look_up(host: Any, *rest: Any, **more: Any) -> Any:
        if "no-name" in str(host):
            time.sleep(20)
            raise socket.gaierror("no such name")
        return real("127.0.0.1", *rest, **more)

    socket.getaddrinfo = look_up  # type: ignore[assignment]


def add_sources(house: House, port: int, good: int, bad: int, seed: int) -> None:
    kinds = [f"good/{n}" for n in range(good)] + [BAD[n % len(BAD)] for n in range(bad)]
    named = list(enumerate(kinds))
    random.Random(seed).shuffle(named)
    for number, kind in named:
        host = f"{'good' if kind.startswith('good') else 'bad'}{number}.example"
        host = f"no-name-{host}" if kind == "no_name" else host
        add_source(
            house.runtime, "feed", f"url=http://{host}:{port}/{kind}", title=f"{kind}@{host}"
        )


def make_due(house: House, only: Iterable[int] | None = None, *, good: bool = False) -> None:
    """Make sources due now; good: the others never."""

    def work(session: Any) -> None:
        for row in session.exec(sa.select(SourceRow)).scalars():
            if good and not row.title.startswith("good"):
                row.next_poll_at = None
            elif only is None or row.id in only:
                row.next_poll_at = house.runtime.clock()
            session.add(row)

    house.db.write(work)


def good_rows(house: House) -> list[SourceRow]:
    def work(session: Any) -> list[SourceRow]:
        rows = list(session.exec(sa.select(SourceRow)).scalars())
        return [row for row in rows if row.title.startswith("good")]

    return house.db.read(work)


def spread_of(delays: list[float]) -> dict[str, float]:
    """Median, 95th percentile and largest of some delays, in seconds."""
    ranked = sorted(delays)
    return {
        "median_s": round(statistics.median(ranked), 2),
        "p95_s": round(ranked[int(0.95 * (len(ranked) - 1))], 2),
        "max_s": round(ranked[-1], 2),
    }


async def watch_loop(lags: list[float]) -> None:
    """Note how late the event loop is, all the time."""
    while True:
        begun = time.perf_counter()
        await asyncio.sleep(0.02)
        lags.append(time.perf_counter() - begun - 0.02)


def run_round(house: House, *, again: bool = False) -> dict[str, Any]:
    """One poll of what is due."""
    begun = datetime.now(UTC)
    lags: list[float] = []
    late: list[float] = []
    chosen = [row.id for row in good_rows(house)[:AGAIN]] if again else []

    async def disturb() -> None:
        await asyncio.sleep(AGAIN_AFTER)
        await asyncio.to_thread(make_due, house, chosen)
        due = datetime.now(UTC)
        while len(late) < AGAIN:
            await asyncio.sleep(0.25)
            rows = [row for row in good_rows(house) if row.id in chosen]
            late[:] = [(x.last_poll_at - due).total_seconds() for x in rows if x.last_poll_at > due]

    async def all_of_it() -> list[dict[str, Any]]:
        watching = asyncio.create_task(watch_loop(lags))
        disturbing = asyncio.create_task(disturb()) if again else None
        reports = await poll_due(house.runtime)
        watching.cancel()
        if disturbing:
            await asyncio.wait({disturbing}, timeout=1)
            disturbing.cancel()
        return reports

    reports = asyncio.run(all_of_it())
    took = (datetime.now(UTC) - begun).total_seconds()
    asked = [row for row in good_rows(house) if row.last_poll_at and row.last_poll_at >= begun]
    once = [(x.last_poll_at - begun).total_seconds() for x in asked if x.id not in chosen]
    failed = [r for r in reports if r["outcome"] == "failed"]
    return {
        "round_s": round(took, 1),
        "visits": len(reports),
        "good_asked": len(asked),
        "good_failed": sum(r["title"].startswith("good") for r in failed),
        "bad_failed": len({r["source"] for r in failed if not r["title"].startswith("good")}),
        "good_ones": spread_of(once),
        **({"good_ones_due_again": spread_of(late)} if late else {}),
        "loop_late_p99_ms": round(sorted(lags)[int(0.99 * (len(lags) - 1))] * 1000, 1),
        "loop_late_max_ms": round(max(lags) * 1000, 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "words": {r["title"].partition("@")[0]: r["error"] for r in failed},
    }


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--good", type=int, default=80)
    asked.add_argument("--bad", type=int, default=20)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--seconds", type=float, default=SECONDS, help="of one answer")
    asked.add_argument("--deadline", type=float, default=DEADLINE_SECONDS, help="of the reader")
    given = asked.parse_args()
    command = [sys.executable, "-m", "tests.support.fault_server"]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    port = int(child.stdout.readline())
    lead_names_home()
    logs = os.dup(1)
    os.dup2(2, 1)  # the house logs to standard output, which is for the figures
    figures: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "seed": given.seed,
        "limits_s": [given.seconds, given.deadline],
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
    }
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(None, data_dir=Path(folder), timezone="UTC")
        house = House(settings, allow_private=True)
        house.runtime.open_fetcher = lambda: Fetcher(
            "Paperpost", clock=house.runtime.clock, allow_private=True, seconds=given.seconds
        )
        pool = ParsePool(deadline=given.deadline)
        house.runtime.parse = lambda kind, body, day: pool.parse(kind, body, day=day)
        add_sources(house, port, given.good, given.bad, given.seed)
        make_due(house, good=True)
        run_round(house)  # starts the parsing process and fills the caches
        make_due(house, good=True)
        figures["idle_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        figures["good_alone"] = run_round(house)
        make_due(house)
        figures["bad_ones_new"] = run_round(house, again=True)
        make_due(house)
        figures["bad_ones_known"] = run_round(house)
        figures["papers"] = house.db.read(
            lambda s: s.exec(sa.select(sa.func.count()).select_from(PaperRow)).scalar_one()
        )
        pool.close()
        house.close()
    figures["peak_of_a_parser_mb"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    child.kill()
    child.wait()
    with os.fdopen(logs, "w") as out:
        json.dump(figures, out, indent=1)
        out.write("\n")


if __name__ == "__main__":
    main()
