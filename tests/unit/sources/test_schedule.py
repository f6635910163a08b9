"""When a source is asked next."""

from datetime import UTC, datetime, timedelta

import pytest

from service.sources.outcome import Failed, Fetched, NotModified
from service.sources.schedule import (
    Batch,
    PollPlan,
    PollState,
    batch_of,
    is_silent,
    leaves_gap,
    next_poll,
)

ANSWER = Fetched(body=b"x", url="https://a.example/")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def plan(kind: str, now: str, batch: Batch = "", **more: object) -> PollPlan:
    before = more.pop("before", PollState())
    return next_poll(kind, ANSWER, now=at(now), before=before, batch=batch, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("2026-06-17T00:00", "2026-06-17T00:30"),  # a Wednesday, open
        ("2026-06-17T13:59", "2026-06-17T14:29"),
        ("2026-06-17T14:00", "2026-06-17T16:00"),
        ("2026-06-17T23:30", "2026-06-18T00:00"),  # not past the next opening
        ("2026-06-20T09:00", "2026-06-20T11:00"),  # a Saturday
    ],
)
def test_hugging_face(now: str, then: str) -> None:
    assert plan("hf_daily", now).next_poll_at == at(then)


def test_hugging_face_is_late_when_a_weekday_is_empty_at_noon() -> None:
    assert plan("hf_daily", "2026-06-17T12:10", "empty").remembered.state == "late"
    assert plan("hf_daily", "2026-06-17T11:50", "empty").remembered.state == "ok"
    assert plan("hf_daily", "2026-06-20T12:10", "empty").remembered.state == "ok"


@pytest.mark.parametrize(
    ("now", "batch", "then", "state"),
    [
        ("2026-06-17T04:12", "stale", "2026-06-17T04:32", "ok"),  # 00:12 Eastern: not yet due
        ("2026-06-17T04:35", "stale", "2026-06-17T04:55", "stale"),
        ("2026-06-17T04:35", "empty", "2026-06-17T04:55", "late"),
        ("2026-06-17T09:00", "stale", "2026-06-17T09:20", "stale"),  # longer waits after 3 hours
        ("2026-06-17T04:35", "complete", "2026-06-17T10:35", "ok"),
        ("2026-06-18T02:00", "complete", "2026-06-18T04:10", "ok"),  # the next day's first poll
        ("2026-06-17T04:05", "stale", "2026-06-17T04:10", "ok"),
        ("2026-06-20T05:00", "empty", "2026-06-20T11:00", "ok"),  # a Saturday
        ("2026-06-19T05:00", "empty", "2026-06-19T11:00", "ok"),  # Juneteenth
        ("2026-01-14T05:12", "stale", "2026-01-14T05:32", "ok"),  # winter time: 00:12 Eastern
    ],
)
def test_arxiv(now: str, batch: Batch, then: str, state: str) -> None:
    found = plan("arxiv_rss", now, batch)
    assert found.next_poll_at == at(then)
    assert found.remembered.state == state


def test_feeds_are_asked_hourly_or_slower_by_their_own_hint() -> None:
    now = "2026-06-17T10:00"
    assert plan("feed", now).next_poll_at == at("2026-06-17T11:00")
    assert plan("feed", now, hint=timedelta(minutes=5)).next_poll_at == at("2026-06-17T11:00")
    assert plan("feed", now, hint=timedelta(hours=12)).next_poll_at == at("2026-06-17T22:00")
    assert plan("feed", now, hint=timedelta(days=30)).next_poll_at == at("2026-06-18T10:00")


def fail(failed: Failed, before: PollState, jitter: float = 0.5) -> PollPlan:
    return next_poll("feed", failed, now=at("2026-06-17T10:00"), before=before, jitter=jitter)


