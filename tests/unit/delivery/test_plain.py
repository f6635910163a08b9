"""Text that is safe to stand in a line."""

import textwrap
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.delivery import plain
from service.text.measure import columns, is_edge


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
        ("大规模语言模型中的推理问题研究", 11, "大规模语言…"),
        ("Ein 大规模语言模型", 12, "Ein 大规模…"),
        ("a👩‍👧‍👦👩‍👧‍👦👩‍👧‍👦👩‍👧‍👦👩‍👧‍👦👩‍👧‍👦", 11, "a👩‍👧‍👦…"),
        ("e\u0301" * 20, 9, "e\u0301" * 4 + "…"),
        ("Flags 🇩🇪🇨🇭🇫🇷 of all", 11, "Flags…"),
        ("Why? “Because it is so”", 8, "Why?…"),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_clipped_at_a_word(text: str, limit: int, expected: str) -> None:
    assert plain.clipped(text, limit) == expected


@given(st.text(max_size=120), st.integers(1, 80))
def test_clipped_keeps_its_limit(text: str, limit: int) -> None:
    shown = plain.clipped(text, limit)
    assert len(shown) <= limit
    assert columns(shown) <= limit
    assert text.startswith(shown.removesuffix("…"))
    assert is_edge(text, len(shown.removesuffix("…")))


_WORDS = st.lists(
    st.sampled_from(
        [
            "word",
            "a",
            "https://a.example/" + "x" * 70,
            "漢字かな、交じり。文「は」",
            "👩‍👧‍👦",
            "e\u0301",
        ]
    ),
    max_size=40,
)


@given(_WORDS, st.sampled_from(["", "1. ", "10. "]))
def test_wrapped_is_the_text_in_lines_of_72_columns(words: list[str], first: str) -> None:
    text = " ".join(words)
    lines = plain.wrapped(text, first, " " * len(first)).split("\n")
    assert "".join(lines).replace(" ", "") == (first + text if text else "").replace(" ", "")
    assert all(columns(line) <= 72 or "https://" in line for line in lines)
    assert not any(line != line.rstrip() for line in lines)
    assert not any(line.strip()[:1] in "、。」" for line in lines if line.strip())


def test_plain_words_are_wrapped_as_the_library_does() -> None:
    text = "An abstract of (many) words, well-known ones; a/b and https://a.example/x?y=z. " * 9
    expected = textwrap.fill(
        text, 72, initial_indent="1. ", subsequent_indent="   ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    assert plain.wrapped(text, "1. ", "   ") == expected


def test_pieces_of_a_line_are_parted_between_them() -> None:
    line = [
        "Duc-Tho Nguyen, Hieu-Hoc Tran-Minh, Khanh-Hoa Lam\u00a0+\u00a04",
        "19\u00a0Jun",
        "cs.CV",
    ]
    assert plain.strung(line, "   ", "   ").split("\n") == [
        "   Duc-Tho Nguyen, Hieu-Hoc Tran-Minh, Khanh-Hoa Lam + 4 · 19 Jun",
        "   cs.CV",
    ]
    assert plain.strung([line[0], "19\u00a0November", "cs.CV", "1\u00a0vote"], "   ", "   ").split(
        "\n"
    ) == [
        "   Duc-Tho Nguyen, Hieu-Hoc Tran-Minh, Khanh-Hoa Lam + 4 · 19 November",
        "   cs.CV · 1 vote",
    ]
    assert plain.strung([], "   ", "   ") == ""


@given(st.lists(st.text(alphabet="ab \u00a0漢·", max_size=90), max_size=6))
def test_no_line_of_pieces_is_too_long_or_ends_with_the_sign(pieces: list[str]) -> None:
    pieces = [piece.replace("·", "") for piece in pieces]
    for line in plain.strung(pieces, "   ", "   ").split("\n"):
        assert columns(line) <= 72 or " " not in line.strip()
        assert not line.rstrip().endswith("·")
        assert not line.strip().startswith("·")


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
