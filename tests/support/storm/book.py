"""What was done of a campaign, kept after every point: a run that was broken off goes on."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.measured.process import keep, kept, machine

ROOT = Path(__file__).resolve().parents[3]
RESULTS = ROOT / "bench" / "results" / "faults"


def head() -> str:
    """The commit that is checked out."""
    said = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        check=False, capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    return said.stdout.strip() or "unknown"


class Book:
    """One campaign on one database. ``facts`` is what is written; ``done`` points are passed over.

    file None: kept nowhere (a test).
    """

    def __init__(self, file: Path | None, what: str, command: str, seed: int) -> None:
        self.file = file
        self.facts: dict[str, Any] = kept(file) if file is not None else {}
        if not self.facts or self.facts["seed"] != seed:
            self.facts = {
                "what": what,
                "command": command,
                "seed": seed,
                "machine": {**machine(), "system": platform.system()},
                "done": 0,
                "totals": {},
                "breaches": [],
                "runs": [],
            }
        self._begun = datetime.now(UTC)
        self._run = {"on": self._begun.date().isoformat(), "commit": head(), "from": self.done}
        self.facts["runs"].append(self._run)

    @classmethod
    def of(cls, part: str, database: str, what: str, seed: int, command: str = "") -> "Book":
        """The book of a part, beside the other results."""
        command = command or f'make faults ARGS="{part} {database}"'
        return cls(RESULTS / f"{part}-{database}.json", what, command, seed)

    @property
    def done(self) -> int:
        """Points that are behind us, counted from 0."""
        return int(self.facts["done"])

    @property
    def totals(self) -> dict[str, Any]:
        figures: dict[str, Any] = self.facts["totals"]
        return figures

    @property
    def breaches(self) -> list[str]:
        found: list[str] = self.facts["breaches"]
        return found

    def count(self, **figures: float) -> None:
        """Add to the totals."""
        for name, figure in figures.items():
            self.totals[name] = round(self.totals.get(name, 0) + figure, 2)

    def most(self, **figures: float) -> None:
        """Keep the largest."""
        for name, figure in figures.items():
            self.totals[name] = round(max(self.totals.get(name, 0), figure), 2)

    def breach(self, *cases: str) -> None:
        """A promise that did not hold, in words."""
        self.breaches.extend(cases)

    def step(self, done: int | None = None) -> None:
        """One point more is behind us; written at once."""
        self.facts["done"] = self.done + 1 if done is None else done
        self._run["to"] = self.done
        self._run["load"] = round(os.getloadavg()[0], 1)
        self._run["minutes"] = round((datetime.now(UTC) - self._begun).total_seconds() / 60, 1)
        if self.file is not None:
            keep(self.file, self.facts)
