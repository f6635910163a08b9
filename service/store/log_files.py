"""A log file read on from where it was left, also when it was turned over or cut meanwhile.

A file is known by the hash of its first line. What was read is a place: that hash, and the bytes
behind which to go on. Turned over by name (``mail.log.1``, ``mail.log-20261122``, with ``.gz``) or
by copy and cut, the rest of the old one is read first, then those that came between, then the new.
The very first reading begins with the one that was turned over last: a mail may have begun there.
"""

import errno
import gzip
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

PORTION = 1 << 20
"""Bytes read at once."""

_FIRST = 4096
"""A first line is hashed up to so many bytes."""


@dataclass(frozen=True, slots=True)
class Place:
    """mark: hash of the file's first line, "" before anything was read · position: in bytes."""

    mark: str = ""
    position: int = 0


@dataclass(frozen=True, slots=True)
class Portion:
    """Whole lines, and the place behind them. more: there is more to read now · lost: the file in
    which the last place lay is gone, and what it held behind it."""

    lines: list[str]
    place: Place
    more: bool = False
    lost: bool = False


def read_on(path: Path, place: Place, portion: int = PORTION) -> Portion:
    """Read the next lines after a place. Raises OSError: the log cannot be read."""
    found, lost = _find(path, place)
    if found is None:
        if not path.exists() and not _older(path):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return Portion([], place)
    file, start = found
    lines, end = _lines(file, start.position, portion)
    now = Place(start.mark, end)
    if lines or end != start.position:
        return Portion(lines, now, more=True, lost=lost)
    if (after := _next(path, file)) is not None:
        return Portion([], Place(_mark(after), 0), more=True, lost=lost)
    return Portion([], now, lost=lost)


def _find(path: Path, place: Place) -> tuple[tuple[Path, Place] | None, bool]:
    """The file in which the place lies, and whether one was lost."""
    mark = _mark(path)
    if not place.mark:
        before = _older(path)[-1:]
        started = ((one, Place(_mark(one), 0)) for one in (*before, path))
        return next((found for found in started if found[1].mark), None), False
    if mark == place.mark and place.position <= path.stat().st_size:
        return (path, place), False
    for file in _older(path):
        if _mark(file) == place.mark:
            return (file, place), False
    if mark == place.mark:  # cut, and begun again with the same line
        return (path, Place(mark, 0)), True
    return ((path, Place(mark, 0)) if mark else None), bool(mark)


def _next(path: Path, file: Path) -> Path | None:
    """The file after one that was read to its end, None when that is the newest with a line."""
    if file == path:
        return None
    older = _older(path)
    later = older[older.index(file) + 1 :] if file in older else []
    return next((one for one in (*later, path) if _mark(one)), None)


def _older(path: Path) -> list[Path]:
    """Files that were this log, oldest first."""
    found = [
        one
        for one in path.parent.glob(f"{path.name}[.-]*")
        if one.is_file() and one.suffix not in (".bz2", ".xz", ".zst")
    ]
    return sorted(found, key=lambda one: (one.stat().st_mtime, one.name))


def _mark(file: Path) -> str:
    try:
        with _opened(file) as log:
            first = log.readline(_FIRST)
    except FileNotFoundError:
        return ""
    except (EOFError, gzip.BadGzipFile):  # still being written
        return ""
    is_whole = first.endswith(b"\n") or len(first) == _FIRST
    return hashlib.sha256(first).hexdigest() if is_whole else ""


def _lines(file: Path, position: int, portion: int) -> tuple[list[str], int]:
    """Whole lines from a position on, and where they end."""
    with _opened(file) as log:
        log.seek(position)
        content = log.read(portion)
    end = content.rfind(b"\n") + 1
    if not end:  # nothing new, a line that is still being written, or one without an end
        return [], position + (len(content) if len(content) == portion else 0)
    return content[:end].decode("ascii", "replace").splitlines(), position + end


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    if file.suffix == ".gz":
        with gzip.open(file, "rb") as packed:
            yield packed  # type: ignore[misc]
    else:
        with file.open("rb") as plain:
            yield plain
