"""Measures the desk over a month of a large house: every page of it, each list first, in the middle
and at its end, by each filter and order; exports as streams.

Run from the checkout: ``PYTHONPATH=.:tests python -m bench.desk --house FOLDER [--on URL]`` for a
house that ``bench.desk_house`` made; what ``bench.desk_rest`` adds to it is added first. What was
measured before is kept in ``results/desk.json`` and not asked again, so that one that was broken
off goes on; ``--again WORD`` forgets what holds the word ("" = all), ``--only WORD`` measures what
holds it alone ("export" = exports), ``--rounds N`` asks each address so often (20), after two to
warm it up. ``python -m bench.desk_table`` writes the table of docs/admin.md from the results.

What is asked stands in ``bench.desk_pages``, by the routes of the desk: one that is in no table
there ends this. Pages are asked of the desk's routes in this process, without a network between.
Times are milliseconds: wall (half, 95 of 100, the longest), and cpu of this process (half), in
which SQLite works; PostgreSQL's own work is in wall alone. Of exports: seconds, processor seconds
of this process, rows, and by how much the peak of memory rose. load: processes that wanted a core.
"""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from fastapi.testclient import TestClient
from support.desk import signed_in

from bench import desk_pages
from bench.captured.papers import RESULTS
from bench.desk_house import opened
from bench.desk_rest import furnish
from bench.measured.process import Figures, forget_peak, keep, kept, machine, memory_mb, peak_mb
from service.flows.day_figures import count_days
from service.flows.edition_lists import keep_counts
from service.wiring import now

FILE = RESULTS / "desk.json"
ROUNDS = 20
MOST_MS = {"overview": 500}
"""Goals of pages other than lists."""

LIST_MS = 300


def asked_for(client: TestClient, address: str, rounds: int) -> Figures:
    """Times of one page; a page that is not there is told by its status."""
    path = f"/admin/{address}".rstrip("/")
    walls: list[float] = []
    cpus: list[float] = []
    size = 0
    for turn in range(rounds + 2):
        wall, cpu = time.perf_counter(), time.process_time()
        answer = client.get(path, follow_redirects=False)
        if answer.headers.get("location", "").partition("?")[0].endswith("/admin/login"):
            sys.exit("The session is over: another measurement logged in. Start again to go on.")
        if answer.status_code not in (200, 303):
            return {"status": answer.status_code}
        if turn > 1:
            walls.append(1000 * (time.perf_counter() - wall))
            cpus.append(1000 * (time.process_time() - cpu))
        size = len(answer.content)
        if turn == 1 and wall and 1000 * (time.perf_counter() - wall) > 5000:
            rounds = 2  # one that is so slow is known by few
    walls.sort()
    return {
        "half": round(statistics.median(walls)),
        "p95": round(walls[max(0, -(-95 * len(walls) // 100) - 1)]),
        "most": round(walls[-1]),
        "cpu": round(statistics.median(cpus)),
        "kb": round(size / 1024),
    }


def streamed(client: TestClient, address: str, form: Mapping[str, str] | None = None) -> Figures:
    """One export to its end, part by part as the server would send it, and none of it kept. form:
    of one that is sent for."""
    path, _, query = f"/admin/{address}".partition("?")
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    host = client.base_url.netloc
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET" if form is None else "POST",
        "scheme": client.base_url.scheme,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [
            (b"host", host),
            (b"cookie", cookies.encode()),
            (b"content-type", b"application/x-www-form-urlencoded"),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    told = {"status": 0, "rows": -1, "mb": 0}
    body = [urlencode(form or {}).encode()]

    async def receive() -> dict[str, Any]:
        if body:
            return {"type": "http.request", "body": body.pop(), "more_body": False}
        await asyncio.sleep(3600)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            told["status"] = message["status"]
        else:
            told["rows"] += message["body"].count(b"\n")
            told["mb"] += len(message["body"])

    forget_peak()
    before, began, cpu = memory_mb(), time.perf_counter(), time.process_time()
    asyncio.run(client.app(scope, receive, send))  # type: ignore[arg-type]
    if told["status"] != 200:
        return {"status": told["status"]}
    return {
        "rows": told["rows"],
        "mb": round(told["mb"] / 1e6),
        "seconds": round(time.perf_counter() - began, 1),
        "cpu_s": round(time.process_time() - cpu, 1),
        "rose_mb": round(peak_mb() - before),
    }


def main(argv: Sequence[str]) -> None:
    """As the first lines say."""
    words = dict(zip(argv[::2], argv[1::2], strict=True))
    if "--house" not in words:
        sys.exit(__doc__)
    if faults := desk_pages.faults():
        sys.exit("\n".join(faults))
    rounds = int(words.get("--rounds", ROUNDS))
    with opened(Path(words["--house"]), words.get("--on", "")) as house:
        rt = house.runtime
        name = "postgresql" if not rt.db.is_sqlite else "sqlite"
        figures = kept(FILE)
        mine: dict[str, Any] = figures.setdefault(name, {})
        for part in ("pages", "exports"):
            mine.setdefault(part, {})
        if "--again" in words:
            for part in ("pages", "exports"):
                mine[part] = {k: v for k, v in mine[part].items() if words["--again"] not in k}
        while count_days(rt) + keep_counts(rt):
            pass
        furnish(rt)
        client, token = signed_in(SimpleNamespace(rt=rt), "owner")  # type: ignore[arg-type]
        only = words.get("--only", "")
        for page, address in desk_pages.addresses(rt):
            if page in mine["pages"] or only not in page:
                continue
            told = mine["pages"][page] = asked_for(client, address, rounds)
            goal = MOST_MS.get(page, LIST_MS)
            mark = " SLOW" if told.get("p95", 0) > goal or "status" in told else ""
            sys.stdout.write(f"{page}: {told}{mark}\n")
            sys.stdout.flush()
            _keep(figures, mine)
        for export, address, form in desk_pages.exports(rt, token):
            if export in mine["exports"] or only not in f"export {export}":
                continue
            told = mine["exports"][export] = streamed(client, address, form)
            sys.stdout.write(f"export {export}: {told}\n")
            sys.stdout.flush()
            _keep(figures, mine)


def _keep(figures: Figures, mine: dict[str, Any]) -> None:
    mine["measured"] = {
        "on": now().astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "load": round(os.getloadavg()[0], 1),
        **machine(),
    }
    keep(FILE, figures)


if __name__ == "__main__":
    main(sys.argv[1:])
