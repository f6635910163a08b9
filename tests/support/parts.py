"""One line per part of a run (unit, flows, ...): how many passed, how long, what was left out."""

from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath

PARTS = ("unit", "flows", "integration", "rules", "e2e", "faults", "support")
WHY = {
    "slow": "longer than a quick run allows",
    "browser": "needs chromium",
    "postgres": "needs a PostgreSQL installation",
    "faults": "kills, drops and hangs take their time",
}


def part_of(nodeid: str) -> str:
    """Return the folder below tests/ that a test lies in; "other" when it lies in none."""
    names = PurePosixPath(nodeid.partition("::")[0]).parts
    return names[1] if len(names) > 2 and names[0] == "tests" else "other"


def lines(reports: Iterable[tuple[str, str, float]]) -> list[str]:
    """Say what each part did. ``reports`` holds (nodeid, outcome, seconds), one per phase or test;
    the outcome is "" for a phase that only cost time."""
    counts: dict[str, Counter[str]] = {}
    seconds: Counter[str] = Counter()
    for nodeid, outcome, took in reports:
        part = part_of(nodeid)
        seconds[part] += took  # type: ignore[assignment]
        tally = counts.setdefault(part, Counter())
        if outcome:
            tally[outcome] += 1
    order = [part for part in PARTS if part in counts] + sorted(set(counts) - set(PARTS))
    return [
        f"{part:<12} "
        + ", ".join(f"{n} {outcome}" for outcome, n in sorted(counts[part].items()))
        + f" in {seconds[part]:.1f} s"
        for part in order
    ]


def left_out(marks: Counter[str]) -> list[str]:
    """Say how many tests were left out for each marker, and why."""
    return [
        f"left out     {count} marked {mark}: {WHY.get(mark, 'deselected')}"
        for mark, count in sorted(marks.items())
    ]
