"""What a change adds and removes; wider words for a rare interest; words out of a text."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from support.match_strategies import papers, queries

from service.matching.abbreviations import Glossary
from service.matching.backtest import difference, estimate
from service.matching.corpus import Corpus
from service.matching.document import prepare
from service.matching.evaluate import evaluate
from service.matching.parse import parse_keywords, parse_query, read_words
from service.matching.proposals import propose
from service.papers.model import Alias, Paper

MONDAY = date(2026, 11, 16)
DAYS = [MONDAY + timedelta(days=day) for day in range(5)]


def made(title: str, abstract: str = "") -> Paper:
    return Paper(aliases=(Alias("arxiv", "1"),), title=title, abstract=abstract)


def filled(*titles: str) -> Corpus:
    corpus = Corpus()
    for number, title in enumerate(titles):
        corpus.add(number, DAYS[number % 5], prepare(made(title)))
    return corpus


@given(st.lists(papers(), min_size=1, max_size=8), queries, queries)
def test_a_change_is_what_evaluation_of_both_says(
    stored: list[Paper], before: str, after: str
) -> None:
    corpus = Corpus()
    documents = dict(enumerate(map(prepare, stored)))
    for number, document in documents.items():
        corpus.add(number, DAYS[number % 5], document)
    old, new = parse_query(before), parse_query(after)
    asked = DAYS[:4]
    found = [
        {n for n, d in documents.items() if n % 5 != 4 and evaluate(q, d) is not None}
        for q in (old, new)
    ]
    told = difference(corpus, old, new, asked)
    assert (told.before, told.after) == (len(found[0]), len(found[1]))
    assert (told.added, told.removed) == (len(found[1] - found[0]), len(found[0] - found[1]))
    assert {one.paper_id for one in told.best_added} <= found[1] - found[0]
    assert {one.paper_id for one in told.best_removed} <= found[0] - found[1]
    assert len(told.best_added) == min(3, told.added)
    assert len(told.best_removed) == min(3, told.removed)


def test_a_rare_interest_is_offered_wider_words_which_keep_what_it_had() -> None:
    corpus = filled("sparse attention in law", *["sparse attention"] * 9, *["cats"] * 9)
    days = [MONDAY + timedelta(days=day) for day in range(28)]
    found = estimate(corpus, parse_query("sparse attention AND law"), days)
    assert (found.total, found.warning) == (1, "")
    labels = {one.label: one for one in found.suggestions}
    assert "without law" in labels
    assert all(one.per_day > found.mean_per_weekday for one in found.suggestions)
    assert estimate(corpus, parse_query("sparse attention"), days).suggestions == ()


ABSTRACT = (
    "We propose low-rank adaptation (LoRA) of large models. Low-rank adaptation keeps the weights "
    "and learns a small update. The results are good: weights and update are small."
)


def test_words_of_a_text_are_phrases_first_and_each_brings_what_it_says() -> None:
    titles = ["Low-rank adaptation", "LoRA for vision", "low rank adaptation of speech", "Weights",
              "Learned weights", "A small update", "Good results",
              *["We propose a model"] * 40]  # fmt: skip
    corpus = filled(*titles)
    words = propose(corpus, "Adapters by low-rank adaptation", ABSTRACT, DAYS, corpus.statistics())
    terms = [word.term for word in words]
    assert terms[0] == "low-rank adaptation"
    assert "LoRA" not in terms, "one paper alone has it"
    assert "weights" in terms
    assert not {"adaptation", "propose", "the", "low-rank"} & set(terms)
    order = [(word.is_phrase, word.is_central) for word in words]
    assert order == sorted(order, reverse=True)
    assert order[0] == (True, True)
    for word in words:
        again = estimate(corpus, read_words(word.term), DAYS)
        assert (again.total, again.mean_per_weekday) == (word.papers, word.per_day)
        assert word.papers >= 2


def test_an_abbreviation_of_a_text_is_proposed_written_out() -> None:
    glossary = Glossary()
    for _ in range(3):
        glossary.learn("low-rank adaptation (LoRA)")
    corpus = filled("Low-rank adaptation", "low rank adaptation", *["cats"] * 40)
    words = propose(corpus, "LoRA drifts", "", DAYS, corpus.statistics(), glossary)
    assert [word.term for word in words] == ["low-rank adaptation"]


def test_nothing_is_proposed_from_nothing() -> None:
    corpus = filled("cats", "dogs")
    assert propose(corpus, "", "", DAYS, corpus.statistics()) == []
    assert propose(Corpus(), "Low-rank adaptation", "", DAYS, Corpus().statistics()) == []
    assert propose(corpus, "the of and 12 x", "", DAYS, corpus.statistics()) == []
    assert parse_keywords("cats").terms == ("cats",)
