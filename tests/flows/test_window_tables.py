"""Which interests are due on a date, which days a mail covers and what it is called: by tables."""

from datetime import date, timedelta

import pytest

from service.defaults import Defaults
from service.flows.window import (
    age_of,
    can_wait,
    first_day,
    is_due,
    is_told_anyway,
    kind_of,
    rest_from,
    week_from,
    window_start,
)
from service.subscribers.model import Cadence, Profile, ProfileKind, Subscriber

ON = date(2026, 11, 20)  # a Friday
LIMITS = Defaults()
EVERY_DAY = frozenset(range(7))
DAILY, WEEKLY, INSTANT = Cadence.DAILY, Cadence.WEEKLY, Cadence.INSTANT


def days_ago(n: int) -> date:
    return ON - timedelta(days=n)


def interest(cadence: Cadence = DAILY, **values: object) -> Profile:
    made = {"id": 1, "subscriber_id": 1, "name": "x", "kind": ProfileKind.KEYWORDS, "text": "x"}
    return Profile(**{**made, "cadence": cadence, **values})  # type: ignore[arg-type]


def reader(**values: object) -> Subscriber:
    return Subscriber(**{"id": 1, "email": "ada@example.org", **values})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("made", "who", "last", "occasion", "due"),
    [
        (interest(), reader(), days_ago(1), "daily", True),
        (interest(paused=True), reader(), days_ago(1), "daily", False),
        (interest(WEEKLY, weekday=4), reader(), days_ago(1), "daily", True),
        (interest(WEEKLY, weekday=3), reader(), days_ago(1), "daily", False),
        (interest(WEEKLY, weekday=3), reader(), days_ago(2), "daily", True),  # its day was missed
        (interest(WEEKLY, weekday=3), reader(), None, "daily", False),
        (interest(WEEKLY, weekday=6), reader(), days_ago(1), "daily", True),  # no mail on Sundays
        (interest(INSTANT), reader(), days_ago(1), "daily", True),
        (interest(INSTANT), reader(), None, "alert", True),
        (interest(), reader(), None, "alert", False),
        (interest(WEEKLY, weekday=0), reader(), None, "first", True),
        (interest(WEEKLY, weekday=0, paused=True), reader(), None, "first", False),
    ],
)
def test_due(made, who, last, occasion, due) -> None:
    assert is_due(made, who, ON, last, occasion) is due


@pytest.mark.parametrize(
    ("asked", "who", "last", "paused", "kind"),
    [
        ([interest()], reader(), days_ago(1), False, "daily"),
        ([interest()], reader(), None, False, "daily"),
        ([], reader(), days_ago(1), False, "daily"),  # trending alone
        ([interest()], reader(), days_ago(2), False, "catchup"),
        ([interest()], reader(weekdays=frozenset({0, 4})), days_ago(4), False, "daily"),
        ([interest()], reader(), None, True, "catchup"),
        ([interest(WEEKLY)], reader(), days_ago(1), False, "weekly"),
        ([interest(WEEKLY)], reader(), days_ago(9), True, "weekly"),
        ([interest(WEEKLY), interest()], reader(), days_ago(1), False, "daily"),
    ],
)
def test_kind(asked, who, last, paused, kind) -> None:
    assert kind_of("daily", who, asked, last, ON, paused=paused) == kind
    assert kind_of("alert", who, asked, last, ON) == "alert"
    assert kind_of("first", who, asked, last, ON) == "first"


@pytest.mark.parametrize(
    ("made", "missed", "here", "start"),
    [
        (interest(), None, None, days_ago(6)),
        (interest(), days_ago(3), None, days_ago(6)),
        (interest(), days_ago(9), None, days_ago(9)),
        (interest(), days_ago(40), None, days_ago(14)),  # the days that are caught up
        (interest(WEEKLY), None, days_ago(90), days_ago(8)),  # from last Friday's hour on, anywhere
        (interest(WEEKLY), None, days_ago(3), days_ago(6)),  # no reader by then
        (interest(WEEKLY), None, None, days_ago(6)),
        (interest(WEEKLY, weekday=3), None, days_ago(90), days_ago(9)),  # rides a day late
        (interest(WEEKLY), days_ago(9), days_ago(90), days_ago(14)),
    ],
)
def test_first_day_of_an_interest(made, missed, here, start) -> None:
    assert window_start(made, reader(), ON, LIMITS, missed, here) == start


@pytest.mark.parametrize(
    ("made", "rode", "start"),
    [
        (interest(WEEKLY), days_ago(7), days_ago(8)),  # as every week
        (interest(WEEKLY), days_ago(3), days_ago(8)),  # another interest rode since
        (interest(WEEKLY), days_ago(12), days_ago(12)),
        (interest(WEEKLY), days_ago(40), days_ago(14)),
        (interest(), days_ago(12), days_ago(6)),
    ],
)
def test_first_day_of_one_that_moved_within_the_week(made, rode, start) -> None:
    assert window_start(made, reader(), ON, LIMITS, None, days_ago(90), rode) == start


