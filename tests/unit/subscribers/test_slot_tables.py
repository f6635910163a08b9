"""When a reader reads, by tables: single slots, moves around midnight, rules that changed, quiet
hours where the clock does, days of the week."""

from datetime import UTC, date, datetime, timedelta

import pytest

from service.subscribers.cadence import (
    after_quiet,
    awake_until,
    due_slot,
    exists,
    is_quiet,
    latest_slot,
    local_date,
    moved_to,
    next_mail_day,
    next_slot,
    previous_mail_day,
    slot_at,
    weekly_day,
)
from service.subscribers.model import Subscriber
from service.subscribers.zone import clock_of, is_known, use_zone

EVERY_DAY = frozenset(range(7))
WORKDAYS = frozenset(range(5))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def reader(zone: str = "UTC", hour: int = 8, days: frozenset[int] = EVERY_DAY) -> Subscriber:
    return Subscriber(id=1, email="ada@example.org", zone=zone, hour=hour, weekdays=days)


@pytest.mark.parametrize(
    ("zone", "on", "hour", "begins"),
    [
        ("UTC", "2026-11-18", 8, "2026-11-18T08:00"),
        ("Asia/Kathmandu", "2026-11-18", 8, "2026-11-18T02:15"),
        ("Pacific/Kiritimati", "2026-11-18", 8, "2026-11-17T18:00"),
        ("Pacific/Honolulu", "2026-11-18", 23, "2026-11-19T09:00"),
        ("Europe/Zurich", "2026-03-29", 2, "2026-03-29T01:00"),  # skipped: 03:00 there
        ("Europe/Zurich", "2026-10-25", 2, "2026-10-25T00:00"),  # twice: the first
        ("Australia/Lord_Howe", "2026-10-04", 2, "2026-10-03T15:30"),  # 02:30 there
        ("Australia/Lord_Howe", "2026-04-05", 1, "2026-04-04T14:00"),
        ("Antarctica/Troll", "2026-03-29", 1, "2026-03-29T01:00"),  # 03:00 there
        ("Antarctica/Troll", "2026-03-29", 2, "2026-03-29T01:00"),
        ("America/Nuuk", "2026-03-28", 23, "2026-03-29T01:00"),  # midnight of Sunday there
        ("America/Havana", "2026-03-08", 0, "2026-03-08T05:00"),  # 01:00 there
        ("Africa/Cairo", "2026-04-24", 0, "2026-04-23T22:00"),
        ("Africa/Casablanca", "2026-03-22", 2, "2026-03-22T02:00"),
        ("Pacific/Apia", "2011-12-30", 8, "2011-12-30T10:00"),  # never was: Saturday begins
        ("Pacific/Apia", "2011-12-31", 0, "2011-12-30T10:00"),
        ("Africa/Monrovia", "1972-01-07", 0, "1972-01-07T00:44:30"),  # a gap that ends at 44:30
    ],
)
def test_when_an_hour_begins(zone: str, on: str, hour: int, begins: str) -> None:
    assert slot_at(date.fromisoformat(on), hour, zone) == utc(begins)


@pytest.mark.parametrize(
    ("zone", "on", "is_there"),
    [
        ("Pacific/Apia", "2011-12-30", False),
        ("Pacific/Apia", "2011-12-29", True),
        ("Pacific/Apia", "2011-12-31", True),
        ("Pacific/Kwajalein", "1993-08-21", False),
        ("Pacific/Kwajalein", "1993-08-20", True),
        ("Pacific/Fakaofo", "2011-12-30", False),
        ("Pacific/Kiritimati", "1994-12-31", False),
        ("America/Nuuk", "2026-03-28", True),  # an hour short
        ("America/Havana", "2026-03-08", True),  # without its midnight
    ],
)
def test_dates_that_are_on_no_wall(zone: str, on: str, is_there: bool) -> None:
    assert exists(date.fromisoformat(on), zone) is is_there


AUCKLAND, HONOLULU = "Pacific/Auckland", "Pacific/Honolulu"  # 23 hours apart in November

