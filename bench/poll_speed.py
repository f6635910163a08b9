"""Measures a poll of 1,000 items in the process that serves pages, as ``run`` does, and what who
reads ``/papers`` every 20 ms meanwhile feels of it; on SQLite, and on PostgreSQL where it is here.

Run from the checkout: ``python -m bench.poll_speed [ITEMS] [ROUNDS]``. The items are captured arXiv
announcements, served by another process on 127.0.0.1, read by the parse pool and stored; the pages
are asked for by a third process.

Prints JSON objects: the processor time of reading the feed, which the parse pool spends; and for
each database ``poll_s`` and ``cpu_s`` (of the process that serves) of a poll while nobody reads,
then the same poll while pages are read. Seconds and milliseconds. On a machine that is busy with
other work ``cpu_s`` tells more than ``poll_s``.
"""

import asyncio
import gzip
import http.client
import json
import multiprocessing
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import uvicorn

from service.app import make_app
from service.cli.serving import SWITCH_S, working
from service.flows.ingest import ingest_files
from service.flows.match import learn
from service.flows.poll import poll_due
from service.flows.sources import add_source
from service.settings import load_settings
from service.sources.registry import ADAPTERS
from service.wiring import House

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"
SPAWN = multiprocessing.get_context("spawn")
Times = tuple[list[float], list[float]]
EVERY = 0.02
QUIET = 4.0
"""Seconds between two questions for the page, and for which it is asked before the poll."""


def feeds(items: int) -> list[bytes]:
    """Captured announcements as two feeds: twenty items, and ``items`` others."""
    path = SHARED / "arxiv_corpus" / "arxiv_rss_items_2026-08.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = list({row["link"]: row for row in map(json.loads, lines)}.values())
    entries = [
        f"<item><title>{escape(row['title'])}</title><link>{escape(row['link'])}</link>"
        f"<description>{escape(row['description'])}</description></item>"
        for row in rows[: items + 20]
    ]
    form = '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>{}</title>{}'
    parts = (("Few", entries[:20]), ("Many", entries[20:]))
    return [f"{form.format(name, ''.join(x))}</channel></rss>".encode() for name, x in parts]


