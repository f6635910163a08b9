"""What the stored papers teach, as it is kept: in memory, and in one file of the data folder.

Derived data: a missing, torn or older file is made anew from the papers.
"""

import threading
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from service.matching.abbreviations import Glossary
from service.matching.mapped import TornError
from service.matching.vectors import Vectors
from service.store.derived_files import map_derived, write_derived

FILE = "learned"


@dataclass(frozen=True, slots=True)
class Learned:
    """vectors, glossary: of the papers up to ``last_id``, all of them read on ``made_on`` or
    since."""

    made_on: date
    vectors: Vectors = field(default_factory=Vectors)
    glossary: Glossary = field(default_factory=Glossary)
    last_id: int = 0


@dataclass(frozen=True, slots=True)
class DayCounts:
    """Papers of each day from ``first`` to ``last``, those never new and those that became new,
    counted at ``at`` when ``newest`` was the last paper."""

    first: date
    last: date
    newest: int
    at: datetime
    known: dict[date, int]
    new: dict[date, int]


class LiveWords:
    """What was learned, in this process. lock: held by whoever takes papers in · stamp: of the
    file as it was read or written last · counts: of the days that estimates look at; counting
    reads every row."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.learned: Learned | None = None
        self.stamp = 0
        self.counts: DayCounts | None = None


def stamp_of(folder: Path) -> int:
    """When the file was written last, in nanoseconds; 0 where there is none."""
    try:
        return (folder / FILE).stat().st_mtime_ns
    except OSError:
        return 0


def read_file(folder: Path) -> Learned | None:
    """What the file of a data folder holds; None where there is none that can be read."""
    try:
        vectors, note = Vectors.unpacked(map_derived(folder / FILE))
        return Learned(
            made_on=date.fromisoformat(note["made_on"]),
            vectors=vectors,
            glossary=Glossary.load(note["glossary"]),
            last_id=int(note["last_id"]),
        )
    except (OSError, ValueError, TornError):
        return None  # it is made anew from the papers


def write_file(folder: Path, learned: Learned) -> None:
    """Keep it for the next start and for other processes. Raises OSError."""
    note = {
        "made_on": learned.made_on.isoformat(),
        "last_id": learned.last_id,
        "glossary": learned.glossary.dump(),
    }
    write_derived(folder / FILE, learned.vectors.packed(note))
