"""Printed and read again, every tree is the same tree."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.query_trees import random_tree
from support.sizes import sized

from service.matching.parse import make_query, parse_query, to_text
from service.matching.query import QueryError


def check(seed: int, depth: int = 3) -> bool:
    """Print and read the tree of ``seed``; False where it is refused as a query."""
    root = random_tree(random.Random(seed), depth)
    try:
        query = make_query(root, "query")
    except QueryError:
        return False  # it only says what to leave out
    again = parse_query(to_text(query))
    assert again == query, seed
    return True


@given(st.integers(0, 1 << 40))
def test_printed_and_read_again_it_is_the_same_tree(seed: int) -> None:
    check(seed)


@pytest.mark.slow
def test_many_trees() -> None:
    trees = sized(6000, 20_000)
    assert sum(check(seed, depth=2) for seed in range(trees)) > 0.75 * trees