def serve_feeds(bodies: list[bytes], told: Connection) -> None:
    """Runs in a process of its own: /0 and /1."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = bodies[int(self.path[1:])]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.send(server.server_port)
    server.serve_forever()


def read_pages(port: int, told: Connection) -> None:
    """Runs in a process of its own: asks every 20 ms until told to stop, then tells when each
    question began and how long its answer took."""
    line = http.client.HTTPConnection("127.0.0.1", port)
    took: list[tuple[float, float]] = []
    told.send("ready")
    while not told.poll():
        begun = time.time()  # noqa: TID251
        line.request("GET", "/papers")
        answer = line.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        spent = time.time() - begun  # noqa: TID251
        took.append((begun, spent))
        time.sleep(max(0.0, EVERY - spent))
    told.send(took)


@contextmanager
def process(work: Any, *given: Any) -> Iterator[Connection]:
    """Run ``work`` in another process; gives our end of its pipe."""
    ours, theirs = SPAWN.Pipe()
    made = SPAWN.Process(target=work, args=(*given, theirs), daemon=True)
    made.start()
    try:
        yield ours
    finally:
        made.terminate()
        made.join()


async def measured(house: House, base: str, *, is_read: bool) -> tuple[dict[str, float], Times]:
    """One poll in a house at work, with or without a reader of pages; its figures, and the
    seconds that pages took before and during."""
    sys.setswitchinterval(SWITCH_S)  # as ``serve`` does
    rt = house.runtime
    sock = socket.create_server(("127.0.0.1", 0))
    app = make_app(rt, house.settings)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    async with working(house):
        serving = asyncio.create_task(server.serve([sock]))
        few = await asyncio.to_thread(add_source, rt, "feed", {"url": f"{base}/0"}, "Few")
        await poll_due(rt, few["id"])  # the parser is started once
        many = await asyncio.to_thread(add_source, rt, "feed", {"url": f"{base}/1"}, "Many")
        await asyncio.sleep(0.5)
        port = sock.getsockname()[1]
        with process(read_pages, port) if is_read else nullcontext() as reader:
            if reader is not None:
                await asyncio.to_thread(reader.recv)
                await asyncio.sleep(QUIET)
            begun, cpu = time.time(), time.process_time()  # noqa: TID251
            (row,) = await poll_due(rt, many["id"])
            ended, spent = time.time(), time.process_time() - cpu  # noqa: TID251
            took = []
            if reader is not None:
                reader.send("enough")
                took = await asyncio.to_thread(reader.recv)
        server.should_exit = True
        await serving
    assert row["outcome"] == "read", row
    before = [s for at, s in took if at + s < begun]
    during = [s for at, s in took if begun <= at + s and at < ended]
    return {"items": row["items"], "poll_s": ended - begun, "cpu_s": spent}, (before, during)


def run(url: str, base: str, folder: Path, *, is_read: bool) -> tuple[dict[str, float], Times]:
    """A new house with one day of captured papers, and one poll in it."""
    values = {"database_url": url} if url else {}
    settings = load_settings(None, data_dir=folder, timezone="UTC", **values)
    house = House(settings, allow_private=True, mailbox_port=lambda: 9)  # no mail is sent
    try:
        files = sorted((SHARED / "hf_daily").glob("*.json"))[-1:]
        ingest_files(house.runtime, "hf_daily", files, on=None, history=False)
        learn(house.runtime)
        return asyncio.run(measured(house, base, is_read=is_read))
    finally:
        house.close()


def rounds_on(name: str, cluster: Any, base: str, rounds: int) -> dict[str, Any]:
    """Several polls, each in a house of its own; the pages' times of all of them together."""
    made: dict[bool, list[dict[str, float]]] = {False: [], True: []}
    before, during = [], []
    for is_read in (False, True) * rounds:
        with (
            tempfile.TemporaryDirectory() as folder,
            cluster.database() if cluster else nullcontext("") as url,
        ):
            figures, times = run(url, base, Path(folder), is_read=is_read)
        made[is_read].append(figures)
        before += times[0]
        during += times[1]
    figures = {key: statistics.median(f[key] for f in made[False]) for key in made[False][0]}
    read = statistics.median(f["poll_s"] for f in made[True])
    return {
        "database": name,
        **{key: round(value, 2) for key, value in figures.items()},
        "poll_while_read_s": round(read, 2),
        "pages_before": shares(before),
        "pages_during": shares(during),
        "load": round(os.getloadavg()[0], 1),
    }


def parsing(body: bytes) -> dict[str, float]:
    """Processor time of reading the feed, which is spent in the parse pool."""
    begun = time.process_time()
    parsed = ADAPTERS["feed"].parse(body)
    return {"items": parsed.items, "parse_cpu_s": round(time.process_time() - begun, 2)}


def shares(seconds: list[float]) -> dict[str, float]:
    """How many, and their milliseconds: half and 99 in 100 of them took no longer."""
    if not seconds:
        return {"pages": 0}
    ordered = sorted(seconds)
    at = {"p50_ms": 0.5, "p99_ms": 0.99}
    places = {name: ordered[min(len(ordered) - 1, int(len(ordered) * x))] for name, x in at.items()}
    return {"pages": len(ordered), **{name: round(1000 * s, 1) for name, s in places.items()}}


def main() -> None:
    items, rounds = (int(x) for x in (*sys.argv[1:3], "1000", "3")[:2])
    sys.path.insert(0, str(ROOT / "tests"))
    bodies = feeds(items)
    print(json.dumps(parsing(bodies[1])), flush=True)
    with process(serve_feeds, bodies) as feeder:
        base = f"http://127.0.0.1:{feeder.recv()}"
        print(json.dumps(rounds_on("SQLite", None, base, rounds)), flush=True)
        try:
            from support.postgres import running_cluster
        except ImportError:
            return
        with running_cluster() as cluster:
            print(json.dumps(rounds_on("PostgreSQL", cluster, base, rounds)), flush=True)


if __name__ == "__main__":
    main()
