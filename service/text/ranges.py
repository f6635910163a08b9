"""Many numbers as a short text: "1-3 7 9-12". Pure."""

from collections.abc import Iterable


def packed(numbers: Iterable[int]) -> str:
    """The numbers in their order, each once; runs of neighbours by their ends."""
    runs: list[list[int]] = []
    for n in sorted(set(numbers)):
        if runs and n == runs[-1][1] + 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return " ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def unpacked(text: str) -> list[int]:
    """What ``packed`` wrote."""
    found: list[int] = []
    for run in text.split():
        first, _, last = run.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found
