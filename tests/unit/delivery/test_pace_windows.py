"""Limits of mails over time: never more in any window, and not much less."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.delivery.pace import LENGTHS, Rates, added, free_at, room, spent

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)


def after(**by: float) -> datetime:
    return NOON + timedelta(**by)


def test_without_a_limit_any_number_goes():
    assert room({}, Rates(), NOON, notices=False) is None
    assert free_at({}, Rates(), NOON, notices=False) == NOON
    assert added({}, Rates(), 7, NOON) == {}
    assert not Rates()


def test_the_narrowest_window_says_how_many():
    rates = Rates(minute=5, hour=9, day=1000)
    counts = added({}, rates, 5, NOON)
    assert room(counts, rates, NOON, notices=True) == 0
    assert spent(counts, rates, NOON, notices=True) == ("minute", 5)
    assert room(counts, rates, after(seconds=64), notices=True) == 4
    counts = added(counts, rates, 4, after(seconds=64))
    assert spent(counts, rates, after(minutes=5), notices=True) == ("hour", 9)
    assert room(counts, rates, after(minutes=64), notices=True) == 5


def test_a_limit_a_second_is_not_spent_at_once():
    rates = Rates(second=12)
    assert room({}, rates, NOON, notices=False) == 3
    counts = added({}, rates, 3, NOON)
    assert spent(counts, rates, NOON, notices=False) == ("second", 12)
    assert free_at(counts, rates, NOON, notices=False) <= after(milliseconds=105)
    for tenth in range(1, 4):
        counts = added(counts, rates, 3, after(milliseconds=110 * tenth))
    assert free_at(counts, rates, after(milliseconds=450), notices=False) >= after(seconds=1)
    assert room({}, Rates(second=1), NOON, notices=False) == 1


def test_it_says_when_the_next_may_go():
    rates = Rates(hour=10)
    counts = added(added({}, rates, 4, NOON), rates, 6, after(minutes=30))
    at = free_at(counts, rates, after(minutes=31), notices=True)
    assert after(hours=1) <= at <= after(minutes=63)
    assert room(counts, rates, at - timedelta(milliseconds=1), notices=True) == 0
    assert room(counts, rates, at, notices=True) == 4


def test_a_share_is_kept_for_notices():
    rates = Rates(second=50, hour=100, day=9)
    assert room({}, Rates(hour=100), NOON, notices=False) == 95
    assert room({}, rates, NOON, notices=False) == 9  # too few to keep one of them
    counts = added({}, Rates(hour=100), 95, NOON)
    assert room(counts, Rates(hour=100), NOON, notices=False) == 0
    assert room(counts, Rates(hour=100), NOON, notices=True) == 5


@pytest.mark.parametrize("name", ["minute", "hour", "day"])
def test_a_clock_that_was_set_back_does_not_stop_mail_for_long(name):
    rates = Rates(**{name: 3})
    counts = added({}, rates, 3, after(days=400))
    assert room(counts, rates, NOON, notices=True) == 3
    near = added({}, rates, 3, NOON + timedelta(milliseconds=LENGTHS[name] // 2))
    assert room(near, rates, NOON, notices=True) == 0  # another machine's clock may be ahead


@given(
    st.sampled_from(["second", "minute", "hour", "day"]),
    st.integers(1, 40),
    st.lists(st.tuples(st.floats(0, 0.4), st.integers(1, 50)), min_size=1, max_size=60),
)
def test_no_window_ever_holds_more_than_the_limit(name, most, asked):
    """Whenever somebody asks for how many, what goes is never more than the limit in any window."""
    rates, counts, now = Rates(**{name: most}), {}, NOON
    length, gone = timedelta(milliseconds=LENGTHS[name]), []
    for share, wanted in asked:
        now += length * share
        free = room(counts, rates, now, notices=True)
        assert free is not None
        if free:
            assert free_at(counts, rates, now, notices=True) == now
        else:
            then = free_at(counts, rates, now, notices=True)
            assert now < then <= now + length * 1.051
            assert room(counts, rates, then, notices=True)
        taken = min(free, wanted)
        if taken:
            counts = added(counts, rates, taken, now)
            gone.append((now, taken))
        assert len(counts.get(name, {})) <= 21
        assert sum(n for at, n in gone if at > now - length) <= most


@pytest.mark.parametrize(("name", "most"), [("second", 14), ("minute", 30), ("hour", 500)])
def test_what_waits_goes_nearly_as_fast_as_the_limit_allows(name, most):
    rates, counts, now = Rates(**{name: most}), {}, NOON
    total, end = 0, NOON + timedelta(milliseconds=LENGTHS[name]) * 50
    while now < end:
        now = free_at(counts, rates, now, notices=True)
        free = room(counts, rates, now, notices=True) or 0
        total += free
        counts = added(counts, rates, free, now)
    assert 0.93 * most * 50 <= total <= most * 51
