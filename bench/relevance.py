"""Is the score worth it: three ways to order a reader's papers, measured on the judged set.

Run from the checkout: ``python -m bench.relevance [--write]`` (a quarter of a minute; ``--write``
keeps the table in bench/judged/RESULT.md). Each way ranks the judged papers of a reader only.
Precision at k is the share of the first k places with a paper that the reader wants (grade 2; a
place that a way leaves empty counts as wrong); nDCG@10 has the gains 3 and 1 for the grades 2 and 1
and the best order of all judged papers as its measure. Intervals: 95 of 100 bootstrap samples of
readers.
"""

import math
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":  # also as a file
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.judged.pool import (
    HERE,
    SEED,
    Collection,
    any_word,
    any_word_newest,
    boolean_newest,
    by_score,
    collect,
)

Grades = Mapping[int, Mapping[str, int]]
"""By reader and paper."""

WAYS: dict[str, Callable[[Collection, int], list[str]]] = {
    "any word, newest first": lambda c, n: any_word_newest(c, c.readers[n].query),
    "any word, most words first": lambda c, n: any_word(c, c.readers[n].query),
    "our match, newest first": lambda c, n: boolean_newest(c, c.readers[n]),
    "our score": lambda c, n: by_score(c, c.readers[n]),
}
MEASURES = ("P@5", "P@10", "nDCG@10")
SAMPLES = 5000


def read_grades(name: str = "grades.tsv") -> dict[int, dict[str, int]]:
    """The committed grades."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for line in (HERE / name).read_text("utf-8").splitlines()[1:]:
        profile, paper, grade = line.split("\t")
        found[int(profile)][paper] = int(grade)
    return dict(found)


def halves(profiles: Sequence[int]) -> tuple[list[int], list[int]]:
    """The readers on whom weights are chosen, and those on whom they are only measured."""
    shuffled = sorted(profiles)
    random.Random(SEED + 3).shuffle(shuffled)
    return sorted(shuffled[: len(shuffled) // 2]), sorted(shuffled[len(shuffled) // 2 :])


def precision(ranked: Sequence[str], grades: Mapping[str, int], k: int, least: int = 2) -> float:
    """The share of the first k places with a grade of at least ``least``."""
    return sum(grades[paper] >= least for paper in ranked[:k]) / k


def ndcg(ranked: Sequence[str], grades: Mapping[str, int], k: int = 10) -> float:
    """Discounted gain of the first k places by that of the best order (0: nothing wanted)."""
    best = _gain(sorted(grades.values(), reverse=True)[:k])
    return _gain([grades[paper] for paper in ranked[:k]]) / best if best else 0.0


def _gain(grades: Sequence[int]) -> float:
    return sum((2**grade - 1) / math.log2(place + 2) for place, grade in enumerate(grades))


def measure(
    rank: Callable[[int], Sequence[str]], grades: Grades, profiles: Sequence[int]
) -> dict[str, dict[int, float]]:
    """Each measure of one way, by reader."""
    made: dict[str, dict[int, float]] = {name: {} for name in MEASURES}
    for number in profiles:
        judged = grades[number]
        ranked = [paper for paper in rank(number) if paper in judged]
        made["P@5"][number] = precision(ranked, judged, 5)
        made["P@10"][number] = precision(ranked, judged, 10)
        made["nDCG@10"][number] = ndcg(ranked, judged)
    return made


def mean(values: Mapping[int, float], profiles: Sequence[int]) -> float:
    return sum(values[number] for number in profiles) / len(profiles)


def interval(values: Mapping[int, float], profiles: Sequence[int]) -> tuple[float, float]:
    """95 of 100 bootstrap means over readers lie between these."""
    chance = random.Random(SEED)
    means = sorted(mean(values, chance.choices(profiles, k=len(profiles))) for _ in range(SAMPLES))
    return means[int(0.025 * SAMPLES)], means[int(0.975 * SAMPLES)]


@dataclass(frozen=True, slots=True)
class Agreement:
    """pairs judged twice · exact: share with the same grade · kappa: linearly weighted."""

    pairs: int
    exact: float
    kappa: float


def agreement(first: Grades, second: Grades) -> Agreement:
    """How far two judges agree (Cohen's kappa, weights 1 - distance / 2)."""
    pairs = [(first[n][p], grade) for n, papers in second.items() for p, grade in papers.items()]
    total = len(pairs)
    ones = [sum(a == g for a, _ in pairs) / total for g in range(3)]
    others = [sum(b == g for _, b in pairs) / total for g in range(3)]
    apart = sum(abs(a - b) / 2 for a, b in pairs) / total
    by_chance = sum(ones[a] * others[b] * abs(a - b) / 2 for a in range(3) for b in range(3))
    return Agreement(total, sum(a == b for a, b in pairs) / total, 1 - apart / by_chance)


def table(collection: Collection, grades: Grades) -> str:
    """Markdown: each way on all readers and on both halves, then by how much ours is better."""
    chosen, held = halves(list(grades))
    parts = {"all": sorted(grades), "weights chosen on": chosen, "held back": held}
    made = {
        name: measure(lambda n, w=way: w(collection, n), grades, parts["all"])
        for name, way in WAYS.items()
    }
    lines = []
    for part, profiles in parts.items():
        lines += [f"### {part}: {len(profiles)} readers", "", f"| way | {' | '.join(MEASURES)} |"]
        lines.append("| --- |" + " --- |" * len(MEASURES))
        for name, values in made.items():
            cells = [f"{mean(values[m], profiles):.3f}" for m in MEASURES]
            lines.append(f"| {name} | {' | '.join(cells)} |")
        lines.append("")
    lines += ["### Ours is better by (with 95 % interval)", ""]
    lines += [f"| than | readers | {' | '.join(MEASURES)} |", "| --- |" * 1 + " --- |" * 4]
    ours = made["our score"]
    for name in list(WAYS)[:-1]:
        for part in ("all", "held back"):
            cells = []
            for m in MEASURES:
                gains = {n: ours[m][n] - made[name][m][n] for n in parts[part]}
                low, high = interval(gains, parts[part])
                cells.append(f"{mean(gains, parts[part]):+.3f} ({low:+.3f} to {high:+.3f})")
            lines.append(f"| {name} | {part} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    grades = read_grades()
    text = table(collect(sorted(grades)), grades)
    if (HERE / "second.tsv").exists():
        found = agreement(grades, read_grades("second.tsv"))
        text += (
            f"\n\nJudged twice: {found.pairs} pairs, {found.exact:.0%} with the same grade, "
            f"weighted kappa {found.kappa:.2f}.\n"
        )
    print(text)
    if "--write" in sys.argv:
        (HERE / "RESULT.md").write_text("# How papers are ordered, measured\n\n" + text, "utf-8")


if __name__ == "__main__":
    main()
