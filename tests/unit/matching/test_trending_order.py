"""Trending: votes by age, then comments, then id; three list days, one vote at least."""

from datetime import date

from service.matching.trending import Listed, in_order, trending

DAYS = tuple(date(2026, 11, day) for day in (16, 17, 18, 19))


def ids(items: list[Listed]) -> list[int]:
    return [item.paper_id for item in items]


def test_votes_are_divided_by_days_since_listing() -> None:
    items = [Listed(1, DAYS[1], 29), Listed(2, DAYS[3], 10), Listed(3, DAYS[2], 18)]
    assert ids(trending(items, DAYS)) == [2, 1, 3]


def test_ties_go_by_comments_then_id() -> None:
    items = [Listed(3, DAYS[3], 5, 1), Listed(2, DAYS[3], 5), Listed(1, DAYS[3], 5, 0)]
    assert ids(trending(items, DAYS)) == [3, 1, 2]


def test_older_lists_and_papers_without_a_vote_are_left_out() -> None:
    items = [Listed(1, DAYS[0], 99), Listed(2, DAYS[3], 0), Listed(3, DAYS[3], None)]
    assert trending([*items, Listed(4, DAYS[1], 1)], DAYS) == [Listed(4, DAYS[1], 1)]
    assert trending(items, ()) == []


def test_a_paper_listed_twice_stands_once_by_its_newest_day() -> None:
    assert trending([Listed(1, DAYS[3], 4), Listed(1, DAYS[1], 4)], DAYS) == [Listed(1, DAYS[3], 4)]


def test_the_page_of_a_day_shows_all_with_the_voteless_last() -> None:
    items = [Listed(1, DAYS[3], None), Listed(2, DAYS[3], 0), Listed(3, DAYS[3], 1)]
    assert ids(in_order(items, DAYS[3])) == [3, 1, 2]
