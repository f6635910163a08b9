"""Measures the desk over a month of a large house: each list first, in the middle and at its end,
by each filter and order; the overview; exports as streams.

Run from the checkout: ``PYTHONPATH=.:tests python -m bench.desk --house FOLDER [--on URL]`` for a
house that ``bench.desk_house`` made. What was measured before is kept in ``results/desk.json`` and
not asked again; ``--again WORD`` forgets what holds the word ("" = all), ``--only WORD`` measures
what holds it alone, ``--rounds N`` asks each address so often (20), after two to warm it up.

Pages are asked of the desk's routes in this process, without a network between. Times are
milliseconds: wall (half, 95 of 100, the longest), and cpu of this process (half), in which SQLite
works; PostgreSQL's own work is in wall alone. Of exports: seconds, rows, and by how much the peak
of memory rose. load: processes that wanted a core.
"""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from fastapi.testclient import TestClient
from support.desk import signed_in

from bench.captured.papers import RESULTS
from bench.desk_house import NOW, opened
from bench.measured.process import Figures, forget_peak, keep, kept, machine, memory_mb, peak_mb
from service.flows.day_figures import count_days
from service.flows.edition_lists import keep_counts
from service.flows.runtime import Runtime
from service.wiring import now

FILE = RESULTS / "desk.json"
ROUNDS = 20
MOST_MS = {"overview": 500}
"""Goals of pages other than lists."""

LIST_MS = 300
LAST = 999_999_999
"""A page far beyond the end: the last one is shown."""


def addresses(rt: Runtime) -> dict[str, str]:
    """What is asked, by name; numbers of rows as they are in the house."""

    def number(query: str) -> int:
        return int(rt.db.read(lambda s: s.execute(sa.text(query)).scalar_one()))

    daily = number("SELECT max(id) FROM edition WHERE kind = 'digest'")
    before = number(f"SELECT max(id) FROM edition WHERE kind = 'digest' AND id < {daily}")  # nosec B608
    mail = number("SELECT max(id) FROM delivery WHERE state = 'accepted'")
    refused = number("SELECT max(id) FROM delivery WHERE state = 'failed'")
    today = NOW.date().isoformat()
    asked = {
        "overview": "",
        "overview, the moving part": "overview/now",
        "edition under way": f"editions/{daily}",
        "edition under way, progress": f"editions/{daily}/progress",
        "edition of yesterday": f"editions/{before}",
        "delivery": f"deliveries/{mail}",
        "delivery, refused": f"deliveries/{refused}",
        "pace": "deliveries/pace",
        "groups of an edition": f"deliveries/groups?edition={before}",
        "groups of all": "deliveries/groups",
        "reader": "readers/501",
        "rates 7": "bounces/rates?days=7",
        "rates 30": "bounces/rates?days=30",
        "rates 90": "bounces/rates?days=90",
        "rates of a domain": "bounces/rates?days=30&domain=large1.example.net",
        "review": "bounces/review",
        "sources": "sources",
        "source": "sources/1",
        "alarms": "alarms",
        "topics": "topics",
        "settings": "settings",
        "staff": "staff",
        "tokens": "tokens",
        "compose": "send",
        "papers": "papers",
    }
    for name, filters, middle in _lists(daily, before, today):
        for how, query in filters.items():
            pages = {"first": 1, "middle": middle, "last": LAST} if how == "all" else {"first": 1}
            if how in ("of an edition", "accepted"):
                pages = {"first": 1, "last": LAST}
            for where, page in pages.items():
                words = {**query, "page": page} if page > 1 else query
                asked[f"{name}: {how}, {where}"] = f"{name}?{urlencode(words)}"
    return asked


