"""One digest for each local date that exists, in every zone, whatever its clock does.

All zones over two years, each quarter of an hour: ``make sweep ARGS=clock``.
"""

from datetime import UTC, date, datetime, timedelta

import pytest
from support.wall import Rules, check, every_quarter, given, reader_in, rule_sets

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
TWO_DAYS = timedelta(days=2)

HARD = [
    ("Pacific/Apia", date(2011, 12, 30)),  # a Friday that never was
    ("Pacific/Kwajalein", date(1993, 8, 21)),  # the same, from -12 to +12
    ("Pacific/Kiritimati", date(1994, 12, 31)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),  # half an hour
    ("Antarctica/Troll", date(2026, 3, 29)),  # two hours
    ("Antarctica/Casey", date(2020, 10, 4)),  # three
    ("America/Nuuk", date(2026, 3, 29)),  # Saturday has no 23:00
    (
        "America/Scoresbysund",
        date(2024, 3, 31),
    ),  # its standard and its summer time at once: no change
    ("America/Havana", date(2026, 3, 8)),  # no midnight
    ("America/Asuncion", date(2023, 3, 26)),  # midnight goes back to the day before
    ("Africa/Casablanca", date(2026, 2, 15)),  # Ramadan
    ("Africa/Cairo", date(2026, 10, 29)),
    ("Asia/Gaza", date(2026, 3, 28)),
    ("Asia/Beirut", date(2023, 3, 26)),
    ("Asia/Pyongyang", date(2018, 5, 4)),
    ("America/Caracas", date(2016, 5, 1)),
    ("Europe/Istanbul", date(2016, 9, 7)),
    ("America/Nuuk", date(2026, 10, 25)),  # Saturday has two
    ("Africa/Cairo", date(2027, 4, 30)),  # no midnight on a Friday
    ("America/Scoresbysund", date(2025, 3, 30)),
]
STAYED = [("Europe/Istanbul", date(2016, 9, 7)), ("America/Scoresbysund", date(2024, 3, 31))]


def around(zone: str, day: date) -> Rules:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return every_quarter(zone, noon - TWO_DAYS, noon + TWO_DAYS)


@pytest.mark.parametrize(("zone", "day"), HARD)
def test_where_the_clock_does_something_odd(zone: str, day: date) -> None:
    rules = around(zone, day)
    made = check(rules)
    assert made.wrong == []
    assert made.pairs > 60
    assert bool(rules.changes()) is ((zone, day) not in STAYED)


@pytest.mark.slow  # two seconds or more: 599 zones, 65 sets of rules
def test_two_days_around_each_change_of_every_set_of_rules() -> None:
    sets = rule_sets(START, END)
    assert len(sets) > 50
    pairs = changes = 0
    wrong: list[str] = []
    for rules in sets:
        for at in rules.changes():
            part = rules.part(max(START, at - TWO_DAYS), min(END, at + TWO_DAYS))
            made = check(part)
            pairs, changes, wrong = pairs + made.pairs, changes + 1, wrong + made.wrong
    assert wrong == []
    assert changes > 100
    assert pairs > 100 * 24 * 3


def test_the_check_can_fail() -> None:
    """A reader who is given their mail an hour late, or on a wrong date, is told."""
    rules = around("Europe/Zurich", date(2026, 3, 29))
    late = Rules("Europe/London", rules.at, rules.offset)
    assert any("meant at" in line for line in check(late, [8]).wrong)
    assert any(
        "none" in line for line in check(Rules("Pacific/Apia", rules.at, rules.offset)).wrong
    )


def test_a_reader_of_one_weekday_waits_a_week_more_where_it_was_skipped() -> None:
    noon = datetime(2011, 12, 21, 12, tzinfo=UTC)
    rules = every_quarter("Pacific/Apia", noon, noon + timedelta(days=21))
    planned = given(reader_in("Pacific/Apia", 8, frozenset({4})), rules.at)
    assert [on for on, _ in planned] == [date(2011, 12, 23), date(2012, 1, 6)]
