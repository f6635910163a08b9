"""The files of the corpus in the data folder.

A file is never changed. Their names count up, so that of two files that hold one paper the later
is right. One process writes (whoever holds the lock), any may read.
"""

import fcntl
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from service.store.derived_files import map_derived, write_derived

_END = ".papers"


class CorpusFiles:
    """One folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock: int | None = None
        self._seen = -1

    def have_changed(self) -> bool:
        """Whether files came or went since this was last asked."""
        try:
            now = self._folder.stat().st_mtime_ns
        except FileNotFoundError:
            now = 0
        changed, self._seen = now != self._seen, now
        return changed

    def names(self) -> list[str]:
        """The files, older ones first."""
        if not self._folder.is_dir():
            return []
        return sorted(path.name for path in self._folder.glob(f"*{_END}"))

    def read(self, name: str) -> memoryview:
        """The bytes of a file, mapped. Raises OSError; ValueError for an empty file."""
        return map_derived(self._folder / name)

    def write(self, pieces: Iterable[bytes | memoryview]) -> str:
        """Write a file and return its name. Raises OSError."""
        last = max((int(name.removesuffix(_END)) for name in self.names()), default=0)
        name = f"{last + 1:08}{_END}"
        write_derived(self._folder / name, pieces)
        return name

    def remove(self, names: Iterable[str]) -> None:
        """Take files away; who has mapped one keeps its bytes."""
        for name in names:
            with suppress(OSError):
                (self._folder / name).unlink()

    def may_write(self) -> bool:
        """Whether this process is the one that writes; it stays so until it ends."""
        if self._lock is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(file)
                return False
            self._lock = file
            for half in self._folder.glob(f"*{_END}.*"):  # of a process that was killed
                half.unlink(missing_ok=True)
        return True

    def close(self) -> None:
        """Let another process write."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
