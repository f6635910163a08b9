"""Scores in arrays: what score() says of every match."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.match_strategies import papers, queries

from service.matching.document import prepare
from service.matching.evaluate import evaluate
from service.matching.index import Index
from service.matching.parse import parse_query
from service.matching.score import Statistics, score
from service.papers.model import Paper


@given(
    st.lists(queries, min_size=1, max_size=8),
    st.lists(papers(), min_size=1, max_size=4),
    st.booleans(),
)
def test_scores_are_those_of_each_match(texts: list[str], some: list[Paper], packed: bool) -> None:
    index, read = Index(), dict(enumerate(map(parse_query, texts)))
    documents = [prepare(paper) for paper in some]
    statistics = Statistics.of(documents)
    for number, query in read.items():
        index.add(number, query)
    if packed:
        index.compact()
    answers = list(index.score_many(documents, statistics, age_days=1.5))
    assert len(answers) == len(documents)
    for document, (ids, scores) in zip(documents, answers, strict=True):
        expected = {
            number: score(
                query,
                document,
                hits,
                statistics,
                votes=document.votes,
                comments=document.comments,
                age_days=1.5,
            ).total
            for number, query in read.items()
            if (hits := evaluate(query, document)) is not None
        }
        assert dict(zip(ids.tolist(), scores.tolist(), strict=True)) == pytest.approx(
            expected, abs=1e-6
        )
