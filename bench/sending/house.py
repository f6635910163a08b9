"""A house whose readers have a day's digests to come: matched and planned, or composed as well.

Distinct interests of common words of 600 captured papers; every reader has one of them, under a
name, tokens and links of their own. Readers beyond the first of an interest are copies of its rows:
as many interests as readers is a house in which nobody shares words. ``cap`` (papers in a mail)
makes the size: 4, 9, 20 give about 15, 30, 68 KB.
"""

import json
import random
import re
import secrets
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel

from bench.captured.papers import hf_items
from service import log
from service.flows import daily
from service.flows.ingest import ingest_files
from service.flows.match import match_new
from service.flows.readers import add_reader, read_new
from service.settings import load_settings
from service.store.db import Session
from service.wiring import House

ON = date(2026, 11, 19)
NOW = datetime(2026, 11, 19, 9, tzinfo=UTC)
INTERESTS = 400
PAPERS = 600
SEED = 20261122

_WORD = re.compile(r"[a-z]{6,}")


def interests(items: list[dict[str, Any]], count: int) -> list[list[str]]:
    """Lists of words, each in two to eight of a hundred papers."""
    counted: Counter[str] = Counter()
    for item in items:
        counted.update(set(_WORD.findall(item["paper"].get("summary", "").lower())))
    words = sorted(w for w, n in counted.items() if 0.02 <= n / len(items) <= 0.08)
    chance = random.Random(SEED)  # nosec B311
    return [chance.sample(words, 6) for _ in range(count)]


@contextmanager
def house(
    folder: Path, *, port: int = 9, database: str = "", sessions: int = 10
) -> Iterator[House]:
    """The house over a folder; log lines go nowhere."""
    log.set_up("text", quiet=True)
    values = {"database_url": database} if database else {}
    settings = load_settings(
        None,
        data_dir=folder,
        smtp_url=f"smtp://127.0.0.1:{port}",
        contact_email="papers@example.org",
        timezone="UTC",
        **values,
    )
    made = House(settings, clock=lambda: NOW, allow_private=True)
    try:
        made.db.write(lambda s: _set(s, "smtp_connections", sessions))
        yield made
    finally:
        made.close()


def _set(session: Session, name: str, value: object) -> None:
    session.execute(sa.text("DELETE FROM setting WHERE name = :name"), {"name": name})
    session.execute(
        sa.text("INSERT INTO setting (name, value) VALUES (:name, :value)"),
        {"name": name, "value": json.dumps(value)},
    )


def fill(folder: Path, readers: int, cap: int, count: int = INTERESTS, database: str = "") -> None:
    """Papers, interests (``count`` of them), matches, readers."""
    items = list(hf_items())[:PAPERS]
    folder.mkdir(parents=True, exist_ok=True)
    captured = folder / "items.json"
    captured.write_text(json.dumps(items), "utf-8")
    with house(folder, database=database) as made:
        rt = made.runtime
        for number, words in enumerate(interests(items, count)):
            cells = {
                "email": f"base{number}@example.org",
                "keywords": "\n".join(words),
                "confirmed": "yes",
            }
            add_reader(rt, read_new(cells))
        ingest_files(rt, "hf_daily", [captured], on=ON)
        match_new(rt)
        rt.db.write(lambda s: _set(s, "full_entries", cap))
        rt.db.write(lambda s: _multiply(s, readers, cap))


def _multiply(session: Session, readers: int, cap: int) -> None:
    run = session.execute
    run(sa.text("UPDATE profile SET cap = :cap"), {"cap": cap})
    run(
        sa.text(
            "DELETE FROM match WHERE (profile_id, paper_id) IN (SELECT profile_id, paper_id FROM "
            "(SELECT profile_id, paper_id, row_number() OVER (PARTITION BY profile_id "
            "ORDER BY score DESC) AS n FROM match) ranked WHERE n > :kept)"
        ),
        {"kept": cap},
    )
    tables = SQLModel.metadata.tables

    def all_of(table: str) -> list[dict[str, Any]]:
        return [dict(row) for row in run(sa.select(tables[table])).mappings()]

    people, wanted = all_of("subscriber"), all_of("profile")
    matched: dict[int, list[dict[str, Any]]] = {}
    for row in all_of("match"):
        matched.setdefault(row["profile_id"], []).append(row)
    of_reader = {row["subscriber_id"]: row for row in wanted}
    first, first_profile = max(r["id"] for r in people) + 1, max(r["id"] for r in wanted) + 1
    new: dict[str, list[dict[str, Any]]] = {"subscriber": [], "profile": [], "match": []}

    def write() -> None:
        for table, rows in new.items():
            if rows:
                run(sa.insert(tables[table]), rows)
                rows.clear()

    for n in range(readers - len(people)):
        person = people[n % len(people)]
        profile = of_reader[person["id"]]
        address = f"reader{n}@d{n % 997}.example.org"
        tokens = {
            "unsubscribe_token": secrets.token_urlsafe(16),
            "feed_token": secrets.token_hex(16),
        }
        new["subscriber"].append(
            {**person, "id": first + n, "email": address, "email_key": address, **tokens}
        )
        new["profile"].append({**profile, "id": first_profile + n, "subscriber_id": first + n})
        for row in matched.get(profile["id"], ()):
            new["match"].append({**row, "profile_id": first_profile + n})
        if n % 500 == 499:
            write()
    write()


def plan(folder: Path, database: str = "") -> dict[str, float]:
    """Plan and compose the day's digests; seconds of processor time and on the clock of each."""
    spent = {"compose_s": 0.0, "compose_cpu_s": 0.0}
    real = daily.compose_planned

    def composed(*args: Any, **values: Any) -> Any:
        begun, used = time.perf_counter(), time.process_time()
        result = real(*args, **values)
        spent["compose_s"] += time.perf_counter() - begun
        spent["compose_cpu_s"] += time.process_time() - used
        return result

    with house(folder, database=database) as made:
        daily.compose_planned = composed
        begun, used = time.perf_counter(), time.process_time()
        try:
            report = daily.plan_daily(made.runtime, ON)
        finally:
            daily.compose_planned = real
        spent["all_s"] = time.perf_counter() - begun
        spent["all_cpu_s"] = time.process_time() - used
        spent["ready"] = report.ready
    return spent


def copy(folder: Path, to: Path) -> None:
    """The same house (SQLite) once more."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(folder, to)