def test_failures_back_off_and_are_named_after_three() -> None:
    state = PollState()
    waits, states = [], []
    for _ in range(12):
        found = fail(Failed(reason="no connection"), state)
        assert found.next_poll_at is not None
        waits.append((found.next_poll_at - at("2026-06-17T10:00")) / timedelta(minutes=1))
        states.append(found.remembered.state)
        state = found.remembered
    assert waits[:4] == [5, 10, 20, 40]
    assert max(waits) == 24 * 60
    assert states[:4] == ["ok", "ok", "failing", "failing"]
    answered = next_poll("feed", ANSWER, now=at("2026-06-17T10:00"), before=state)
    assert answered.remembered == PollState()


def test_jitter_spreads_by_a_fifth() -> None:
    low, high = (fail(Failed(reason="x"), PollState(), jitter) for jitter in (0.0, 1.0))
    assert low.next_poll_at == at("2026-06-17T10:04")
    assert high.next_poll_at == at("2026-06-17T10:06")


def test_retry_after_is_obeyed_but_never_below_a_minute() -> None:
    asked = Failed(reason="429", retry_after=7200)
    assert fail(asked, PollState()).next_poll_at == at("2026-06-17T12:00")
    at_once = Failed(reason="429", retry_after=0)
    assert fail(at_once, PollState()).next_poll_at == at("2026-06-17T10:01")


def test_gone_and_paused_are_never_asked_again() -> None:
    gone = fail(Failed(reason="410", permanent=True, gone=True, status=410), PollState())
    assert gone.next_poll_at is None
    assert gone.remembered.state == "gone"
    assert plan("feed", "2026-06-17T10:00", before=PollState(state="paused")).next_poll_at is None


def test_the_third_301_in_a_row_moves_the_source() -> None:
    new = "https://b.example/feed"
    state = PollState()
    urls = []
    for outcome in (NotModified(moved_to=new), ANSWER, *[NotModified(moved_to=new)] * 3):
        found = next_poll("feed", outcome, now=at("2026-06-17T10:00"), before=state)
        urls.append(found.new_url)
        state = found.remembered
    assert urls == ["", "", "", "", new]
    assert state == PollState()


def test_only_an_id_never_seen_proves_a_new_batch() -> None:
    assert batch_of("arxiv_rss", 65, 3) == "complete"
    assert batch_of("arxiv_rss", 65, 0) == "stale"
    assert batch_of("arxiv_rss", 0, 0) == "empty"
    assert batch_of("hf_daily", 20, 0) == ""
    assert batch_of("feed", 0, 0) == ""


def test_a_feed_is_silent_after_three_usual_gaps() -> None:
    last, gap = at("2026-06-01T00:00"), timedelta(days=3)
    assert not is_silent(last, gap, at("2026-06-10T00:00"))
    assert is_silent(last, gap, at("2026-06-10T01:00"))


def test_a_batch_that_no_announcement_stands_behind_is_not_waited_for() -> None:
    made = plan("arxiv_rss", "2026-06-17T05:00", batch="none")
    assert (made.remembered.state, made.next_poll_at) == ("ok", at("2026-06-17T06:00"))


def test_a_gap_halves_the_wait_of_a_feed_as_far_as_it_allows() -> None:
    now = "2026-06-17T10:00"
    assert plan("feed", now, gaps=1).next_poll_at == at("2026-06-17T10:30")
    assert plan("feed", now, gaps=99).next_poll_at == at("2026-06-17T10:15")
    assert plan("pubmed", now, gaps=1).next_poll_at == at("2026-06-17T10:15")
    hint = timedelta(hours=2)
    assert plan("feed", now, gaps=1, hint=hint).next_poll_at == at("2026-06-17T12:00")


@pytest.mark.parametrize(
    ("kind", "shown", "last", "is_gap"),
    [
        ("pubmed", [False] * 15, 15, True),
        ("pubmed", [False] * 14 + [True], 15, False),
        ("pubmed", [], 15, False),
        ("feed", [False], 0, False),
        ("arxiv_rss", [False] * 15, 15, False),
        ("hf_daily", [False] * 15, 15, False),
        ("arxiv_api", [False] * 15, 15, False),
        ("no_kind", [False], 1, False),
    ],
)
def test_papers_may_have_passed_by(kind: str, shown: list[bool], last: int, is_gap: bool) -> None:
    assert leaves_gap(kind, shown, last) == is_gap
