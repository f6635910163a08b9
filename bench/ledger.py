"""What the ledger costs beside bare sqlite3: marks and acceptances of mails of 20 papers, in the
same transactions, on SQLite with ``synchronous=FULL``.

Run from the checkout: ``PYTHONPATH=. python bench/ledger.py [MAILS] [GROUP]``; the result is
``results/ledger.json``. ours: ``mark_sending`` and ``accept_many``, as sending does it for a group
of mails; bare: the same rows changed by ``executemany`` of plain statements that ask only for
number, fence and state. Both in turns, the best of three: on the clock, and processor time; the
ratios are bare over ours (1 = as quick). Counted after each: rows accepted, tries, papers sent.
"""

import json
import sqlite3
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

if __name__ == "__main__":  # also as a file
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import sqlalchemy as sa

from bench.captured.papers import RESULTS
from bench.measured.process import Figures, keep, machine
from service.settings import load_settings
from service.store.db import Database
from service.store.wire import Mark, Taken, accept_many, mark_sending
from service.wiring import open_database

AT = datetime(2026, 11, 22, tzinfo=UTC)
TEXT_AT = "2026-11-22 00:00:00.000000"
PAPERS = 20
LISTED = json.dumps(list(range(1, PAPERS + 1)))
BODY = json.dumps({"digest": "x" * 27_000})


def fill(db: Database, mails: int) -> None:
    """Leased mails of as many readers."""
    tables = sa.MetaData()
    tables.reflect(db.engine)

    def filler(name: str, **values: object) -> dict[str, object]:
        row: dict[str, object] = {}
        for column in tables.tables[name].columns:
            if column.name in values:
                row[column.name] = values[column.name]
            elif not column.nullable and column.server_default is None:
                kind = str(column.type)
                is_number = kind.startswith(("INT", "BIG", "FLOAT", "BOOL", "REAL"))
                row[column.name] = 0 if is_number else "{}" if kind == "JSON" else TEXT_AT
        return row

    def rows(name: str, made: list[dict[str, object]]) -> None:
        names = ", ".join(f'"{n}"' for n in made[0])
        values = ", ".join(f":{n}" for n in made[0])
        sql = sa.text(f"INSERT INTO {name} ({names}) VALUES ({values})")  # nosec B608
        db.write(lambda s: s.execute(sql, made))

    rows("edition", [filler("edition", id=1, kind="digest", slot="x", state="open")])
    rows("paper", [filler("paper", id=n) for n in range(1, PAPERS + 1)])
    rows(
        "subscriber",
        [
            filler(
                "subscriber", id=n, email=f"r{n}", email_key=f"r{n}", state="active",
                unsubscribe_token=f"u{n}", feed_token=f"f{n}",
            )
            for n in range(1, mails + 1)
        ],
    )  # fmt: skip
    rows("content", [filler("content", id=1, papers=LISTED, body=BODY)])
    rows(
        "delivery",
        [
            filler(
                "delivery", id=n, edition_id=1, recipient_key=f"r{n}", subscriber_id=n,
                kind="digest", state="leased", fence=1, lease_owner=1, attempts=1, content_id=1,
                message_id=f"m{n}", token=f"t{n}", bounce_id=f"b{n}",
            )
            for n in range(1, mails + 1)
        ],
    )  # fmt: skip


def ours(db: Database, mails: int, group: int) -> None:
    for first in range(1, mails + 1, group):
        ids = range(first, min(first + group, mails + 1))
        marks = [Mark(n, 1, f"h{n}", "0" * 64) for n in ids]
        db.write(lambda s, m=marks: mark_sending(s, m, owner=1, now=AT))  # type: ignore[misc]
        taken = [Taken(n, 1, 1, 250, "2.0.0", "ok") for n in ids]
        db.write(lambda s, t=taken: accept_many(s, t, AT, reason=""))  # type: ignore[misc]


def bare(file: Path, mails: int, group: int) -> None:
    with sqlite3.connect(file, isolation_level=None) as rows:
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
        ):
            rows.execute(f"PRAGMA {pragma}")
        for first in range(1, mails + 1, group):
            ids = range(first, min(first + group, mails + 1))
            rows.execute("BEGIN IMMEDIATE")
            rows.executemany(
                "UPDATE delivery SET state='sending', marked_at=?, body_sha=? "
                "WHERE id=? AND fence=1 AND state='leased'",
                [(TEXT_AT, "0" * 64, n) for n in ids],
            )
            rows.execute("COMMIT")
            rows.execute("BEGIN IMMEDIATE")
            rows.executemany(
                "UPDATE delivery SET state='accepted', code=250, enhanced='2.0.0', accepted_at=?, "
                "lease_owner=NULL WHERE id=? AND fence=1 AND state='sending'",
                [(TEXT_AT, n) for n in ids],
            )
            rows.executemany(
                "INSERT INTO attempt (delivery_id, n, phase, at, code, enhanced, text, connection, "
                "relay_id) VALUES (?, 1, 'reply', ?, 250, '2.0.0', 'ok', '', '')",
                [(n, TEXT_AT) for n in ids],
            )
            rows.executemany(
                "INSERT INTO sent_paper (subscriber_id, paper_id, occasion, delivery_id) "
                "VALUES (?, ?, 'new', ?)",
                [(n, p, n) for n in ids for p in range(1, PAPERS + 1)],
            )
            rows.execute("COMMIT")


def once(which: str, mails: int, group: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="paperpost-ledger-") as folder:
        db = open_database(load_settings(None, data_dir=Path(folder)))
        fill(db, mails)
        file = Path(folder) / "paperpost.db"
        if which == "bare":
            db.close()
        begun, used = time.perf_counter(), time.process_time()
        if which == "bare":
            bare(file, mails, group)
        else:
            ours(db, mails, group)
        took = time.perf_counter() - begun, time.process_time() - used
        if which == "ours":
            db.close()
        with sqlite3.connect(file) as rows:
            query = (
                "SELECT (SELECT count(*) FROM delivery WHERE state='accepted'), "
                "(SELECT count(*) FROM attempt), (SELECT count(*) FROM sent_paper)"
            )
            assert rows.execute(query).fetchone() == (mails, mails, mails * PAPERS)
        return took


def main() -> None:
    mails = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    group = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    took: dict[str, list[tuple[float, float]]] = {"bare": [], "ours": []}
    for _ in range(3):
        for which, times in took.items():
            times.append(once(which, mails, group))
    best = {which: [min(t) for t in zip(*times, strict=True)] for which, times in took.items()}
    figures: Figures = {
        "machine": machine(),
        "date": datetime.now(UTC).isoformat(timespec="minutes"),  # noqa: TID251
        "command": f"python bench/ledger.py {mails} {group}",
        "mails": mails,
        "group": group,
        **{f"{which}_us": round(best[which][0] / mails * 1e6) for which in best},
        **{f"{which}_cpu_us": round(best[which][1] / mails * 1e6) for which in best},
        "ratio": round(best["bare"][0] / best["ours"][0], 2),
        "cpu_ratio": round(best["bare"][1] / best["ours"][1], 2),
    }
    print(figures)
    keep(RESULTS / "ledger.json", figures)


if __name__ == "__main__":
    main()
