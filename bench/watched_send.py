"""A send watched in the console, compared with the receiving server's own log, second by second.

Run from the checkout: ``PYTHONPATH=.:tests python -m bench.watched_send [READERS]`` (20,000 unless
given). A real ``run`` on SQLite sends a newsletter to a real SMTP server on loopback, which logs
each mail just before its 250. Somebody of the staff composes it, types the number, and loads the
progress twice a second, as the page does every 2 s; at two fifths they press Pause, later Resume.

The result is ``results/watched_send.json``: how far what the page said lay behind the log (in
seconds and mails), whether it ever said more than the log had, and how long after the press of
Pause the last mail came.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2

from bench.captured.papers import RESULTS
from bench.measured.process import Figures, keep, machine

FILE = RESULTS / "watched_send.json"
READERS = 20_000
PASSWORD = "correct horse battery"  # nosec B105: of a house that ends with this run
EVERY_S = 0.5
QUIET_S = 12


def main() -> None:
    """Measure, print, and keep."""
    readers = int(sys.argv[1]) if len(sys.argv) > 1 else READERS
    with TemporaryDirectory() as folder:
        made = _measured(Path(folder), readers)
    command = f"PYTHONPATH=.:tests python -m bench.watched_send {readers}"
    when = datetime.now(UTC).date().isoformat()  # noqa: TID251
    keep(FILE, {"date": when, "command": command, "machine": machine(), **made})
    print(json.dumps(made, indent=1))


def _measured(folder: Path, readers: int) -> Figures:
    log = folder / "accepted.jsonl"
    with _server(log) as port:
        house = _House(folder, port)
        lines = "".join(f"r{n}@uni.example\n" for n in range(readers))
        (folder / "list.csv").write_text(f"email\n{lines}", encoding="utf-8")
        house.say("subscribers", "import", str(folder / "list.csv"))
        house.say("settings", "set", "undo_minutes", "0")
        link = house.say("admin", "create", "mia", "--role", "sender")
        with house.running() as address, httpx2.Client(timeout=300) as client:
            desk = _Desk(client, address, re.search(r"/admin/link/\S+", link)[0])  # type: ignore[index]
            began = time.monotonic()
            edition = desk.send(readers)
            planned_s = time.monotonic() - began
            looks, pressed = desk.watch(edition, readers)
    times = sorted(json.loads(line)["at"] for line in log.read_text("utf-8").splitlines())
    return {
        "readers": readers,
        "planned_s": round(planned_s, 1),
        **_compared(looks, pressed, times),
    }


Look = tuple[float, float, int]
"""When the page was asked for, when it was there (both in the clock of the log), what it said."""


def _compared(
    looks: list[Look], pressed: tuple[float, float, float], times: list[float]
) -> Figures:
    """pressed: when Pause was pressed, when it was answered, when Resume was."""
    behind_s, behind, beyond = [], [], 0
    for _, there, said in looks:
        had = sum(at <= there for at in times)
        beyond += said > had
        behind.append(had - said)
        if said and said < len(times):
            behind_s.append(max(0.0, there - times[said]) if said < had else 0.0)
    at, answered, resumed = pressed
    after = [one for one in times if at < one < resumed]
    return {
        "accepted": len(times),
        "said_at_the_end": looks[-1][2],
        "looks": len(looks),
        "said_more_than_the_log_had": beyond,
        "behind_mails": {"median": statistics.median(behind), "most": max(behind)},
        "behind_s": {
            "median": round(statistics.median(behind_s), 2),
            "most": round(max(behind_s), 2),
        },
        "answer_of_a_look_ms": {
            "median": round(1000 * statistics.median(there - asked for asked, there, _ in looks)),
            "most": round(1000 * max(there - asked for asked, there, _ in looks)),
        },
        "pause_answered_s": round(answered - at, 2),
        "pause_to_quiet_s": round(after[-1] - at, 2) if after else 0.0,
        "mails_after_the_press": len(after),
        "mails_a_second": round(len(times) / (times[-1] - times[0] - (resumed - at)), 1),
    }


def _now() -> float:
    """The clock of the receiving server's log."""
    return time.time()  # noqa: TID251


