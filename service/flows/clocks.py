"""When readers and sources are due, looked at anew: what was stored may be wrong by now.

The machine's clock may have been ahead for a while, and every reader was given the slot after a
date that is still to come; or a newer tzdata says that a zone changes its clock on another day.
Nobody can get a second mail by it: the slot of a date is used once.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from service.flows.runtime import Runtime
from service.sources.schedule import SLOWEST
from service.store.db import Priority, Session
from service.store.schedules import Schedule, bring_forward, list_schedules
from service.store.sources import list_ahead
from service.store.subscribers import days_of
from service.subscribers.cadence import CadenceError, next_slot
from service.subscribers.model import Subscriber
from service.subscribers.zone import is_known

LONGEST = SLOWEST + timedelta(hours=1)
"""No source waits longer until it is asked again."""


def set_clocks(rt: Runtime) -> int:
    """Bring forward who is due later than their next hour comes, and sources that wait for a day of
    a clock that was ahead; returns how many readers."""
    now = rt.clock()
    if rt.db.read(lambda s: list_ahead(s, now, LONGEST)):
        rt.log("sources_set", sources=rt.db.write(lambda s: _ask_again(s, now), Priority.BULK))
    found = rt.db.read(list_schedules)
    wrong = [(one, at) for one in found if (at := _next(one, now)) is not None]
    if not wrong:
        return 0
    moved = rt.db.write(lambda s: _bring(s, wrong), Priority.MAIL)
    if moved:
        rt.log("clocks_set", readers=moved)
    return moved


def _ask_again(session: Session, now: datetime) -> int:
    """Sources that were asked by a clock that was ahead are asked now."""
    found = list_ahead(session, now, LONGEST)
    for source in found:
        source.next_poll_at = now
        if source.last_poll_at is not None:
            source.last_poll_at = min(source.last_poll_at, now)
        session.add(source)
    return len(found)


def unknown_zones(rt: Runtime) -> dict[str, int]:
    """How many active readers live by each zone that this machine's tzdata does not know."""
    found: dict[str, int] = {}
    for shared in rt.db.read(list_schedules):
        if not is_known(shared.zone):
            found[shared.zone] = found.get(shared.zone, 0) + shared.readers
    return found


def _next(shared: Schedule, now: datetime) -> datetime | None:
    """When the next hour of a schedule comes, where somebody is due later; None where all is
    right, or the clock cannot be read (which the planner says)."""
    days = days_of(shared.weekdays)
    reader = Subscriber(id=0, email="", zone=shared.zone, hour=shared.hour, weekdays=days)
    try:
        at = next_slot(reader, now)[1]
    except (CadenceError, ValueError, KeyError, OSError):
        return None
    is_late = shared.last is not None and shared.last > at
    return at if is_late or shared.without else None


def _bring(session: Session, wrong: Sequence[tuple[Schedule, datetime]]) -> int:
    return sum(bring_forward(session, shared, at) for shared, at in wrong)
