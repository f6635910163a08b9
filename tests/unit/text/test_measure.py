"""Columns, and letters that are never parted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text import measure
from service.text.measure import columns, edge_before, fitting, is_edge, letters


@pytest.mark.parametrize(
    ("text", "seen", "width"),
    [
        ("abc", 3, 3),
        ("e\u0301te\u0301", 3, 3),
        ("漢字", 2, 4),
        ("ｱﾞ", 2, 2),
        ("👩‍👧‍👦!", 2, 3),
        ("👍🏽", 1, 2),
        ("🇩🇪🇨🇭", 2, 4),
        ("❤\ufe0f", 1, 2),
        ("각", 1, 2),
        ("क्षि", 1, 1),
        ("αβ…", 3, 3),
        ("", 0, 0),
    ],
)
def test_what_a_reader_sees_as_one_letter(text: str, seen: int, width: int) -> None:
    assert len(list(letters(text))) == seen
    assert columns(text) == width


@given(st.text(alphabet="ae\u0301\u200d\ufe0f👩👧🏽🇩🇪漢한ᆨ‌्क ", max_size=40), st.integers(0, 50))
def test_parts_are_the_text_and_a_cut_parts_no_letter(text: str, room: int) -> None:
    assert "".join(letters(text)) == text
    at = fitting(text, room)
    assert columns(text[:at]) <= room
    assert is_edge(text, at)
    assert at == len(text) or columns(text[: at + len(next(letters(text[at:])))]) > room
    assert edge_before(text, at) == at


def test_what_is_measured_at_a_glance_is_measured_so_letter_by_letter() -> None:
    for sign in map(chr, range(0xA0, 0x3000)):
        if measure._SINGLE.fullmatch(sign):
            assert measure._width(sign) == 1
            assert all(measure.is_edge(pair, 1) for pair in (f"a{sign}", f"{sign}a", sign * 2))
