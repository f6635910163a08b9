"""`paperpost run` as one process over any database; it is ended and started anew to move its clock.

It stands where ``whole_site.WholeSite`` stands, but nothing of it is in the process of the test:
pages, engine, clock and mailbox are the ones an operator starts.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from support.house import START, Clock, open_house

from service.flows.runtime import Runtime
from service.mailbox import Mailbox

ROOT = Path(__file__).resolve().parents[2]
_AT = """
import sys, time_machine
time_machine.travel(float(sys.argv[1]), tick=True).start()
from service.cli import main
sys.argv = ["paperpost", *sys.argv[2:]]
main()
"""
PATIENCE = 60.0
SETTLED = 2.0
"""Seconds: for a mail that is to come; and for one that must not."""


class TickingClock(Clock):
    """A clock that was set, and goes on."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at)
        self._since = time.monotonic()

    def __call__(self) -> datetime:
        return self.at + timedelta(seconds=time.monotonic() - self._since)


class RunningSite:
    """rt: the test's own view of the same database · mailbox: what the process keeps on disk."""

    def __init__(self, rt: Runtime, clock: TickingClock, folder: Path, url: str) -> None:
        self.rt, self.clock, self.folder = rt, clock, folder
        self.mailbox = Mailbox(folder / "mailbox")
        self.address = ""
        self._seen = 0
        self._process: subprocess.Popen[str] | None = None
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("PAPERPOST_")},
            "PYTHONPATH": str(ROOT),
            "PAPERPOST_DATA_DIR": str(folder),
            "PAPERPOST_DATABASE_URL": url,
            "PAPERPOST_TIMEZONE": "UTC",
            "PAPERPOST_BASE_URL": rt.site.base_url,
            "PAPERPOST_ORG_NAME": rt.site.org,
            "PAPERPOST_CONTACT_EMAIL": rt.site.contact,
        }

    def start(self, port: int) -> None:
        """Start it, and wait for the address it prints and for its first answer."""
        with (self.folder / "run.log").open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _AT, str(self.clock().timestamp()),
                 "run", "--port", str(port)],
                cwd=self.folder, env=self._environment, text=True,
                stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip
        assert self._process.stdout is not None
        said = next((line for line in self._process.stdout if line.startswith("Paperpost:")), "")
        assert said, "run did not start:\n" + (self.folder / "run.log").read_text()
        self.address = said.split()[1]
        with urllib.request.urlopen(f"{self.address}/mailbox", timeout=PATIENCE) as answer:
            assert answer.status == 200

    def stop(self) -> None:
        """End it as an operator does; it must end well."""
        process, self._process = self._process, None
        if process is None:
            return
        with process:
            process.send_signal(signal.SIGTERM)
            try:
                code = process.wait(60)
            finally:
                process.kill()
        assert code == 0, (code, (self.folder / "run.log").read_text())

    def go(self, **by: float) -> None:
        """Move the clock on: the machine was off for so long."""
        self.clock.go(**by)
        self.tick()

    def tick(self) -> None:
        """A start makes one round of everything at once; the next would come after a minute."""
        port = int(self.address.rpartition(":")[2])
        self.stop()
        self.start(port)

    def sends(self, mails: int) -> None:
        """Just so many mails go out now, by the process itself. One too many that is late is seen
        by the next who asks."""
        wanted = self._seen + mails
        end = time.monotonic() + (PATIENCE if mails else SETTLED)
        while self.mailbox.count() < max(wanted, self._seen + 1) and time.monotonic() < end:
            time.sleep(0.05)
        log = (self.folder / "run.log").read_text()
        assert self.mailbox.count() - self._seen == mails, log
        self._seen = wanted


@contextmanager
def running_site(folder: Path, database_url: str) -> Iterator[RunningSite]:
    """`paperpost run` on a free port, with the built-in mailbox and nothing in .env."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    clock = TickingClock(START)
    values = {"base_url": f"http://127.0.0.1:{port}", "org_name": "Example University Library"}
    with open_house(folder, clock=clock, database_url=database_url, **values) as house:
        site = RunningSite(house.runtime, clock, folder, database_url)
        try:
            site.start(port)
            yield site
        finally:
            site.stop()
