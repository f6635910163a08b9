"""Short forms are learned where a text explains them, and offered where they bring papers."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.stored_papers import paper

from service.matching.abbreviations import Glossary, explained
from service.matching.backtest import estimate
from service.matching.corpus import Corpus
from service.matching.counting import Asked
from service.matching.document import prepare
from service.matching.parse import parse_keywords, parse_query, read_words

MONDAY = date(2026, 11, 16)


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("Parameter-Efficient Fine-Tuning (PEFT).", ("PEFT", "Parameter-Efficient Fine-Tuning")),
        ("Large language models (LLMs) grow.", ("LLM", "Large language models")),
        ("We apply Proximal Policy Optimization (PPO).", ("PPO", "Proximal Policy Optimization")),
        ("a multi-modal large language model (MLLM)", ("MLLM", "multi-modal large language model")),
        ("with self-supervised learning (SSL)", ("SSL", "self-supervised learning")),
        ("Low-rank\nadaptation (LoRA, 2021) is", ("LoRA", "Low-rank adaptation")),
        ("degrees of freedom (DoF)", ("DoF", "degrees of freedom")),
        ("RLHF (reinforcement learning from human feedback) is", (
            "RLHF", "reinforcement learning from human feedback")),
        ("3D Gaussian splatting (3DGS)", ("3DGS", "3D Gaussian splatting")),
    ],
)  # fmt: skip
def test_a_short_form_is_read_with_what_it_stands_for(text: str, pair: tuple[str, str]) -> None:
    assert list(explained(text)) == [pair]


@pytest.mark.parametrize(
    "text",
    [
        "as shown (see Figure 2)", "our method (Ours)", "in many cases (USA)", "results (p < 0.05)",
        "the model. (LLM) is", "LLM (LLM)", "(ABC)", "models (GPT-4o, Claude 3)", "İ İİ (II)",
        "One thing. Best friends tested (OBT)",
    ],
)  # fmt: skip
def test_other_brackets_explain_nothing(text: str) -> None:
    assert list(explained(text)) == []


@given(st.text(alphabet="abAB ()-.,İß\n", max_size=60))
def test_any_text_is_read_and_a_long_form_stands_in_it(text: str) -> None:
    for short, long in explained(text):
        assert short in text
        assert long in " ".join(text.split())


def _glossary() -> Glossary:
    made = Glossary()
    for _ in range(9):
        made.learn("Retrieval-Augmented Generation (RAG)", "We use retrieval augmented generation "
                   "(RAG), and RAG again (RAG).")  # fmt: skip
    for _ in range(3):
        made.learn("Region adjacency graphs (RAGs)")
    made.learn("Random angry geese (RAG)")
    return made


def test_a_paper_counts_once_and_meanings_of_one_paper_are_left_out() -> None:
    found = _glossary().meanings("RAGs")
    assert [(m.long, m.papers) for m in found] == [
        ("retrieval augmented generation", 9),
        ("Region adjacency graphs", 3),
    ]
    assert [round(m.share, 2) for m in found] == [0.69, 0.23]
    assert [m.short for m in _glossary().shorts("retrieval-augmented generation")] == ["RAG"]
    assert _glossary().meanings("unheard") == _glossary().shorts("unheard of") == ()


def test_hyphens_and_plurals_make_no_other_meaning() -> None:
    made = Glossary()
    for long in ("multimodal large language models", "Multi-modal large language model") * 2:
        made.learn(f"{long} (MLLM)")
    made.learn("Contrastive Language-Image Pre-training (CLIP)")
    made.learn("contrastive language-image pretraining (CLIP)")
    assert [(m.long, m.papers, m.share) for m in made.meanings("MLLM")] == [
        ("Multi-modal large language model", 4, 1.0)
    ]
    assert [m.papers for m in made.meanings("CLIP")] == [2]
    for long in ("computer-use agents", "computer-using agent", "Computer Use Agents"):
        made.learn(f"{long} (CUA)")
    made.learn("control unit accesses (CUA)", "parameter-efficient finetuning (PEFT)")
    made.learn("parameter efficient fine-tuned (PEFT)")
    made.learn("low-rank adaptation (LoRA)", "low-rank adaption (LoRA)")
    made.learn("low rank adaption (LoRA)")
    assert [m.papers for m in made.meanings("CUA")] == [3]
    assert [m.papers for m in made.meanings("PEFT")] == [2]
    assert [m.papers for m in made.meanings("LoRA")] == [2]
    assert [m.short for m in made.shorts("multi modal large language models")] == ["MLLM"]


def test_what_was_learned_is_the_same_after_a_file() -> None:
    again = Glossary.load(_glossary().dump())
    assert again.most_frequent(9) == _glossary().most_frequent(9)
    again.learn("Region adjacency graphs (RAGs)")
    assert again.meanings("rag")[1].papers == 4


def _corpus() -> Corpus:
    corpus = Corpus()
    titles = ["RAG for law", "Retrieval augmented generation for law", "Region adjacency graphs",
              "Retrieval-augmented generation (RAG)", "Cats"]  # fmt: skip
    for number, title in enumerate(titles):
        corpus.add(number, MONDAY, prepare(paper(title)))
    return corpus


def test_the_other_form_is_offered_with_what_it_brings() -> None:
    made = estimate(_corpus(), Asked(parse_keywords("RAG, cats, -law")), [MONDAY], _glossary())
    assert [(e.term, e.other, e.brings, e.is_short) for e in made.expansions] == [
        ("RAG", "Region adjacency graphs", 1, False)
    ], "the usual meaning brings nothing here: without law every paper with it says RAG too"
    for e in made.expansions:
        again = estimate(_corpus(), Asked(read_words(e.text)), [MONDAY])
        assert again.total == made.total + e.brings
    both = estimate(_corpus(), Asked(parse_query("RAG AND law")), [MONDAY], _glossary())
    (one,) = both.expansions
    assert (one.other, one.brings, one.text) == (
        "retrieval augmented generation", 1,
        '(RAG OR "retrieval augmented generation") AND law',
    )  # fmt: skip


def test_a_long_form_is_offered_its_abbreviation_and_nothing_exact_is() -> None:
    made = estimate(
        _corpus(), Asked(parse_keywords("retrieval-augmented generation")), [MONDAY], _glossary()
    )
    assert [(e.other, e.is_short, e.brings) for e in made.expansions] == [("RAG", True, 1)]
    for text in ("=RAG", "au:RAG", "NOT RAG AND law", "RAG OR retrieval augmented generation"):
        made = estimate(_corpus(), Asked(parse_query(text)), [MONDAY], _glossary())
        assert "retrieval augmented generation" not in [e.other for e in made.expansions], text
