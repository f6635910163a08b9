"""Which authors a mail names."""

import pytest

from service.digest.people import named

FIVE = ("Ana Silva", "Bo Chen", "Carla Diaz", "Dan Eze", "Eva Frei")


def span(name: str) -> tuple[int, int]:
    at = ", ".join(FIVE).index(name)
    return at, at + len(name)


@pytest.mark.parametrize(
    ("followed", "shown"),
    [
        ([], ("Ana Silva", "Bo Chen", "Carla Diaz")),
        (["Bo Chen"], ("Ana Silva", "Bo Chen", "Carla Diaz")),
        (["Eva Frei"], ("Ana Silva", "Bo Chen", "Eva Frei")),
        (["Dan Eze", "Eva Frei"], ("Ana Silva", "Dan Eze", "Eva Frei")),
        (list(FIVE[1:]), ("Ana Silva", "Bo Chen", "Carla Diaz")),
    ],
)
def test_who_is_followed_is_named(followed: list[str], shown: tuple[str, ...]) -> None:
    assert named(FIVE, map(span, followed), 3) == shown


def test_few_and_none() -> None:
    assert named(FIVE[:2], [span("Bo Chen")], 3) == FIVE[:2]
    assert named((), [(0, 4)], 3) == ()
    assert named(FIVE, [span("Eva Frei")], 1) == ("Ana Silva",)
