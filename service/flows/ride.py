"""What of a reader's interests rides in one mail, and between which instants its papers became
new: all that is known before a paper is looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from service.defaults import Defaults
from service.flows.window import (
    Occasion,
    here_from,
    is_due,
    missed_since,
    rode_on,
    window_end,
    window_start,
)
from service.store.slots import Slots
from service.subscribers.cadence import day_bounds
from service.subscribers.model import Profile, ProfileKind, Subscriber


@dataclass(frozen=True, slots=True)
class Ride:
    """profiles: the interests that are due · asked: those of them with words · missed:
    ``missed_since`` · starts: the first day of each one's papers · [start, end): when the papers
    of all of them became new."""

    profiles: tuple[Profile, ...]
    asked: tuple[Profile, ...]
    missed: date | None
    starts: Mapping[int, date]
    start: datetime
    end: datetime


def ride_of(
    reader: Subscriber,
    profiles: Sequence[Profile],
    slots: Slots,
    on: date,
    now: datetime,
    limits: Defaults,
    occasion: Occasion,
) -> Ride:
    """What rides in the mail of a date. profiles: all of the reader's."""
    due = tuple(p for p in profiles if is_due(p, reader, on, slots.last, occasion))
    asked = tuple(p for p in due if p.kind is not ProfileKind.TRENDING)
    missed = missed_since(reader, slots.newest, on, now, limits) if occasion == "daily" else None
    here, rode = here_from(reader, slots), rode_on(reader, slots, on, now)
    starts = {p.id: window_start(p, reader, on, limits, missed, here, rode) for p in asked}
    end = window_end(reader, on, now)
    start = day_bounds(min(starts.values()), on)[0] if starts else end
    return Ride(due, asked, missed, starts, start, end)
