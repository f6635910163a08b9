"""What the ledger says of one source and day: one word, from what was asked and what came. Pure.

| kind  | expected day    | before it is due | due, and nothing new | new papers | over without |
| batch | by its calendar | open | late (empty), stale (old ids) | complete | late, stale |
| grows | by its weekdays | open | late (still empty) | open (never complete) | none |
| feed  | none promised   | open | open | open | open |

A day that nobody expects is ``none`` until something comes all the same. A batch that was late or
stale to the end is asked for as missed, and becomes ``complete``, or ``none`` where nothing was
announced; until then the day keeps its word.
"""

from datetime import date, datetime
from typing import Literal

from service.sources.calendar import expected, rhythm_of, source_day
from service.sources.schedule import Batch

DayState = Literal["open", "complete", "late", "stale", "none", "failed", "wanted", "history"]
"""open: asked, nothing can be said yet, or papers came and more may · complete: its batch is there
· late: due, and nothing is there · stale: due, and only what was there before · none: nothing was
to come, or nothing came · failed: no answer so far · wanted: a past day that is still to be brought
in · history: one that was."""

WAITED_FOR: tuple[DayState, ...] = ("late", "stale")
SETTLED: tuple[DayState, ...] = ("complete", "none", "history")


def day_state(
    kind: str,
    day: date,
    now: datetime,
    *,
    held: Batch,
    before: DayState = "open",
    announced: int | None = None,
) -> DayState:
    """Return the word for a source's own day after an answer, or with time.

    now: aware. held: what the newest answer of that day held ("" = papers of a list that grows,
    "empty" = none of them, as of a batch; for a batch "" = nothing was asked). before: the word so
    far. announced: what a cross-check named, None where none was made.
    """
    rhythm = rhythm_of(kind)
    if not rhythm.lists:
        return "open"
    if before == "complete" or (rhythm.lists == "batch" and held == "complete"):
        return "complete"
    if rhythm.lists == "grows" and held != "empty":
        return "open"
    if not expected(kind, day):
        return "none"
    today = source_day(kind, now)
    if day < today:
        return _over(rhythm.lists == "grows", before, held)
    if day > today or now.astimezone(rhythm.zone).time() < rhythm.late_at:
        return "open"
    if announced == 0 and not rhythm.knows_year(day.year):
        return "none"  # a holiday that is not on file
    if held == "stale" or (before == "stale" and not held):
        return "stale"
    return "late"


def _over(grows: bool, before: DayState, held: Batch) -> DayState:
    """The word for an expected day that ended without papers. Whether a batch was missed, or none
    was announced, the kind that knows the past says on a later day (``missed``)."""
    if grows:
        return "none"
    return "stale" if held == "stale" or before == "stale" else "late"


def is_due(kind: str, day: date, now: datetime) -> bool:
    """Whether a batch that is waited for should be there at ``now``, on its own day."""
    rhythm = rhythm_of(kind)
    here = now.astimezone(rhythm.zone)
    is_its_day = rhythm.lists == "batch" and here.date() == day and rhythm.expects(day)
    return is_its_day and here.time() >= rhythm.late_at


def wants_crosscheck(
    kind: str,
    state: DayState,
    *,
    late_polls: int,
    after: int,
    announced: int | None,
) -> bool:
    """Whether the kind that knows the past is asked if the day had an announcement.

    late_polls: answers without anything new, once it was due; after: how many are waited for. What
    was named once needs no second question.
    """
    is_waited_for = rhythm_of(kind).lists == "batch" and state in WAITED_FOR
    return is_waited_for and late_polls >= after and not announced
