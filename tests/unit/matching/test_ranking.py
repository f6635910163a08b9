"""The best of many found papers are those that scoring every one of them would put first."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.match_strategies import papers, queries

from service.matching import view
from service.matching.corpus import Corpus
from service.matching.document import prepare
from service.matching.parse import parse_query
from service.matching.segment import Entry
from service.papers.model import Alias, Paper

DAYS = [date(2026, 9, 20) + timedelta(days=20 * n) for n in range(3)]


def ids(corpus: Corpus, text: str, limit: int | None) -> list[int]:
    return [one.paper_id for one in corpus.search(parse_query(text), limit=limit)]


@pytest.mark.slow  # some seconds
@settings(max_examples=60)
@given(
    st.lists(queries, min_size=1, max_size=4),
    st.lists(st.tuples(papers(), st.sampled_from(DAYS)), min_size=2, max_size=10),
    st.integers(1, 4),
)
def test_the_best_of_many(texts: list[str], some: list[tuple[Paper, date]], limit: int) -> None:
    corpus = Corpus()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(view, "_RANKED", 0)
        corpus.add_many(
            Entry(number, day.toordinal(), prepare(paper), paper.votes, paper.comments)
            for number, (paper, day) in enumerate(some)
        )
        for text in texts:
            every = ids(corpus, text, None)
            assert ids(corpus, text, limit) == every[:limit], text


@pytest.mark.parametrize(
    ("query", "best"),
    [
        ("graph", [3, 2, 1]),  # three times, twice, once
        ('"graph net"', [3, 1]),
        ("graph OR (net AND absent)", [3, 2, 1]),
        ("ti:word OR graph", [3, 2, 1]),
        ('"graph net"~3', [3, 1]),
    ],
)
def test_how_often_a_term_stands_counts(query: str, best: list[int]) -> None:
    corpus, words = (
        Corpus(),
        {1: "graph net net", 2: "graph graph", 3: "graph-net, graph net graph"},
    )
    for number in range(1, 60):
        text = words.get(number, "net")
        paper = Paper(aliases=(Alias("arxiv", "1"),), title="Word", abstract=text)
        corpus.add(number, DAYS[0], prepare(paper))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(view, "_RANKED", 0)
        assert [i for i in ids(corpus, query, 3) if i in words][: len(best)] == best
