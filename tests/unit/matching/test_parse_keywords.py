"""Keyword lists, people, and which of the readings a form's text gets."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.captures import shared_data

from service.matching.parse import (
    describe,
    parse_keywords,
    parse_people,
    read_otherwise,
    read_words,
    to_text,
)
from service.matching.query import QueryError


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("LoRA, low-rank adaptation, PEFT", 'LoRA OR "low-rank adaptation" OR PEFT'),
        ("a\nb; c，d、e；f", "a OR b OR c OR d OR e OR f"),
        ('"x, y", z', '"x, y" OR z'),
        (" , a,, a ,\n", "a"),
        ("a, -b, NOT c d", 'a AND NOT b AND NOT "c d"'),
        ("=RAG, quantiz*", "=RAG OR quantiz*"),
        ('"graph network"~3', '"graph network"~3'),
        ("**Graph Neural**, *x", '"Graph Neural" OR x'),
        ('"open', "open"),
        ("路径规划", "路径规划"),
        ("- LoRA\n- low-rank adaptation\n\n", 'LoRA OR "low-rank adaptation"'),
        ("1. LoRA\n2. PEFT", "LoRA OR PEFT"),
        ("• LoRA\r\n• PEFT, RAG", "LoRA OR PEFT OR RAG"),
        ("LoRA\n- survey", "LoRA AND NOT survey"),
    ],
)
def test_items(text: str, shown: str) -> None:
    assert parse_keywords(text).shown == shown


def test_the_reading_is_shown_back() -> None:
    query = parse_keywords("LoRA, low-rank adaptation, PEFT")
    assert describe(query) == "Any of: LoRA · low-rank adaptation · PEFT"
    assert describe(parse_keywords("a, b, -c")) == "Any of: a · b, without: c"
    assert describe(read_words("a b OR c")) == "(a AND b) OR c"
    assert describe(parse_people("Yoshua Bengio\nAda Lovelace")) == (
        "By any of: Yoshua Bengio · Ada Lovelace"
    )


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("LoRA, PEFT", "keywords"),
        ("LLM: survey", "keywords"),
        ('"a AND b", c', "keywords"),
        ("graph, NOT survey", "keywords"),
        ("research and development", "keywords"),
        ("ORACLE, ANDROID", "keywords"),
        ("1) LoRA\n2) PEFT", "keywords"),
        ("a OR b", "query"),
        ("graph NOT survey", "query"),
        ("(a b)", "query"),
        ("ti:a", "query"),
        ("au:Bengio", "query"),
        ("votes:>5 a", "query"),
        ("votes>5 a", "query"),
        ("graph\nAND net", "query"),
        ("graph AND\nnet", "query"),
        ("graph\r\nOR\r\nnet", "query"),
        ("graph\nNOT survey", "keywords"),
        ("graph\r\n-survey", "keywords"),
        ("scheduling, OR, routing", "keywords"),
    ],
)
def test_which_reading(text: str, kind: str) -> None:
    assert read_words(text).kind == kind


@pytest.mark.parametrize(
    "text", ["2511.01234v2", "LoRA, 2511.01234", "www.arxiv.org/abs/2511.01234"]
)
def test_the_name_of_a_paper_is_an_error_not_a_word(text: str) -> None:
    with pytest.raises(QueryError) as caught:
        read_words(text)
    assert "id:2511.01234" in caught.value.suggestion


def test_another_engines_field_is_an_error_not_a_word() -> None:
    with pytest.raises(QueryError, match="There is no field 'intitle:'"):
        read_words("intitle:foo")


def test_only_exclusions_are_refused() -> None:
    with pytest.raises(QueryError, match="This only says what to leave out"):
        parse_keywords("-a, NOT b")
    with pytest.raises(QueryError, match="There is no word here"):
        parse_keywords(" , ;\n")


def test_people_are_read_in_every_usual_form() -> None:
    query = parse_people("Yoshua Bengio\n\nBengio, Y.\n何恺明")
    assert query.kind == "follow"
    assert query.shown == 'au:"Yoshua Bengio" OR au:"Bengio, Y." OR au:何恺明'
    assert parse_people(to_text(query)) == query
    with pytest.raises(QueryError, match="no name"):
        parse_people("\n")


items = st.text(st.sampled_from("abcLoRA -'=“\"()*:OR路β1"), min_size=1, max_size=12)


@example(['"β*1"'])
@given(st.lists(items, min_size=1, max_size=5))
def test_any_list_is_read_or_refused_and_reads_back(parts: list[str]) -> None:
    try:
        query = parse_keywords(", ".join(parts))
    except QueryError:
        return
    assert parse_keywords(to_text(query)).root == query.root


def test_the_real_lists() -> None:
    lines = (shared_data() / "profiles" / "profiles.jsonl").read_text("utf-8").splitlines()
    read = 0
    refused = []
    for line in lines:
        terms = json.loads(line)["terms"]
        try:
            query = parse_keywords("\n".join(terms))
        except QueryError as error:
            refused.append(error.what)
            continue
        read += 1
        assert parse_keywords(to_text(query)).root == query.root
    assert read > 200
    assert len(refused) < 20
    assert all("are the most" in what or "too short" in what for what in refused)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("graph OR network", '"graph OR network"'),
        ("LLM (large), RAG", '"LLM (large)", RAG'),
        ("ti:graph -survey", '"ti:graph -survey"'),
        ("graph, RAG", ""),
        ("(", ""),
    ],
)
def test_the_other_reading(text: str, plain: str) -> None:
    assert read_otherwise(text) == plain
    if plain:
        assert read_words(plain).kind == "keywords"
        assert read_words(plain).root == parse_keywords(text).root


def test_a_fault_in_a_line_of_people_keeps_the_others() -> None:
    with pytest.raises(QueryError) as caught:
        parse_people('Schr\\"odinger, E\nau:Bengio AND cat:cs.LGG\norg:(a')
    assert caught.value.position == 36
    assert caught.value.suggestion == "Schrödinger, E\nau:Bengio AND cat:cs.LG\norg:(a)"
    assert parse_people(caught.value.suggestion).kind == "follow"
    assert parse_people("au:Bengio AND cat:cs.LGG", stored=True).terms


@pytest.mark.parametrize(
    ("text", "position", "suggestion"),
    [
        ('x, "a b c"~1, y', 4, 'x, "a b c"~2, y'),
        ("x, -qu*, y", 4, "x, -qu, y"),
        ("=quant*; y", 1, "quant*; y"),
        ('x\n="a b c"~1', 3, 'x\n="a b c"~2'),
    ],
)
def test_a_fault_in_an_item_keeps_the_others(text: str, position: int, suggestion: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_keywords(text)
    assert (caught.value.position, caught.value.suggestion) == (position, suggestion)
    assert parse_keywords(suggestion)
