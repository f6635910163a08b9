"""Which papers of a poll are news."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from service.papers.model import Alias, AnnounceType, Paper, Sighting
from service.sources.novelty import is_burst, novelty

TODAY = date(2026, 6, 17)


def seen(
    published: date | None = None, listed: date | None = None, announce: AnnounceType = ""
) -> Sighting:
    paper = Paper(aliases=(Alias("guid", "x"),), title="T", published_on=published)
    return Sighting(paper=paper, listed_on=listed, announce_type=announce)


def judged(kind: str, sightings: Sequence[Sighting], **more: Any) -> list[str]:
    settings: dict[str, Any] = {"today": TODAY, "first_poll": False, "history": False, **more}
    return list(novelty(kind, sightings, **settings))


def days_ago(count: int) -> date:
    return TODAY - timedelta(days=count)


def test_a_first_poll_is_known_but_for_its_newest_day() -> None:
    listed = [seen(listed=days_ago(n)) for n in (2, 1, 1, 3)]
    assert judged("hf_daily", listed, first_poll=True) == ["known", "new", "new", "known"]
    published = [seen(days_ago(0)), seen(days_ago(9)), seen(None)]
    assert judged("feed", published, first_poll=True) == ["new", "known", "known"]


def test_a_first_poll_takes_no_day_of_the_future_and_no_dead_archive() -> None:
    assert judged("feed", [seen(days_ago(-20)), seen(days_ago(1))], first_poll=True) == [
        "known",
        "new",
    ]
    assert judged("feed", [seen(days_ago(400))], first_poll=True) == ["known"]
    assert judged("feed", [seen(None)], first_poll=True) == ["known"]


def test_history_is_known() -> None:
    assert judged("hf_daily", [seen(listed=TODAY)], history=True) == ["known"]
    assert judged("feed", [seen(TODAY)] * 50, history=True) == ["known"] * 50


@pytest.mark.parametrize("more", [{}, {"first_poll": True}, {"history": True}])
def test_replacements_only_refresh(more: dict[str, bool]) -> None:
    both = [seen(listed=TODAY, announce="replace"), seen(listed=TODAY, announce="replace-cross")]
    assert judged("arxiv_rss", both, **more) == ["refresh", "refresh"]


def test_late_listings_and_the_catch_up_of_an_outage_are_new() -> None:
    listed = [seen(days_ago(62), listed=days_ago(n)) for n in (0, 13, 14, 15)]
    assert judged("hf_daily", listed) == ["new", "new", "new", "known"]
    assert judged("hf_daily", listed, catchup_days=15) == ["new"] * 4
    assert judged("hf_daily", listed, catchup_days=0) == ["new", "known", "known", "known"]


@pytest.mark.parametrize("kind", ["hf_daily", "arxiv_rss"])
def test_daily_lists_never_count_as_a_burst(kind: str) -> None:
    many = [seen(days_ago(1), listed=TODAY)] * 400
    assert judged(kind, many, usual_per_day=5, days_known=40) == ["new"] * 400


def test_a_burst_of_a_feed_waits_for_the_admin() -> None:
    many = [seen(days_ago(1))] * 31
    usual = {"usual_per_day": 10.0, "days_known": 10}
    assert judged("feed", many, **usual) == ["held"] * 31
    assert judged("feed", many[:30], **usual) == ["new"] * 30
    assert judged("feed", many, usual_per_day=10.0, days_known=9) == ["new"] * 31
    assert judged("feed", many, usual_per_day=None, days_known=0) == ["new"] * 31


def test_a_burst_is_measured_over_the_day() -> None:
    some = [seen(days_ago(1))] * 5
    usual = {"usual_per_day": 2.0, "days_known": 14}
    assert judged("feed", some, **usual) == ["new"] * 5
    assert judged("feed", some, **usual, earlier_today=1) == ["new"] * 5
    assert judged("feed", some, **usual, earlier_today=2) == ["held"] * 5


def test_old_items_of_a_feed_wait_one_by_one() -> None:
    mixed = [seen(days_ago(31)), seen(days_ago(30)), seen(None)]
    assert judged("feed", mixed) == ["held", "new", "new"]


def test_a_query_of_arxiv_takes_no_old_papers_as_new() -> None:
    assert judged("arxiv_api", [seen(days_ago(3)), seen(days_ago(90))]) == ["new", "known"]


def test_a_rare_feed_may_bring_three() -> None:
    assert not is_burst(3, 0.2, 12)
    assert is_burst(4, 0.2, 12)


def named(latest: date, published: date | None = None) -> Sighting:
    paper = Paper(aliases=(Alias("guid", "x"),), title="T", published_on=published)
    return Sighting(paper=paper, latest_on=latest)


@pytest.mark.parametrize("kind", ["feed", "arxiv_api"])
def test_what_names_an_earlier_year_alone_is_known_and_waits_for_nobody(kind: str) -> None:
    of_years = [named(date(year, 12, 31)) for year in (2019, 2025, 2026)]
    assert judged(kind, of_years) == ["known", "known", "new"]
    new_year = {"today": date(2026, 1, 12)}
    assert judged(kind, of_years[:2], **new_year) == ["known", "new"]
    assert judged(kind, [named(days_ago(n)) for n in (30, 31)]) == ["new", "known"]


def test_old_records_are_no_burst() -> None:
    habit = {"usual_per_day": 1.0, "days_known": 20}
    many = [named(date(2019, 12, 31))] * 40
    assert judged("feed", [*many, seen(TODAY)], **habit) == ["known"] * 40 + ["new"]
