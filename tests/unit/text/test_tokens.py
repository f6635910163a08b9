"""Stems and words written as one."""

import pytest

from service.text.fold import fold
from service.text.tokens import joins_of_three, joins_of_two, stem


@pytest.mark.parametrize(
    ("word", "stemmed"),
    [("quantization", "quantiz"), ("models", "model"), ("networks", "network"), ("路", "路")],
)
def test_stems(word: str, stemmed: str) -> None:
    assert stem(word) == stemmed


def test_a_very_long_word_is_its_own_stem() -> None:
    assert stem("models" * 20) == "models" * 20


def test_hyphen_and_blank_join() -> None:
    assert joins_of_two(fold("fine-tuning"))[0] == stem("finetuning")
    assert joins_of_two(fold("fine tuning"))[0] == stem("finetuning")


@pytest.mark.parametrize("text", ["the rapist", "k means", "fine, tuning", "fine. Tuning", "点 云"])
def test_small_words_letters_stops_and_ideographs_do_not_join(text: str) -> None:
    assert joins_of_two(fold(text)) == ("", "")


def test_a_hyphen_joins_single_letters_and_small_words() -> None:
    assert joins_of_two(fold("k-means"))[0] == stem("kmeans")
    assert joins_of_two(fold("on-line"))[0] == stem("online")


@pytest.mark.parametrize("text", ["end-to-end x", "end to end x", "End-to end x", "END\nto end"])
def test_three_join_over_hyphens_and_blanks(text: str) -> None:
    assert joins_of_three(fold(text))[0] == stem("endtoend")
    assert not any(joins_of_three(fold(text))[1:])


@pytest.mark.parametrize(
    "text",
    ["the rap ist", "scale is to", "end, to end", "end to. End", "k nearest graphs", "2 33 44"],
)
def test_small_words_outside_stops_and_single_signs_keep_three_apart(text: str) -> None:
    assert joins_of_three(fold(text)) == ("", "", "")


def test_three_hyphenated_join_whatever_they_are() -> None:
    assert joins_of_three(fold("the-k-2"))[0] == stem("thek2")
    assert joins_of_three(fold("点-云-图")) == ("", "", "")
