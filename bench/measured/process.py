"""One measurement in one process: its memory and processor time are its own, and an anchor (always
the same work) before and after says how quiet the machine was meanwhile."""

import ctypes
import gc
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Figures = dict[str, Any]

MOST_APART = 0.15
"""So far apart may the two anchors be before the measurement counts as disturbed."""

MARK = "measured: "


def anchor() -> float:
    """Seconds of processor time of a fixed piece of work in dictionaries, lists and strings."""
    best = float("inf")
    for _ in range(3):
        begun = time.process_time()
        counted: dict[str, int] = {}
        for number in range(120_000):
            word = f"w{number * 7919 % 5003}"
            counted[word] = counted.get(word, 0) + 1
        sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
        best = min(best, time.process_time() - begun)
    return best


def memory_mb() -> float:
    """What this process holds now."""
    return _status("VmRSS")


def peak_mb() -> float:
    """The most this process held since ``forget_peak``."""
    return _status("VmHWM")


def forget_peak() -> None:
    """Begin to look for the peak anew, with no memory in hand that was given back."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", "ascii")


def _status(name: str) -> float:
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"this system's /proc has no {name}")


def timed(work: Callable[[], object]) -> float:
    """Seconds of processor time."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def report(measure: Callable[[], Figures]) -> None:
    """In the child: measure between two anchors and hand the figures to the parent."""
    before = anchor()
    figures = measure()
    figures["anchors_s"] = [round(before, 4), round(anchor(), 4)]
    sys.stdout.write(f"{MARK}{json.dumps(figures)}\n")


def measured_apart(module: str, name: str, *, tries: int = 3) -> Figures:
    """In the parent: run ``python -m module one NAME`` until its anchors agree, ``tries`` times at
    most. Of disturbed ones the least disturbed is kept, with ``"disturbed": true``."""
    kept: Figures = {}
    for _ in range(tries):
        figures = run_apart(module, name)
        before, after = figures["anchors_s"]
        figures["apart"] = round(abs(before - after) / min(before, after), 3)
        if not kept or figures["apart"] < kept["apart"]:
            kept = figures
        if kept["apart"] <= MOST_APART:
            return kept
    return {**kept, "disturbed": True}


def run_apart(module: str, name: str) -> Figures:
    """In the parent: the figures of ``python -m module one NAME``."""
    return figures_of(sys.executable, "-m", module, "one", name, PYTHONHASHSEED="0")


def figures_of(*command: str, **environment: str) -> Figures:
    """The figures of a command that tells them on its last line (``report``)."""
    done = subprocess.run(
        [*command],
        check=False,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if done.returncode or not lines:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}.\n{done.stdout}")
    figures: Figures = json.loads(lines[-1].removeprefix(MARK))
    return figures


def machine() -> Figures:
    """Where and with what was measured."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return {"cpu": model, "cores": os.cpu_count(), "python": platform.python_version()}


def keep(path: Path, figures: Figures) -> None:
    """Write a result so that it is never half there."""
    path.parent.mkdir(exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", "utf-8")
    new.replace(path)


def kept(path: Path) -> Figures:
    """A result written before; {} when there is none."""
    if not path.exists():
        return {}
    figures: Figures = json.loads(path.read_text("utf-8"))
    return figures
