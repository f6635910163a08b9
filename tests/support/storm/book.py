"""What was done of a campaign, kept after every point: a run that was broken off goes on."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from support.storm.nursery import ROOT

from bench.measured.process import keep, kept, machine

RESULTS = ROOT / "bench" / "results" / "faults"


def head() -> str:
    """The commit that is checked out."""
    said = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        check=False, capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    return said.stdout.strip() or "unknown"


class Tally:
    """What one point counted. sums: added up over all points · peaks: the largest of all ·
    breaches: promises that did not hold, in words."""

    def __init__(
        self,
        sums: dict[str, float] | None = None,
        peaks: dict[str, float] | None = None,
        breaches: list[str] | None = None,
    ) -> None:
        self.sums = {} if sums is None else sums
        self.peaks = {} if peaks is None else peaks
        self.breaches = [] if breaches is None else breaches

    def count(self, **figures: float) -> None:
        """Add to the sums."""
        for name, figure in figures.items():
            self.sums[name] = round(self.sums.get(name, 0) + figure, 2)

    def most(self, **figures: float) -> None:
        """Keep the largest."""
        for name, figure in figures.items():
            self.peaks[name] = round(max(self.peaks.get(name, 0), figure), 2)

    def breach(self, *cases: str) -> None:
        """A promise that did not hold."""
        self.breaches.extend(cases)

    def add(self, other: "Tally") -> None:
        """What another point counted."""
        self.count(**other.sums)
        self.most(**other.peaks)
        self.breach(*other.breaches)


class Book:
    """One campaign on one database. ``facts`` is what is written; ``done`` trials are passed over.

    trial: the figure that counts them · wanted: how many are the whole. A book of another seed or
    shape, or that shall begin ``again``, is begun anew.
    """

    def __init__(
        self,
        file: Path,
        *,
        what: str,
        command: str,
        seed: int,
        wanted: int,
        trial: str,
        again: bool = False,
    ) -> None:
        self._file = file
        self.facts: dict[str, Any] = {} if again else kept(file)
        if self.facts.get("seed") != seed or "sums" not in self.facts:
            self.facts = {"seed": seed, "done": 0, "breaches": [], "runs": []}
            self.facts |= {"sums": {}, "peaks": {}}
        self.facts |= {
            "what": what,
            "command": command,
            "trial": trial,
            "wanted": wanted,
            "machine": {**machine(), "system": platform.system()},
        }
        self.tally = Tally(self.facts["sums"], self.facts["peaks"], self.facts["breaches"])
        self._begun = datetime.now(UTC)
        self._run: dict[str, Any] = {}

    @property
    def done(self) -> int:
        """Trials that are behind us, counted from 0."""
        return int(self.facts["done"])

    @property
    def seed(self) -> int:
        return int(self.facts["seed"])

    def step(self, trials: int, tally: Tally) -> None:
        """So many trials more are behind us; written at once."""
        if not self._run:
            self._run = {"on": self._begun.date().isoformat(), "commit": head(), "from": self.done}
            self.facts["runs"].append(self._run)
        self.tally.add(tally)
        self.facts["done"] = self.done + trials
        self._run["to"] = self.done
        self._run["load"] = round(os.getloadavg()[0], 1)
        self._run["minutes"] = round((datetime.now(UTC) - self._begun).total_seconds() / 60, 1)
        self.write()

    def write(self) -> None:
        """Keep it as it is."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        keep(self._file, self.facts)
