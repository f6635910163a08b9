"""More and less like this: what a reader marked pulls papers up and down."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.match_strategies import papers

from service.matching.document import Document, prepare
from service.matching.score import Statistics
from service.matching.taste import Taste, vector
from service.papers.model import Alias, Paper


def paper(text: str) -> Document:
    return prepare(Paper(aliases=(Alias("doi", "10.1/x"),), title=text))


TEXTS = ["graph network", "graph theory", "protein folding", "protein design", "model", "model x"]
KNOWN = Statistics.of(paper(text) for text in TEXTS)


def liking(taste: Taste, text: str) -> float:
    return taste.liking(vector(paper(text), KNOWN))


def test_what_was_liked_stands_above_and_what_was_not_below() -> None:
    taste = Taste.of([paper("protein folding")], [paper("graph theory")], KNOWN)
    assert liking(taste, "protein design") > liking(taste, "model") == 0
    assert liking(taste, "graph network") < 0
    assert liking(taste, "protein folding") == pytest.approx(0.5)
    assert liking(taste, "graph theory") == pytest.approx(-0.5)


def test_more_marks_count_more() -> None:
    one = Taste.of([paper("protein folding")], [], KNOWN)
    two = Taste.of([paper("protein folding")] * 2, [], KNOWN)
    assert liking(one, "protein folding") < liking(two, "protein folding") < 1


def test_nothing_said_is_nothing() -> None:
    assert not Taste.of([], [], KNOWN)
    assert liking(Taste(), "protein folding") == 0
    assert liking(Taste.of([paper("")], [], KNOWN), "protein folding") == 0


@given(st.lists(papers(), max_size=4), st.lists(papers(), max_size=4), papers(), st.integers())
def test_bounded_and_the_same_in_any_order(
    more: list[Paper], less: list[Paper], one: Paper, seed: int
) -> None:
    liked, disliked = [prepare(p) for p in more], [prepare(p) for p in less]
    taste = Taste.of(liked, disliked, KNOWN)
    found = taste.liking(vector(prepare(one), KNOWN))
    assert -1 <= found <= 1
    chance = random.Random(seed)
    chance.shuffle(liked)
    chance.shuffle(disliked)
    assert Taste.of(liked, disliked, KNOWN).liking(vector(prepare(one), KNOWN)) == found
