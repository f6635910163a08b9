"""When a source is asked next, and what its state is called. Pure."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from service.defaults import FIXED, spread
from service.sources.calendar import EASTERN, expected, next_expected, source_day
from service.sources.outcome import Failed, Outcome

State = Literal["ok", "late", "stale", "silent", "failing", "paused", "gone"]
Batch = Literal["complete", "stale", "empty", ""]
"""What a poll of a batch source held: an id never seen, only known ids, nothing; "" = no batch."""

HF_OPEN = timedelta(minutes=FIXED.list_poll_minutes)
HF_CLOSED = timedelta(minutes=FIXED.list_idle_minutes)
ARXIV_WAITING = timedelta(minutes=FIXED.batch_poll_minutes)
ARXIV_DONE = timedelta(minutes=FIXED.batch_idle_minutes)
ARXIV_FIRST_POLL = time.fromisoformat(FIXED.batch_poll_from)
ARXIV_DUE = time(0, 30)
FEED = timedelta(minutes=FIXED.feed_poll_minutes)
SLOWEST = timedelta(days=1)
FIRST_RETRY = timedelta(minutes=5)
PERMANENT_RETRY = timedelta(hours=6)
FAILING_AFTER = 3
MOVES_AFTER = 3
SILENT_AFTER = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PollState:
    """What is remembered of a source between polls.

    failures: polls failed in a row. moves, moved_to: how often in a row it named that new address.
    """

    state: State = "ok"
    failures: int = 0
    moves: int = 0
    moved_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollPlan:
    """What to write on the source's row. next_poll_at: None = never again (gone, paused).
    new_url: the address to ask from now on, "" = the old one."""

    next_poll_at: datetime | None
    remembered: PollState
    new_url: str = ""


def next_poll(
    kind: str,
    outcome: Outcome,
    *,
    now: datetime,
    before: PollState,
    batch: Batch = "",
    hint: timedelta | None = None,
    jitter: float = 0.5,
) -> PollPlan:
    """Return when to ask again and under which state.

    now: aware UTC. batch: what the answer held, for kinds that publish once a day (NotModified is
    judged by what is already there). hint: how often the source asks to be polled. jitter: a random
    number from 0 to 1 that spreads retries by 20 % to either side.
    """
    if before.state in ("paused", "gone"):
        return PollPlan(next_poll_at=None, remembered=before)
    if isinstance(outcome, Failed):
        return _after_failure(outcome, now, before, jitter)
    moves = before.moves + 1 if outcome.moved_to and outcome.moved_to == before.moved_to else 1
    moved = replace(
        before, failures=0, moves=moves if outcome.moved_to else 0, moved_to=outcome.moved_to
    )
    new_url = ""
    if moved.moves >= MOVES_AFTER:
        new_url, moved = moved.moved_to, replace(moved, moves=0, moved_to="")
    at, state = _after_answer(kind, now, batch, hint)
    return PollPlan(next_poll_at=at, remembered=replace(moved, state=state), new_url=new_url)


def _after_failure(failed: Failed, now: datetime, before: PollState, jitter: float) -> PollPlan:
    if failed.gone:
        return PollPlan(next_poll_at=None, remembered=replace(before, state="gone"))
    failures = before.failures + 1
    first = PERMANENT_RETRY if failed.permanent else FIRST_RETRY
    wait = min(first * 2 ** min(failures - 1, 12), SLOWEST) * spread(jitter)
    if failed.retry_after is not None:
        asked = timedelta(seconds=failed.retry_after)
        wait = min(max(asked, timedelta(minutes=1)), SLOWEST)
    state: State = "failing" if failures >= FAILING_AFTER else before.state
    return PollPlan(
        next_poll_at=now + wait, remembered=replace(before, state=state, failures=failures)
    )


def _after_answer(
    kind: str, now: datetime, batch: Batch, hint: timedelta | None
) -> tuple[datetime, State]:
    if kind == "hf_daily":
        return _hf(now, batch)
    if kind == "arxiv_rss":
        return _arxiv(now, batch)
    if kind == "arxiv_api":
        return now + ARXIV_DONE, "ok"
    return now + min(max(FEED, hint or FEED), SLOWEST), "ok"


def _hf(now: datetime, batch: Batch) -> tuple[datetime, State]:
    """The list grows from midnight to 14:00 UTC; still empty on a weekday at noon is late."""
    is_day = expected("hf_daily", now.astimezone(UTC).date())
    hour = now.astimezone(UTC).hour
    state: State = "late" if is_day and hour >= 12 and batch == "empty" else "ok"
    if is_day and hour < FIXED.list_poll_until_hour:
        return now + HF_OPEN, state
    opens_on = next_expected("hf_daily", now.astimezone(UTC).date())
    return min(now + HF_CLOSED, datetime.combine(opens_on, time(), UTC)), state


def _arxiv(now: datetime, batch: Batch) -> tuple[datetime, State]:
    """Eastern days: asked from 00:10 until the batch is there; due at 00:30."""
    here = now.astimezone(EASTERN)
    today = here.date()
    first_tomorrow = _eastern(next_expected("arxiv_rss", today))
    if batch == "complete" or not expected("arxiv_rss", today):
        return min(now + ARXIV_DONE, first_tomorrow), "ok"
    first_today = _eastern(today)
    if now < first_today:
        return first_today, "ok"
    due = here.time() >= ARXIV_DUE
    state: State = "ok" if not due else "stale" if batch == "stale" else "late"
    return min(now + ARXIV_WAITING, first_tomorrow), state


def _eastern(day: date) -> datetime:
    """Return the first poll of an Eastern day as an instant."""
    return datetime.combine(day, ARXIV_FIRST_POLL, EASTERN).astimezone(UTC)


def batch_of(kind: str, items: int, never_seen: int) -> Batch:
    """Say what a poll of a batch source or a daily list held.

    arXiv turns without a sign of it when a category goes stale: only a new id proves a new batch.
    """
    if kind not in ("arxiv_rss", "hf_daily"):
        return ""
    if items == 0:
        return "empty"
    if kind == "hf_daily":
        return ""
    return "complete" if never_seen else "stale"


def is_silent(last_new_at: datetime, usual_gap: timedelta, now: datetime) -> bool:
    """Say whether a feed has been quiet for more than three times its usual gap."""
    return now - last_new_at > SILENT_AFTER * usual_gap


def is_late(kind: str, day_complete: bool, now: datetime) -> bool:
    """Say whether a batch that is waited for is due and not there at ``now``."""
    if kind != "arxiv_rss" or day_complete or not expected(kind, source_day(kind, now)):
        return False
    return now.astimezone(EASTERN).time() >= ARXIV_DUE
