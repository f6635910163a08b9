"""When a day's list is usually complete: only from days that were watched, only when enough are."""

from datetime import UTC, date, datetime, timedelta

from service.sources.usual import LEAST_DAYS, usual_end

MONDAY = date(2026, 11, 9)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def days(count: int) -> list[date]:
    """Weekdays from Monday on."""
    every = [MONDAY + timedelta(days=n) for n in range(count * 2)]
    return [d for d in every if d.weekday() < 5][:count]


def test_four_of_five_days_were_complete_by_then() -> None:
    seen = {d: {at(d, 3): 20, at(d, 5, 11 * n): 1} for n, d in enumerate(days(5))}
    found = usual_end("hf_daily", seen, since=MONDAY, on=date(2026, 11, 18))
    assert found == at(date(2026, 11, 18), 5, 40)  # 05:33 of the fourth, to the next ten minutes


def test_two_days_are_no_habit() -> None:
    seen = {d: {at(d, 5): 9} for d in days(LEAST_DAYS - 1)}
    assert usual_end("hf_daily", seen, since=MONDAY, on=MONDAY) is None
    assert usual_end("hf_daily", {}, since=MONDAY, on=MONDAY) is None
    more = {d: {at(d, 5): 9} for d in days(LEAST_DAYS)}
    assert usual_end("hf_daily", more, since=MONDAY, on=MONDAY) == at(MONDAY, 5)


def test_days_that_were_not_watched_do_not_count() -> None:
    watched = {d: {at(d, 6): 9} for d in days(3)}
    fetched_later = {date(2026, 11, 12): {at(date(2026, 11, 14), 9): 9}}
    weekend = {date(2026, 11, 14): {at(date(2026, 11, 14), 23): 1}}
    before = {date(2026, 11, 6): {at(date(2026, 11, 6), 23): 9}}
    seen = {**watched, **fetched_later, **weekend, **before}
    assert usual_end("hf_daily", seen, since=MONDAY, on=MONDAY) == at(MONDAY, 6)
    straggler = {**watched, MONDAY: {at(MONDAY, 6): 9, at(MONDAY + timedelta(days=1), 6): 1}}
    assert usual_end("hf_daily", straggler, since=MONDAY, on=MONDAY) == at(MONDAY, 6)
    mostly_later = {**watched, MONDAY: {at(MONDAY, 6): 8, at(MONDAY + timedelta(days=1), 6): 1}}
    assert usual_end("hf_daily", mostly_later, since=MONDAY, on=MONDAY) is None


def test_arxiv_counts_on_eastern_walls_over_the_change_of_clocks() -> None:
    # 00:20 in New York: 04:20 UTC in summer, 05:20 UTC in winter
    seen = {
        date(2026, 10, 29): {at(date(2026, 10, 29), 4, 20): 700},
        date(2026, 10, 30): {at(date(2026, 10, 30), 4, 20): 700},
        date(2026, 11, 2): {at(date(2026, 11, 2), 5, 20): 700},
        date(2026, 11, 3): {at(date(2026, 11, 3), 5, 20): 700},
    }
    found = usual_end("arxiv_rss", seen, since=date(2026, 10, 1), on=date(2026, 11, 4))
    assert found == at(date(2026, 11, 4), 5, 20)
    assert usual_end("feed", seen, since=date(2026, 10, 1), on=date(2026, 11, 4)) is None
