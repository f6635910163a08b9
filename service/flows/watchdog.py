"""Whether the day's mails are away: looked at from time to time, told by a set hour.

A run is complete when no reader is due without a row, no mail waits that could move on, and no
edition has more mails put off than came. Days on which nothing ran at all: ``flows/lapse``.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from service.flows import epoch
from service.flows.alarms import Alarm, end_alarm, raise_alarm
from service.flows.runtime import Runtime
from service.store import alarms as alarms_store
from service.store import runs
from service.store.db import Priority, Session
from service.subscribers.zone import clock_of

KIND, KEY = "run", "daily"
NEVER = 24
"""The hour that switches the alarm off."""

PATIENCE = timedelta(minutes=20)
"""A reader planned, or a mail moved on, later than this is late."""

SILENT = timedelta(minutes=10)
"""The clock ticks every minute, and each fifth time is noted: after this it stands still."""


@dataclass(frozen=True, slots=True)
class Watched:
    """left: what is not away · is_late: and the set hour is over."""

    left: runs.Unfinished
    is_late: bool


def watch_runs(rt: Runtime) -> Watched:
    """Note that the clock is at work; raise the alarm about the day's run, or end it."""
    now = rt.clock()
    left = rt.db.read(lambda s: runs.unfinished(s, now, PATIENCE))
    is_held = epoch.standing(rt).held  # an alarm of its own, and nothing is to be sent
    late = not left.is_empty and not is_held and _is_over(rt, now)

    def act(session: Session) -> None:
        runs.note(session, runs.CLOCK, now)
        if left.is_empty:
            runs.note(session, runs.MADE, now)
            if alarms_store.get_alarm(session, KIND, KEY) is not None:
                end_alarm(rt, session, KIND, KEY)
        elif late:
            raise_alarm(rt, session, _alarm(rt, left, now))

    rt.db.write(act, Priority.MAIL)
    return Watched(left, late)


def _is_over(rt: Runtime, now: datetime) -> bool:
    hour = rt.defaults().run_by_hour
    return hour < NEVER and now.astimezone(clock_of(rt.zone)).hour >= hour


def _alarm(rt: Runtime, left: runs.Unfinished, now: datetime) -> Alarm:
    on = now.astimezone(clock_of(rt.zone))
    return Alarm(
        kind=KIND,
        key=KEY,
        what=f"The mails of {on:%d %B} are not all away at {rt.defaults().run_by_hour}:00: "
        f"{told(left)}.",
        place=f"daily mails, by the clock of {rt.zone}",
        next_step="paperpost doctor says what stands still; /admin/alarms and deliveries list "
        "--state deferred say what the mail servers answered.",
    )


def told(left: runs.Unfinished) -> str:
    """What is not away, in words."""
    words = []
    if left.overdue:
        words.append(f"{left.overdue:,} due and not planned")
    if left.stuck:
        words.append(f"{left.stuck:,} planned and not sent")
    if left.deferred:
        words.append(f"{left.deferred:,} of {left.of:,} put off by mail servers")
    return ", ".join(words) or "all away"
