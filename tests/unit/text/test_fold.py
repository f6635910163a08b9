"""Folding: what counts as the same word, and offsets on the right letters."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.captures import shared_data

from service.text.fold import LONGEST_WORD, fold


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Vision-Language Models", ("vision", "language", "models")),
        ("Adam's and Adam’s", ("adam", "and", "adam")),
        ("naïve Łukasz Søren", ("naive", "lukasz", "soren")),
        ("ﬁne ½x ＲＡＧ", ("fine", "12x", "rag")),
        ("α-helix, βVAE, Δt", ("alpha", "helix", "betavae", "deltat")),
        ("λ", ("lambda",)),
        ("νευρωνικά", ("νευρωνικα",)),
        ("3D点云", ("3d", "点", "云")),
        ("か\u3099", ("が",)),
        ("dif\u00adfusion", ("diffusion",)),
        ("e\u0301tude", ("etude",)),
        ("hf_daily a/b x.y", ("hf", "daily", "a", "b", "x", "y")),
        ("Foo™ 37℃", ("foo", "37")),
        ("", ()),
        ("… – !", ()),
    ],
)
def test_keys(text: str, keys: tuple[str, ...]) -> None:
    assert fold(text).keys == keys


def test_forms_of_one_word() -> None:
    token = fold("see RAGs").tokens[1]
    assert (token.key, token.exact, token.cased, token.stem) == ("rags", "rags", "RAGs", "rag")
    assert (token.start, token.end) == (4, 8)


def test_exact_form_keeps_greek_letters() -> None:
    token = fold("Β-VAE").tokens[0]
    assert (token.key, token.exact, token.cased) == ("beta", "β", "Β")


def test_gaps_tell_hyphen_blank_and_the_rest() -> None:
    assert fold("a-b c, d–e f").gaps == "- .- ."


def test_offsets_mark_the_letters_that_were_given() -> None:
    text = "An étude (e\u0301tude) on β-VAE's «ﬁne» 点云"
    folded = fold(text)
    marked = [text[a:b] for a, b in zip(folded.starts, folded.ends, strict=True)]
    assert marked == ["An", "étude", "e\u0301tude", "on", "β", "VAE", "ﬁne", "点", "云"]


@given(st.text(st.characters(), max_size=80))
@settings(max_examples=200)
def test_any_text_is_survived_and_every_offset_is_inside_and_in_order(text: str) -> None:
    folded = fold(text)
    columns = (folded.exact, folded.cased, folded.stems, folded.starts, folded.ends, folded.gaps)
    assert {len(column) for column in columns} == {len(folded)}
    before = 0
    for token in folded.tokens:
        assert before <= token.start < token.end <= len(text)
        assert token.key
        assert not any(sign.isspace() for sign in token.cased)
        before = token.end


@given(st.text(st.sampled_from("aBé ̀ß路Åα-'s1"), max_size=30))
def test_each_word_folds_to_itself(text: str) -> None:
    for token in fold(text).tokens:
        again = fold(text[token.start : token.end])
        assert again.keys == (token.key,)
        assert again.cased == (token.cased,)


@given(st.text(st.characters(categories=["Lu", "Ll"], max_codepoint=0x17F), max_size=12))
def test_case_and_accents_do_not_count(text: str) -> None:
    assert fold(text.upper()).keys == fold(text.upper().lower()).keys


@pytest.mark.parametrize(
    "text",
    [
        "a" + "\u0301\u0323" * 500_000,
        "\u0301" * 1_000_000,
        "'s" * 250_000,
        "中" * 300_000,
        "\ud800\x00" * 300_000,
        "é" * 1_000_000,
    ],
    ids=["marks", "only marks", "possessives", "ideographs", "surrogates", "one long word"],
)
@pytest.mark.slow  # a second or more
def test_a_hostile_megabyte_is_folded_in_bounded_time(text: str) -> None:
    begun = time.process_time()
    folded = fold(text)
    assert time.process_time() - begun < 5
    assert all(len(key) <= 4 * LONGEST_WORD for key in folded.keys[:10])


def test_naughty_strings_fold() -> None:
    folder = shared_data() / "strings"
    found = [path for path in folder.iterdir() if path.suffix == ".json"]
    strings = [text for path in found for text in json.loads(path.read_text("utf-8"))]
    assert len(strings) > 400
    for text in strings:
        folded = fold(str(text))
        assert all(start < end for start, end in zip(folded.starts, folded.ends, strict=True))
