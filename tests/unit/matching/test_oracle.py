"""The oracle, evaluation, the index and the search over stored papers give one answer."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import match_cases
from support.captures import shared_data
from support.match_cases import (
    Checked,
    check_block,
    is_astray,
    own_sentences,
    random_paper,
    real_sentences,
)
from support.oracle import Oracle

from service.matching.document import prepare
from service.matching.evaluate import evaluate
from service.matching.parse import parse_query
from service.matching.query import leaves
from service.papers.model import Alias, Paper

RANDOMS = st.randoms(use_true_random=False)
OWN = own_sentences()


def holds(found: Checked) -> None:
    assert not found.disagreements, "\n".join(found.disagreements[:3])


@settings(max_examples=10)
@given(RANDOMS)
def test_all_matchers_agree_on_words_of_our_own(chance: random.Random) -> None:
    holds(check_block(chance, OWN, queries=5, papers=3, places=True))


@pytest.fixture(scope="module")
def pool() -> list[list[str]]:
    return real_sentences(shared_data())


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_all_matchers_agree_on_six_thousand_pairs(pool: list[list[str]]) -> None:
    seen: list[Checked] = []

    @settings(max_examples=100, database=None)
    @given(RANDOMS)
    def run(chance: random.Random) -> None:
        found = check_block(chance, pool, queries=8, papers=8, places=chance.random() < 0.25)
        seen.append(found)
        holds(found)

    run()
    pairs = sum(found.pairs for found in seen)
    assert pairs >= 6_000
    assert 0.1 < sum(found.matches for found in seen) / pairs < 0.6


def test_blocks_ask_for_every_kind_of_term(pool: list[list[str]]) -> None:
    chance = random.Random(3)
    papers = [random_paper(chance, pool) for _ in range(10)]
    asker = match_cases.Asker(chance, papers)
    kinds = set()
    for _ in range(300):
        found = asker.query()
        assert found is not None
        for leaf in leaves(found[1].root):
            kinds.add((type(leaf).__name__, getattr(leaf, "field", "")))
            kinds |= {word.kind for word in getattr(leaf, "words", ()) if hasattr(word, "kind")}
    fields = {("Term", field) for field in ("", "ti", "abs", "source", "org")}
    others = {("Near", field) for field in ("", "ti", "abs")}
    others |= {(name, "") for name in ("Person", "Category", "Identifier", "Number")}
    assert kinds >= {*fields, *others, "stem", "acronym", "exact", "case", "prefix"}


def test_a_matcher_that_errs_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match_cases, "evaluate", lambda query, document: None)
    found = check_block(random.Random(5), OWN, queries=10, papers=5)
    assert found.matches == len(found.disagreements) > 0
    assert "evaluate" in found.disagreements[0]


def test_a_hit_beside_its_word_is_found_out() -> None:
    query = parse_query('graph "model network"~3 au:maren')
    paper = Paper(
        aliases=(Alias("arxiv", "1"),), title="A graph, network, model", authors=("Y Maren",)
    )
    document = prepare(paper)
    hits = evaluate(query, document)
    assert hits is not None
    assert [(hit.where, hit.start) for hit in hits] == [
        ("title", 2),
        ("title", 9),
        ("title", 18),
        ("authors", 0),
    ]
    for hit in hits:
        assert not is_astray(hit, query, paper, document)
        moved = replace(hit, start=hit.start + 3, end=hit.end + 3)
        assert is_astray(moved, query, paper, document)


@pytest.mark.slow
def test_an_oracle_in_a_hurry_gives_the_same_answers() -> None:
    chance, differed = random.Random(7), set()
    for _ in range(20):
        papers = [random_paper(chance, OWN) for _ in range(4)]
        asker = match_cases.Asker(chance, papers)
        for found in [asker.query() for _ in range(10)]:
            assert found is not None
            for paper in papers:
                slow = Oracle(paper).wants(found[1])
                assert Oracle(paper, hurry=True).wants(found[1]) == slow, found[0]
                differed.add(slow)
    assert differed == {True, False}


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("finetuning", True),
        ("fine-tuned", True),
        ('"tuning of"', True),
        ('"of tuning"', False),
        ('"graph tuning"~4', True),
        ('"graph tuning"~3', False),
        ("tun*", True),
        ("finetu*", True),
        ("finetun*", True),
        ("ofgra*", False),
        ("=Fine", True),
        ("=tune", False),
        ("=RAG", False),
        ('au:"Y. Maren"', True),
        ('au:"X. Maren"', False),
        ("cat:cs", True),
        ("cat:c", False),
        ("votes:>=5 NOT votes:>5", True),
        ("comments:<9", False),
        ("source:hugging", True),
        ("id:2501.00001v2", True),
    ],
)
def test_the_oracle_by_example(query: str, wanted: bool) -> None:
    paper = Paper(
        aliases=(Alias("arxiv", "2501.00001"),),
        title="Fine-tuning of large GraphNet graphs",
        authors=("Yara K. Maren",),
        categories=("cs.LG",),
        votes=5,
    )
    assert Oracle(paper, sources=["Hugging Face"]).wants(parse_query(query)) is wanted
