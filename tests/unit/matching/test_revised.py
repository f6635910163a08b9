"""Words taken out, and words to leave out: the text says it, and it only narrows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.matching.document import Document, prepare
from service.matching.evaluate import evaluate
from service.matching.parse import read_again
from service.matching.query import QueryError
from service.matching.revised import found_terms, less, name_of, without
from service.papers.model import Alias, Paper

PAPER = Paper(
    aliases=(Alias("arxiv", "2611.00001"),),
    title="LoRA radios and agents",
    abstract="Low-rank adaptation of agents.",
    authors=("Ana Silva", "Bo Chen"),
    categories=("cs.LG",),
)


@pytest.mark.parametrize(
    ("kind", "text", "names"),
    [
        ("keywords", "LoRA, PEFT, low-rank adaptation", ["LoRA", "low-rank adaptation"]),
        ("keywords", "LoRA, -agents", []),
        ("query", "(LoRA OR PEFT) AND NOT survey", ["LoRA"]),
        ("query", "ti:LoRA AND cat:cs.LG AND authors:<4", ["ti:LoRA", "cat:cs.LG"]),
        ("query", 'LoRA AND "Bayesian"', []),
        ("follow", "Ana Silva\nZoe Example\norg: Lab", ["Ana Silva"]),
    ],
)
def test_the_terms_that_a_paper_has(kind: str, text: str, names: list[str]) -> None:
    query = read_again(kind, text)
    assert [name_of(query, node) for node in found_terms(query, prepare(PAPER))] == names


@pytest.mark.parametrize(
    ("kind", "text", "gone", "left"),
    [
        ("keywords", "LoRA, PEFT;  agents", "LoRA", "PEFT, agents"),
        ("keywords", "LoRA\nPEFT\n-survey", "LoRA", "PEFT\n-survey"),
        ("keywords", "- LoRA\n- PEFT", "LoRA", "PEFT"),
        ("keywords", "LoRA, -survey", "LoRA", ""),
        ("keywords", "LoRA", "LoRA", ""),
        ("query", "LoRA OR (agents AND Bayesian)", "LoRA", "agents AND Bayesian"),
        ("query", "LoRA AND agents", "LoRA", ""),
        ("query", "(LoRA AND x) OR agents", "LoRA", "agents"),
        ("follow", "Ana Silva\nBo Chen", "Ana Silva", "Bo Chen"),
        ("follow", "Ana Silva", "Ana Silva", ""),
    ],
)
def test_a_term_taken_out(kind: str, text: str, gone: str, left: str) -> None:
    query = read_again(kind, text)
    (node,) = [n for n in found_terms(query, prepare(PAPER)) if name_of(query, n) == gone]
    assert less(query, text, node) == left


@pytest.mark.parametrize(
    ("kind", "text", "word", "made"),
    [
        ("keywords", "LoRA, PEFT", "radio", "LoRA, PEFT, -radio"),
        ("keywords", "LoRA\nPEFT\n", "radio", "LoRA\nPEFT\n-radio"),
        ("keywords", "LoRA", "a, b", None),
        ("keywords", "LoRA", "lora", None),
        ("keywords", "LoRA", '"long range"', "LoRA, -long range"),
        ("query", "LoRA AND PEFT", "radio", "LoRA AND PEFT AND NOT radio"),
        ("query", "LoRA OR PEFT", "long range", '(LoRA OR PEFT) AND NOT "long range"'),
        ("keywords", "LoRA", "", None),
    ],
)
def test_a_word_left_out(kind: str, text: str, word: str, made: str | None) -> None:
    query = read_again(kind, text)
    if made is None:
        with pytest.raises(QueryError):
            without(query, text, word)
    else:
        assert without(query, text, word) == made


_WORDS = st.sampled_from(["lora", "agents", "radios", "survey", "adaptation"])
_QUERIES = st.recursive(
    _WORDS | _WORDS.map(lambda word: f"NOT {word}"),
    lambda inner: st.builds(
        lambda parts, sign: "(" + sign.join(parts) + ")",
        st.lists(inner, min_size=2, max_size=3),
        st.sampled_from([" AND ", " OR "]),
    ),
    max_leaves=6,
)


@given(_QUERIES, st.lists(_WORDS, min_size=1), st.lists(_WORDS), st.integers(0, 9))
def test_it_only_narrows(text: str, words: list[str], others: list[str], which: int) -> None:
    try:
        query = read_again("query", text)
    except QueryError:
        return
    nodes = found_terms(query, _titled(words))
    if not nodes:
        return
    gone = nodes[which % len(nodes)]
    left = less(query, text, gone)
    for title in (words, others):
        was = evaluate(query, _titled(title))
        now = evaluate(read_again("query", left), _titled(title)) if left else None
        assert now is None or was is not None
        if name_of(query, gone) not in title:
            assert (now is None) == (was is None), "other papers come as before"


def _titled(words: list[str]) -> Document:
    return prepare(Paper(aliases=PAPER.aliases, title=" ".join(["x", *words])))
