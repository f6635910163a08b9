"""Search over stored papers is evaluation of each; the estimate counts the same."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.match_strategies import papers, queries
from support.stored_papers import check_found, paper

from service.matching.corpus import Corpus
from service.matching.document import prepare
from service.matching.evaluate import evaluate
from service.matching.parse import parse_keywords, parse_query, read_words
from service.papers.model import Paper

MONDAY = date(2026, 11, 16)
WEEK = [MONDAY + timedelta(days=day) for day in range(7)]


@pytest.mark.slow
@given(
    st.lists(st.tuples(st.integers(0, 9), st.none() | papers()), min_size=1, max_size=10),
    st.lists(queries, min_size=1, max_size=4),
    st.booleans(),
)
def test_search_is_evaluation_of_every_paper(
    acts: list[tuple[int, Paper | None]], texts: list[str], between: bool
) -> None:
    corpus = Corpus()
    kept = {}
    for number, one in acts:
        if one is None:
            corpus.remove(number)
            kept.pop(number, None)
        else:
            kept[number] = prepare(one)
            corpus.add(number, WEEK[number % 7], kept[number])
        if between:
            corpus.search(parse_query("graph"))
    for text, found in zip(texts, check_found(corpus, kept, texts), strict=True):
        assert [one.score for one in found] == sorted((o.score for o in found), reverse=True)
        estimate = corpus.estimate(parse_query(text), days=WEEK)
        assert estimate.total == len(found) == sum(estimate.per_day.values())
        assert estimate.basis_papers == len(kept)


def test_near_with_alike_words_asks_for_places_of_their_own() -> None:
    corpus = Corpus()
    titles = ["model", "model models", "model x x models", "models x x x x model", "modeling"]
    for number, title in enumerate(titles):
        corpus.add(number, MONDAY, prepare(paper(title)))
    for text in ('"model models"~3', '"model* models"~3', '"mod* model* models"~9'):
        query = parse_query(text)
        truth = [n for n, t in enumerate(titles) if evaluate(query, prepare(paper(t))) is not None]
        assert sorted(f.paper_id for f in corpus.search(query)) == truth


def test_days_limit_and_figures() -> None:
    corpus = Corpus()
    for number in range(9):
        corpus.add(number, WEEK[number % 3], prepare(paper("graph", votes=number)))
    query = parse_query("graph")
    assert {f.day for f in corpus.search(query, days=WEEK[:2])} == set(WEEK[:2])
    assert len(corpus.search(query, limit=4)) == 4
    assert len(corpus.search(parse_query("votes:>6"))) == 2
    corpus.set_figures(0, 50, 2)
    assert corpus.search(query)[0].paper_id == 0
    assert len(corpus.search(parse_query("votes:>6"))) == 3
    corpus.add(1, WEEK[0], prepare(paper("other")))
    assert 1 not in {f.paper_id for f in corpus.search(query)}


def _many(corpus: Corpus) -> None:
    number = 0
    for day in WEEK[:5]:
        for at in range(30):
            words = "deep adapter" if at % 3 == 0 else "deep survey" if at % 3 == 1 else "wide"
            corpus.add(number, day, prepare(paper(f"{words} model", "LoRA" if at == 0 else "")))
            number += 1


def test_estimate_of_a_broad_query_offers_narrower_ones() -> None:
    corpus = Corpus()
    _many(corpus)
    found = corpus.estimate(parse_keywords("model, LoRA, never here"), days=WEEK)
    assert found.basis_papers == 150
    assert found.basis_days == 5
    assert found.per_day == {day: 30 if day.weekday() < 5 else 0 for day in WEEK}
    assert found.mean_per_weekday == 30
    assert found.warning == "broad"
    assert found.per_term == {"model": 150, "LoRA": 5, "never here": 0}
    assert found.dead_terms == ("never here",)
    assert len(found.best) == 5
    by_label = {one.label: one for one in found.suggestions}
    assert "title only" not in by_label, "every title has it: that narrows nothing"
    assert by_label["without 'model'"].per_day == 1
    assert any(label.startswith("and '") for label in by_label)
    for one in found.suggestions:
        again = corpus.estimate(read_words(one.text), days=WEEK)
        assert again.mean_per_weekday == pytest.approx(one.per_day)


def test_estimate_of_nothing_offers_wider_ones() -> None:
    corpus = Corpus()
    _many(corpus)
    found = corpus.estimate(parse_query("deep AND unheard"), days=WEEK)
    assert found.warning == "none"
    assert found.best == ()
    assert [(s.text, s.per_day) for s in found.suggestions] == [("deep", 20.0)]
    phrase = corpus.estimate(parse_keywords("lora adapters"), days=WEEK)
    assert [(s.label, s.per_day) for s in phrase.suggestions] == [("Use lora", 1.0)]


def test_estimate_says_what_each_not_takes_away() -> None:
    corpus = Corpus()
    _many(corpus)
    found = corpus.estimate(parse_query("model NOT survey NOT absent"), days=WEEK)
    assert found.total == 100
    assert found.removed_by_not == {"survey": 50, "absent": 0}
    assert found.per_term == {"model": 150}
    assert found.warning == ""


def test_an_empty_corpus_answers() -> None:
    corpus = Corpus()
    for text in ("a", "a NOT b", "votes:>3", "au:bo", '"a b"~3', "cat:cs", "source:hf", "id:1"):
        query = parse_query(text)
        assert corpus.search(query) == []
        assert corpus.estimate(query, days=WEEK).total == 0
    assert not np.any(corpus.wanted(parse_query("a").root))
