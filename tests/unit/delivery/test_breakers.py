"""A domain that refuses us rests, comes back one mail at a time, and nothing opens it by chance."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.defaults import Defaults
from service.delivery.breakers import (
    WINDOW,
    Breaker,
    Heard,
    Tally,
    account_rules,
    domain_rules,
    from_json,
    hear,
    rates,
    settled,
    to_json,
)

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
RULES = domain_rules(Defaults())


def after(*heard: Heard, breaker: Breaker | None = None, now: datetime = NOW) -> Breaker:
    made = breaker or Breaker()
    for one in heard:
        made = hear(made, one, now, RULES, "policy")
    return made


def bad(n: int = 1, good: int = 0, **values: object) -> Heard:
    return Heard(good=good, bad=n, run=0 if good else n, words="550 5.7.1 no", **values)  # type: ignore[arg-type]


def test_twenty_in_a_row_open_it_and_nineteen_do_not() -> None:
    many = Breaker(counts=((NOW, 10_000, 0),))  # a large day before: no percentage is reached
    assert after(*[bad()] * 19, breaker=many).is_closed
    opened = after(*[bad()] * 20, breaker=many)
    assert opened.until == NOW + timedelta(minutes=30)
    assert (opened.cause, opened.at_once, opened.times, opened.since) == ("policy", 1, 1, NOW)


def test_a_good_answer_begins_the_row_anew() -> None:
    many = Breaker(counts=((NOW, 10_000, 0),))
    assert after(*[bad()] * 19, Heard(good=1), *[bad()] * 19, breaker=many).is_closed


@pytest.mark.parametrize(
    ("good", "refused", "opens"),
    [(18, 1, False), (19, 1, False), (18, 2, True), (95, 5, False), (94, 6, True), (10, 9, False)],
)
def test_more_than_five_per_cent_of_at_least_twenty(good: int, refused: int, opens: bool) -> None:
    assert after(Heard(good=good), bad(refused)).is_closed is not opens


def test_other_refusals_are_answers_and_not_held_against_it() -> None:
    assert after(Heard(good=1, other=60), bad(2)).is_closed
    assert not after(Heard(other=38), bad(3)).is_closed


def test_what_was_long_ago_does_not_count() -> None:
    old = after(Heard(good=5), bad(8))
    assert old.is_closed
    later = after(Heard(good=60), bad(1), breaker=old, now=NOW + 2 * WINDOW)
    assert later.is_closed
    assert rates(later, NOW + 2 * WINDOW) == (61, 1)
    assert not after(Heard(good=60), bad(1), breaker=old, now=NOW + WINDOW / 2).is_closed


def test_asked_to_go_slower_it_rests_ten_minutes_then_one_at_a_time() -> None:
    opened = after(Heard(good=50, is_slower=True, words="421 4.7.28"))
    assert (opened.cause, opened.until, opened.at_once) == ("rate", NOW + timedelta(minutes=10), 1)


def test_what_was_under_way_changes_no_rest_unless_it_asks_for_more() -> None:
    opened = after(*[bad()] * 20)
    assert after(bad(7), Heard(good=3), breaker=opened).until == opened.until
    slower = after(Heard(is_slower=True), breaker=opened, now=NOW + timedelta(minutes=29))
    assert slower.until == NOW + timedelta(minutes=39)
    rate = after(Heard(is_slower=True))
    assert after(Heard(is_slower=True), breaker=rate).times == 1


def test_it_widens_with_what_is_accepted_and_closes() -> None:
    opened = after(*[bad()] * 20)
    now = NOW + timedelta(minutes=31)
    widths = []
    for _ in range(15):
        opened = after(Heard(good=1), breaker=opened, now=now)
        widths.append(opened.at_once)
    assert widths == [2, 2, 4, 4, 4, 4, 8, 8, 8, 8, 8, 8, 8, 8, None]
    assert opened.is_closed
    assert (opened.times, opened.refused, opened.domains) == (0, 0, ())


def test_one_refusal_while_probing_opens_it_again_for_twice_as_long() -> None:
    opened, now, waits = after(*[bad()] * 20), NOW, []
    for _ in range(6):
        assert opened.until is not None
        waits.append((opened.until - now) / timedelta(minutes=1))
        now = opened.until
        opened = after(bad(), breaker=opened, now=now)
    assert waits == [30, 60, 120, 240, 240, 240]


def test_few_readers_do_not_keep_it_limited() -> None:
    opened = after(*[bad()] * 20)
    assert opened.until is not None
    hour = opened.until + WINDOW
    assert not settled(opened, hour).is_closed  # nothing was answered yet
    probed = after(Heard(good=1), breaker=opened, now=opened.until)
    assert not settled(probed, hour - timedelta(minutes=1)).is_closed
    assert settled(probed, hour).is_closed


def test_a_silent_account_rests_two_minutes_and_one_answer_ends_it() -> None:
    rules = account_rules(Defaults())
    silent = Breaker()
    for n in range(1, 6):
        silent = hear(silent, Heard(bad=1, run=1, words="refused"), NOW, rules, "silent")
        assert silent.is_closed is (n < 5)
    assert silent.until == NOW + timedelta(minutes=2)
    assert hear(silent, Heard(good=1), NOW + timedelta(minutes=2), rules, "silent").is_closed


def test_a_clock_that_went_back_opens_nothing() -> None:
    ahead = Breaker(counts=((NOW + timedelta(days=1), 100, 90),))
    assert after(Heard(good=20), breaker=ahead).is_closed
    assert rates(after(Heard(good=20), breaker=ahead), NOW) == (20, 0)


def test_the_tally_forgets_what_rows_know() -> None:
    tally = Tally()
    tally.keep({"a.org": 3, "b.org": 1})
    tally.keep({"a.org": 2}, written={"b.org", "c.org"})
    assert tally.good == {"a.org": 5}


def test_who_is_claimed_does_not_rest_any_more() -> None:
    """The rest may have been ended by another process, or by a person: rows tell, not this."""
    tally, soon = Tally(), NOW + timedelta(minutes=5)
    tally.keep({}, rests={"a.org": soon, "b.org": soon})
    assert tally.is_resting("a.org", NOW)
    assert not tally.is_resting("c.org", NOW)
    assert not tally.is_resting("a.org", soon)
    tally.claimed(["a.org"])
    assert not tally.is_resting("a.org", NOW)
    assert tally.is_resting("b.org", NOW)
    tally.keep({}, rests={"*": soon, "b.org": None})
    assert tally.is_resting("b.org", NOW)
    tally.claimed(["c.org"])
    assert not tally.is_resting("b.org", NOW)


HEARD = st.builds(
    Heard,
    good=st.integers(0, 40),
    bad=st.integers(0, 25),
    other=st.integers(0, 5),
    run=st.integers(0, 25),
    is_slower=st.booleans(),
    words=st.sampled_from(["", "550 5.7.1 no"]),
    domains=st.frozensets(st.sampled_from(["a.org", "b.org"])),
)


@given(st.lists(st.tuples(HEARD, st.integers(0, 7200)), max_size=30))
def test_laws(told: list[tuple[Heard, int]]) -> None:
    breaker, now = Breaker(), NOW
    for heard, seconds in told:
        now += timedelta(seconds=seconds)
        was = breaker
        breaker = hear(was, heard, now, RULES, "policy")
        # a limit is there exactly while it is not closed, and a rest is never longer than the most
        assert (breaker.at_once is None) == breaker.is_closed == (breaker.since is None)
        if breaker.until is not None:
            assert breaker.until <= now + RULES.longest
        # it opens only with something against it, and closes only with something good
        if breaker.times > was.times:
            assert heard.is_slower or heard.bad or heard.run
            assert breaker.is_resting(now)
        if breaker.is_closed and not was.is_closed:
            assert heard.good
            assert not was.is_resting(now)
        # who rests is not let go earlier
        if was.is_resting(now):
            assert was.until is not None
            assert breaker.until is not None
            assert breaker.until >= was.until
        assert len(breaker.counts) <= 2
        assert from_json(to_json(breaker), breaker.until) == breaker
