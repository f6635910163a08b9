"""One clock for several houses, also in several processes: it stands in a file that all map.

Sleeping moves it on, so that waits take no time; while somebody has a turn at a source it stands
still for everybody but the server, so that what the server notes is the instant of the turn.
"""

import asyncio
import fcntl
import mmap
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

_SHAPE = struct.Struct("<dq")
_LOST = 5.0
"""Real seconds after which a turn that nobody gave back no longer stops the clock."""


class SharedClock:
    """Aware UTC. start: given by whoever makes the file; the others open what is there."""

    def __init__(self, file: Path, start: datetime | None = None) -> None:
        if start is not None:
            file.write_bytes(_SHAPE.pack(start.timestamp(), 0))
        self._file = file.open("r+b")
        self._map = mmap.mmap(self._file.fileno(), _SHAPE.size)
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        with self._held():
            return self._read()[0]

    def set(self, to: datetime) -> None:
        """Go on to an instant; never back."""
        with self._held():
            now, turns = self._read()
            self._write(max(now, to), turns)

    def turn(self, seconds: float) -> None:
        """Go on by seconds, whoever has a turn: the server's answer took that long."""
        with self._held():
            now, turns = self._read()
            self._map[:] = _SHAPE.pack(now.timestamp() + seconds, turns)

    def begin(self) -> None:
        """Somebody has a turn."""
        with self._held():
            now, turns = self._read()
            self._write(now, turns + 1)

    def end(self) -> None:
        """And gave it back."""
        with self._held():
            now, turns = self._read()
            self._write(now, max(turns - 1, 0))

    async def sleep(self, seconds: float) -> None:
        """Wait: the clock is moved on as soon as nobody has a turn."""
        until = self().timestamp() + seconds
        began = time.monotonic()
        while True:
            with self._held():
                now, turns = self._read()
                if now.timestamp() >= until:
                    return
                if not turns or time.monotonic() - began > _LOST:
                    self._map[:] = _SHAPE.pack(until, 0)
                    return
            await asyncio.sleep(0.0005)

    def close(self) -> None:
        self._map.close()
        self._file.close()

    @contextmanager
    def _held(self) -> Iterator[None]:
        with self._lock:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def _read(self) -> tuple[datetime, int]:
        at, turns = _SHAPE.unpack(self._map[:])
        return datetime.fromtimestamp(at, UTC), turns

    def _write(self, now: datetime, turns: int) -> None:
        self._map[:] = _SHAPE.pack(now.timestamp(), turns)
