"""On which days papers are expected."""

from datetime import UTC, date, datetime

import pytest

from service.sources.arxiv_days import knows_holidays
from service.sources.calendar import expected, next_expected, source_day


@pytest.mark.parametrize(
    ("kind", "day", "is_expected"),
    [
        ("arxiv_rss", date(2026, 6, 17), True),
        ("arxiv_rss", date(2026, 6, 20), False),
        ("arxiv_rss", date(2026, 6, 19), False),
        ("arxiv_rss", date(2026, 12, 31), False),
        ("arxiv_rss", date(2026, 12, 30), True),
        ("arxiv_rss", date(2026, 2, 16), True),  # a federal holiday, not arXiv's
        ("hf_daily", date(2026, 6, 19), True),
        ("hf_daily", date(2026, 6, 21), False),
        ("feed", date(2026, 6, 17), False),
        ("arxiv_api", date(2026, 6, 17), False),
    ],
)
def test_expected(kind: str, day: date, is_expected: bool) -> None:
    assert expected(kind, day) is is_expected


def test_the_holidays_on_file() -> None:
    days = [
        date.fromordinal(n)
        for n in range(date(2026, 1, 1).toordinal(), date(2027, 1, 1).toordinal())
    ]
    empty = [day for day in days if day.weekday() < 5 and not expected("arxiv_rss", day)]
    assert len(empty) == 9
    assert knows_holidays(2026)
    assert not knows_holidays(2031)


def test_a_sources_own_day() -> None:
    night = datetime(2026, 6, 17, 3, 59, tzinfo=UTC)
    assert source_day("arxiv_rss", night) == date(2026, 6, 16)
    assert source_day("hf_daily", night) == date(2026, 6, 17)


def test_the_next_expected_day() -> None:
    assert next_expected("arxiv_rss", date(2026, 6, 18)) == date(2026, 6, 22)
    assert next_expected("hf_daily", date(2026, 6, 19)) == date(2026, 6, 22)
    assert next_expected("feed", date(2026, 6, 19)) == date(2026, 6, 20)
