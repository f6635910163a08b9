"""What planning a mail for many readers costs beside bare sqlite3: the rows of the ledger, in the
same transactions, on SQLite with ``synchronous=FULL``.

Run from the checkout: ``PYTHONPATH=. python bench/planning.py [READERS,READERS]`` (1,000 to a
million); the result is ``results/planning.json``. ours: readers are read, and ``plan_readers`` as
the clock calls it (who has a row keeps it, names and tokens are made, rows are written); bare: the
very same rows by ``executemany``. On the clock and in processor time for each row; the ratio is
bare over ours (1 = as quick). Counted after each: rows.
"""

import json
import shutil
import sqlite3
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

if __name__ == "__main__":  # also as a file
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlmodel import Session

from bench.captured.papers import RESULTS
from bench.measured.process import Figures, figures_of, keep, kept, machine, peak_mb, report
from bench.sending import house
from service.flows.planning import digest_edition, plan_readers
from service.flows.readers import add_reader, read_new
from service.store.subscribers import list_subscriber_rows

FILE = RESULTS / "planning.json"
CHUNK = 500
"""Readers of one transaction, as the clock plans them."""
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")


def names_of(n: int) -> tuple[object, ...]:
    """What is one reader's own: number, address twice, tokens."""
    address = f"r{n}@d{n % 997}.example.org"
    return n, address, address, f"u{n}", f"f{n}"


def fill(folder: Path, readers: int) -> None:
    """So many readers, copies of one but for their names."""
    with house.house(folder) as made:
        cells = {"email": "base@example.org", "keywords": "adapters", "confirmed": "yes"}
        add_reader(made.runtime, read_new(cells))
    with sqlite3.connect(folder / "paperpost.db") as rows:
        rows.row_factory = sqlite3.Row
        base = dict(rows.execute("SELECT * FROM subscriber").fetchone())
        own = ("id", "email", "email_key", "unsubscribe_token", "feed_token")
        names = ", ".join(base)
        marks = ", ".join(f":{name}" for name in base)
        rows.executemany(
            f"INSERT INTO subscriber ({names}) VALUES ({marks})",  # nosec B608
            (
                base | dict(zip(own, names_of(n), strict=True))
                for n in range(2, readers + 1)
            ),
        )  # fmt: skip


def ours(folder: Path, readers: int) -> tuple[float, float]:
    """Seconds on the clock and of processor time; the house is open before."""
    with house.house(folder) as made:
        rt = made.runtime
        now = rt.clock()

        def plan(session: Session, first: int) -> int:
            people = list_subscriber_rows(session, ids=range(first, first + CHUNK))
            edition = digest_edition(session, house.ON, now)
            planned = plan_readers(
                rt, session, edition, people, kind="digest", now=now, deadline=timedelta(hours=30)
            )
            return len(planned)

        begun, used = time.perf_counter(), time.process_time()
        planned = [rt.db.write(lambda s, n=n: plan(s, n)) for n in range(1, readers + 1, CHUNK)]  # type: ignore[misc]
        took = time.perf_counter() - begun, time.process_time() - used
        assert sum(planned) == readers
        return took


def bare(folder: Path, rows: list[tuple[object, ...]], names: str) -> None:
    with sqlite3.connect(folder / "paperpost.db", isolation_level=None) as file:
        for pragma in PRAGMAS:
            file.execute(f"PRAGMA {pragma}")
        marks = ", ".join("?" * (names.count(",") + 1))
        for first in range(0, len(rows), CHUNK):
            file.execute("BEGIN IMMEDIATE")
            file.executemany(
                f"INSERT INTO delivery ({names}) VALUES ({marks})",  # nosec B608
                rows[first : first + CHUNK],
            )
            file.execute("COMMIT")


def measured(readers: int) -> Figures:
    """One house of so many readers, planned by both."""
    with tempfile.TemporaryDirectory(prefix="paperpost-planning-") as temporary:
        folder, other = Path(temporary) / "ours", Path(temporary) / "bare"
        fill(folder, readers)
        shutil.copytree(folder, other)
        took = ours(folder, readers)
        peak = round(peak_mb())
        with sqlite3.connect(folder / "paperpost.db") as file:
            cursor = file.execute("SELECT * FROM delivery ORDER BY id")
            names = ", ".join(f'"{column[0]}"' for column in cursor.description)
            rows = cursor.fetchall()
            edition = file.execute("SELECT * FROM edition").fetchone()
        assert len(rows) == readers
        with sqlite3.connect(other / "paperpost.db") as file:
            file.execute(f"INSERT INTO edition VALUES ({', '.join('?' * len(edition))})", edition)  # nosec B608
        begun, used = time.perf_counter(), time.process_time()
        bare(other, rows, names)
        plain = time.perf_counter() - begun, time.process_time() - used
        with sqlite3.connect(other / "paperpost.db") as file:
            assert file.execute("SELECT count(*) FROM delivery").fetchone() == (readers,)
    return {
        "ours_us": round(took[0] / readers * 1e6, 1),
        "ours_cpu_us": round(took[1] / readers * 1e6, 1),
        "bare_us": round(plain[0] / readers * 1e6, 1),
        "bare_cpu_us": round(plain[1] / readers * 1e6, 1),
        "ratio": round(plain[0] / took[0], 2),
        "peak_mb": peak,
    }


def main() -> None:
    if sys.argv[1:2] == ["one"]:
        report(lambda: measured(int(sys.argv[2])))
        return
    asked = sys.argv[1] if len(sys.argv) > 1 else "1000,10000,100000,1000000"
    result = kept(FILE)
    result |= {
        "machine": machine(),
        "date": datetime.now(UTC).isoformat(timespec="minutes"),  # noqa: TID251
        "command": f"python bench/planning.py {asked}",
    }
    for readers in asked.split(","):
        figures = figures_of(sys.executable, "-m", "bench.planning", "one", readers)
        result[readers] = figures
        print(readers, json.dumps(figures), flush=True)
        keep(FILE, result)


if __name__ == "__main__":
    main()
