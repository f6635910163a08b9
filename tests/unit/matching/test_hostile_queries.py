"""Hostile texts are compiled within 50 ms or refused in words, and matching them ends soon."""

import random
import time
from collections.abc import Callable

import pytest
from support.captures import shared_data
from support.hostile_queries import READERS, hostile, naughty_strings, shaped, try_out

from service.matching.document import prepare
from service.matching.evaluate import evaluate
from service.matching.parse import parse_keywords, parse_people, parse_query
from service.matching.query import Query
from service.papers.model import Alias, Paper

LIMIT_S = 0.05
MATCH_LIMIT_S = 1.0
"""For a paper that holds nothing but the words of a query of hundreds of words."""


def is_quick_enough(text: str, read: Callable[[str], Query]) -> bool:
    """At the second or third attempt at the latest: the machine does other things, too."""
    for _ in range(3):
        trial = try_out(text, read)
        if trial.compile_s <= LIMIT_S and trial.match_s <= MATCH_LIMIT_S:
            return True
    return False


def _try_many(count: int, seed: int) -> None:
    naughty = naughty_strings(shared_data())
    for number in range(count):
        chance = random.Random(f"{seed}:{number}")
        text, read = hostile(chance, naughty), chance.choice(READERS)
        assert is_quick_enough(text, read), f"{number}: {text[:200]!r}"


def test_hostile_texts_are_read_or_refused_quickly() -> None:
    _try_many(60, 1)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_hundreds_of_hostile_texts_are_read_or_refused_quickly() -> None:
    _try_many(350, 2)


@pytest.mark.slow
def test_texts_of_a_megabyte_are_refused_quickly() -> None:
    for number in range(30):
        chance = random.Random(number)
        text, read = shaped(chance, 1_000_000), chance.choice(READERS)
        assert is_quick_enough(text, read), f"{number}: {text[:200]!r}"


@pytest.mark.parametrize(
    ("query", "word", "times"),
    [
        ('"' + "ab " * 330 + '"', "ab", 1_000),
        ('"' + "a " * 500 + '"', "a", 1_000),
        ('"' + "abc* " * 50 + '"~50', "abcd", 1_000),
    ],
    ids=["words", "letters", "near"],
)
def test_equal_words_are_matched_in_time_in_proportion(query: str, word: str, times: int) -> None:
    paper = Paper(aliases=(Alias("arxiv", "1"),), title="x", abstract=f"{word} " * times)
    asked = parse_query(query)
    begun = time.process_time()
    assert evaluate(asked, prepare(paper))
    assert time.process_time() - begun < 0.3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a" * 1025, "1,025 bytes long; 1,024 are the most"),
        (" OR ".join(f"a{n}" for n in range(65)), "65 terms; 64 are the most"),
        ("(" * 9 + "a" + ")" * 9, "9 stand inside each other; 8 are the most"),
        ("ti:(" * 9 + "a" + ")" * 9, "9 stand inside each other; 8 are the most"),
        ("ab*", "too short"),
        ("* OR graph", "holds no letter or digit"),
        ("NOT a NOT b", "only says what to leave out"),
        ('"a b"~51', "1 to 50"),
        ("\x00", "no word here"),
    ],
)
def test_limits_are_said(text: str, message: str) -> None:
    assert message in try_out(text, parse_query).refused


@pytest.mark.parametrize("read", [parse_query, parse_keywords, parse_people])
def test_a_megabyte_is_refused_by_its_size(read: Callable[[str], Query]) -> None:
    assert "bytes long" in try_out("graph network\n" * 80_000, read).refused
