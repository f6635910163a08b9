"""On papers that were judged by reading, our score orders better than the other ways."""

from pathlib import Path

import pytest

from bench.judged.pool import Collection, collect
from bench.relevance import (
    MEASURES,
    WAYS,
    agreement,
    halves,
    interval,
    mean,
    measure,
    ndcg,
    precision,
    read_grades,
)

GRADES = read_grades()
OURS = "our score"


@pytest.fixture(scope="module")
def judged(shared: Path) -> Collection:
    """The judged papers alone: words are as rare as among these."""
    assert shared.is_dir()
    among = frozenset(paper for papers in GRADES.values() for paper in papers)
    return collect(sorted(GRADES), among)


def test_the_set_is_large_enough() -> None:
    assert len(GRADES) >= 30
    assert all(len(papers) >= 20 for papers in GRADES.values())
    assert {grade for papers in GRADES.values() for grade in papers.values()} == {0, 1, 2}
    chosen, held = halves(list(GRADES))
    assert sorted(chosen + held) == sorted(GRADES)


@pytest.mark.slow
def test_our_score_orders_better_than_any_word_and_than_the_newest(judged: Collection) -> None:
    readers = sorted(GRADES)
    made = {
        name: measure(lambda n, w=way: w(judged, n), GRADES, readers)  # type: ignore[misc]
        for name, way in WAYS.items()
    }
    for name in set(WAYS) - {OURS}:
        for of in MEASURES:
            for part in (readers, *halves(readers)):
                assert mean(made[OURS][of], part) > mean(made[name][of], part), (name, of)
            gains = {n: made[OURS][of][n] - made[name][of][n] for n in readers}
            assert interval(gains, readers)[0] > 0, (name, of)


def test_what_is_measured() -> None:
    grades = {"a": 2, "b": 2, "c": 1, "d": 0}
    assert precision(["a", "d", "b", "c"], grades, 2) == 0.5
    assert precision(["a"], grades, 5) == 0.2
    assert ndcg(["a", "b", "c", "d"], grades) == 1
    assert 0 < ndcg(["d", "c", "b", "a"], grades) < ndcg(["b", "a", "d", "c"], grades) < 1
    assert ndcg([], grades) == ndcg(["d"], {"d": 0}) == 0


def test_agreement_counts_what_chance_would_give() -> None:
    first = {1: {"a": 0, "b": 1, "c": 2, "d": 2}}
    assert agreement(first, first).kappa == 1
    one_off = agreement(first, {1: {"a": 0, "b": 2, "c": 2, "d": 2}})
    far_off = agreement(first, {1: {"a": 2, "b": 1, "c": 2, "d": 2}})
    assert one_off.exact == far_off.exact == 0.75
    assert one_off.kappa > far_off.kappa