@pytest.mark.parametrize(
    ("who", "missed", "here", "start"),
    [
        (reader(weekdays=frozenset({4})), None, days_ago(90), days_ago(8)),  # from its last hour on
        (reader(weekdays=frozenset({4})), None, days_ago(3), days_ago(6)),
        (reader(weekdays=frozenset({3, 4})), None, days_ago(90), days_ago(6)),
        (reader(zone="Pacific/Auckland"), days_ago(9), days_ago(90), days_ago(10)),
        (reader(zone="Pacific/Honolulu"), days_ago(9), days_ago(90), days_ago(9)),
    ],
)
def test_first_day_by_mail_days_and_zone(who, missed, here, start) -> None:
    assert window_start(interest(), who, ON, LIMITS, missed, here) == start


@pytest.mark.parametrize(
    ("since", "start", "said"),
    [
        (None, days_ago(8), days_ago(6)),  # the day of the last mail was had but for its end
        (None, days_ago(6), days_ago(6)),
        (None, days_ago(14), days_ago(14)),
        (days_ago(2), days_ago(7), days_ago(2)),
    ],
)
def test_the_week_of_a_weekly_interest(since, start, said) -> None:
    assert week_from(interest(WEEKLY, since=since), reader(), ON, start) == said


@pytest.mark.parametrize(
    ("cadence", "ages"),
    [(DAILY, [0, 1, 6, 7, 8, 14]), (INSTANT, [0, 1, 6, 7, 8, 14]), (WEEKLY, [0, 0, 0, 0, 7, 7])],
)
def test_age_in_a_score(cadence, ages) -> None:
    days = [0, 1, 6, 7, 8, 14]
    assert [age_of(interest(cadence), days_ago(n), ON) for n in days] == ages
    assert age_of(interest(cadence), ON + timedelta(days=1), ON) == 0


@pytest.mark.parametrize(
    ("who", "days", "waits"),
    [
        (reader(), {1: ON}, True),
        (reader(), {1: days_ago(3)}, True),  # on Monday it is in the window's first day
        (reader(), {1: days_ago(4)}, False),
        (reader(), {1: ON, 2: days_ago(4)}, False),
        (reader(weekdays=EVERY_DAY), {1: days_ago(5)}, True),
        (reader(weekdays=EVERY_DAY), {1: days_ago(6)}, False),
        (reader(weekdays=frozenset({4})), {1: ON}, False),  # a week from now it is out of it
        (reader(), {}, False),  # of a weekly interest, or carried
    ],
)
def test_what_can_wait_for_the_next_mail(who, days, waits) -> None:
    assert can_wait([1, 2] if 2 in days else [1], days, who, ON, LIMITS) is waits


@pytest.mark.parametrize(
    ("who", "asked", "on", "told"),
    [
        (reader(tell_anyway=True), [interest()], date(2026, 11, 16), True),  # Monday
        (reader(tell_anyway=True), [interest()], ON, False),
        (reader(tell_anyway=False), [interest()], date(2026, 11, 16), False),
        (reader(tell_anyway=True), [], date(2026, 11, 16), False),
        (reader(tell_anyway=True, weekdays=frozenset({2, 4})), [interest()], days_ago(2), True),
        (reader(tell_anyway=True), [interest(WEEKLY)], ON, True),
        (reader(tell_anyway=True), [interest(WEEKLY), interest()], ON, False),
    ],
)
def test_who_is_told_that_nothing_came(who, asked, on, told) -> None:
    assert is_told_anyway(who, asked, on) is told


@pytest.mark.parametrize(
    ("missed", "paused_on", "since", "rest"),
    [
        (None, None, None, None),
        (days_ago(5), None, None, None),  # all of it rides
        (days_ago(20), None, None, days_ago(19)),
        (None, days_ago(10), None, days_ago(10)),
        (None, days_ago(3), None, None),
        (None, days_ago(30), days_ago(9), days_ago(9)),  # nobody's rest before it began
    ],
)
def test_the_rest_is_on_the_daily_pages(missed, paused_on, since, rest) -> None:
    assert rest_from(missed, paused_on, [interest(since=since)], ON, LIMITS) == rest


@pytest.mark.parametrize(
    ("profiles", "last", "occasion", "missed", "first"),
    [
        ([interest()], days_ago(1), "daily", None, ON),
        ([interest()], days_ago(3), "daily", None, days_ago(2)),
        ([interest()], days_ago(30), "daily", None, days_ago(6)),
        ([interest()], None, "daily", None, days_ago(6)),
        ([interest(since=days_ago(2))], None, "daily", None, days_ago(2)),
        ([interest(WEEKLY), interest()], days_ago(1), "daily", None, days_ago(6)),
        ([interest()], days_ago(12), "daily", days_ago(12), days_ago(11)),
        ([interest()], None, "first", None, days_ago(6)),
    ],
)
def test_the_first_day_that_is_counted(profiles, last, occasion, missed, first) -> None:
    assert first_day(reader(), profiles, last, ON, LIMITS, occasion, missed) == first
