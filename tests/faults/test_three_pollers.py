"""Three processes over one database ask arXiv no closer than its pace, one at a time."""

import subprocess
import sys
import time
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from support.polling import arxiv_feed
from support.web_site import WebSite

from service.store import migrations
from service.store.db import Database
from service.store.pace import list_paces

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
ROOT = Path(__file__).resolve().parents[2]
FEED = arxiv_feed("cs.CL", [("2611.00001", "One", "new")])


def ask_together(folder: Path, url: str, gap: float, pages: int) -> list[tuple[float, float]]:
    """Begin and end of every request that reached the server; each takes it 0.1 s."""
    spans: list[tuple[float, float]] = []

    def answer(query: dict[str, str], headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        begun = time.monotonic()
        time.sleep(0.1)
        spans.append((begun, time.monotonic()))
        return 200, {}, FEED

    with WebSite() as site:
        site.at["/rss"] = answer
        command = [sys.executable, "-m", "tests.support.poller"]
        pollers = [
            subprocess.Popen(
                [*command, str(folder / f"{n}"), url, f"{site.base}/rss", f"{gap}", f"{pages}"],
                cwd=ROOT,
                stdout=subprocess.DEVNULL,
            )
            for n in range(3)
        ]
        assert [poller.wait(200) for poller in pollers] == [0, 0, 0]
    return sorted(spans)


def check(folder: Path, url: str, gap: float, pages: int) -> None:
    db = Database(url)
    migrations.migrate(db)
    spans = ask_together(folder, url, gap, pages)
    (row,) = db.read(lambda s: list_paces(s, datetime.now(UTC).date()))
    db.close()
    assert len(spans) == row.today == 3 * pages
    assert row.gap_seconds == gap
    closest = min(after[0] - before[0] for before, after in pairwise(spans))
    print(f"{len(spans)} requests, the closest two {closest:.2f} s apart")
    assert all(after[0] - before[1] >= gap - 0.01 for before, after in pairwise(spans))


def test_scaled_down(database_url: str, tmp_path: Path) -> None:
    check(tmp_path, database_url, 0.3, 3)


def test_at_the_real_pace(tmp_path: Path) -> None:
    check(tmp_path, f"sqlite:///{(tmp_path / 'paperpost.db').as_posix()}", 3.0, 1)
