"""Bars of a share by day: where they stand, and where the limit does."""

from datetime import date, timedelta

import pytest

from service.pages.chart import Point, Share, chart, counts

FIRST = date(2026, 11, 1)


def shares(*pairs: tuple[int, int]) -> list[Share]:
    return [Share(FIRST + timedelta(days=n), *pair) for n, pair in enumerate(pairs)]


def test_a_bar_is_as_high_as_its_share_and_the_limit_stands_in_the_middle():
    made = chart(shares((1, 100), (0, 100), (3, 100), (0, 0)), 2.0)
    assert made is not None
    assert (made.top, made.limit_y, made.is_cut) == (4.0, 50.0, False)
    assert [(b.share.day.day, b.height, b.is_above) for b in made.bars] == [
        (1, 25.0, False),
        (3, 75.0, True),
    ]
    assert [b.x for b in made.bars] == [2.5, 52.5]
    assert (made.above, made.highest) == (1, Share(date(2026, 11, 3), 3, 100))
    assert (made.first, made.last) == (FIRST, date(2026, 11, 4))


def test_what_is_far_above_is_cut_so_that_the_limit_is_seen():
    made = chart(shares((1, 1), (1, 1000)), 0.1)
    assert made is not None
    assert made.top == pytest.approx(1.0)
    assert made.is_cut
    assert made.limit_y == 90.0
    assert [b.height for b in made.bars] == [100.0, 10.0]
    assert [b.is_above for b in made.bars] == [True, False]  # the limit itself is within it


def test_a_day_without_mail_has_no_share():
    made = chart(shares((2, 0)), 2.0)
    assert made is not None
    assert made.bars == ()
    assert made.highest is None
    assert chart([], 2.0) is None


def test_counts_are_bars_on_an_edge_that_is_easy_to_read():
    drawn = counts([Point("Mon", 0), Point("Tue", 300), Point("Wed", None), Point("Thu", 120)])
    assert (drawn.top, drawn.total, drawn.highest) == (500, 420, Point("Tue", 300))
    assert (drawn.since, drawn.gaps, drawn.is_unknown) == (None, 1, False)
    assert [(bar.x, bar.y, bar.width, bar.height) for bar in drawn.columns] == [
        (27.5, 40.0, 20.0, 60.0),
        (77.5, 76.0, 20.0, 24.0),
    ]
    late = counts([Point("Mon", None), Point("Tue", 0), Point("Wed", 1)])
    assert (late.since, late.gaps, late.is_unknown) == (Point("Tue", 0), 0, False)
    assert counts([Point("Mon", None)]).is_unknown
    assert drawn.lines == ("12.5,100.0 37.5,40.0", "87.5,76.0")  # a gap breaks the line


def test_what_is_lost_is_drawn_downwards_on_the_same_scale():
    drawn = counts([Point("Mon", 40, 10)])
    assert (drawn.top, drawn.bottom) == (50, 10)
    up, down = drawn.columns
    assert (up.is_below, down.is_below) == (False, True)
    assert up.height / 40 == pytest.approx(down.height / 10, abs=0.001)
    assert down.y == pytest.approx(drawn.floor)


def test_nothing_to_count_draws_nothing():
    drawn = counts([Point("Mon", 0), Point("Tue", 0, 0)])
    assert (drawn.is_told, drawn.highest, drawn.floor) == (False, None, 100.0)
    assert not counts([]).is_told
