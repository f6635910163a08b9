"""Lines of text that are not encoded are what quoted-printable makes of them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.delivery.quoted import encoded, lines_of

WORDS = st.text("ab.= é大-", min_size=1, max_size=90).map(str.strip).filter(bool)


@settings(max_examples=50, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=5))
def test_lines_are_written_as_they_are_encoded(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert lines_of(text) == encoded(text + "\n")[:-2]


@pytest.mark.parametrize("size", [73, 74, 75, 76, 77, 80])
@pytest.mark.parametrize("last", ["", "\n.", "\n.\nx", "\n.x", "\n   ."])
def test_lines_of_the_greatest_length_and_dots_alone(size: int, last: str) -> None:
    text = "x" * size + last
    assert lines_of(text) == encoded(text + "\n")[:-2]
    assert lines_of(last.lstrip() or "x") == encoded((last.lstrip() or "x") + "\n")[:-2]
