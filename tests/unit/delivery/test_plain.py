"""Text that is safe to stand in a line."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.delivery import plain


@given(st.text(alphabet=st.characters(), max_size=200))
def test_one_line_is_one_encodable_line(text: str) -> None:
    line = plain.one_line(text)
    assert len(line.splitlines()) <= 1
    assert line == line.strip()
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in line)
    plain.body(text).encode("utf-8")


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("short", 10, "short"),
        ("LoRA adapters that forget", 14, "LoRA adapters…"),
        ("LoRA adapters that forget", 18, "LoRA adapters…"),
        ("Supercalifragilistic", 10, "Supercali…"),
        ("Adapters, and more of it", 12, "Adapters…"),
        ("abc", 0, ""),
    ],
)
def test_clipped_at_a_word(text: str, limit: int, expected: str) -> None:
    assert plain.clipped(text, limit) == expected


@pytest.mark.slow
@given(st.text(max_size=120), st.integers(1, 80))
def test_clipped_keeps_its_limit(text: str, limit: int) -> None:
    assert len(plain.clipped(text, limit)) <= limit


def test_wrapped_keeps_addresses_and_glued_words_whole() -> None:
    url = "https://papers.example.org/tune/" + "a" * 60
    assert url in plain.wrapped(f"Tune {url}", "   ", "   ").split()
    lines = plain.wrapped("word " * 13 + "aaa 2\u00a0comments").split("\n")
    assert lines[-1] == "2 comments"
    assert max(map(len, lines)) <= 72


def test_spread() -> None:
    line = plain.spread("446 papers", "Fri 20 November")
    assert len(line) == 72
    assert line.startswith("446 papers ")
    assert line.endswith(" Fri 20 November")
    assert plain.spread("x" * 60, "Fri 20 November") == "x" * 60 + "\nFri 20 November"
