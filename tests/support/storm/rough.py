"""A database that goes away: restarts, COMMITs whose answer is lost, a lock, a full disk."""

import random
import shutil
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from support.storm.book import Tally
from support.storm.ground import Child, Ground
from support.storm.verdict import settle


def _ended(ground: Ground, tally: Tally, child: Child, where: str) -> None:
    """A sender may end by itself when its database is gone; never by an error it does not know."""
    said, _ = child.communicate(timeout=300)
    tally.count(ended_early=child.returncode not in (0, 1) or not said)
    if child.returncode not in (0, 1, 2):
        tally.breach(f"{where}: the sender ended with {child.returncode}")
    if "Traceback" in (words := ground.errors.read_text()):
        tally.breach(f"{where}: " + words[words.index("Traceback") :].strip()[-300:])
        ground.errors.write_text("")


def restarts(
    ground: Ground, tally: Tally, seed: str, cluster: Any, times: int, *, connections: int
) -> None:
    """PostgreSQL is stopped, by turns as if killed and in order, and started again, mid-send."""
    dice = random.Random(seed)
    many = len(ground.plan.readers)
    child = ground.send()
    for number in range(times):
        target = ground.logged() + dice.randint(1, max(2, many // (times + 4)))
        begun = time.monotonic()
        while child.poll() is None and ground.logged() < target and time.monotonic() - begun < 60:
            time.sleep(0.005)
        if child.poll() is not None:
            _ended(ground, tally, child, f"restart {number}")
            child = ground.send()
            while (
                child.poll() is None and ground.logged() < target and time.monotonic() - begun < 90
            ):
                time.sleep(0.005)
        cluster.again("immediate" if number % 2 == 0 else "fast")
        tally.count(restarts=1)
    _ended(ground, tally, child, "after the last restart")
    settle(ground, tally, most_held=times * 2 * connections)


class LosingProxy:
    """Between the product and PostgreSQL: some COMMITs are passed on and done, and their answer is
    swallowed with the connection."""

    def __init__(self, port: int, share: float, seed: int, after: int = 30) -> None:
        self._to = port
        self._dice = random.Random(seed)
        self._share = share
        self._skip = after
        self.lost = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._open = True
        self.is_on = True
        self._sockets = [self._server]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while self._open:
            with suppress(OSError):
                client, _ = self._server.accept()
                there = socket.create_connection(("127.0.0.1", self._to))
                self._sockets += [client, there]
                for one in (client, there):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                losing = threading.Event()
                for source, target, is_asking in ((client, there, True), (there, client, False)):
                    threading.Thread(
                        target=self._pass, args=(source, target, is_asking, losing), daemon=True
                    ).start()

    def _pass(
        self, source: socket.socket, target: socket.socket, is_asking: bool, losing: threading.Event
    ) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if is_asking and self._chosen(data):
                    losing.set()
                elif not is_asking and losing.is_set():
                    self.lost += 1  # it was done, and nobody will hear of it
                    break
                target.sendall(data)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _chosen(self, data: bytes) -> bool:
        if not self.is_on or b"COMMIT" not in data:
            return False
        self._skip -= 1
        return self._skip < 0 and self._dice.random() < self._share

    def close(self) -> None:
        self._open = False
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        time.sleep(0.1)  # whoever waits at one of them wakes up and lets go
        for one in self._sockets:
            one.close()


def lost_commits(
    ground: Ground, tally: Tally, seed: int, *, share: float, connections: int
) -> None:
    """Answers of COMMITs are lost at random during a send."""
    name, port = ground.url.rpartition("/")[2], int(ground.url.rpartition(":")[2].partition("/")[0])
    proxy = LosingProxy(port, share, seed)
    direct = ground.url
    ground.url = f"postgresql+psycopg://paperpost@127.0.0.1:{proxy.port}/{name}"
    starts = 0
    try:
        while starts < 20:
            starts += 1
            child = ground.send()
            said, _ = child.communicate(timeout=600)
            if child.returncode == 0 or (child.returncode == 1 and said.startswith("{")):
                break
        proxy.is_on = False
    finally:
        ground.url = direct
        proxy.close()
    tally.count(commits_lost=proxy.lost, starts=starts)
    # each answer that was lost may leave what one batch of marks and answers held in doubt
    settle(ground, tally, most_held=(proxy.lost + starts) * 4 * connections)


def locked(ground: Ground, tally: Tally, seconds: float, *, connections: int) -> None:
    """Another process holds SQLite's write lock for so long, in the middle of a send."""
    many = len(ground.plan.readers)
    child = ground.send()
    while child.poll() is None and ground.logged() < many // 3:
        time.sleep(0.005)
    base = sqlite3.connect(ground.data / "paperpost.db", timeout=30, isolation_level=None)
    base.execute("BEGIN IMMEDIATE")
    before = ground.logged()
    time.sleep(seconds)
    meanwhile = ground.logged() - before
    base.execute("ROLLBACK")
    base.close()
    freed = time.monotonic()
    while child.poll() is None and ground.logged() <= before + meanwhile:
        if time.monotonic() - freed > 60:
            break
        time.sleep(0.01)
    tally.most(recovered_s=time.monotonic() - freed)
    _ended(ground, tally, child, f"locked for {seconds:.0f} s")
    tally.count(locks=1, seconds_locked=seconds, sent_meanwhile=meanwhile)
    settle(ground, tally, most_held=4 * connections)


@contextmanager
def small_disk(folder: Path, mb: int) -> Iterator[Path]:
    """A tmpfs of so many megabytes. Raises PermissionError without the right to mount."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={mb}m", "paperpost-faults", str(folder)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise PermissionError(done.stderr)
    try:
        yield folder
    finally:
        for _ in range(20):
            if (
                subprocess.run(["umount", str(folder)], check=False, capture_output=True).returncode
                == 0
            ):
                break
            time.sleep(0.1)


def full(ground: Ground, tally: Tally, free_kb: int, *, connections: int) -> None:
    """The disk has so much room left when the send begins; later somebody makes room."""
    ballast = ground.data / "ballast"
    free = shutil.disk_usage(ground.data).free
    with ballast.open("wb") as file, suppress(OSError):
        file.write(b"\0" * max(0, free - free_kb * 1024))
    before = ground.logged()
    child = ground.send()
    try:
        child.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        tally.count(hung=1)
    reached = ground.logged() - before
    words = ground.errors.read_text()
    if "Traceback" in words:
        tally.breach(f"{free_kb} KB free: " + words[words.index("Traceback") :].strip()[-300:])
    tally.count(
        points=1, refused=child.returncode not in (0, None) and not reached, went_on=bool(reached)
    )
    ballast.unlink()
    ground.errors.write_text("")
    settle(ground, tally, most_held=4 * connections, where=f"{free_kb} KB free")
