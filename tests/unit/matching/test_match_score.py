"""The score: its parts add up, and each pulls the right way."""

import math
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.match_strategies import papers, phrases, queries
from support.stored_papers import paper

from service.defaults import FIXED
from service.matching.document import prepare
from service.matching.evaluate import evaluate
from service.matching.likeness import ALIKE
from service.matching.parse import parse_query
from service.matching.query import leaves
from service.matching.score import (
    COMMENTS,
    FRESH_HALF_LIFE,
    LIKING,
    PHRASE,
    TITLE,
    VOTES,
    Score,
    Statistics,
    meaning,
    score,
)
from service.papers.model import Paper

MANY = [paper("graph network", "a graph"), paper("graph"), paper("model"), paper("x")] * 5
STATISTICS = Statistics.of(prepare(one) for one in MANY)


def scored(query: str, title: str, abstract: str = "", **facts: float) -> Score:
    read, document = parse_query(query), prepare(paper(title, abstract))
    hits = evaluate(read, document)
    assert hits is not None
    return score(
        read,
        document,
        hits,
        STATISTICS,
        votes=int(facts.get("votes", 0)),
        comments=int(facts.get("comments", 0)),
        age_days=facts.get("age", 0.0),
    )


@pytest.mark.parametrize(
    ("several", "one"),
    [
        ("graph OR graphs", "graph"),
        ("graphs AND graph", "graphs"),
        ('"graph network" OR "graph networks" OR "graph-network"', '"graph network"'),
        ("(graph AND network) OR (graphs AND x)", "graph AND network"),
        ("(graph AND x) OR (graphs AND network)", "graph AND network"),
    ],
)
def test_terms_that_mean_the_same_count_once(several: str, one: str) -> None:
    title, abstract = "Graph networks", "A graph of graphs, and a network."
    made = scored(several, title, abstract)
    assert made == scored(one, title, abstract)
    assert made.total < scored(several + " OR model*", title, abstract + " Models.").total


@given(phrases(), papers())
def test_terms_of_one_meaning_stand_at_the_same_places(phrase: str, one: Paper) -> None:
    both = [parse_query(text) for text in (phrase, phrase.replace(" ", "-"), f'{phrase[:-1]}s"')]
    document = prepare(one)
    places = [
        [(hit.where, hit.start, hit.end) for hit in evaluate(query, document) or ()]
        for query in both
    ]
    for query, found in zip(both, places, strict=True):
        if meaning(leaves(query.root)[0]) == meaning(leaves(both[0].root)[0]):
            assert found == places[0]


def test_statistics_count_papers() -> None:
    assert STATISTICS.documents == 20
    assert STATISTICS.frequencies["graph"] == 10
    assert STATISTICS.rarity("model") > STATISTICS.rarity("graph")
    assert Statistics().rarity("graph") >= 0


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (scored("graph", "graph"), scored("graph", "x", "graph")),
        (scored('"graph network"', "graph network"), scored("graph network", "graph network")),
        (scored("network", "network"), scored("graph", "graph")),
        (scored("graph", "x", "graph graph"), scored("graph", "x", "graph")),
        (scored("graph", "graph", votes=40), scored("graph", "graph", votes=3)),
        (scored("graph", "graph", comments=4), scored("graph", "graph")),
        (scored("graph", "graph", age=1), scored("graph", "graph", age=5)),
    ],
)
def test_what_stands_above_what(better: Score, worse: Score) -> None:
    assert better.total > worse.total


@given(queries, papers())
def test_parts_add_up(text: str, one: Paper) -> None:
    query, document = parse_query(text), prepare(one)
    hits = evaluate(query, document) or ()
    found = score(query, document, hits, STATISTICS, votes=None, comments=2, age_days=-1)
    assert math.isclose(found.total, sum(found.parts.values()))
    assert all(part >= 0 for part in found.parts.values())
    assert found.parts["fresh"] == 1
    assert found.parts["votes"] == 0


@given(queries, papers(), st.randoms())
def test_the_same_score_in_any_order_of_the_hits(text: str, one: Paper, chance: Random) -> None:
    query, document = parse_query(text), prepare(one)
    hits = list(evaluate(query, document) or ())
    facts = {"votes": one.votes, "comments": one.comments, "age_days": 2.5}
    found = score(query, document, tuple(hits), STATISTICS, **facts)  # type: ignore[arg-type]
    chance.shuffle(hits)
    assert score(query, document, tuple(hits), STATISTICS, **facts) == found  # type: ignore[arg-type]


def test_the_page_about_the_score_has_its_numbers() -> None:
    page = " ".join((Path(__file__).parents[3] / "docs" / "score.md").read_text("utf-8").split())
    half = f"{FRESH_HALF_LIFE:g}"
    for told in (
        f"{TITLE:g} times the weight", f"times {PHRASE:g} for a phrase", f"every {half} days",
        f"{VOTES:g} times ln(1 + votes)", f"{COMMENTS:g} times ln(1 + comments)",
        f"{LIKING:g} times how much", f"at least {ALIKE:g} of their runs",
        f"the newest {FIXED.feedback_marks} marks",
    ):  # fmt: skip
        assert told in page, told


def test_what_was_said_of_papers_like_it_is_a_part_of_its_own() -> None:
    read, document = parse_query("graph"), prepare(paper("graph"))
    hits = evaluate(read, document) or ()

    def made(liking: float | None) -> Score:
        return score(
            read, document, hits, STATISTICS, votes=0, comments=0, age_days=0, liking=liking
        )

    assert "feedback" not in made(None).parts
    assert made(0.0).parts["feedback"] == 0
    assert made(0.25).total == pytest.approx(made(None).total + 10)
    assert made(-0.5).total < made(None).total < made(0.5).total
