"""What a change adds and removes; wider words for a rare interest; words out of a text."""

from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.match_strategies import papers, queries
from support.stored_papers import paper

from service.matching.abbreviations import Glossary
from service.matching.backtest import difference, estimate
from service.matching.corpus import Corpus
from service.matching.counting import Asked, Likings
from service.matching.document import Document, prepare
from service.matching.evaluate import evaluate
from service.matching.own import without_own
from service.matching.parse import parse_keywords, parse_query, read_words
from service.matching.proposals import propose
from service.matching.score import score
from service.matching.taste import Taste, vector
from service.papers.model import Paper

MONDAY = date(2026, 11, 16)
DAYS = [MONDAY + timedelta(days=day) for day in range(5)]


def filled(*titles: str) -> Corpus:
    corpus = Corpus()
    for number, title in enumerate(titles):
        corpus.add(number, DAYS[number % 5], prepare(paper(title)))
    return corpus


@pytest.mark.slow
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
    told = difference(corpus, Asked(old), Asked(new), asked)
    assert (told.before, told.after) == (len(found[0]), len(found[1]))
    assert (told.added, told.removed) == (len(found[1] - found[0]), len(found[0] - found[1]))
    assert {one.paper_id for one in told.best_added} <= found[1] - found[0]
    assert {one.paper_id for one in told.best_removed} <= found[0] - found[1]
    assert len(told.best_added) == min(3, told.added)
    assert len(told.best_removed) == min(3, told.removed)


def test_a_rare_interest_is_offered_wider_words_which_keep_what_it_had() -> None:
    corpus = filled("sparse attention in law", *["sparse attention"] * 9, *["cats"] * 9)
    days = [MONDAY + timedelta(days=day) for day in range(28)]
    found = estimate(corpus, Asked(parse_query("sparse attention AND law")), days)
    assert (found.total, found.warning) == (1, "")
    labels = {one.label: one for one in found.suggestions}
    assert "without law" in labels
    assert all(one.per_day > found.mean_per_weekday for one in found.suggestions)
    assert estimate(corpus, Asked(parse_query("sparse attention")), days).suggestions == ()


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
        again = estimate(corpus, Asked(read_words(word.term)), DAYS)
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


def brought(stored: dict[int, Document], asked: Asked, corpus: Corpus) -> set[int]:
    """What its mails would hold, paper by paper."""
    found, statistics = set(), corpus.statistics()
    for number, document in stored.items():
        hits = evaluate(without_own(asked.query, asked.own), document)
        if hits is None:
            continue
        liking = None
        if asked.likings:
            liking = asked.likings.taste.liking(vector(document, statistics))
        made = score(
            asked.query, document, hits, statistics, votes=document.votes,
            comments=document.comments, age_days=0, liking=liking,
        )  # fmt: skip
        if not 0 < asked.threshold > made.total:
            found.add(number)
    return found


@cache
def mixed() -> tuple[Corpus, dict[int, Document]]:
    corpus, stored = Corpus(), {}
    for n in range(150):
        title = ("deep graph", "graph survey", "deep sets", "graph attention and law")[n % 4]
        abstract = ("We use a graph.", "Robots fold towels.", "Deep attention.")[n % 3]
        author = ("Ana Silva", "Bo Chen", "Eva Berg")[n % 5 % 3]
        stored[n] = prepare(paper(title, abstract, authors=(author,), votes=n % 7))
        corpus.add(n, DAYS[n % 5], stored[n])
    return corpus, stored


TEXTS = ("graph", "graph, attention, -survey", "attention AND law NOT towels", "robots AND law")
OWN = ("", "Ana Silva", "Ana Silva; Eva Berg")


@pytest.mark.parametrize(
    ("text", "own", "threshold", "marked"),
    [
        (TEXTS[0], OWN[1], 6.0, False),
        (TEXTS[1], OWN[2], 3.0, True),
        (TEXTS[2], OWN[0], 6.0, True),
        (TEXTS[3], OWN[1], 0.0, False),
    ],
)
def test_figures_obey_least_score_own_papers_and_marks(
    text: str, own: str, threshold: float, marked: bool
) -> None:
    check_figures(text, own, threshold, marked)


@pytest.mark.slow
@pytest.mark.parametrize("threshold", [0.0, 3.0, 6.0, 500.0])
@pytest.mark.parametrize("text", TEXTS)
def test_figures_obey_whatever_is_chosen(text: str, threshold: float) -> None:
    for own in OWN:
        for marked in (False, True):
            check_figures(text, own, threshold, marked)


