"""The ledger's word for a source and day, as a table."""

from datetime import UTC, date, datetime

import pytest

from service.sources import arxiv_days
from service.sources.days import day_state, is_due, wants_crosscheck

WED, FRI, SAT = date(2026, 6, 17), date(2026, 6, 19), date(2026, 6, 20)  # Friday: a holiday
UNKNOWN = date(2031, 6, 18)  # a Wednesday of a year that no calendar knows


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "day", "now", "held", "before", "announced", "word"),
    [
        # a batch, on a day that is expected: Eastern is four hours behind in June
        ("arxiv_rss", WED, "2026-06-17T04:15", "complete", "open", None, "complete"),
        ("arxiv_rss", WED, "2026-06-17T04:15", "stale", "open", None, "open"),
        ("arxiv_rss", WED, "2026-06-17T04:29", "empty", "open", None, "open"),
        ("arxiv_rss", WED, "2026-06-17T04:30", "empty", "open", None, "late"),
        ("arxiv_rss", WED, "2026-06-17T04:30", "stale", "open", None, "stale"),
        ("arxiv_rss", WED, "2026-06-17T04:30", "", "open", None, "late"),  # never answered
        ("arxiv_rss", WED, "2026-06-17T04:30", "", "failed", None, "late"),
        ("arxiv_rss", WED, "2026-06-17T05:00", "", "stale", None, "stale"),
        ("arxiv_rss", WED, "2026-06-17T05:00", "empty", "stale", None, "late"),
        ("arxiv_rss", WED, "2026-06-17T09:00", "complete", "stale", 40, "complete"),
        ("arxiv_rss", WED, "2026-06-17T09:00", "stale", "complete", None, "complete"),
        # a cross-check: the calendar knows the year, so that arXiv itself is late
        ("arxiv_rss", WED, "2026-06-17T06:00", "stale", "stale", 40, "stale"),
        ("arxiv_rss", WED, "2026-06-17T06:00", "empty", "late", 0, "late"),
        # ... and when it does not, an empty day is a holiday until something comes
        ("arxiv_rss", UNKNOWN, "2031-06-18T06:00", "empty", "late", None, "late"),
        ("arxiv_rss", UNKNOWN, "2031-06-18T06:00", "empty", "late", 0, "none"),
        ("arxiv_rss", UNKNOWN, "2031-06-18T06:00", "stale", "late", 0, "none"),
        ("arxiv_rss", UNKNOWN, "2031-06-18T08:00", "complete", "none", 0, "complete"),
        # a day that is over
        ("arxiv_rss", WED, "2026-06-18T04:00", "", "stale", None, "stale"),
        ("arxiv_rss", WED, "2026-06-18T04:00", "", "stale", 40, "stale"),
        ("arxiv_rss", WED, "2026-06-18T04:00", "", "late", 0, "late"),  # missed says what it was
        # weekend and holiday
        ("arxiv_rss", SAT, "2026-06-20T12:00", "empty", "open", None, "none"),
        ("arxiv_rss", SAT, "2026-06-20T12:00", "stale", "open", None, "none"),
        ("arxiv_rss", FRI, "2026-06-19T12:00", "empty", "open", None, "none"),
        ("arxiv_rss", FRI, "2026-06-19T12:00", "complete", "none", None, "complete"),
        # a list that grows is never complete
        ("hf_daily", WED, "2026-06-17T06:40", "", "open", None, "open"),
        ("hf_daily", WED, "2026-06-17T23:00", "", "late", None, "open"),
        ("hf_daily", WED, "2026-06-17T11:59", "empty", "open", None, "open"),
        ("hf_daily", WED, "2026-06-17T12:00", "empty", "open", None, "late"),
        ("hf_daily", WED, "2026-06-18T01:00", "empty", "late", None, "none"),
        ("hf_daily", SAT, "2026-06-20T13:00", "empty", "open", None, "none"),
        ("hf_daily", SAT, "2026-06-20T13:00", "", "none", None, "open"),
        # a feed promises nothing
        ("feed", WED, "2026-06-17T23:00", "", "open", None, "open"),
        ("feed", WED, "2026-06-17T23:00", "empty", "open", None, "open"),
    ],
)
def test_the_word_of_a_day(kind, day, now, held, before, announced, word):
    made = day_state(kind, day, at(now), held=held, before=before, announced=announced)
    assert made == word


def test_winter_moves_the_hour_at_which_a_batch_is_due():
    monday = date(2026, 11, 16)
    assert not is_due("arxiv_rss", monday, at("2026-11-16T05:29"))
    assert is_due("arxiv_rss", monday, at("2026-11-16T05:30"))
    assert not is_due("arxiv_rss", monday, at("2026-11-17T05:30"))  # another day's
    assert not is_due("arxiv_rss", date(2026, 11, 26), at("2026-11-26T12:00"))  # a holiday
    assert not is_due("hf_daily", monday, at("2026-11-16T23:00"))  # nobody waits for what grows


def test_the_past_is_asked_after_some_late_answers_and_until_it_named_papers():
    def wants(state, late_polls, announced, kind="arxiv_rss"):
        return wants_crosscheck(kind, state, late_polls=late_polls, after=2, announced=announced)

    assert not wants("stale", 1, None)
    assert wants("stale", 2, None)
    assert wants("late", 5, 0)
    assert not wants("late", 5, 42)
    assert not wants("complete", 5, None)
    assert not wants("late", 5, None, kind="hf_daily")


# ---- arXiv's calendar ----

OWN = '{"source": "https://arxiv.example/days", "empty_on": {"2031": ["2031-06-18"], "2032": []}}'


@pytest.fixture
def own_calendar():
    yield arxiv_days.use_calendar(arxiv_days.read_calendar(OWN, "own.json"))
    arxiv_days.use_calendar(None)


def test_an_operators_calendar_is_read_instead(own_calendar):
    made = arxiv_days.read_calendar(OWN, "own.json")
    assert (made.source, sorted(made.years)) == ("https://arxiv.example/days", [2031, 2032])
    assert not arxiv_days.has_announcement(UNKNOWN)
    assert arxiv_days.knows_holidays(2032)  # known to have none
    assert not arxiv_days.knows_holidays(2026)
    assert day_state("arxiv_rss", UNKNOWN, at("2031-06-18T09:00"), held="empty") == "none"


def test_the_bundled_calendar_names_its_source():
    assert arxiv_days.bundled_calendar().source.startswith("https://info.arxiv.org/")


@pytest.mark.parametrize(
    ("text", "what", "where"),
    [
        ("{", "no JSON", "own.json: "),
        ("[]", "no empty_on", "own.json"),
        ('{"source": "x", "empty_on": ["2031-01-01"]}', "no empty_on", "own.json"),
        ('{"empty_on": {}}', "its source", "own.json: source"),
        ('{"source": "x", "empty_on": {"2031": "x"}}', "no list", "own.json: empty_on, 2031"),
        ('{"source": "x", "empty_on": {"next": []}}', "no list", "own.json: empty_on, next"),
        ('{"source": "x", "empty_on": {"2031": ["1.1."]}}', "'1.1.' is no date", "2031"),
        ('{"source": "x", "empty_on": {"2031": ["2030-01-01"]}}', "no day of 2031", "2031"),
    ],
)
def test_a_calendar_that_cannot_be_read_says_where_and_what_next(text, what, where):
    with pytest.raises(arxiv_days.CalendarError) as caught:
        arxiv_days.read_calendar(text, "own.json")
    assert what in caught.value.what
    assert where in caught.value.where
    assert "remove it" in caught.value.next_step
