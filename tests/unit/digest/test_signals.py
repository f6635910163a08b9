"""Which later events of a paper are told: after the mail, after the opt-in, each kind once."""

from datetime import UTC, date, datetime, timedelta

import pytest

from service.defaults import FIXED, Defaults
from service.digest.candidate import NothingNew
from service.digest.model import Digest, Happening, Marked, Signal, from_json, to_json
from service.digest.select import compose
from service.digest.signals import (
    Event,
    Had,
    happened,
    joined,
    passed,
    section_of,
)
from service.papers.identity import is_journal
from service.subscribers.options import LateSignals, Options, read_options, write_options

MAILED = datetime(2026, 11, 3, 8, tzinfo=UTC)
NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
WISH = LateSignals(MAILED - timedelta(days=30))
HAD = Had(MAILED)


def told(*events, had=HAD, wish=WISH, since=NOW - timedelta(days=60), until=NOW, votes=50):
    found = happened(events, had, wish, since, until, votes=votes)
    return [(one.kind, one.value) for one in found]


def later(kind: str, value: str = "", **after: float) -> Event:
    return Event(kind, MAILED + timedelta(**(after or {"days": 2})), value)


def test_code_a_journal_and_votes_are_told_the_gravest_first():
    events = (
        later("votes", "20 61"),
        later("code", "https://example.org/code"),
        later("doi", "10.1038/s41586-026-1"),
        later("withdrawn"),
        later("version", "2"),
        later("title", "before"),
    )
    gone = Had(MAILED, withdrawn=True)
    assert told(*events, had=gone) == [
        ("withdrawn", ""),
        ("code", "https://example.org/code"),
        ("doi", "10.1038/s41586-026-1"),
        ("votes", "50"),
    ]
    assert ("withdrawn", "") not in told(*events), "it was taken back meanwhile"


def test_what_was_before_the_mail_or_the_opt_in_is_not_news():
    assert told(later("code", "https://a.example", hours=-1)) == []
    opted = LateSignals(MAILED + timedelta(days=5))
    assert told(later("code", "https://a.example", days=4), wish=opted) == []
    assert told(later("code", "https://a.example", days=6), wish=opted) == [
        ("code", "https://a.example")
    ]
    unknown = Had(None)
    assert told(later("code", "https://a.example", hours=-1), had=unknown), "only the opt-in counts"


def test_news_wait_for_a_bounded_time_and_those_of_a_later_day_come_later():
    late = NOW + timedelta(days=FIXED.signal_days)
    since = late - timedelta(days=FIXED.signal_days)
    assert told(later("code", "https://a.example"), since=since, until=late) == []
    assert told(later("code", "https://a.example", days=30)) == []


@pytest.mark.parametrize(
    ("value", "is_passed"),
    [("20 61", True), ("49 50", True), ("50 61", False), ("20 49", False), ("61", True),
     ("12", False), ("", False), ("many 60", False)],
)  # fmt: skip
def test_votes_are_news_when_they_pass_the_number(value, is_passed):
    assert passed(Event("votes", NOW, value), 50) is is_passed


def test_an_interest_says_its_own_number_of_votes():
    few = LateSignals(WISH.since, 10)
    assert told(later("votes", "3 12"), wish=few) == [("votes", "10")]
    assert told(later("votes", "3 12")) == []
    assert told(later("votes", "3 12"), later("votes", "12 70", days=3), wish=few) == [
        ("votes", "10")
    ]


def test_votes_that_rose_on_the_day_of_the_mail_are_told_where_the_mail_showed_fewer():
    morning = later("votes", "3 70", hours=-6)
    assert told(morning, had=Had(MAILED, votes=12)) == [("votes", "50")]
    assert told(morning, had=Had(MAILED, votes=66)) == [], "the mail said so"
    yesterday = later("votes", "3 70", hours=-30)
    assert told(yesterday, had=Had(MAILED, votes=12)) == []


@pytest.mark.parametrize(
    ("doi", "journal"),
    [("10.1038/s41586-026-1", True), ("10.1101/gr.12345", True), ("10.48550/arXiv.2611.1", False),
     ("10.1101/2026.11.01.1", False), ("10.64898/2026.1", False), ("10.21203/rs.3.rs-1", False),
     ("none", False)],
)  # fmt: skip
def test_an_archives_own_doi_is_no_journal(doi, journal):
    assert is_journal(doi) is journal


def test_what_several_interests_tell_of_one_paper_is_one_line():
    early = Happening("votes", "10", MAILED + timedelta(days=1))
    code = Happening("code", "https://a.example", MAILED + timedelta(days=2))
    votes = Happening("votes", "50", MAILED + timedelta(days=3))
    assert joined([(code, votes), (early,), ()]) == (code, early)


def signal(number: int, kind="code", **after: float) -> Signal:
    return Signal(
        paper_id=number,
        scheme="arxiv",
        value=f"2611.{number:05d}",
        title=Marked(f"Paper {number}", ((0, 5),)),
        happenings=(Happening(kind, "https://a.example", MAILED + timedelta(**after)),),
        link=f"https://arxiv.org/abs/2611.{number:05d}",
        had_on=date(2026, 11, 3),
    )


def test_a_section_begins_with_what_was_withdrawn_then_the_newest_and_has_an_end():
    many = [signal(n, hours=n) for n in range(1, FIXED.signals_a_mail + 5)]
    section = section_of([*many, signal(99, "withdrawn", hours=0)])
    assert section is not None
    assert section.total == len(section.signals) == FIXED.signals_a_mail
    assert [one.paper_id for one in section.signals][:3] == [99, 24, 23]
    assert section_of([]) is None


def test_a_mail_may_hold_news_alone_and_counts_no_paper_twice():
    made = compose(
        "daily", date(2026, 11, 20), [], [], checked=446, limits=Defaults(), signals=[signal(1)]
    )
    assert isinstance(made, Digest)
    assert [s.kind for s in made.sections] == ["signals"]
    assert made.paper_ids() == ()
    assert made.matched == 0
    assert [one.paper_id for one in made.signals()] == [1]
    assert from_json(to_json(made)) == made
    nothing = compose("daily", date(2026, 11, 20), [], [], checked=446, limits=Defaults())
    assert isinstance(nothing, NothingNew)


def test_options_are_read_back_and_what_else_a_row_holds_stays():
    since = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    for options in (
        Options(),
        Options("Ana Silva"),
        Options("", LateSignals(since)),
        Options("Ana Silva; A. Costa", LateSignals(since, 12)),
    ):
        data = write_options({"other": 1, "own": "x", "signals": {}}, options)
        assert data["other"] == 1
        assert read_options(data) == options
    assert read_options({"own": 3, "signals": {"votes": 4}}) == Options()
    assert read_options({"signals": {"since": "some day"}}) == Options()