MOVES = {
    # name: (before, due, after, now, then due) - times in UTC
    "nothing changed": (reader(), "18T08:00", reader(), "17T12:00", "18T08:00"),
    "nothing changed, due a moment ago": (reader(), "18T08:00", reader(), "18T08:00", "18T08:00"),
    "nothing changed, waits for a source": (
        reader(), "18T08:35", reader(), "18T08:31", "18T08:00",
    ),
    "a later hour before the moment": (
        reader(hour=8), "18T08:00", reader(hour=12), "18T07:59", "18T12:00",
    ),
    "a later hour at the moment": (
        reader(hour=8), "18T08:00", reader(hour=12), "18T08:00", "18T12:00",
    ),
    "a later hour after the mail": (
        reader(hour=8), "19T08:00", reader(hour=12), "18T08:01", "18T12:00",
    ),  # its slot is used: nothing comes
    "an earlier hour that is over": (
        reader(hour=12), "18T12:00", reader(hour=8), "18T11:59", "18T08:00",
    ),
    "an earlier hour after the mail": (
        reader(hour=12), "19T12:00", reader(hour=8), "18T12:01", "19T08:00",
    ),
    "23 to 0 at 23:59, had": (reader(hour=23), "19T23:00", reader(hour=0), "18T23:59", "19T00:00"),
    "23 to 0 at 00:01": (reader(hour=23), "19T23:00", reader(hour=0), "19T00:01", "19T00:00"),
    "0 to 23 at 23:59": (reader(hour=0), "19T00:00", reader(hour=23), "18T23:59", "19T23:00"),
    "0 to 23 at 00:01, had": (reader(hour=0), "20T00:00", reader(hour=23), "19T00:01", "19T23:00"),
    # east over the date line: Thursday the 19th is there at once, and its mail is owed
    "Honolulu to Auckland, had the 18th": (
        reader(HONOLULU), "19T18:00", reader(AUCKLAND), "18T20:00", "18T19:00",
    ),
    "Honolulu to Auckland at 23:59": (
        reader(HONOLULU), "19T18:00", reader(AUCKLAND), "19T09:59", "18T19:00",
    ),
    "Honolulu to Auckland before the hour": (
        reader(HONOLULU), "18T18:00", reader(AUCKLAND), "18T17:00", "17T19:00",
    ),  # the 18th, now; the 19th in two hours
    # west: the 18th begins again, its slot is used, and the 19th is not given twice
    "Auckland to Honolulu at 00:01, had the 18th": (
        reader(AUCKLAND), "18T19:00", reader(HONOLULU), "18T11:01", "18T18:00",
    ),
    "Auckland to Honolulu at 23:59": (
        reader(AUCKLAND), "18T19:00", reader(HONOLULU), "18T10:59", "18T18:00",
    ),
    "Auckland to Honolulu, new, before the first": (
        reader(AUCKLAND), "18T19:00", reader(HONOLULU), "18T18:50", "19T18:00",
    ),
    "New York to Tokyo over the evening hour": (
        reader("America/New_York", 20), "19T01:00", reader("Asia/Tokyo", 20),
        "18T17:00", "18T11:00",
    ),
    "a day chosen on that day after its hour": (
        reader(days=WORKDAYS), "23T08:00", reader(), "21T10:00", "22T08:00",
    ),
    "a day chosen on that day before its hour": (
        reader(days=WORKDAYS), "23T08:00", reader(), "21T07:00", "21T08:00",
    ),
    "today is chosen off": (
        reader(days=WORKDAYS), "20T08:00", reader(days=frozenset({0, 2})), "20T07:00", "23T08:00",
    ),
    "an earlier hour before the first mail": (
        reader(hour=8), "19T08:00", reader(hour=7), "18T09:00", "19T07:00",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MOVES)
def test_who_changes_zone_hour_or_days(name: str) -> None:
    before, due, after, now, then = MOVES[name]
    made = moved_to(before, utc(f"2026-11-{due}"), after, utc(f"2026-11-{now}"))
    assert made == utc(f"2026-11-{then}")


def test_who_is_due_at_no_time_and_changes_is_due_at_the_next_hour() -> None:
    assert moved_to(reader(), None, reader(hour=9), utc("2026-11-18T10:00")) == utc(
        "2026-11-19T09:00"
    )


EAST, WEST = "Pacific/Kiritimati", "Pacific/Pago_Pago"  # 25 hours apart


def life(hour: int, moves: list[int]) -> tuple[list[date], set[date], set[date]]:
    """A week of a reader who goes from the one to the other at these quarter hours: the dates of
    the mails, those on the reader's own wall, and those whose hour a move skipped together with
    the next one's."""
    start = utc("2026-11-10T00:00")
    who, due = reader(EAST, hour), next_slot(reader(EAST, hour), start)[1]
    had: list[date] = []
    seen: set[date] = set()
    skipped: set[date] = set()
    for quarter in range(96 * 7):
        now = start + quarter * timedelta(minutes=15)
        if quarter in moves:
            other = reader(WEST if who.zone == EAST else EAST, hour)
            wall, there = now.astimezone(clock_of(who.zone)), now.astimezone(clock_of(other.zone))
            today = wall.date()
            is_open = (wall.hour, wall.minute) <= (hour, 0)
            if is_open and there.date() > today and there.hour >= hour:
                skipped.add(today)
            due, who = moved_to(who, due, other, now), other
        seen.add(local_date(now, who.zone))
        if due <= now:
            slot = due_slot(who, due, now)
            if slot is not None and slot[0] not in had:
                had.append(slot[0])
            due = next_slot(who, now)[1]
    seen.discard(local_date(now, who.zone))
    return had, seen, skipped


@pytest.mark.parametrize("hour", [0, 8, 15, 23])
def test_there_and_back_every_date_on_ones_own_wall_has_its_mail(hour: int) -> None:
    """Two whose hours are skipped at once are one mail, as after an outage."""
    for moment in range(0, 192, 11):
        for back in (1, 30, 90, 200):
            had, seen, skipped = life(hour, [moment, moment + back])
            assert len(had) == len(set(had))
            missing = {on for on in seen if on >= min(had)} - set(had)
            assert missing <= skipped, (moment, back)


@pytest.mark.parametrize(
    ("due", "now", "given"),
    [
        ("18T08:00", "18T08:00", "2026-11-18"),
        ("18T08:00", "18T07:59", None),  # as after a new tzdata: the hour is later now
        ("18T09:00", "18T09:00", "2026-11-18"),  # it was earlier: late once
        ("18T08:55", "18T09:00", "2026-11-18"),  # waited for a source
        ("14T08:00", "18T10:00", "2026-11-18"),  # an outage: the newest alone
        ("19T08:00", "18T10:00", None),  # not due at all
    ],
)
def test_the_slot_of_who_is_due(due: str, now: str, given: str | None) -> None:
    slot = due_slot(reader(), utc(f"2026-11-{due}"), utc(f"2026-11-{now}"))
    assert (slot and str(slot[0])) == given


def test_who_has_one_weekday_alone_has_the_last_one_also_where_one_was_skipped() -> None:
    friday = reader("Pacific/Apia", 8, frozenset({4}))
    slot = latest_slot(friday, utc("2012-01-05T00:00"))
    assert slot is not None
    assert slot[0] == date(2011, 12, 23)


@pytest.mark.parametrize(
    ("days", "on", "before", "after"),
    [
        (WORKDAYS, "2026-11-20", "2026-11-19", "2026-11-23"),
        (WORKDAYS, "2026-11-23", "2026-11-20", "2026-11-24"),
        (frozenset({2}), "2026-11-18", "2026-11-11", "2026-11-25"),
        (EVERY_DAY, "2027-01-01", "2026-12-31", "2027-01-02"),
    ],
)
def test_neighbours(days: frozenset[int], on: str, before: str, after: str) -> None:
    day = date.fromisoformat(on)
    assert str(previous_mail_day(reader(days=days), day)) == before
    assert str(next_mail_day(reader(days=days), day)) == after


@pytest.mark.parametrize(
    ("days", "weekday", "rides"),
    [
        (WORKDAYS, 4, 20),
        (WORKDAYS, 6, 20),  # no mail on Sundays: with the last mail of the week
        (WORKDAYS, 0, 16),
        (frozenset({1, 3}), 2, 19),
        (EVERY_DAY, 6, 15),
    ],
)
def test_the_day_of_a_weekly_interest(days: frozenset[int], weekday: int, rides: int) -> None:
    assert weekly_day(reader(days=days), weekday, date(2026, 11, 20)).day == rides


@pytest.mark.parametrize(
    ("zone", "at", "start", "end", "quiet", "wakes"),
    [
        ("UTC", "2026-11-18T20:59", 21, 7, False, "2026-11-18T20:59"),
        ("UTC", "2026-11-18T21:00", 21, 7, True, "2026-11-19T07:00"),
        ("UTC", "2026-11-19T06:59", 21, 7, True, "2026-11-19T07:00"),
        ("UTC", "2026-11-18T12:30", 12, 14, True, "2026-11-18T14:00"),
        ("UTC", "2026-11-18T12:30", 8, 8, False, "2026-11-18T12:30"),
        ("Asia/Kathmandu", "2026-11-18T17:07", 21, 7, True, "2026-11-19T01:15"),
        ("Europe/Zurich", "2026-03-28T23:30", 21, 7, True, "2026-03-29T05:00"),  # a short night
        ("Europe/Zurich", "2026-10-24T23:30", 21, 7, True, "2026-10-25T06:00"),  # a long one
        ("Europe/Zurich", "2026-03-29T00:30", 22, 2, True, "2026-03-29T01:00"),  # ends in the gap
        ("Europe/Zurich", "2026-10-25T00:30", 22, 3, True, "2026-10-25T02:00"),  # 02:00 twice
        ("Europe/Zurich", "2026-03-29T00:59", 2, 3, False, "2026-03-29T00:59"),  # never was
        ("Australia/Lord_Howe", "2026-10-03T15:29", 21, 2, True, "2026-10-03T15:30"),
    ],
)
def test_quiet_hours(zone: str, at: str, start: int, end: int, quiet: bool, wakes: str) -> None:
    assert is_quiet(utc(at), zone, start, end) is quiet
    assert after_quiet(utc(at), zone, start, end) == utc(wakes)


@pytest.mark.parametrize(
    ("zone", "at", "hours", "ends"),
    [
        ("UTC", "2026-11-18T12:00", 6, "2026-11-18T18:00"),
        ("UTC", "2026-11-18T20:00", 6, "2026-11-19T12:00"),
        ("Europe/Zurich", "2026-03-28T19:00", 6, "2026-03-29T10:00"),  # the night has nine hours
        ("Europe/Zurich", "2026-10-24T18:00", 6, "2026-10-25T11:00"),  # eleven
    ],
)
def test_the_deadline_of_an_alert_counts_waking_hours(
    zone: str, at: str, hours: int, ends: str
) -> None:
    assert awake_until(utc(at), hours, zone, 21, 7) == utc(ends)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "Europe", "x" * 300, "a\0b"])
def test_a_zone_that_is_gone_has_the_clock_of_the_house(name: str) -> None:
    assert not is_known(name)
    use_zone("Asia/Tokyo")
    try:
        assert str(clock_of(name)) == "Asia/Tokyo"
        assert slot_at(date(2026, 11, 18), 8, name) == utc("2026-11-17T23:00")
        assert local_date(utc("2026-11-17T23:00"), name) == date(2026, 11, 18)
        assert exists(date(2026, 11, 18), name)
        use_zone("Mars/Olympus")
        assert str(clock_of(name)) == "UTC"
    finally:
        use_zone("UTC")
