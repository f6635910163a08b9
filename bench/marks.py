"""What the reader's own marks do to the order of papers, measured on the judged set.

Run from the checkout: ``python -m bench.marks`` (half a minute). Of each reader's matched papers
some wanted ones are marked "more like this" and some others "less", at random, 30 times; the rest
is put in order with and without the marks. nDCG@10 as in bench.relevance; readers with too few
papers for so many marks are left out.
"""

import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

if __name__ == "__main__":  # also as a file
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.judged.pool import SEED, Collection, collect, listings
from bench.relevance import Grades, halves, ndcg, read_grades
from service.matching.document import Document, prepare
from service.matching.score import LIKING, score
from service.matching.taste import Taste, vector

MARKS = ((1, 0), (1, 1), (3, 3))
"""(papers marked "more", papers marked "less")"""

DRAWS = 30


def judged_papers(grades: Grades) -> dict[str, Document]:
    """The papers that were judged, folded."""
    wanted = {paper_id for judged in grades.values() for paper_id in judged}
    return {p.aliases[0].value: prepare(p) for _, p in listings() if p.aliases[0].value in wanted}


def totals(collection: Collection, number: int, judged: Mapping[str, int]) -> dict[str, float]:
    """The scores of a reader's judged matches, without marks."""
    return {
        paper_id: score(
            collection.readers[number].query,
            None,  # type: ignore[arg-type]  # the words are in the hits
            hits,
            collection.statistics,
            votes=collection.papers[paper_id].votes,
            comments=collection.papers[paper_id].comments,
            age_days=collection.age(paper_id),
        ).total
        for paper_id, hits in collection.hits[number].items()
        if paper_id in judged
    }


def gain(
    collection: Collection,
    papers: Mapping[str, Document],
    number: int,
    judged: Mapping[str, int],
    marks: tuple[int, int],
) -> tuple[float, float] | None:
    """Mean nDCG@10 of one reader's unmarked papers: without and with the marks."""
    plain = totals(collection, number, judged)
    wanted = sorted(p for p in plain if judged[p] == 2)
    others = sorted(p for p in plain if judged[p] < 2)
    if len(wanted) < marks[0] + 2 or len(others) < marks[1] + 1:
        return None
    vectors = {p: vector(papers[p], collection.statistics) for p in plain}
    sums = [0.0, 0.0]
    for draw in range(DRAWS):
        chance = random.Random(f"{SEED}:{number}:{marks}:{draw}")
        more, less = chance.sample(wanted, marks[0]), chance.sample(others, marks[1])
        taste = Taste.of(
            [papers[p] for p in more], [papers[p] for p in less], collection.statistics
        )
        rest = {p: judged[p] for p in plain if p not in more and p not in less}
        liked = {p: plain[p] + LIKING * taste.liking(vectors[p]) for p in rest}
        for at, values in enumerate((plain, liked)):
            sums[at] += ndcg(sorted(rest, key=lambda p: (-values[p], p)), rest)
    return sums[0] / DRAWS, sums[1] / DRAWS


def table(collection: Collection, papers: Mapping[str, Document], grades: Grades) -> str:
    """Markdown: nDCG@10 without and with marks, on both halves and all."""
    chosen, held = halves(list(grades))
    lines = ["| more, less | readers | without | with |", "| --- | --- | --- | --- |"]
    for marks in MARKS:
        made = {n: gain(collection, papers, n, grades[n], marks) for n in sorted(grades)}
        for name, part in (("chosen on", chosen), ("held back", held), ("all", sorted(grades))):
            lines.append(_line(f"{marks[0]}, {marks[1]}", name, [made[n] for n in part]))
    return "\n".join(lines)


def _line(marks: str, name: str, made: Sequence[tuple[float, float] | None]) -> str:
    known = [one for one in made if one is not None]
    without, with_marks = (sum(one[at] for one in known) / len(known) for at in (0, 1))
    return f"| {marks} | {name}: {len(known)} | {without:.3f} | {with_marks:.3f} |"


def main() -> None:
    grades = read_grades()
    print(table(collect(sorted(grades)), judged_papers(grades), grades))


if __name__ == "__main__":
    main()
