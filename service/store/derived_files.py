"""Files of derived arrays in the data folder: written under another name, then renamed; mapped."""

import mmap
import os
from collections.abc import Iterable
from pathlib import Path


def write_derived(path: Path, pieces: Iterable[bytes | memoryview]) -> None:
    """Write a file that only its owner may read; whoever reads sees the old one or the new one.

    Raises OSError, and what ``pieces`` raise; then the old one stays.
    """
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        opened = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(opened, "wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def map_derived(path: Path) -> memoryview:
    """The bytes of a file, mapped. Raises OSError; ValueError for an empty file."""
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
