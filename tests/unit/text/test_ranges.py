"""Numbers as a short text."""

from hypothesis import given
from hypothesis import strategies as st

from service.text.ranges import packed, unpacked


def test_neighbours_stand_by_their_ends():
    assert packed([7, 1, 3, 2, 2, 9, 10]) == "1-3 7 9-10"
    assert (packed([]), unpacked("")) == ("", [])


@given(st.lists(st.integers(0, 10**12)))
def test_what_was_packed_comes_back(numbers):
    assert unpacked(packed(numbers)) == sorted(set(numbers))
