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
from service.papers.model import Alias, Paper


@pytest.mark.slow
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


@pytest.mark.parametrize("packed", [False, True])
def test_terms_that_mean_the_same_count_once_for_a_million_too(packed: bool) -> None:
    """What stands beside its like is silent in arrays; what stands elsewhere is scored by hand."""
    index, titles = Index(), ("Graphs", "Graph networks", "A network of agents")
    documents = [prepare(Paper(aliases=(Alias("guid", t),), title=t)) for t in titles]
    statistics = Statistics.of(documents)
    texts = (
        "graph", "graph OR graphs", "graphs OR network OR graph OR agent", "graphs AND graph",
        "(graph AND x) OR (graphs AND network)", "graph OR graphs OR ti:graph",
    )  # fmt: skip
    for number, text in enumerate(texts):
        index.add(number, parse_query(text))
        if packed:
            index.compact()
    for document, (ids, scores) in zip(
        documents, index.score_many(documents, statistics), strict=True
    ):
        found = dict(zip(ids.tolist(), scores.tolist(), strict=True))
        for number, text in enumerate(texts):
            query = parse_query(text)
            hits = evaluate(query, document)
            assert (number in found) == (hits is not None)
            if hits is not None:
                total = score(
                    query, document, hits, statistics, votes=None, comments=None, age_days=0
                ).total
                assert found[number] == pytest.approx(total)
        if 0 in found:
            assert found[0] == pytest.approx(found[1])
            assert index.match(document)[1] == evaluate(parse_query(texts[1]), document)


@given(
    st.lists(queries, min_size=1, max_size=8),
    st.lists(papers(), min_size=1, max_size=6),
    st.integers(1, 3),
)
@pytest.mark.slow  # a second or more
def test_the_best_of_each_profile(texts: list[str], some: list[Paper], most: int) -> None:
    index = Index()
    documents = [prepare(paper) for paper in some]
    statistics = Statistics.of(documents)
    for number, text in enumerate(texts):
        index.add(number, parse_query(text))
        if number == len(texts) // 2:
            index.compact()
    all_of: dict[int, list[tuple[float, int]]] = {}
    for paper, (ids, scores) in enumerate(index.score_many(documents, statistics)):
        for number, made in zip(ids.tolist(), scores.tolist(), strict=True):
            all_of.setdefault(number, []).append((-round(made * 4096), paper))
    found: dict[int, list[tuple[float, int]]] = {}
    for ids, numbers, scores in index.best_many(documents, statistics, most):
        for number, paper, made in zip(ids.tolist(), numbers.tolist(), scores, strict=True):
            found.setdefault(number, []).append((-round(made * 4096), paper))
    assert found == {number: sorted(pairs)[:most] for number, pairs in all_of.items()}


@pytest.mark.slow
def test_many_profiles_each_have_their_best() -> None:
    """More trees than one step takes, so that every bit of their numbers counts."""
    words = parse_query("graph OR network"), parse_query("graph AND network")
    titles = ("graph network", "a graph", "network of graph and graphs", "nothing")
    documents = [
        prepare(Paper(aliases=(Alias("guid", title),), title=title, abstract="x " * at))
        for at, title in enumerate(titles)
    ]
    statistics, index = Statistics.of(documents), Index()
    for number in range(150_000):
        index.add(number, words[number % 2])
    seen: dict[int, list[int]] = {}
    for ids, numbers, scores in index.best_many(documents, statistics, 2):
        assert all(scores > 2)
        for number, paper in zip(ids.tolist(), numbers.tolist(), strict=True):
            seen.setdefault(number, []).append(paper)
    assert len(seen) == 150_000
    assert {tuple(papers) for papers in seen.values()} == {(0, 2)}
