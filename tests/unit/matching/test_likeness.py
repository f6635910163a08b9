"""Nearly the same papers are known as such, and kept apart."""

from hypothesis import given
from hypothesis import strategies as st
from support.match_strategies import papers

from service.matching.document import prepare
from service.matching.likeness import ALIKE, Likeness, apart, are_alike, likeness
from service.papers.model import Alias, Paper

ABSTRACT = (
    "We study how small networks learn from few labels. A second head reads the hidden states "
    "and names the cases that the first head gets wrong; both are trained together. On four "
    "collections of scanned letters the error falls by a third."
)


def like(title: str, abstract: str = "") -> Likeness:
    return likeness(
        prepare(Paper(aliases=(Alias("doi", "10.1/x"),), title=title, abstract=abstract))
    )


def test_a_second_version_with_another_title_is_alike() -> None:
    changed = ABSTRACT.replace("four collections", "six collections") + " Code is there."
    assert are_alike(like("Second heads", ABSTRACT), like("Heads that doubt", changed))


def test_papers_on_one_subject_are_not() -> None:
    other = (
        "Small networks need few labels when a teacher names the hidden states of scanned "
        "letters. We train both heads apart and measure the error on many collections."
    )
    assert not are_alike(like("Second heads", ABSTRACT), like("Teachers of heads", other))


def test_a_title_of_four_words_is_enough_and_one_of_three_is_not() -> None:
    assert are_alike(
        like("Reading letters with doubt", ABSTRACT), like("Reading Letters with Doubt")
    )
    assert not are_alike(like("A survey"), like("A survey", ABSTRACT))
    assert not are_alike(like(""), like(""))


@given(papers(), papers())
def test_alike_both_ways_and_always_with_itself(one: Paper, other: Paper) -> None:
    first, second = likeness(prepare(one)), likeness(prepare(other))
    assert are_alike(first, second) == are_alike(second, first)
    assert are_alike(first, first) == bool(first.runs or first.title)


NUMBERS = st.frozensets(
    st.builds(lambda bit, more: bit + (more << 24), st.integers(0, 9), st.integers(0, 3)),
    max_size=30,
)
"""Of few bits, so that many runs share one."""


@given(NUMBERS, NUMBERS)
def test_what_is_passed_over_unread_is_not_alike(
    one: frozenset[int], other: frozenset[int]
) -> None:
    is_alike = bool(one) and len(one & other) >= ALIKE * len(one | other)
    assert are_alike(Likeness(one), Likeness(other)) == is_alike


def runs(*numbers: int) -> Likeness:
    return Likeness(frozenset(numbers))


def test_the_second_of_a_pair_waits_for_others() -> None:
    known = {"a": runs(1, 2), "a2": runs(1, 2), "b": runs(3), "c": runs(4), "d": None}
    assert apart(["a", "a2", "b", "c", "d"], known.get, window=2, places=9) == [
        *("a", "b", "c", "a2", "d")
    ]
    assert apart(["a", "a2", "b", "c"], known.get, window=1, places=9) == ["a", "b", "a2", "c"]
    assert apart(["a", "a2"], known.get, window=5, places=9) == ["a", "a2"]
    assert apart(["a", "a2", "b"], known.get, window=5, places=1) == ["a", "a2", "b"]


@given(st.lists(st.sampled_from("abcde"), max_size=12), st.integers(1, 4))
def test_nothing_is_lost_and_neighbours_differ_where_they_can(
    names: list[str], window: int
) -> None:
    numbered = list(enumerate(names))
    placed = apart(numbered, lambda one: runs(ord(one[1])), window=window, places=20)
    assert sorted(placed) == numbered
    assert [one for one in placed if one[1] == "a"] == [one for one in numbered if one[1] == "a"]
    for at, (_, name) in enumerate(placed):
        if name in {other for _, other in placed[max(0, at - window) : at]}:
            assert {other for _, other in placed[at:]} <= {
                other for _, other in placed[max(0, at - window) : at]
            }
