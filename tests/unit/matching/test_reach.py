"""Who can want what a source is about to bring: never told no when a paper could match."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.match_strategies import papers, queries

from service.matching.document import prepare
from service.matching.evaluate import evaluate
from service.matching.parse import parse_keywords, parse_people, parse_query
from service.matching.query import QueryError
from service.matching.reach import Reach, can_want

CL = Reach(
    categories=("cs.CL",),
    without=frozenset({"cs.cv", "hep-th"}),
    named="arxiv_rss, arXiv cs.CL",
    maybe_named="arXiv, doi",
)


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("retrieval", True),
        ("cat:cs.CL AND retrieval", True),
        ("cat:cs.CL", True),
        ("cat:cs", True),
        ("cat:cs.*", True),
        ("cat:math.CO", True),  # cross-listed, and no other source of ours has it
        ("cat:cs.CV AND retrieval", False),  # its own source has brought those
        ("cat:hep-th", False),
        ("cat:cs.CV OR cat:hep-th", False),
        ("cat:cs.CV OR retrieval", True),
        ("retrieval -cat:cs.CL", False),
        ("retrieval AND NOT cat:cs", False),
        ("retrieval AND NOT cat:cs.CV", True),
        ("retrieval AND NOT (cat:cs.CL AND transformers)", True),
        ("source:arxiv AND retrieval", True),
        ("source:pubmed AND retrieval", False),
        ('source:"hugging face" AND retrieval', False),
        ("retrieval -source:arxiv", False),
        ("retrieval -source:pubmed", True),
        ("source:doi AND retrieval", True),
        ("retrieval -source:doi", True),
    ],
)
def test_a_query_and_one_category(text, may):
    assert can_want(parse_query(text), CL) is may


def test_keywords_and_people_can_always_be_wanted():
    assert can_want(parse_keywords("retrieval\ndiffusion"), CL)
    assert can_want(parse_people("Yoshua Bengio"), CL)


def test_of_several_categories_one_is_enough():
    both = Reach(categories=("cs.CL", "cs.LG"))
    assert can_want(parse_query("retrieval -cat:cs.CL"), both)
    assert not can_want(parse_query("retrieval -cat:cs.CL -cat:cs.LG"), both)
    assert can_want(parse_query("retrieval -cat:cs.CL"), Reach())  # nothing is known


@given(queries, papers(), st.sampled_from(["cs.LG", "cs.CL", "stat.ML", "math-ph"]), st.booleans())
def test_what_matches_was_never_ruled_out(text, paper, late, has_other):
    paper = replace(paper, categories=tuple(dict.fromkeys((late, *paper.categories))))
    try:
        query = parse_query(text)
    except QueryError:
        assume(False)
    away = {"cs.lg", "cs.cl", "stat.ml", "math-ph"} - {c.lower() for c in paper.categories}
    names = ("arxiv_rss", f"arXiv {late}")
    reach = Reach(
        categories=(late,) if not has_other else (late, "astro-ph.GA"),
        without=frozenset(away),
        named=", ".join(names),
        maybe_named="arXiv",
    )
    if evaluate(query, prepare(paper, sources=names)) is not None:
        assert can_want(query, reach)
