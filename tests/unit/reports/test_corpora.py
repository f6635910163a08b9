"""The captured collections of real reports, as support.bounce_matrix counts them."""

from pathlib import Path

import pytest
from support.bounce_matrix import BEGIN, END, Case, addresses, cases, hard, lines

pytestmark = pytest.mark.slow
PAGE = Path(__file__).parents[3] / "docs" / "bounces.md"


@pytest.fixture(scope="module")
def read(shared: Path) -> list[Case]:
    return list(cases(shared))


@pytest.mark.parametrize(("collection", "recall"), [("sisimai", 0.93), ("flufl", 0.93)])
def test_hard_is_believed_and_found(read: list[Case], collection: str, recall: float) -> None:
    precision, found = hard([one for one in read if one.collection.startswith(collection)])
    assert precision >= 0.99
    assert found >= recall


def test_nobody_labelled_otherwise_is_called_gone(read: list[Case]) -> None:
    assert [one.file for one in read if one.got == "hard" != one.wanted] == []


def test_classes_are_as_labelled(read: list[Case]) -> None:
    assert sum(one.wanted == one.got for one in read) >= 0.94 * len(read)


def test_the_same_recipients_are_found(shared: Path) -> None:
    right, total = addresses(shared)
    assert right == total


def test_the_page_has_these_figures(shared: Path) -> None:
    told = PAGE.read_text().partition(BEGIN)[2].partition(END)[0]
    assert told.strip() == "\n".join(lines(shared)).strip()