def _lists(
    daily: int, before: int, today: str
) -> Iterator[tuple[str, dict[str, dict[str, str | int]], int]]:
    """(list, filters by name, a page in the middle)."""
    deliveries: dict[str, dict[str, str | int]] = {
        "all": {},
        "of an edition": {"edition": before},
        "of an edition, refused": {"edition": before, "state": "failed"},
        "under way": {"edition": daily, "state": "ready"},
        "address": {"q": "reader77.1"},
        "no such address": {"q": "nobody-of-that-name"},
        "words": {"words": "no such user"},
        "words, rare": {"words": "never said by any server"},
        "domain": {"domain": "d7.example.org"},
        "large domain": {"domain": "large1.example.net"},
        "meaning": {"meaning": "policy"},
        "today": {"from": today},
        "a week": {"from": "2026-11-02", "to": "2026-11-08"},
        "edition and address": {"edition": before, "q": "reader77"},
    }
    states = (
        "accepted", "skipped", "failed", "expired", "deferred", "ready", "suppressed", "presumed",
        "held", "planned",
    )  # fmt: skip
    deliveries |= {state: {"state": state} for state in states}
    deliveries |= {
        f"order {order}": {"order": order}
        for order in ("oldest", "address", "domain", "state", "tries")
    }
    yield "deliveries", deliveries, 15_000
    editions: dict[str, dict[str, str | int]] = {"all": {}, "words": {"q": "2026-11"}}
    editions |= {f"kind {kind}": {"kind": kind} for kind in ("digest", "alert", "manual", "notice")}
    editions |= {f"state {state}": {"state": state} for state in ("open", "done", "paused")}
    editions |= {
        f"sort {sort}": {"sort": sort} for sort in ("name", "kind", "state", "begun", "-planned")
    }
    editions["days"] = {"from": "2026-11-02", "to": "2026-11-08"}
    yield "editions", editions, 12
    readers: dict[str, dict[str, str | int]] = {"all": {}, "words": {"q": "reader77"}}
    readers |= {f"state {state}": {"state": state} for state in ("active", "pending", "left")}
    readers |= {f"sort {sort}": {"sort": sort} for sort in ("email", "-joined", "name", "state")}
    readers["no such"] = {"q": "nobody-of-that-name"}
    readers["tag"] = {"tag": "staff"}
    yield "readers", readers, 500
    bounces: dict[str, dict[str, str | int]] = {
        "all": {},
        "kind": {"kind": "hard"},
        "domain": {"domain": "large1.example.net"},
        "state": {"state": "review"},
        "address": {"q": "r77"},
        "days": {"from": "2026-11-02", "to": "2026-11-08"},
    }
    yield "bounces", bounces, 100
    audit: dict[str, dict[str, str | int]] = {
        "all": {},
        "who": {"who": "ann"},
        "what": {"what": "pause"},
        "words": {"q": "reader 77"},
        "sort": {"sort": "what"},
        "days": {"from": "2026-11-02", "to": "2026-11-08"},
    }
    yield "audit", audit, 100
    yield "suppressions", {"all": {}, "reason": {"reason": "hard"}}, 20


EXPORTS = {
    "editions": "editions/export.csv?kind=notice",
    "bounces": "bounces/export.csv",
    "audit": "audit/export.csv",
    "deliveries": "deliveries/export.csv",
    "readers": "readers/export.csv",
}


def asked_for(client: TestClient, address: str, rounds: int) -> Figures:
    """Times of one page; a page that is not there is told by its status."""
    path = f"/admin/{address}".rstrip("/")
    walls: list[float] = []
    cpus: list[float] = []
    size = 0
    for turn in range(rounds + 2):
        wall, cpu = time.perf_counter(), time.process_time()
        answer = client.get(path, follow_redirects=False)
        if answer.status_code != 200:
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


def streamed(client: TestClient, address: str) -> Figures:
    """One export to its end, part by part as the server would send it, and none of it kept."""
    path, _, query = f"/admin/{address}".partition("?")
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    host = client.base_url.netloc
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": client.base_url.scheme,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(b"host", host), (b"cookie", cookies.encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    told = {"status": 0, "rows": -1, "mb": 0}

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(3600)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            told["status"] = message["status"]
        else:
            told["rows"] += message["body"].count(b"\n")
            told["mb"] += len(message["body"])

    forget_peak()
    before, began = memory_mb(), time.perf_counter()
    asyncio.run(client.app(scope, receive, send))  # type: ignore[arg-type]
    if told["status"] != 200:
        return {"status": told["status"]}
    return {
        "rows": told["rows"],
        "mb": round(told["mb"] / 1e6),
        "seconds": round(time.perf_counter() - began, 1),
        "rose_mb": round(peak_mb() - before),
    }


def main(argv: Sequence[str]) -> None:
    """As the first lines say."""
    words = dict(zip(argv[::2], argv[1::2], strict=True))
    if "--house" not in words:
        sys.exit(__doc__)
    rounds = int(words.get("--rounds", ROUNDS))
    with opened(Path(words["--house"]), words.get("--on", "")) as house:
        rt = house.runtime
        name = "postgresql" if not rt.db.is_sqlite else "sqlite"
        figures = kept(FILE)
        mine: dict[str, Any] = figures.setdefault(name, {"pages": {}, "exports": {}})
        if "--again" in words:
            for part in ("pages", "exports"):
                mine[part] = {k: v for k, v in mine[part].items() if words["--again"] not in k}
        while count_days(rt) + keep_counts(rt):
            pass
        client, _ = signed_in(SimpleNamespace(rt=rt), "owner")  # type: ignore[arg-type]
        only = words.get("--only", "")
        for page, address in addresses(rt).items():
            if page in mine["pages"] or only not in page:
                continue
            mine["pages"][page] = asked_for(client, address, rounds)
            told = mine["pages"][page]
            goal = MOST_MS.get(page, LIST_MS)
            mark = " SLOW" if told.get("p95", 0) > goal or "status" in told else ""
            sys.stdout.write(f"{page}: {told}{mark}\n")
            sys.stdout.flush()
            _keep(figures, mine)
        for export, address in EXPORTS.items():
            if export in mine["exports"] or only not in f"export {export}":
                continue
            mine["exports"][export] = streamed(client, address)
            sys.stdout.write(f"export {export}: {mine['exports'][export]}\n")
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
