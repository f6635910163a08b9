"""A poller in a process of its own: ``python -m tests.support.sky_poller FOLDER BASE [URL]``.

Reads "poll" or "poll 3" from standard input, answers with its reports as one line of JSON.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@contextmanager
def spawned(folder: Path, base: str, database_url: str = "") -> Iterator["Spawned"]:
    """A poller in another process, ended afterwards."""
    words = [sys.executable, "-m", "tests.support.sky_poller", str(folder), base, database_url]
    process = subprocess.Popen(
        words, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield Spawned(process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        process.wait(20)
        if process.stdout is not None:
            process.stdout.close()


class Spawned:
    """Sends orders to a process and reads its answers."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def __call__(self, only: int | None = None) -> list[dict[str, Any]]:
        return self.order(f"poll {only or ''}")

    def order(self, words: str) -> list[dict[str, Any]]:
        """One order, one answer."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(words.strip() + "\n")
        stdin.flush()
        answer = stdout.readline()
        assert answer, f"the poller ended with {self._process.poll()}"
        found: list[dict[str, Any]] = json.loads(answer)
        return found


async def _in_real_time(rt: Any, only: int, seconds: float) -> list[dict[str, Any]]:
    """Ask one source again and again, as fast as the pace lets it."""
    from service.flows.poll import poll_due

    until = datetime.now(UTC).timestamp() + seconds
    made: list[dict[str, Any]] = []
    while datetime.now(UTC).timestamp() < until:
        made += await poll_due(rt, only)
    return made


def main() -> None:
    """Poll on order until standard input ends. Orders: "poll", "poll ID", "race ID SECONDS"."""
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    import pytest
    from support.sky_clock import SharedClock
    from support.sky_house import poller_of, share_turns, sky_house

    folder, base, url = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    values = {"database_url": url} if url else {}
    if (folder / "clock").exists():
        clock: Any = SharedClock(folder / "clock")
        share_turns(clock, pytest.MonkeyPatch())
    else:
        clock = _now
    with sky_house(folder, base, clock, 9, **values) as rt:
        for line in sys.stdin:
            verb, *words = line.split()
            if verb == "race":
                made = asyncio.run(_in_real_time(rt, int(words[0]), float(words[1])))
            else:
                made = poller_of(rt, clock)(*map(int, words))
            print(json.dumps(made), flush=True)


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main()
