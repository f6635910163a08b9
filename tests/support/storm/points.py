"""A blow at every system call by which a send changes the world, one after the other.

strace counts the calls of each thread: point (name, n) is hit by the first thread that makes its
n-th call of that name, as it enters it. With ``signal=KILL`` the process dies there; with
``error=EIO`` or ``ENOSPC`` the call fails, and the process is left to itself.
"""

import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from support.required import skip_unless_required
from support.storm.book import Tally
from support.storm.ground import SEND, Ground, Template, relay
from support.storm.nursery import Nursery
from support.storm.verdict import settle

CALLS = ("fdatasync", "fsync", "sendto", "write", "writev", "sendmsg")
DISK = ("fdatasync", "fsync", "pwrite64", "ftruncate")
PATIENCE_S = 240


@dataclass(frozen=True, slots=True)
class Point:
    """The n-th call (from 1) of this name that a thread makes; last: and all after it."""

    name: str
    n: int
    onward: bool = False

    def __str__(self) -> str:
        return f"{self.name} {self.n}{' and on' if self.onward else ''}"


def strace() -> str:
    """Where strace is; skips (or fails, when required) without."""
    found = shutil.which("strace")
    if found is None:
        skip_unless_required("strace", "strace is not on PATH")
    return found


def _run(nest: Nursery, ground: Ground, words: Sequence[str], *options: str) -> int | None:
    """One command under strace; what it ended with, None when it hung (it is killed then)."""
    try:
        return nest.run(
            words, ground.environment, ground.errors, [strace(), "-f", *options], PATIENCE_S
        )
    except subprocess.TimeoutExpired:
        return None


def counted(
    nest: Nursery, ground: Ground, words: Sequence[str], names: Sequence[str]
) -> dict[str, int]:
    """The most calls of each name that a thread makes in one command that nobody disturbs."""
    trace = ground.folder / "trace"
    ended = _run(nest, ground, words, "-o", str(trace), "-s", "0", "-e", f"trace={','.join(names)}")
    assert ended == 0, ground.errors.read_text()[-2000:]
    made: Counter[tuple[str, str]] = Counter()
    for line in trace.read_text(errors="replace").splitlines():
        thread, _, call = line.partition(" ")
        name = call.strip().partition("(")[0]
        if name in names:
            made[thread, name] += 1
    return {
        name: max((n for (_, of), n in made.items() if of == name), default=0) for name in names
    }


def calls(
    nest: Nursery, template: Template, folder: Path, names: Sequence[str] = CALLS
) -> dict[str, int]:
    """``counted`` for a send."""
    with (
        relay(folder / "dry.jsonl") as (port, _),
        template.copy(folder / "dry", port, folder / "dry.jsonl") as ground,
    ):
        return counted(nest, ground, SEND, names)


def strike(
    nest: Nursery, ground: Ground, words: Sequence[str], point: Point, blow: str
) -> int | None:
    """One command that is hit at one point; what it ended with, None when it hung. blow:
    "signal=KILL", "error=EIO"."""
    when = f"{point.n}{'+' if point.onward else ''}"
    return _run(
        nest, ground, words, "-o", "/dev/null", "-e", f"trace={point.name}",
        "-e", f"inject={point.name}:{blow}:when={when}",
    )  # fmt: skip


def every_point(found: Mapping[str, int]) -> list[Point]:
    """The points of so many calls, by name and number."""
    return [Point(name, n) for name, most in found.items() for n in range(1, most + 1)]


def hit(
    nest: Nursery,
    template: Template,
    folder: Path,
    point: Point,
    blow: str,
    tally: Tally,
    *,
    most_held: int,
) -> None:
    """One send that is hit at one point, and what came of it. blow: as ``strike``."""
    log = folder / f"{point.name}{point.n}.jsonl"
    with relay(log) as (port, _), template.copy(folder / log.stem, port, log) as ground:
        ended = strike(nest, ground, SEND, point, blow)
        sent = ground.logged()
        tally.count(
            points=1,
            killed=ended == -9,
            hung=ended is None,
            in_the_middle=0 < sent < len(template.plan.readers),
        )
        said = ground.finish_here()
        good = settle(ground, tally, most_held=most_held, where=f"{blow} at {point}", said=said)
    if good:
        log.unlink()


def spread(points: Sequence[Point], many: int) -> list[Point]:
    """So many of them, evenly over all."""
    if many >= len(points):
        return list(points)
    return [points[(2 * at + 1) * len(points) // (2 * many)] for at in range(many)]