class _Desk:
    """A browser of the staff."""

    def __init__(self, client: httpx2.Client, address: str, link: str) -> None:
        self._client, self._address = client, address
        form = {"password": PASSWORD, "again": PASSWORD}
        self._post(link, {**form, "token": self._token(self._get(link))})
        token = self._token(self._get("/admin/login"))
        self._post("/admin/login", {"name": "mia", "password": PASSWORD, "token": token})
        self._form = self._token(self._get("/admin"))

    def send(self, readers: int) -> str:
        letter = {"kind": "newsletter", "subject": "The reading group moves", "body": "Thursday."}
        check = self._post("/admin/send", letter | {"key": "watched", "token": self._form})
        number = {"expected": str(readers), "number": str(readers), "token": self._form}
        made = self._post(f"{check.removeprefix(self._address)}/start", number)
        return made.partition("?")[0].removeprefix(self._address)

    def watch(self, edition: str, readers: int) -> tuple[list[Look], tuple[float, float, float]]:
        looks: list[Look] = []
        pressed = (0.0, 0.0, 0.0)
        while True:
            asked = _now()
            page = self._get(f"{edition}/progress")
            found = re.search(r"state=accepted\">([\d,]+)<", page)
            said = int(found[1].replace(",", "")) if found else 0
            looks.append((asked, _now(), said))
            if not pressed[0] and said > 2 * readers / 5:
                at = _now()
                self._post(f"{edition}/pause", {"token": self._form})
                pressed = (at, _now(), 0.0)
            elif pressed[1] and not pressed[2] and _now() - pressed[1] > QUIET_S:
                self._post(f"{edition}/resume", {"token": self._form})
                pressed = (pressed[0], pressed[1], _now())
            if "done" in page and said >= readers:
                return looks, pressed
            time.sleep(EVERY_S)

    def _get(self, path: str) -> str:
        return self._client.get(self._address + path, follow_redirects=True).text

    def _post(self, path: str, data: dict[str, str]) -> str:
        """Where the answer leads. Stops where it was refused."""
        answer = self._client.post(self._address + path, data=data)
        if answer.status_code != 303:
            raise SystemExit(f"{path}: {answer.status_code}\n{answer.text[:2000]}")
        return str(answer.headers["location"])

    def _token(self, page: str) -> str:
        found = re.search(r'name="token" value="([^"]+)"', page)
        if found is None:
            raise SystemExit(page[:2000])
        return found[1]


class _House:
    """An installation of its own, by its commands."""

    def __init__(self, folder: Path, smtp_port: int) -> None:
        own = {name: value for name, value in os.environ.items() if "PAPERPOST" not in name}
        self._folder = folder
        self._environment = own | {
            "PAPERPOST_DATA_DIR": str(folder / "data"),
            "PAPERPOST_SMTP_URL": f"smtp://127.0.0.1:{smtp_port}",
            "PAPERPOST_MAIL_FROM": "papers@example.org",
            "PYTHONPATH": f"{Path.cwd()}:{Path.cwd() / 'tests'}",
        }

    def say(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "service", *words],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            env=self._environment,
        )
        return done.stdout

    @contextmanager
    def running(self) -> Iterator[str]:
        command = [sys.executable, "-m", "service", "run", "--port", "8791"]
        with (self._folder / "run.log").open("wb") as told:
            running = subprocess.Popen(command, env=self._environment, stdout=told, stderr=told)
        address = "http://127.0.0.1:8791"
        try:
            for _ in range(300):
                try:
                    if httpx2.get(f"{address}/readyz").status_code == 200:
                        break
                except httpx2.HTTPError:
                    time.sleep(0.2)
            yield address
        finally:
            running.terminate()
            running.wait(60)


@contextmanager
def _server(log: Path) -> Iterator[int]:
    command = [sys.executable, "-m", "tests.support.smtp_server", "--port", "0", "--log", str(log)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
