"""The order of found papers does not depend on the order in which they were stored."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.match_strategies import papers, queries

from service.matching.corpus import Corpus
from service.matching.document import prepare
from service.matching.parse import parse_query
from service.papers.model import Paper

DAY = date(2026, 11, 18)


@pytest.mark.slow
@settings(max_examples=40)
@given(
    queries,
    st.lists(papers(), min_size=2, max_size=8),
    st.lists(st.integers(0, 2), min_size=8, max_size=8),
    st.randoms(use_true_random=False),
)
def test_search_gives_the_same_order(text, some: list[Paper], ages, chance) -> None:
    query = parse_query(text)
    # each paper twice: the second has the same score and comes by its id
    stored = [
        (number, DAY - timedelta(days=ages[number % len(some)]), prepare(some[number % len(some)]))
        for number in range(2 * len(some))
    ]
    found = []
    for _ in range(2):
        corpus = Corpus()
        for number, day, document in stored:
            corpus.add(number, day, document)
        found.append([(one.paper_id, one.score) for one in corpus.search(query, limit=None)])
        chance.shuffle(stored)
    assert found[0] == found[1]
