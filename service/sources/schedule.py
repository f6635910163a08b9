"""When a source is asked next, and what its state is called. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from service.defaults import FIXED, spread
from service.sources.calendar import next_expected, rhythm_of
from service.sources.outcome import Failed, Outcome
from service.sources.registry import ADAPTERS
from service.sources.rhythm import Rhythm

State = Literal["ok", "late", "stale", "silent", "failing", "paused", "gone"]
Batch = Literal["complete", "stale", "empty", "none", ""]
"""What a poll of a batch source held: an id never seen, only known ids, nothing (none: and nothing
was announced either); "" = no batch."""

BATCH_DONE: tuple[Batch, ...] = ("complete", "none")

SLOWEST = timedelta(days=1)
FIRST_RETRY = timedelta(minutes=5)
PERMANENT_RETRY = timedelta(hours=6)


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
    gaps: int = 0,
) -> PollPlan:
    """Return when to ask again and under which state.

    now: aware UTC. batch: what the answer held, for kinds that publish once a day (NotModified is
    judged by what is already there). hint: how often the source asks to be polled. jitter: a random
    number from 0 to 1 that spreads retries by 20 % to either side. gaps: answers of the last days
    between which papers may have passed by (see ``leaves_gap``).
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
    if moved.moves >= FIXED.moves_after:
        new_url, moved = moved.moved_to, replace(moved, moves=0, moved_to="")
    at, state = _after_answer(kind, now, batch, hint, gaps)
    return PollPlan(next_poll_at=at, remembered=replace(moved, state=state), new_url=new_url)


def _after_failure(failed: Failed, now: datetime, before: PollState, jitter: float) -> PollPlan:
    if failed.gone:
        return PollPlan(next_poll_at=None, remembered=replace(before, state="gone"))
    failures = before.failures + 1
    first = PERMANENT_RETRY if failed.permanent else FIRST_RETRY
    wait = min(first * 2 ** min(failures - 1, 12) * spread(jitter), SLOWEST)
    if failed.retry_after is not None:
        asked = timedelta(seconds=failed.retry_after)
        wait = min(max(asked, timedelta(minutes=1)), SLOWEST)
    state: State = "failing" if failures >= FIXED.failing_after else before.state
    return PollPlan(
        next_poll_at=now + wait, remembered=replace(before, state=state, failures=failures)
    )


def _after_answer(
    kind: str, now: datetime, batch: Batch, hint: timedelta | None, gaps: int
) -> tuple[datetime, State]:
    rhythm = rhythm_of(kind)
    if rhythm.lists:
        return _listed(kind, rhythm, now, batch)
    often = _shortened(rhythm.often, gaps)
    return now + min(max(often, hint or often), SLOWEST), "ok"


def _shortened(often: timedelta, gaps: int) -> timedelta:
    """Half for each gap. What the source itself asks for is kept to all the same."""
    return max(often / (1 << min(gaps, 8)), min(often, timedelta(minutes=FIXED.gap_poll_minutes)))


def _listed(kind: str, rhythm: Rhythm, now: datetime, batch: Batch) -> tuple[datetime, State]:
    """A batch is asked for until it is there, a growing list until it closes."""
    here = now.astimezone(rhythm.zone)
    today = here.date()
    is_batch, is_day = rhythm.lists == "batch", rhythm.expects(today)
    next_opens = _opens(rhythm, next_expected(kind, today))
    if is_day and now < _opens(rhythm, today):
        return _opens(rhythm, today), "ok"
    state: State = "ok"
    if is_day and here.time() >= rhythm.late_at:
        if is_batch and batch not in BATCH_DONE:
            state = "stale" if batch == "stale" else "late"
        elif not is_batch and batch == "empty":
            state = "late"
    is_done = batch in BATCH_DONE if is_batch else here.time() >= rhythm.closes
    gap = rhythm.seldom if is_done or not is_day else rhythm.often
    if is_batch and is_day and batch == "none":  # or the announcement is only very late
        gap = timedelta(minutes=FIXED.crosscheck_minutes)
    return min(now + gap, next_opens), state


def _opens(rhythm: Rhythm, day: date) -> datetime:
    """Return the first poll of a source's own day as an instant."""
    return datetime.combine(day, rhythm.opens, rhythm.zone).astimezone(UTC)


def batch_of(kind: str, items: int, never_seen: int) -> Batch:
    """Say what a poll of a batch source or a daily list held.

    arXiv turns without a sign of it when a category goes stale: only a new id proves a new batch.
    """
    lists = rhythm_of(kind).lists
    if not lists:
        return ""
    if items == 0:
        return "empty"
    if lists == "grows":
        return ""
    return "complete" if never_seen else "stale"


def has_window(kind: str) -> bool:
    """Say whether a source shows only its newest papers, and nobody can ask for older ones."""
    return kind in ADAPTERS and not rhythm_of(kind).lists and not ADAPTERS[kind].history_kind


def leaves_gap(kind: str, shown_before: Sequence[bool], listed_last: int) -> bool:
    """Say whether papers may have passed by between two answers: nothing of the last is left.

    shown_before: of each paper of this answer, whether the source showed it already. listed_last:
    items of the last answer; after an empty one nothing can have been pushed out.
    """
    is_new_throughout = bool(shown_before) and not any(shown_before)
    return is_new_throughout and listed_last > 0 and has_window(kind)


def is_silent(last_new_at: datetime, usual_gap: timedelta, now: datetime) -> bool:
    """Say whether a feed has been quiet for more than three times its usual gap."""
    return now - last_new_at > FIXED.silent_times * usual_gap
