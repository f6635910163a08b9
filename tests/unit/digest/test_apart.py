"""Papers of nearly the same text do not stand side by side; ties are in a fixed order."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.defaults import Defaults
from service.digest.candidate import Candidate, Interest
from service.digest.model import Digest, DigestKind
from service.digest.select import compose
from service.matching.likeness import Likeness
from service.papers.model import Alias, Paper

ON = date(2026, 11, 20)
WORDS, OTHER, CHOSEN = Interest(1, "Words"), Interest(2, "Other"), Interest(0, "", "chosen")


def candidate(
    name: str, score: float, like: int = 0, profile: int = 1, paper_id: int = 0
) -> Candidate:
    """A paper; those with the same ``like`` are alike. Its id differs from house to house."""
    paper = Paper(
        aliases=(Alias("arxiv", name),), title=f"Paper {name}", id=paper_id or int(name, 36)
    )
    likeness = Likeness(frozenset((like,))) if like else None
    return Candidate(paper, profile, (), score, likeness=likeness)


def composed(
    candidates: list[Candidate],
    *interests: Interest,
    kind: DigestKind = "daily",
    **limits: int,
) -> Digest:
    made = compose(
        kind, ON, interests or (WORDS,), candidates, checked=9, limits=replace(Defaults(), **limits)
    )
    assert isinstance(made, Digest)
    return made


def names(digest: Digest) -> list[str]:
    return [one.value for s in digest.sections for one in (*s.entries, *s.lines)]


def test_the_second_of_two_stands_behind_those_in_full() -> None:
    found = [candidate("a", 9, 5), candidate("a2", 8, 5), candidate("b", 3), candidate("c", 2)]
    digest = composed(found, full_entries=3)
    assert [e.value for e in digest.sections[0].entries] == ["a", "b", "c"]
    assert [x.value for x in digest.sections[0].lines] == ["a2"]
    assert digest.paper_ids() == tuple(c.paper.id for c in (found[0], found[2], found[3], found[1]))


def test_where_there_is_nothing_else_both_are_shown() -> None:
    found = [candidate("a", 9, 5), candidate("a2", 8, 5)]
    assert [e.value for e in composed(found).entries()] == ["a", "a2"]
    assert [e.value for e in composed(found, full_entries=1).entries()] == ["a"]


def test_a_first_mail_has_only_one_of_two() -> None:
    found = [candidate("a", 9, 5), candidate("a2", 8, 5), candidate("b", 3)]
    assert names(composed(found, kind="first", first_papers=2)) == ["a", "b"]


def test_the_second_of_two_in_another_interest_stands_behind_its_next() -> None:
    found = [candidate("a", 9, 5), candidate("b", 3)]
    found += [candidate("a2", 8, 5, 2), candidate("c", 1, 0, 2)]
    words, other = composed(found, WORDS, OTHER, full_entries=3).sections
    assert [e.value for e in words.entries] == ["a", "b"]
    assert [e.value for e in other.entries] == ["c"]
    assert [x.value for x in other.lines] == ["a2"]


def test_its_next_has_the_place_that_every_section_has() -> None:
    found = [candidate(name, 9 - at, 5 if name == "a" else 0) for at, name in enumerate("abde")]
    found += [candidate("a2", 8, 5, 2), candidate("c", 1, 0, 2)]
    words, other = composed(found, WORDS, OTHER, full_entries=3).sections
    assert [e.value for e in words.entries] == ["a", "b"]
    assert [e.value for e in other.entries] == ["c"]


def test_where_there_is_room_both_are_shown_before_trending() -> None:
    found = [candidate("a", 9, 5), candidate("a2", 8, 5, 2)]
    liked = replace(candidate("t", 0, 0, 0), listed_on=ON)
    liked = replace(liked, paper=replace(liked.paper, votes=9))
    made = compose(
        "daily", ON, [WORDS, OTHER], found, [liked],
        checked=9, limits=replace(Defaults(), full_entries=2),
    )  # fmt: skip
    assert isinstance(made, Digest)
    assert [[e.value for e in s.entries] for s in made.sections] == [["a"], ["a2"], []]


def test_a_first_mail_has_only_one_of_two_over_all_interests() -> None:
    found = [candidate("a", 9, 5), candidate("a2", 8, 5, 2), candidate("b", 3)]
    assert names(composed(found, WORDS, OTHER, kind="first", first_papers=2)) == ["a", "b"]


def test_an_editors_order_stays() -> None:
    found = [candidate(name, 9 - at, 5, 0) for at, name in enumerate("abc")]
    assert names(composed(found, CHOSEN, kind="manual")) == ["a", "b", "c"]


def test_a_cap_leaves_the_place_to_another_interest() -> None:
    found = [candidate(name, 9, 0, 1) for name in "abc"] + [candidate(n, 1, 0, 2) for n in "de"]
    digest = composed(found, replace(WORDS, cap=1), OTHER, full_entries=3)
    assert [[e.value for e in s.entries] for s in digest.sections] == [["a"], ["d", "e"]]
    assert [x.value for x in digest.sections[0].lines] == ["b", "c"]


ties = st.lists(
    st.tuples(
        st.sampled_from("abcdefghij"), st.sampled_from([1.0, 2.0]), st.integers(0, 2),
        st.integers(1, 2),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda one: (one[0], one[3]),
)  # fmt: skip


@pytest.mark.parametrize("kind", ["daily", "first"])
@given(made=ties, data=st.data())
def test_the_same_mail_in_any_order_and_with_any_ids(
    kind: DigestKind, made: list[tuple[str, float, int, int]], data: Any
) -> None:
    likes = {name: like for name, _, like, _ in made}

    def found(ids: dict[str, int]) -> list[Candidate]:
        return [candidate(n, s, likes[n], p, ids[n]) for n, s, _, p in made]

    first = found({name: at for at, name in enumerate("abcdefghij", 1)})
    ids = data.draw(st.permutations(range(1, 11)))
    second = data.draw(st.permutations(found(dict(zip("abcdefghij", ids, strict=True)))))
    shown = [
        composed(list(found), WORDS, OTHER, kind=kind, full_entries=3, line_entries=4)
        for found in (first, second)
    ]
    assert names(shown[0]) == names(shown[1])
    assert [s.name for s in shown[0].sections] == [s.name for s in shown[1].sections]
