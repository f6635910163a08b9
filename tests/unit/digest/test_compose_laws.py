"""Laws of a mail's composition, for random papers, interests, caps and likenesses."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from service.defaults import Defaults
from service.digest.budget import fit, shown
from service.digest.candidate import Candidate, Interest, NothingNew
from service.digest.model import Digest, from_json, to_json
from service.digest.select import compose
from service.matching.likeness import Likeness
from service.papers.model import Alias, Paper

ON = date(2026, 11, 20)
KINDS = ("keywords", "query", "follow", "keywords")
LIMITS = replace(
    Defaults(), full_entries=3, line_entries=4, first_papers=3, trending_entries=5, trending_days=3
)


def paper(number: int, votes: int | None = None) -> Paper:
    return Paper(
        aliases=(Alias("arxiv", f"2611.{number:05d}"),),
        title=f"Paper {number}",
        abstract="One sentence. Another one.",
        votes=votes,
        id=number,
    )


matched = st.lists(
    st.tuples(
        st.integers(1, 14),  # paper
        st.integers(1, 4),  # interest
        st.sampled_from([0.5, 1.0, 2.0, 3.0]),
    ),
    max_size=30,
    unique_by=lambda one: one[:2],
)
listed = st.lists(
    st.tuples(st.integers(10, 20), st.sampled_from([None, 0, 1, 7]), st.integers(0, 4)),
    max_size=9,
    unique_by=lambda one: one[0],
)
likes = st.fixed_dictionaries({n: st.integers(0, 2) for n in range(1, 15)})
caps = st.lists(st.sampled_from([None, 1, 2]), min_size=4, max_size=4)
kinds = st.sampled_from(["daily", "weekly", "catchup", "first"])


def made(
    kind: Any,
    found: list[tuple[int, int, float]],
    voted: list[tuple[int, int | None, int]],
    like: dict[int, int],
    cap: list[int | None],
) -> Digest | NothingNew:
    return compose(
        kind,
        ON,
        [Interest(n, f"Interest {n}", KINDS[n - 1], cap[n - 1]) for n in range(1, 5)],
        [
            Candidate(
                paper(n), profile, (), score,
                likeness=Likeness(frozenset((like[n],))) if like[n] else None,
            )
            for n, profile, score in found
        ],
        [
            Candidate(paper(n, votes), 0, listed_on=ON - timedelta(days=days))
            for n, votes, days in voted
        ],
        checked=99,
        limits=LIMITS,
    )  # fmt: skip


@given(kinds, matched, listed, likes, caps)
def test_every_paper_stands_once_and_the_counts_add_up(
    kind: Any, found: Any, voted: Any, like: Any, cap: Any
) -> None:
    digest = made(kind, found, voted, like, cap)
    wanted = {n for n, _, _ in found}
    if isinstance(digest, NothingNew):
        assert not wanted
        return
    places = Counter(
        paper_id
        for s in digest.sections
        for paper_id in (
            *(e.paper_id for e in s.entries), *(x.paper_id for x in s.lines), *s.rest
        )
    )  # fmt: skip
    assert set(places.values()) == {1}
    assert set(places) == set(digest.paper_ids())
    assert digest.matched == len(wanted)
    assert all(s.total == len(s.entries) + len(s.lines) + len(s.rest) > 0 for s in digest.sections)
    asked = {i for s in digest.sections if s.kind != "trending" for i in _ids(s)}
    if kind == "first":
        assert asked <= wanted
        assert len(asked) == min(len(wanted), LIMITS.first_papers)
    else:
        assert asked == wanted
    liked = {i for s in digest.sections if s.kind == "trending" for i in _ids(s)}
    assert not liked & wanted or kind == "first"
    assert len(liked) <= LIMITS.trending_entries


@given(kinds, matched, listed, likes, caps)
def test_as_many_in_full_and_as_lines_as_there_is_room_for(
    kind: Any, found: Any, voted: Any, like: Any, cap: Any
) -> None:
    digest = made(kind, found, voted, like, cap)
    if isinstance(digest, NothingNew):
        return
    in_full = sum(len(s.entries) for s in digest.sections)
    lines = sum(len(s.lines) for s in digest.sections)
    total = len(digest.paper_ids())
    assert in_full <= LIMITS.full_entries
    assert lines == min(LIMITS.line_entries, total - in_full)
    possible = 0
    for section in digest.sections:
        own = cap[section.profile_id - 1] if section.profile_id else None
        assert own is None or len(section.entries) <= own
        possible += section.total if own is None else min(own, section.total)
    assert in_full == min(LIMITS.full_entries, possible)


@given(kinds, matched, listed, likes, caps, st.data())
def test_the_order_of_what_comes_in_changes_nothing(
    kind: Any, found: Any, voted: Any, like: Any, cap: Any, data: Any
) -> None:
    first = made(kind, found, voted, like, cap)
    second = made(
        kind, data.draw(st.permutations(found)), data.draw(st.permutations(voted)), like, cap
    )
    assert first == second
    if isinstance(first, Digest):
        assert from_json(to_json(first)) == first


@given(kinds, matched, listed, likes, caps, st.integers(0, 8))
def test_a_budget_shortens_and_loses_no_paper(
    kind: Any, found: Any, voted: Any, like: Any, cap: Any, most: int
) -> None:
    digest = made(kind, found, voted, like, cap)
    if isinstance(digest, NothingNew):
        return
    fitted = fit(digest, lambda one: shown(one) <= most)
    assert sorted(fitted.paper_ids()) == sorted(digest.paper_ids())
    assert shown(fitted) <= max(most, 0) or shown(fitted) == 0
    assert [s.total for s in fitted.sections] == [s.total for s in digest.sections]
    assert all(s.total == len(_ids(s)) for s in fitted.sections)


@given(matched, listed, likes)
def test_the_best_of_each_section_is_shown_before_anybodys_second(
    found: Any, voted: Any, like: Any
) -> None:
    digest = made("daily", found, voted, dict.fromkeys(like, 0), [None] * 4)
    if isinstance(digest, NothingNew):
        return
    asked = [s for s in digest.sections if s.kind != "trending"]
    if any(len(s.entries) > 1 for s in asked):
        assert all(s.entries for s in asked)
    for section in asked:
        scores = [e.score for e in section.entries]
        assert scores == sorted(scores, reverse=True)
    best = [max(e.score for e in s.entries) for s in asked if s.kind == "interest" and s.entries]
    assert best == sorted(best, reverse=True)
    order = [("people", "interest", "trending").index(s.kind) for s in digest.sections]
    assert order == sorted(order)


def _ids(section: Any) -> list[int]:
    return [
        *(e.paper_id for e in section.entries),
        *(x.paper_id for x in section.lines),
        *section.rest,
    ]