def check_figures(text: str, own: str, threshold: float, marked: bool) -> None:
    corpus, stored = mixed()
    likings = None
    if marked:
        taste = Taste.of_marks([(2, 1), (1, -1), (999, 1)], stored, corpus.statistics())
        likings = Likings(taste)
    glossary = Glossary()
    for _ in range(2):
        glossary.learn("deep sets (DS)", "graph survey (GRS)")
    asked = Asked(read_words(text), threshold, own, likings)
    made = estimate(corpus, asked, DAYS, glossary)
    truth = brought(stored, asked, corpus)
    assert made.total == len(truth) == sum(made.per_day.values())
    assert made.basis_papers == 150
    assert len(made.best) == min(5, len(truth))
    assert {one.paper_id for one in made.best} <= truth
    for term, found in made.per_term.items():
        said = parse_keywords(term)
        assert found == sum(evaluate(said, one) is not None for one in stored.values())
    for one in made.suggestions:
        other = replace(asked, query=read_words(one.text))
        assert "au:" not in one.text, "own papers are left out by their tick"
        assert one.per_day * 5 == len(brought(stored, other, corpus))
        assert (one.per_day < made.mean_per_weekday) is (made.warning == "broad")
    for form in made.expansions:
        other = replace(asked, query=read_words(form.text))
        assert form.brings == len(brought(stored, other, corpus) - truth) > 0
    for name in filter(None, own.split("; ")):
        rest = "; ".join(other for other in own.split("; ") if other != name)
        more = brought(stored, replace(asked, own=rest), corpus)
        assert made.removed_by_not[f'au:"{name}"'] == len(more - truth)
    before = Asked(read_words("deep"), threshold, own, likings)
    told, then = difference(corpus, before, asked, DAYS), brought(stored, before, corpus)
    assert (told.before, told.after) == (len(then), len(truth))
    assert (told.added, told.removed) == (len(truth - then), len(then - truth))


def test_marks_decide_what_is_best_and_what_a_least_score_leaves() -> None:
    corpus, stored = mixed()
    likings = Likings(Taste.of_marks([(2, 1)], stored, corpus.statistics()))
    plain = estimate(corpus, Asked(parse_keywords("deep")), DAYS)
    liked = estimate(corpus, Asked(parse_keywords("deep"), likings=likings), DAYS)
    assert liked.total == plain.total
    assert {stored[one.paper_id].title.keys for one in liked.best} == {("deep", "sets")}
    assert liked.best[0].score > plain.best[0].score + 10
    high = plain.best[0].score + 1
    assert estimate(corpus, Asked(parse_keywords("deep"), high), DAYS).total == 0
    assert estimate(corpus, Asked(parse_keywords("deep"), high, likings=likings), DAYS).total > 0


def test_what_each_not_takes_is_told_of_all_its_places() -> None:
    corpus = filled("a x", "b x", "b x", "b", "a y", "c x")
    made = estimate(corpus, Asked(parse_query("(a NOT x) OR (b NOT x) OR (c NOT y)")), DAYS)
    assert made.total == 3
    assert made.removed_by_not == {"x": 3, "y": 0}


def test_the_same_words_in_two_fields_are_told_apart() -> None:
    corpus = Corpus()
    corpus.add(1, MONDAY, prepare(paper("cats", "dogs")))
    found = estimate(corpus, Asked(parse_query("ti:dogs OR abs:dogs OR cats")), DAYS)
    assert found.per_term == {"ti:dogs": 0, "abs:dogs": 1, "cats": 1}
    assert found.dead_terms == ("ti:dogs",)


@pytest.mark.parametrize(
    "text", [", ".join(f"word{n}" for n in range(63)) + ", graph", "graph, " + "b" * 1015]
)
def test_a_list_as_long_as_can_be_is_offered_only_what_can_be_read(text: str) -> None:
    corpus = filled(*[f"graph of cats and dogs {n % 3}" for n in range(150)])
    glossary = Glossary()
    for _ in range(2):
        glossary.learn("graph reading (GR)")
    found = estimate(corpus, Asked(parse_keywords(text)), DAYS, glossary)
    assert found.warning == "broad"
    for one in (*found.suggestions, *found.expansions):
        assert read_words(one.text)


def test_proposed_words_are_read_as_what_they_are() -> None:
    titles = ["Deep AND Wide nets", "deep and wide", *["cats"] * 20]
    corpus = filled(*titles)
    words = propose(corpus, "Deep AND Wide", "", DAYS, corpus.statistics())
    assert ('"Deep AND Wide"', 2) in [(word.term, word.papers) for word in words]
    query = read_words(", ".join(word.term for word in words))
    assert query.kind == "keywords"
    assert len(query.terms) == len(words)


def test_an_abbreviation_and_its_plural_are_one_proposed_word() -> None:
    corpus = filled("CNNs for law", "A CNN", "CNNs see", *["cats"] * 40)
    words = propose(corpus, "A CNN among CNNs", "CNNs and a CNN.", DAYS, corpus.statistics())
    assert [(word.term, word.papers) for word in words] == [("CNN", 3)]
    glossary = Glossary()
    for _ in range(2):
        glossary.learn("convolutional neural networks (CNNs)")
    text = "Convolutional neural networks (CNN) and CNNs. A CNN."
    words = propose(corpus, "CNNs", text, DAYS, corpus.statistics(), glossary)
    assert [word.term for word in words if "CNN" in word.term] == ["CNN"]
