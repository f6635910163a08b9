"""Shortening loses no paper."""

from datetime import date

import pytest

from service.digest.budget import fit, shortened, shown
from service.digest.model import Digest, Entry, Marked, Section


def digest(*sizes: int) -> Digest:
    ids = iter(range(1, 1000))
    return Digest(
        kind="daily",
        on=date(2026, 11, 20),
        checked=9,
        matched=9,
        sections=tuple(
            Section(
                kind="interest",
                name="x",
                total=n,
                entries=tuple(
                    Entry(paper_id=next(ids), scheme="arxiv", value="1", title=Marked("T"))
                    for _ in range(n)
                ),
            )
            for n in sizes
        ),
    )


def cost(d: Digest) -> int:
    return sum(100 * len(s.entries) + 10 * len(s.lines) for s in d.sections)


@pytest.mark.parametrize("budget", [10_000, 650, 320, 111, 100, 50, 5])
def test_least_shortening_that_fits_and_all_ids_stay_in_order(budget: int) -> None:
    whole = digest(4, 3)
    result = fit(whole, lambda d: cost(d) <= budget)
    assert cost(result) <= budget
    assert result.paper_ids() == whole.paper_ids()
    assert [s.total for s in result.sections] == [4, 3]
    steps = next(n for n in range(20) if shortened(whole, n) == result)
    assert steps == 0 or cost(shortened(whole, steps - 1)) > budget


def test_hopeless_budget_ends_with_numbers_alone() -> None:
    result = fit(digest(2, 2), lambda d: False)
    assert shown(result) == 0
    assert result.paper_ids() == (1, 2, 3, 4)


def test_first_paper_stays_in_full_while_lines_can_go() -> None:
    result = fit(digest(5), lambda d: cost(d) <= 100)
    assert [e.paper_id for e in result.entries()] == [1]
